"""What an engine changes: counted sentence by sentence."""

from dataclasses import replace

import pytest

import stance
from benchmarks.agreement import changes
from stance.document import Label


@pytest.fixture(scope="module")
def document():
    return stance.classify("The mayor denied the charge. The bridge is closed. Ms Lund accused Orvane of fraud.")


def test_an_engine_that_says_the_same_changes_nothing(document):
    found = changes([document], [document])
    assert found.pop("sentences") == 3
    assert set(found.values()) == {0}


def test_a_sentence_is_counted_once_whatever_changes_in_it(document):
    first, second, third = document.sentences
    scores = {**first.scores, Label.NONE: first.scores[Label.NONE] + 0.25}
    other = replace(first, label=Label.NONE, speaker=None, scores=scores)
    found = changes([document], [replace(document, sentences=(other, second, replace(third, speaker=None)))])
    assert found["label"] == pytest.approx(1 / 3)
    assert found["speaker"] == found["label or speaker"] == pytest.approx(2 / 3)
    assert found["largest difference of a score"] == pytest.approx(0.25)
