"""Baselines on a made-up labelled set."""

import pytest

from stance.baselines import fit_baseline
from stance.document import Document
from stance.evaluation import evaluate
from stance.labelled import validate

CLAIMS = [
    ("The town council met on {}.", "assertion", "author"),
    ("The market opened late on {}.", "assertion", "author"),
    ("It was about {}, said Mara Quill.", "assertion", "Mara Quill"),
    ("Mara Quill denied that it was about {}.", "denial", "Mara Quill"),
    ("Tobias Finch accused the mayor over {}.", "allegation", "Tobias Finch"),
    ("Read more: {}", "none", None),
]
TOPICS = ["Monday", "a bridge", "the harbour", "some lost keys", "the new school"]


def make_article(number):
    text, sentences = "", []
    for claim, label, speaker in CLAIMS[number % 2 :]:
        words = claim.format(TOPICS[number % len(TOPICS)])
        record = {"start": len(text), "end": len(text) + len(words), "label": label}
        if speaker == "author":
            record["speaker"] = speaker
        elif speaker:
            start = len(text) + words.index(speaker)
            record["speaker"] = {"name": speaker, "mention": {"start": start, "end": start + len(speaker)}}
        sentences.append(record)
        text += words + "\n"
    return {"id": str(number), "text": text, "sentences": sentences}


ARTICLES = [make_article(number) for number in range(20)]
UNLABELLED = [
    {**article, "sentences": [{"start": record["start"], "end": record["end"]} for record in article["sentences"]]}
    for article in ARTICLES
]


@pytest.fixture(scope="module", params=["majority", "tfidf"])
def predicted(request):
    return fit_baseline(request.param, ARTICLES).predict(UNLABELLED)


def test_predictions_are_labelled_sets_with_the_given_boundaries(predicted):
    for article, given in zip(predicted, UNLABELLED, strict=True):
        validate(article)
        spans = [{"start": record["start"], "end": record["end"]} for record in article["sentences"]]
        assert spans == given["sentences"]


def test_predictions_are_documents(predicted):
    for article in predicted:
        assert Document.from_dict(article).to_dict() == article


def test_confidences_are_probabilities(predicted):
    for article in predicted:
        for record in article["sentences"]:
            assert sum(record["scores"].values()) == pytest.approx(1)
            assert record["confidence"] == max(record["scores"].values()) == record["scores"][record["label"]]
            assert 0 <= record["speaker_confidence"] <= 1


def test_majority_states_the_shares_of_its_training_set():
    record = fit_baseline("majority", ARTICLES).predict(UNLABELLED)[0]["sentences"][-1]
    assert record["label"] == "assertion"
    assert record["speaker"] == "author"
    assert record["confidence"] == pytest.approx((10 * 3 + 10 * 2) / 110)
    assert record["speaker_confidence"] == pytest.approx((10 * 2 + 10 * 1) / 90)


def test_majority_of_headings_has_no_speaker():
    heading = {"id": "a", "text": "Podcasts", "sentences": [{"start": 0, "end": 8, "label": "none"}]}
    record = fit_baseline("majority", [heading]).predict([heading])[0]["sentences"][0]
    assert record["label"] == "none"
    assert "speaker" not in record


def test_tfidf_learns_labels_and_finds_names():
    metrics = evaluate(ARTICLES, fit_baseline("tfidf", ARTICLES).predict(UNLABELLED)).metrics
    assert metrics["label accuracy"] == 1.0
    assert metrics["speaker accuracy"] == 1.0
    assert metrics["author F1"] == 1.0


def test_tfidf_without_a_capitalised_word_falls_back_on_the_author():
    text = "he denied that it was about the harbour."
    article = {"id": "a", "text": text, "sentences": [{"start": 0, "end": len(text)}]}
    record = fit_baseline("tfidf", ARTICLES).predict([article])[0]["sentences"][0]
    assert record["label"] == "denial"
    assert record["speaker"] == "author"


@pytest.mark.parametrize("name", ["majority", "tfidf"])
def test_articles_without_sentences_stay_so(name):
    empty = {"id": "a", "text": "", "sentences": []}
    assert fit_baseline(name, ARTICLES).predict([empty])[0]["sentences"] == []


def test_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match="unknown baseline 'magic'; it must be one of majority, tfidf"):
        fit_baseline("magic", ARTICLES)


@pytest.mark.parametrize("name", ["majority", "tfidf"])
def test_nothing_to_fit_on_is_an_error(name):
    with pytest.raises(ValueError, match="at least one labelled sentence"):
        fit_baseline(name, [])
