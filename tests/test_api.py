"""The functions at the top of the package pass on what they are given."""

import pytest

import stance
from stance import labelled


def test_classify_passes_on_boundaries_and_confidence():
    doc = stance.classify("One. Two", sentences=[(0, 2), (2, 8)], min_confidence=1.0)
    assert [(s.start, s.end) for s in doc.sentences] == [(0, 2), (2, 8)]
    assert all(s.abstained for s in doc.sentences)


def test_load_passes_on_engine_and_device():
    with pytest.raises(ValueError, match="no engine 'abacus'"):
        stance.load(engine="abacus")
    with pytest.raises(ValueError, match="not on 'cuda'"):
        stance.load(engine="onnx", device="cuda")


def test_evaluate_asks_the_classifier_that_it_is_given(tiny):
    articles = labelled.read("seeds/dev.jsonl")[:3]
    own = list(tiny.stream((article["id"], article["text"]) for article in articles))
    assert stance.evaluate(articles, tiny).errors == stance.evaluate(articles, own).errors
    assert stance.evaluate(articles, tiny).errors != stance.evaluate(articles).errors
