"""Readers turn corpora into training articles; batches carry the gold to the right tokens."""

import gzip
import json

import torch

from stance.document import AUTHOR
from training.corpora import from_labelled, occurrences, read_gap, read_gum, read_polnear
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


def test_word_dropout_hides_tokens_but_no_marker_and_no_padding(windower):
    rows = features([from_labelled(LABELLED)], windower)
    longer = from_labelled({"id": "b", "text": TEXT * 2, "sentences": LABELLED["sentences"]})
    batch = collate([*rows, *features([longer], windower)], pad_id=0, mask_id=7, word_dropout=0.999999)
    (window,) = windower.windows(TEXT, [(0, 18), (19, 41)])
    kept = batch["input_ids"][0, : len(window)] != 7
    assert kept.tolist() == window.is_marker.tolist()
    assert not (collate(rows, pad_id=0, mask_id=7)["input_ids"] == 7).any()


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
