"""The cases are enough, are of their own, and say nothing that their texts do not hold."""

import json
import re
from pathlib import Path

import pytest

from stance.sentences import split
from tests.behaviour.cases import CaseError, Expectation, read_phenomena

PHENOMENA = read_phenomena()
CASES = [case for phenomenon in PHENOMENA for case in phenomenon.cases]
TEXTS = [reading.text for case in CASES for reading in case.readings]


def words(text):
    return " ".join(re.findall(r"\w+", text.lower()))


def sentences(text):
    return [text[start:end] for start, end in split(text)]


def test_there_are_enough_cases():
    assert len(PHENOMENA) >= 16
    assert len(CASES) >= 330
    assert {phenomenon.name: len(phenomenon.cases) for phenomenon in PHENOMENA if len(phenomenon.cases) < 12} == {}


def test_no_text_is_in_two_cases():
    # Not even a renamed or changed one: each text counts once.
    assert len(TEXTS) == len(set(TEXTS))


def test_every_label_is_expected_often():
    expected = [e.label for case in CASES for reading in case.readings for e in reading.expected if e]
    assert min(expected.count(label) for label in ("assertion", "denial", "allegation", "none")) >= 15


def test_no_case_is_taken_from_the_labelled_articles():
    """A model that was trained on the cases would pass them; stock phrases such as a menu's are everybody's."""
    known = set()
    for path in Path("seeds").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            known |= {words(sentence) for sentence in sentences(json.loads(line)["text"])}
    assert known
    ours = {words(sentence) for text in TEXTS for sentence in sentences(text)}
    assert {sentence for sentence in ours & known if len(sentence.split()) >= 5} == set()


def read_case(folder, **case):
    path = folder / "sample.jsonl"
    path.write_text(json.dumps({"about": "Samples."}) + "\n" + json.dumps(case), encoding="utf-8")
    return read_phenomena(folder)[0].cases[0]


def test_an_expectation_reads_as_written():
    assert Expectation.parse("L Ivo Hale | Hale > Roe") == Expectation("allegation", "Ivo Hale", ("Hale",), "Roe")
    assert Expectation.parse("D") == Expectation("denial", None, (), None)
    assert Expectation.parse("? author") == Expectation(None, "author", (), None)
    assert Expectation.parse("L > Roe") == Expectation("allegation", None, (), "Roe")
    assert Expectation.parse("-") is None


def test_a_renamed_case_has_a_second_text(tmp_path):
    case = read_case(tmp_path, text="Ann Roe left. Roe's dog stayed.", renamed={"Roe": "Lee"})
    assert case.is_invariance
    assert case.readings[1].text == "Ann Lee left. Lee's dog stayed."


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ({"text": "Ann left.", "expect": ["X Ann"]}, "must be like"),
        ({"text": "Ann left.", "expect": ["A Bob"]}, "'Bob' does not stand in the text"),
        ({"text": "Ann left.", "expect": ["A Ann", "A Ann"]}, "2 expectations for 1 sentences"),
        ({"text": "Ann left.", "expect": ["N Ann"]}, "has no speaker"),
        ({"text": "Ann left.", "expect": ["D Ann > Ann"]}, "only an allegation"),
        ({"text": "Ann left.", "expect": ["?"]}, "expects nothing"),
        ({"text": "Ann left.", "expct": []}, "unknown keys"),
        ({"text": "Ann left."}, "makes another"),
        ({"text": "Ann left.", "renamed": {"Bob": "Joe"}}, "makes another"),
        ({"text": "Ann left.", "changed": "Ann left. So?"}, "same number of sentences"),
        ({"text": "Ann left.", "expect": ["A"], "changed": "Ann lied."}, "changed_expect"),
    ],
)
def test_a_broken_case_is_refused(tmp_path, case, message):
    with pytest.raises(CaseError, match=re.escape(message)) as error:
        read_case(tmp_path, **case)
    assert str(error.value).startswith("sample-1: ")


@pytest.mark.parametrize("lines", [[{"about": "Nothing."}], [{"text": "Ann left.", "expect": ["A"]}] * 2])
def test_a_file_without_a_head_or_cases_is_refused(tmp_path, lines):
    (tmp_path / "sample.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(CaseError, match=r"sample\.jsonl: must begin with"):
        read_phenomena(tmp_path)
