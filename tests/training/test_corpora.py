"""Readers turn corpora into training articles; batches carry the gold to the right tokens."""

import gzip
import json

import pytest
import torch

from stance import labelled
from stance.document import AUTHOR
from training.configuration import ConfigurationError, Source
from training.corpora import from_labelled, occurrences, read_gap, read_gum, read_labelled, read_polnear, read_source
from training.data import collate, features

TEXT = "Ada Roy denied it. She said Bo Lund lied."
LABELLED = {
    "id": "a",
    "text": TEXT,
    "sentences": [
        {"start": 0, "end": 18, "label": "denial", "speaker": {"name": "Ada Roy", "mention": {"start": 0, "end": 7}}},
        {
            "start": 19,
            "end": 41,
            "label": "allegation",
            "speaker": {"name": "Ada Roy", "mention": {"start": 19, "end": 22}},
            "target": {"start": 28, "end": 35},
        },
    ],
}


def zipped(path, line):
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    return path


def test_whole_words_only():
    assert occurrences("Ann, Anna and Ann", "Ann") == [(0, 3), (14, 17)]


def test_gold_lies_on_the_right_tokens(windower):
    article = from_labelled(LABELLED)
    batch = collate(features([article], windower), pad_id=0)
    (window,) = windower.windows(TEXT, [(0, 18), (19, 41)])
    gold = batch["gold"]
    assert gold["labels"].tolist() == [[1, 2]]

    def words(head, sentence):
        start, end = (int(gold[head][0, sentence, side].nonzero()[0]) for side in (0, 1))
        return TEXT[window.offsets[start, 0] : window.offsets[end, 1]]

    assert words("mention", 0) == "Ada Roy"
    assert words("mention", 1) == "She"
    assert words("name", 1) == "Ada Roy"
    assert words("target", 1).endswith("Lund")
    assert not gold["target"][0, 0].any()


def marked(sentences, windower):
    """The words that count as evidence of each kind, and whether each sentence's tokens are known, by kind."""
    line = {**LABELLED, "sentences": sentences}
    gold = collate(features([from_labelled(line)], windower), pad_id=0)["gold"]["evidence"][0]
    (window,) = windower.windows(TEXT, [(0, 18), (19, 41)])
    words = [" ".join(TEXT[slice(*window.offsets[i])] for i in (gold[:, kind] > 0).nonzero()[:, 0]) for kind in (0, 1)]
    known = [[bool((gold[window.sentence_ids == i, kind] >= 0).all()) for i in (0, 1)] for kind in (0, 1)]
    return words, known


def test_a_surname_after_another_first_name_is_somebody_elses(windower):
    text = "Ada Roy denied it. Eve said Bo Lund lied. It was by Eva Lund, or Mr. Lund, or Senator Lund. Lund left."
    target = {"start": 28, "end": 35}
    said = {"start": 19, "end": 41, "label": "allegation", "speaker": "author", "target": target}
    article = from_labelled({"id": "a", "text": text, "sentences": [said]})
    full, surname = article.sentences[0].targets
    assert [text[slice(*place)] for place in full] == ["Bo Lund"]
    assert [text[:start].rsplit(maxsplit=1)[-1] for start, _ in surname] == ["Mr.", "Senator", "Lund."]


@pytest.mark.parametrize("reader", ["polnear", "gum", "gap"])
def test_a_file_for_another_reader_is_named(reader):
    with pytest.raises(ConfigurationError, match=rf"dev\.jsonl: not what the reader '{reader}' reads"):
        read_source(Source(reader=reader, path="seeds/dev.jsonl"), None)


def test_evidence_lies_on_its_words_and_only_its_own_label_is_known(windower):
    denial, allegation = LABELLED["sentences"]
    denial = {**denial, "evidence": [{"start": 8, "end": 14}]}
    allegation = {**allegation, "evidence": [{"start": 36, "end": 40}]}
    words, known = marked([denial, allegation], windower)
    assert [word.replace(" ", "") for word in words] == ["denied", "lied"]
    assert known == [[True, False], [False, True]]


def test_where_nobody_has_marked_evidence_nothing_is_known(windower):
    denial = LABELLED["sentences"][0]
    plain = {"start": 19, "end": 41, "label": "assertion", "speaker": AUTHOR}
    assert marked([denial, plain], windower) == (["", ""], [[False, True], [False, True]])


def test_evidence_in_a_file_of_its_own_is_joined_by_article_and_sentence(tmp_path):
    articles, evidence = tmp_path / "articles.jsonl", tmp_path / "evidence.jsonl"
    articles.write_text(json.dumps(LABELLED))
    sentence = {"start": 0, "end": 18, "evidence": [{"start": 8, "end": 14}]}
    evidence.write_text(json.dumps({"id": "a", "sha256": labelled.text_hash(TEXT), "sentences": [sentence]}))
    source = Source(reader="labelled", path=str(articles), evidence=str(evidence))
    (article,) = read_source(source, None)
    assert [sentence.evidence for sentence in article.sentences] == [[(8, 14)], []]


@pytest.mark.parametrize(
    ("text", "span", "message"),
    [
        ("Another.", (0, 18), "line 1: no article has the sha256"),
        (TEXT, (0, 17), "line 1: the article has no sentence at 0–17"),
        (TEXT, (19, 41), "line 1.*must lie within the sentence"),
    ],
)
def test_evidence_of_something_else_is_refused(tmp_path, text, span, message):
    articles, evidence = tmp_path / "articles.jsonl", tmp_path / "evidence.jsonl"
    articles.write_text(json.dumps(LABELLED))
    sentence = {"start": span[0], "end": span[1], "evidence": [{"start": 8, "end": 14}]}
    evidence.write_text(json.dumps({"sha256": labelled.text_hash(text), "sentences": [sentence]}))
    with pytest.raises(labelled.LabelledSetError, match=message):
        read_labelled(articles, evidence=evidence)


def test_evidence_marks_each_article_of_its_text(tmp_path):
    articles, evidence = tmp_path / "articles.jsonl", tmp_path / "evidence.jsonl"
    articles.write_text("".join(json.dumps({**LABELLED, "id": name}) + "\n" for name in "ab"))
    sentence = {"start": 0, "end": 18, "evidence": [{"start": 8, "end": 14}]}
    evidence.write_text(json.dumps({"sha256": labelled.text_hash(TEXT), "sentences": [sentence]}))
    read = read_labelled(articles, evidence=evidence)
    assert [article.sentences[0].evidence for article in read] == [[(8, 14)], [(8, 14)]]


@pytest.mark.parametrize("line", ["[]", '{"sentences": []}', '{"sha256": "0", "sentences": [{"start": 0}]}', "7"])
def test_a_line_that_marks_no_evidence_is_refused(tmp_path, line):
    articles, evidence = tmp_path / "articles.jsonl", tmp_path / "evidence.jsonl"
    articles.write_text(json.dumps(LABELLED))
    evidence.write_text(line)
    with pytest.raises(labelled.LabelledSetError, match="line 1: a line of evidence is a JSON object"):
        read_labelled(articles, evidence=evidence)


def test_word_dropout_hides_tokens_but_no_marker_and_no_padding(windower):
    rows = features([from_labelled(LABELLED)], windower)
    longer = from_labelled({"id": "b", "text": TEXT * 2, "sentences": LABELLED["sentences"]})
    batch = collate([*rows, *features([longer], windower)], pad_id=0, mask_id=7, word_dropout=0.999999)
    (window,) = windower.windows(TEXT, [(0, 18), (19, 41)])
    kept = batch["input_ids"][0, : len(window)] != 7
    assert kept.tolist() == window.is_marker.tolist()
    assert not (collate(rows, pad_id=0, mask_id=7)["input_ids"] == 7).any()


def test_renaming_changes_the_names_of_parties_wherever_they_stand_and_nothing_else(windower):
    other = from_labelled({**LABELLED, "text": TEXT.replace("Ada Roy", "Eva Orr")})
    rows = features([from_labelled(LABELLED)], windower) + features([other], windower)
    plain = collate(rows, pad_id=0)
    names = {token for row in rows for token in row["party_ids"]}
    renamed = [collate(rows, pad_id=0, renaming=1.0) for _ in range(20)]
    was = plain["input_ids"]
    for batch in renamed:
        is_name = torch.isin(was, torch.tensor(sorted(names)))
        assert torch.equal(batch["input_ids"][~is_name], was[~is_name])
        assert set(batch["input_ids"][is_name].tolist()) <= names
        assert all(torch.equal(batch["gold"][head], plain["gold"][head]) for head in plain["gold"])
        for before, after in zip(was.tolist(), batch["input_ids"].tolist(), strict=True):
            assert len(set(zip(before, after, strict=True))) == len(set(before))
    assert any(not torch.equal(batch["input_ids"], was) for batch in renamed)
    assert torch.equal(collate(rows, pad_id=0, renaming=0.0)["input_ids"], was)


def test_words_that_name_no_party_keep_their_tokens(windower):
    line = {"id": "a", "text": "Ada Roy said the ministry lied. The Ministry did."}
    speaker = {"name": "Ada Roy", "mention": {"start": 0, "end": 7}}
    first = {"start": 0, "end": 31, "label": "assertion", "speaker": speaker}
    ministry = {"name": "Ministry", "mention": {"start": 36, "end": 44}}
    second = {"start": 32, "end": 49, "label": "assertion", "speaker": ministry}
    (row,) = features([from_labelled({**line, "sentences": [first, second]})], windower)
    (window,) = windower.windows(line["text"], [(0, 31), (32, 49)])
    token = dict(zip(window.offsets[:, 0].tolist(), window.input_ids.tolist(), strict=True))
    assert token[4] in row["party_ids"]
    assert token[36] == token[17]
    assert token[36] not in row["party_ids"]


def test_the_author_is_the_first_position(windower):
    line = {"id": "a", "text": "So.", "sentences": [{"start": 0, "end": 3, "label": "assertion", "speaker": AUTHOR}]}
    gold = collate(features([from_labelled(line)], windower), pad_id=0)["gold"]
    assert gold["mention"][0, 0].nonzero().tolist() == [[0, 0], [1, 0]]


def test_polnear_gives_each_sentence_its_source_and_tags(tmp_path, windower):
    line = {
        "id": "p",
        "text": "Rain fell. It is late, Bo said.",
        "attributions": [{"source": [[23, 25]], "cue": [[26, 30]], "content": [[11, 21]]}],
    }
    (article,) = read_polnear(zipped(tmp_path / "p.jsonl.gz", line))
    assert [sentence.mentions for sentence in article.sentences] == [AUTHOR, [(23, 25)]]
    tags = collate(features([article], windower), pad_id=0)["gold"]["tags"]
    assert torch.equal(tags.unique(), torch.tensor([0.0, 1.0]))


def test_gum_gives_mentions_with_the_names_of_their_cluster(tmp_path):
    line = {
        "id": "g",
        "genre": "news",
        "text": "Bo Lund left. He ran.",
        "clusters": [{"type": "coref", "mentions": [[0, 7], [14, 16]]}, {"type": "coref", "mentions": [[17, 20]]}],
    }
    (article,) = read_gum(zipped(tmp_path / "g.jsonl.gz", line))
    assert article.coreference == [((0, 7), [(0, 7)]), ((14, 16), [(0, 7)])]


def test_gap_keeps_pronouns_with_a_right_answer(tmp_path):
    path = tmp_path / "gap.tsv"
    head = "ID\tText\tPronoun\tPronoun-offset\tA\tA-offset\tA-coref\tB\tB-offset\tB-coref\tURL"
    row = "x\tBo met Al. He left.\tHe\t11\tBo\t0\t{}\tAl\t7\tFALSE\tu"
    path.write_text("\n".join([head, row.format("TRUE"), row.format("FALSE")]) + "\n", encoding="utf-8")
    (article,) = read_gap(path)
    assert article.coreference == [((11, 13), [(0, 2)])]


def test_stand_off_labels_are_joined_and_a_fold_is_left_out(tmp_path):
    lines = [{**LABELLED, "id": name, "fold": fold, "text": f"{TEXT}{' ' * fold}"} for fold, name in enumerate("ab")]
    labelled.write(tmp_path / "standoff.jsonl", [labelled.detach(line) for line in lines])
    labelled.write(tmp_path / "texts.jsonl.gz", [{"text": line["text"]} for line in lines])
    files = {"path": str(tmp_path / "standoff.jsonl"), "articles": (str(tmp_path / "texts.jsonl.gz"),)}
    source = Source(reader="standoff", **files)
    assert read_source(source, None) == [from_labelled(line) for line in lines]
    assert read_source(source, 0) == [from_labelled(lines[1])]
