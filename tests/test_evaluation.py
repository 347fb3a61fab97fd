"""Evaluation against the project's measuring stick, where it is at hand, and against figures worked out by hand."""

import importlib.util
import json
import math
import os
import random
from pathlib import Path

import pytest

from stance.document import LABELS, Document
from stance.evaluation import DIAGNOSTICS, METRICS, evaluate
from stance.labelled import LabelledSetError, write
from stance.matching import PRONOUNS, TITLES, Parties, normalise, related

PARTIES = {
    "Igor Konashenkov": ["General Igor Konashenkov", "Konashenkov", "he", "the spokesman"],
    "Combined Joint Task Force": ["the Combined Joint Task Force", "CJTF", "the task force", "they", "Task Force"],
    "Ann Lee": ["Senator Ann Lee", "Lee", "Ms. Lee's", "she"],
    "Bob Lee": ["Bob Lee", "Lee", "Bob", "who"],
    "a senior official": ["a senior official", "the official", "some"],
    "Ministry of Health": ["the Ministry of Health", "MH", "it"],
}
FORMS = [*PARTIES, *(form for forms in PARTIES.values() for form in forms)]
TOPICS = ["the bridge", "a new budget", "the fire in the harbour", "those figures", "the late ferry"]


def span(text, words):
    start = text.index(words)
    return {"start": start, "end": start + len(words)}


def article(*sentences, id="a"):
    """Build a labelled article from (text, label, speaker name, mention, target) with as much as there is."""
    text = " ".join(words for words, *_ in sentences)
    records, start = [], 0
    for words, label, name, mention, target in ((*sentence, None, None, None, None)[:5] for sentence in sentences):
        record = {"start": start, "end": start + len(words), "label": label}
        if name == "author":
            record["speaker"] = "author"
        elif name:
            record["speaker"] = {"name": name, "mention": span(text, mention or name)}
        if target:
            record["target"] = span(text, target)
        records.append(record)
        start += len(words) + 1
    return {"id": id, "text": text, "sentences": records}


def changed(original, *changes):
    """Copy an article with its sentences' keys replaced, sentence by sentence."""
    sentences = [{**record, **change} for record, change in zip(original["sentences"], changes, strict=True)]
    return {**original, "sentences": sentences}


GOLD = article(
    ("Ann Lee denied it.", "denial", "Ann Lee"),
    ("She accused the Ministry of Health.", "allegation", "Ann Lee", "She", "the Ministry of Health"),
    ("It rained.", "assertion", "author"),
    ("Podcasts", "none"),
)


# Synthetic sets, compared with the measuring stick


def random_span(rng, length):
    start = rng.randrange(length - 1)
    return {"start": start, "end": rng.randrange(start + 1, min(length, start + 30) + 1)}


def random_speaker(rng, text):
    if rng.random() < 0.4:
        return "author"
    name = rng.choice(list(PARTIES))
    speaker = {"name": name, "mention": span(text, rng.choice(PARTIES[name]))}
    if rng.random() < 0.2:
        speaker["mention"] = rng.choice([None, random_span(rng, len(text))])
    if rng.random() < 0.2:
        speaker["also"] = [rng.choice(rng.choice(list(PARTIES.values())))]
    return speaker


def random_gold(rng, number):
    sentences = ["; ".join(FORMS) + "."]
    sentences += [f"{rng.choice(FORMS)} spoke of {rng.choice(TOPICS)}." for _ in range(rng.randrange(8))]
    text, records, start = " ".join(sentences), [], 0
    for sentence in sentences:
        label = rng.choice(["assertion", "assertion", "allegation", "none", "denial"][: 5 if number % 3 else 4])
        record = {"start": start, "end": start + len(sentence), "label": label}
        if label != "none":
            record["speaker"] = random_speaker(rng, text)
            if record["speaker"] == "author" and rng.random() < 0.2:
                record["speaker_also"] = rng.choice(FORMS)
        if label == "allegation" and rng.random() < 0.8:
            record["target"] = rng.choice([None, span(text, rng.choice(FORMS))])
        records.append(record)
        start += len(sentence) + 1
    return {"id": f"article {number}", "text": text, "sentences": records if number else []}


def other_forms(name):
    """List right and wrong forms of a name: aliases, a surname, a longer form, an acronym, an initial."""
    initials = "".join(word[0] for word in name.split() if word[0].isupper())
    return [
        *PARTIES[name],
        name.split()[-1],
        f"Mr. {name} Junior",
        initials,
        name[0],
        "Nobody at All",
        "’s",
        "Ann Petrov",
    ]


def random_prediction(rng, gold):
    text, records = gold["text"], []
    for right in gold["sentences"]:
        record = {**right, "start": max(0, right["start"] + rng.randrange(-9, 9)), "end": right["end"]}
        if rng.random() < 0.4:
            record["label"] = rng.choice(list(LABELS)).value
        if rng.random() < 0.5:
            record["speaker"] = random_speaker(rng, text)
        if rng.random() < 0.6 and isinstance(record.get("speaker"), dict):
            record["speaker"] = {**record["speaker"], "name": rng.choice(other_forms(record["speaker"]["name"]))}
        elif rng.random() < 0.3 and "speaker_also" in right:
            record["speaker"] = {"name": right["speaker_also"], "mention": None}
        if rng.random() < 0.6:
            record["target"] = rng.choice([None, span(text, rng.choice(FORMS)), random_span(rng, len(text))])
        # Always one confidence: where resamples are NaN, the order of rounding decides the reference's ECE interval.
        stated = [rng.random(), rng.randrange(16) / 15, 1.0, 0.0]
        record["confidence"] = rng.choice([*stated, None] if records else stated)
        if not records or rng.random() < 0.9:
            records.append(record)
    return {**gold, "sentences": records}


@pytest.fixture(scope="module")
def score():
    folder = os.environ.get("STANCE_DATA")
    path = Path(folder or ".").parent / "tools" / "score.py"
    if not folder or not path.exists():
        pytest.skip("STANCE_DATA does not lead to the measuring stick, ../tools/score.py")
    spec = importlib.util.spec_from_file_location("score", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.corpora
@pytest.mark.parametrize("seed", range(14))
def test_every_figure_equals_the_measuring_stick(score, seed):
    rng = random.Random(seed)
    gold = [random_gold(rng, number) for number in range(rng.randrange(1, 14))]
    predicted = [random_prediction(rng, line) for line in gold]
    rows = score.rows(gold, predicted)

    evaluation = evaluate(gold, rng.sample(predicted, len(predicted)))

    assert evaluation.metrics == pytest.approx(score.metrics(rows), abs=1e-6, nan_ok=True)
    assert list(evaluation.metrics) == list(score.metrics(rows))
    for name, interval in score.intervals(rows).items():
        assert evaluation.intervals[name] == pytest.approx(interval, abs=1e-6, nan_ok=True), name
    assert evaluation.sentences == len(rows)
    assert evaluation.articles == len({row["doc"] for row in rows})
    assert len(evaluation.errors) == sum(row["gold"] != row["pred"] or row["speaker_ok"] is False for row in rows)


@pytest.mark.corpora
def test_names_are_reduced_and_related_as_by_the_measuring_stick(score):
    assert (PRONOUNS, TITLES) == (score.PRONOUNS, score.TITLES)
    names = [
        *FORMS,
        "",
        "the",
        "The President",
        "…",
        "U.S. President’s",
        "O'Neil-Smith",
        "C",
        "É. Zola",
        "the\nMayor\tof Rye",
    ]
    for one in names:
        assert normalise(one) == score.tokens(one)
        for other in names:
            words = normalise(one), normalise(other)
            assert related(*words) == score.related(*words), (one, other)


# Figures worked out by hand


def test_labels_as_predictions_are_perfect():
    evaluation = evaluate([GOLD], [GOLD])
    assert {value for name, value in evaluation.metrics.items() if name != "ECE"} == {1.0}
    assert math.isnan(evaluation.metrics["ECE"])
    assert evaluation.diagnostics == dict.fromkeys(DIAGNOSTICS, 0.0)
    assert evaluation.errors == []
    assert (evaluation.articles, evaluation.sentences) == (1, 4)


def test_metrics_by_hand():
    predicted = changed(
        GOLD,
        {"confidence": 0.9},
        {"label": "assertion", "speaker": "author", "target": span(GOLD["text"], "Health"), "confidence": 0.7},
        {"speaker": GOLD["sentences"][0]["speaker"], "confidence": 0.5},
        {"label": "assertion", "speaker": "author", "confidence": 0.7},
    )
    metrics = evaluate([GOLD], [predicted]).metrics
    assert metrics["F1 denial"] == 1.0
    assert metrics["F1 assertion"] == pytest.approx(2 * 1 / (1 + 3))
    assert metrics["F1 allegation"] == metrics["F1 none"] == 0.0
    assert metrics["macro-F1"] == pytest.approx(0.5)
    assert metrics["label accuracy"] == 0.5
    assert metrics["speaker accuracy"] == 0.5
    assert metrics["mention overlap"] == 0.5
    assert metrics["author F1"] == 0.0  # the author where it was Ann Lee, and the other way round
    assert metrics["joint accuracy"] == pytest.approx(1 / 3)
    assert metrics["target accuracy"] == 1.0
    assert metrics["ECE"] == pytest.approx((0.1 + 2 * 0.7 + 0.5) / 4)


def test_calibration_bin_holds_its_upper_edge_and_no_bin_holds_zero():
    gold = article(("It rained.", "assertion", "author"), ("It snowed.", "assertion", "author"))
    predicted = changed(gold, {"confidence": 0.2}, {"confidence": 0.15, "label": "denial"})
    assert evaluate([gold], [predicted]).metrics["ECE"] == pytest.approx(abs(0.2 + 0.15 - 1) / 2)
    predicted["sentences"][1]["confidence"] = 0.0
    assert evaluate([gold], [predicted]).metrics["ECE"] == pytest.approx(0.8 / 2)


def test_one_article_leaves_no_room_for_an_interval():
    evaluation = evaluate([GOLD], [changed(GOLD, {"label": "assertion"}, {}, {}, {})])
    assert evaluation.intervals["label accuracy"] == (0.75, 0.75)
    assert set(evaluation.intervals) == set(METRICS)


def test_interval_over_two_unequal_articles():
    good, bad = article(("It rained.", "assertion", "author")), article(("Go on!", "none"), id="b")
    wrong = changed(bad, {"label": "assertion", "speaker": "author"})
    evaluation = evaluate([good, bad], [good, wrong])
    assert evaluation.metrics["label accuracy"] == 0.5
    assert evaluation.intervals["label accuracy"] == (0.0, 1.0)


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("Igor Konashenkov", True),
        ("Gen. Igor Konashenkov's", True),
        ("Konashenkov", True),
        ("he", False),
        ("the spokesman", False),
        ("Igor", True),
        ("Igor Petrov", False),
        ("IK", True),
        ("I", False),
        ("Major General Igor Konashenkov of the Ministry", True),
        ("Lee", False),
    ],
)
def test_speaker_is_right_by_name_or_alias(name, right):
    gold = article(
        ("Igor Konashenkov denied it.", "denial", "Igor Konashenkov"),
        ("Ann Lee spoke, as he did.", "assertion", "Igor Konashenkov", "he"),
    )
    assert Parties.of(gold).same(name, "Igor Konashenkov") is right


def test_surname_of_two_parties_is_nobodys():
    gold = article(("Ann Lee spoke.", "assertion", "Ann Lee"), ("Bob Lee spoke.", "assertion", "Bob Lee"))
    assert not Parties.of(gold).same("Lee", "Ann Lee")
    assert Parties.of(gold).same("Ann", "Ann Lee")


@pytest.mark.parametrize(
    ("mention", "predicted", "right"),
    [
        ("CJTF", "CJTF", True),
        ("the Joint Command", "Joint Command", True),  # shares a word with the name
        ("It", "It", False),
        ("the alliance", "the alliance", False),
        ("the alliance", "CJT", False),
    ],
)
def test_mention_is_an_alias_where_it_resembles_the_name(mention, predicted, right):
    name = "Combined Joint Task Force"
    gold = article(
        (f"The {name} (CJTF), the Joint Command.", "none"),
        ("It is the alliance.", "assertion", name, mention),
    )
    assert Parties.of(gold).same(predicted, name) is right


@pytest.mark.parametrize(
    ("name", "rival", "mention", "right"),
    [
        ("Combined Joint Task Force", "Coast Jumpers Track Fans", "CJTF", True),  # the mention makes it an alias
        ("We the Readers", "We the Writers", "we", False),  # a pronoun never is one
        ("Ministry of Health", "Ministry of Trade", "the head of it", False),  # a word of two letters is no likeness
    ],
)
def test_form_that_fits_two_parties_needs_a_mention_that_names_one(name, rival, mention, right):
    gold = article((f"{name} and {rival} met.", "none"), (f"So {mention} spoke.", "assertion", name, mention))
    gold["sentences"].append({**gold["sentences"][1], "speaker": {"name": rival}})
    assert Parties.of(gold).same(mention, name) is right


def test_acronym_has_more_than_one_letter():
    assert related(("hc",), ("house", "of", "commons"))
    assert not related(("h",), ("the", "house"))


def test_alias_of_one_party_is_not_a_short_form_of_another():
    gold = article(
        ("Ann Lee spoke.", "assertion", "Ann Lee"),
        ("Lee spoke.", "assertion", "Lee", "Lee"),
    )
    assert not Parties.of(gold).same("Lee", "Ann Lee")
    assert Parties.of(gold).same("Lee", "Lee")


def test_source_counts_where_author_and_source_are_equally_right():
    gold = article(("Reportedly Ann Lee left.", "assertion", "author"))
    predicted = changed(gold, {"speaker": {"name": "Lee", "mention": span(gold["text"], "Lee")}})
    assert evaluate([gold], [predicted]).metrics["joint accuracy"] == 0.0
    gold["sentences"][0]["speaker_also"] = "Ann Lee"
    assert evaluate([gold], [predicted]).metrics["joint accuracy"] == 1.0


@pytest.mark.parametrize(
    ("words", "right"),
    [("the Ministry of Health", 1.0), ("of", 1.0), ("MH", 1.0), ("Health", 1.0), ("Ann Lee", 0.0), (None, 0.0)],
)
def test_target_is_right_by_place_or_by_name(words, right):
    gold = article(
        ("The accused, the Ministry of Health (MH), was named.", "none"),
        ("Ann Lee accused Health.", "allegation", "Ann Lee", "Ann Lee", "the Ministry of Health"),
    )
    predicted = changed(gold, {}, {"target": span(gold["text"], words) if words else None})
    assert evaluate([gold], [predicted]).metrics["target accuracy"] == right


def test_other_right_names_count():
    gold = article(("A poll by Acme found so.", "assertion", "A poll"))
    predicted = changed(gold, {"speaker": {"name": "Acme", "mention": span(gold["text"], "Acme")}})
    assert evaluate([gold], [predicted]).metrics["speaker accuracy"] == 0.0
    gold["sentences"][0]["speaker"]["also"] = ["Acme"]
    evaluation = evaluate([gold], [predicted])
    assert evaluation.metrics["speaker accuracy"] == 1.0
    assert evaluation.metrics["mention overlap"] == 0.0
    assert evaluation.diagnostics == {"mention right but name wrong": 0.0, "name right but mention wrong": 1.0}


def test_mention_taken_for_the_name_is_diagnosed():
    mention = GOLD["sentences"][1]["speaker"]["mention"]
    predicted = changed(GOLD, {}, {"speaker": {"name": "She", "mention": mention}}, {}, {})
    evaluation = evaluate([GOLD], [predicted])
    assert evaluation.diagnostics == {"mention right but name wrong": 0.5, "name right but mention wrong": 0.0}


def test_sentence_takes_the_prediction_that_overlaps_it_most():
    gold = article(("It rained.", "assertion", "author"), ("Ann Lee denied it.", "denial", "Ann Lee"))
    merged = {**gold, "sentences": [{**gold["sentences"][1], "start": 0}]}
    shifted = changed(gold, {"end": 13}, {"start": 13})
    assert evaluate([gold], [merged]).metrics["label accuracy"] == 0.5
    assert evaluate([gold], [shifted]).metrics["label accuracy"] == 1.0
    evaluation = evaluate([gold], [{**gold, "sentences": []}])
    assert evaluation.confusion["denial"] == {"assertion": 0, "denial": 0, "allegation": 0, "none": 1}


def test_nothing_to_count_is_nan_and_none_in_json():
    gold = article(("It rained.", "assertion", "author"))
    evaluation = evaluate([gold], [gold])
    assert math.isnan(evaluation.metrics["macro-F1"])
    as_dict = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    assert as_dict["metrics"]["macro-F1"] is None
    assert as_dict["intervals"]["F1 denial"] == [None, None]
    assert as_dict["metrics"]["F1 assertion"] == 1.0
    assert as_dict["confusion"]["assertion"] == {"assertion": 1, "denial": 0, "allegation": 0, "none": 0}


def test_empty_sets():
    evaluation = evaluate([], [])
    assert all(math.isnan(value) for value in evaluation.metrics.values())
    assert evaluation.sentences == 0
    assert "0 articles, 0 sentences" in str(evaluation)


def test_errors_put_the_worst_first():
    predicted = changed(
        GOLD,
        {"speaker": "author", "confidence": 1.0, "speaker_confidence": 0.6},
        {"label": "assertion", "confidence": 0.8},
        {"label": "denial", "confidence": 0.95},
        {"label": "assertion", "speaker": "author"},
    )
    errors = evaluate([GOLD], [predicted]).errors
    assert [(error.kind, error.sentence, error.confidence) for error in errors] == [
        ("label", 2, 0.95),
        ("label", 1, 0.8),
        ("label", 3, None),
        ("speaker", 0, 0.6),
    ]
    assert errors[-1].gold_speaker == "Ann Lee"
    assert errors[-1].predicted_speaker == "author"
    assert errors[-1].text == "Ann Lee denied it."


def test_text_shows_figures_confusion_and_as_many_errors_as_asked_for():
    evaluation = evaluate([GOLD], [changed(GOLD, {"label": "assertion"}, {"label": "assertion"}, {}, {})])
    for name in (*METRICS, *DIAGNOSTICS, *LABELS):
        assert name in str(evaluation)
    assert str(evaluation) == evaluation.to_text()
    assert len(evaluation.to_text(errors=1).splitlines()) == len(str(evaluation).splitlines()) + 1
    assert "a: gold denial/Ann Lee, predicted assertion/Ann Lee" in evaluation.to_text(errors=5)


# What may be given


def test_paths_documents_and_dictionaries_give_the_same(tmp_path):
    path = tmp_path / "gold.jsonl"
    write(path, [GOLD])
    expected = str(evaluate([GOLD], [GOLD]))
    assert str(evaluate(path, str(path))) == expected
    assert str(evaluate(path, [Document.from_dict(GOLD)])) == expected
    assert str(evaluate(path, [Document.from_dict(GOLD).to_dict()])) == expected


def test_predictions_of_other_articles_are_left_out():
    assert evaluate([GOLD], [{**GOLD, "id": "b"}, GOLD]).articles == 1


def test_predicted_name_that_stands_nowhere_is_only_wrong():
    predicted = changed(GOLD, {"speaker": {"name": "Nobody"}}, {}, {}, {})
    assert evaluate([GOLD], [predicted]).metrics["speaker accuracy"] == 0.5


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        ([GOLD], [], "no prediction for the article 'a'"),
        ([GOLD], [GOLD, GOLD], "the id 'a' stands twice in the predictions"),
        ([GOLD, GOLD], [GOLD], "the id 'a' stands twice in the labelled set"),
        ([GOLD], [{**GOLD, "text": "Else."}], "the prediction for 'a' is of another text"),
        ([{**GOLD, "id": None}], [GOLD], "article 0 of the labelled set has no id"),
        ([GOLD], [{**GOLD, "sentences": [{"label": "denial"}]}], "the prediction for 'a', sentence 0"),
    ],
)
def test_what_does_not_match_is_named(gold, predicted, message):
    with pytest.raises(ValueError, match=message):
        evaluate(gold, predicted)


def test_broken_labels_are_named():
    with pytest.raises(LabelledSetError, match="labelled article 0, sentence 3: unknown label 'maybe'"):
        evaluate([changed(GOLD, {}, {}, {}, {"label": "maybe"})], [GOLD])


def test_unknown_predicted_label_is_named():
    with pytest.raises(LabelledSetError, match="the prediction for 'a', sentence 3: unknown label 'maybe'"):
        evaluate([GOLD], [changed(GOLD, {}, {}, {}, {"label": "maybe"})])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"speaker": "Ann Lee"}, "'speaker' must be \"author\" or an object"),
        ({"speaker": {"name": 7, "mention": None}}, "speaker's name 7"),
        ({"confidence": "0.9"}, "a probability must lie between 0 and 1, not '0.9'"),
    ],
)
def test_a_prediction_of_another_form_is_named(wrong, message):
    with pytest.raises(LabelledSetError, match=f"the prediction for 'a', sentence 0.*{message}"):
        evaluate([GOLD], [changed(GOLD, wrong, {}, {}, {})])


def test_what_is_no_article_is_a_type_error():
    with pytest.raises(TypeError, match="prediction 1 must be a Document or a dictionary, not str"):
        evaluate([GOLD], [GOLD, "text"])


def test_an_interval_holds_95_of_100_resamples():
    gold = [article(("It rained.", "assertion", "author"), id=str(number)) for number in range(40)]
    predicted = [changed(one, {"label": "denial"}) if number % 2 else one for number, one in enumerate(gold)]
    low, high = evaluate(gold, predicted).intervals["label accuracy"]
    # 1.96 standard errors of a share of 40 articles.
    assert low == pytest.approx(0.5 - 1.96 * (0.25 / 40) ** 0.5, abs=0.03)
    assert high == pytest.approx(0.5 + 1.96 * (0.25 / 40) ** 0.5, abs=0.03)


def test_calibration_has_15_bins():
    gold = article(("It rained.", "assertion", "author"), ("It snowed.", "assertion", "author"))
    predicted = changed(gold, {"confidence": 0.06}, {"confidence": 0.08, "label": "denial"})  # 1 / 15 lies between
    assert evaluate([gold], [predicted]).metrics["ECE"] == pytest.approx((0.94 + 0.08) / 2)
