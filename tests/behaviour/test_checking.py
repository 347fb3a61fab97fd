"""The checks can pass and can fail."""

import zlib

import pytest

from stance.document import LABELS, Document
from stance.labelled import validate
from tests.behaviour.cases import Case, Expectation, Phenomenon, Reading, read_phenomena, to_article
from tests.behaviour.checking import below, check, to_markdown

PHENOMENA = read_phenomena()
READINGS = {reading.text: reading for p in PHENOMENA for case in p.cases for reading in case.readings}


def perfect(texts):
    """Answers what is expected; where nothing is, that the author asserts it."""
    return [Document.from_dict(filled(to_article("x", READINGS[text]))) for text in texts]


def filled(article):
    for sentence in article["sentences"]:
        if not READINGS[article["text"]].expected:
            sentence.update(label="assertion", speaker="author")
    validate(article)
    return article


def constant(label):
    """Answers the same for every sentence."""

    def classify(texts):
        return [answered(text, lambda sentence: label) for text in texts]

    return classify


def fickle(texts):
    """Answers by a number that the least change of the text changes."""
    return [answered(text, lambda sentence: LABELS[zlib.crc32(repr(sentence).encode()) % 4]) for text in texts]


def answered(text, label_of):
    article = to_article("x", READINGS[text])
    for sentence in article["sentences"]:
        words = text, text[sentence["start"] : sentence["end"]]
        span = {"start": sentence["start"], "end": sentence["end"], "label": str(label_of(words))}
        sentence.clear()
        sentence.update(span if span["label"] == "none" else {**span, "speaker": "author"})
    return Document.from_dict(article)


def test_a_perfect_classifier_passes_everything():
    scores = check(perfect, PHENOMENA)
    assert [result for score in scores for result in score.results if result.problems] == []
    assert {score.rate for score in scores} == {1.0}


@pytest.mark.parametrize("label", LABELS)
def test_a_constant_classifier_passes_no_phenomenon_that_expects_anything(label):
    rates = {
        score.phenomenon.name: score.rate
        for score in check(constant(label), PHENOMENA)
        if not any(result.case.is_invariance for result in score.results)
    }
    assert rates
    assert {name: rate for name, rate in rates.items() if rate > 0.5} == {}


def test_a_fickle_classifier_passes_no_phenomenon():
    assert {score.phenomenon.name: score.rate for score in check(fickle, PHENOMENA) if score.rate > 0.4} == {}


ROE = "Captain Ann Roe accused Bob Lee of theft. Roe left."


def passes_case(expected, predicted):
    """Run one case whose prediction is written as an expectation is."""
    reading, answer = (
        Reading(ROE, tuple(Expectation.parse(one) for one in (written, "A author")))
        for written in (expected, predicted)
    )
    phenomenon = Phenomenon("sample", "A sample.", (Case("sample-1", (reading,), {}),))
    scores = check(lambda texts: [Document.from_dict(to_article("x", answer))], [phenomenon])
    return not scores[0].results[0].problems


@pytest.mark.parametrize(
    ("expected", "predicted", "passes"),
    [
        ("L Ann Roe > Bob Lee", "L Ann Roe > Bob Lee", True),
        ("L Ann Roe > Bob Lee", "L Roe > Lee", True),
        ("L Ann Roe > Bob Lee", "L Captain Ann Roe > Bob", True),
        ("L Ann Roe > Bob Lee", "L Bob Lee > Bob Lee", False),
        ("L Ann Roe > Bob Lee", "L Ann Roe > Ann Roe", False),
        ("L Ann Roe > Bob Lee", "L Ann Roe", False),
        ("L Ann Roe > Bob Lee", "D Ann Roe", False),
        ("L Ann Roe > Bob Lee", "L author > Bob Lee", False),
        ("L author", "L Ann Roe", False),
        ("L", "L author", True),
        ("? Ann Roe", "D Ann Roe", True),
        ("? Ann Roe", "D author", False),
        ("? Ann Roe", "N", False),
        ("N", "N", True),
        ("N", "A author", False),
        ("-", "D Bob Lee", True),
    ],
)
def test_each_part_of_an_expectation_counts(expected, predicted, passes):
    assert passes_case(expected, predicted) is passes


def test_floors_hold_and_the_table_has_a_row_each():
    best, worst = check(perfect, PHENOMENA), check(constant("none"), PHENOMENA)
    floors = {score.phenomenon.name: score.rate for score in best}
    assert below(best, floors) == []
    failed = below(worst, floors)
    assert any(line.startswith("denial_verbs: 0.0 < 1.0; failed: denial_verbs-1, ") for line in failed)
    assert len(below(best, {})) == len(PHENOMENA)  # a new phenomenon needs a floor
    rows = to_markdown(best).splitlines()
    assert len(rows) == len(PHENOMENA) + 3
    assert rows[-1].endswith(" | 1.00 |")
