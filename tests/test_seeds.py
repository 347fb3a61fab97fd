"""The seeds are valid, large enough, and their splits share nothing."""

from collections import Counter
from pathlib import Path

from stance import labelled

SPLITS = {file.stem: labelled.read(file) for file in sorted(Path("seeds").glob("*.jsonl"))}


def test_there_are_enough_articles_and_rare_labels():
    articles = [article for split in SPLITS.values() for article in split]
    labels = Counter(sentence["label"] for article in articles for sentence in article["sentences"])
    assert len(articles) >= 60
    assert labels.total() >= 900
    assert labels["denial"] >= 120
    assert labels["allegation"] >= 120


def test_no_id_or_text_is_in_two_splits():
    for key in ("id", "text"):
        values = [article[key] for split in SPLITS.values() for article in split]
        assert len(values) == len(set(values))


def test_every_sentence_boundary_is_given():
    for split in SPLITS.values():
        for article in split:
            covered = {i for s in article["sentences"] for i in range(s["start"], s["end"])}
            assert {i for i, c in enumerate(article["text"]) if not c.isspace()} <= covered, article["id"]
