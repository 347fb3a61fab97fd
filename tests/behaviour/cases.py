"""The cases: short texts with what the guidelines say of their sentences, one file a phenomenon."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.document import AUTHOR, Label
from stance.labelled import Article, validate
from stance.sentences import split

FOLDER = Path(__file__).parent / "cases"
UNCHECKED = "-"
_CODES = {"A": Label.ASSERTION, "D": Label.DENIAL, "L": Label.ALLEGATION, "N": Label.NONE, "?": None}
_EXPECTATION = re.compile(r"(?P<code>[ADLN?])(?: (?P<speaker>[^>]+?))?(?: > (?P<target>.+))?")
_KEYS = {"text", "expect", "changed", "changed_expect", "renamed"}


class CaseError(ValueError):
    """A case breaks the format; the message says where, what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the guidelines say of one sentence; None where a case leaves it open.

    Args:
        label: The right label.
        speaker: ``author``, or the source's name.
        also: Other names of the source that are as right.
        target: The accused of an allegation.

    """

    label: Label | None
    speaker: str | None
    also: tuple[str, ...]
    target: str | None

    @classmethod
    def parse(cls, written: str) -> Expectation | None:
        """Read an expectation as the files write it; None for a sentence that is not checked.

        Example:
            >>> Expectation.parse("L Ivo Hale | Hale & Sons > the council").target
            'the council'

        """
        if written == UNCHECKED:
            return None
        match = _EXPECTATION.fullmatch(written)
        if match is None:
            raise CaseError(f"expectation {written!r} must be like 'D', 'D author', 'A Ivo Hale' or 'L Ivo Hale > Roe'")
        speaker, *also = (match["speaker"] or "").split(" | ")
        return cls(_CODES[match["code"]], speaker or None, tuple(also), match["target"])


@dataclass(frozen=True, slots=True)
class Reading:
    """A text and what is expected of each of its sentences; nothing at all in an invariance case."""

    text: str
    expected: tuple[Expectation | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a phenomenon.

    Args:
        id: The phenomenon and the number of the case in its file.
        readings: One text with expectations; two where the second is a change of the first.
        renamed: In an invariance case, the words of the first text that the second replaces.

    """

    id: str
    readings: tuple[Reading, ...]
    renamed: Mapping[str, str]

    @property
    def is_invariance(self) -> bool:
        """Whether both texts must get the same answers, whatever these are."""
        return not self.readings[0].expected


@dataclass(frozen=True, slots=True)
class Phenomenon:
    """The cases of one file.

    Args:
        name: The name of the file.
        about: What the cases test, in one sentence.
        cases: The cases in order.

    """

    name: str
    about: str
    cases: tuple[Case, ...]


def read_phenomena(folder: Path = FOLDER) -> list[Phenomenon]:
    """Read and check every case.

    Args:
        folder: Holds one ``.jsonl`` file a phenomenon.

    Returns:
        The phenomena by name.

    Raises:
        CaseError: If a case is wrong in form or names what its text does not hold; the message names it.

    """
    return [_read(path) for path in sorted(folder.glob("*.jsonl"))]


def to_article(case_id: str, reading: Reading) -> Article:
    """Write a text and its expectations as a labelled article, with ``none`` for what is not checked.

    Args:
        case_id: The id of the article.
        reading: The text with its expectations.

    Returns:
        An article in the labelled-set format. A speaker who is not checked is the author, and a label that is not
        checked is ``assertion``.

    """
    spans = split(reading.text)
    expected = reading.expected or (None,) * len(spans)
    if len(spans) != len(expected):
        sentences = [reading.text[slice(*span)] for span in spans]
        raise CaseError(f"{case_id}: {len(expected)} expectations for {len(spans)} sentences: {sentences}")
    records = [_record(reading.text, span, one) for span, one in zip(spans, expected, strict=True)]
    return {"id": case_id, "text": reading.text, "sentences": records}


def _record(text: str, span: tuple[int, int], expectation: Expectation | None) -> dict[str, Any]:
    record: dict[str, Any] = {"start": span[0], "end": span[1], "label": Label.NONE.value}
    if expectation is None or expectation.label is Label.NONE:
        return record
    record["label"] = (expectation.label or Label.ASSERTION).value
    if expectation.speaker in (None, AUTHOR):
        record["speaker"] = AUTHOR
    else:
        record["speaker"] = {"name": expectation.speaker, "mention": None, "also": list(expectation.also)}
    if expectation.target:
        start = text.index(expectation.target)
        record["target"] = {"start": start, "end": start + len(expectation.target)}
    return record


def _read(path: Path) -> Phenomenon:
    head, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    if not lines or set(head) != {"about"}:
        raise CaseError(f"{path.name}: must begin with {{'about': '...'}} and go on with at least one case")
    cases = tuple(_case(f"{path.stem}-{number}", line) for number, line in enumerate(lines, 1))
    return Phenomenon(path.stem, head["about"], cases)


def _case(identifier: str, line: Mapping[str, Any]) -> Case:
    if unknown := set(line) - _KEYS:
        raise CaseError(f"{identifier}: unknown keys {sorted(unknown)}; a case has {sorted(_KEYS)}")
    try:
        renamed = line.get("renamed", {})
        readings = [_reading(line["text"], line.get("expect", ()))]
        if "changed" in line or renamed:
            changed = line.get("changed") or rename(line["text"], renamed)
            readings.append(_reading(changed, line.get("changed_expect", ())))
        case = Case(identifier, tuple(readings), renamed)
        _check(case)
    except CaseError as error:
        raise CaseError(f"{identifier}: {error}") from error
    return case


def _reading(text: str, expected: Sequence[str]) -> Reading:
    return Reading(text, tuple(Expectation.parse(one) for one in expected))


def rename(text: str, renamed: Mapping[str, str]) -> str:
    """Replace whole words.

    Example:
        >>> rename("Roe's dog bit Roe.", {"Roe": "Lee"})
        "Lee's dog bit Lee."

    """
    return re.sub(r"\w+", lambda word: renamed.get(word[0], word[0]), text)


def _check(case: Case) -> None:
    texts = [reading.text for reading in case.readings]
    if case.is_invariance:
        if len(texts) != 2 or texts[0] == texts[1] or case.readings[1].expected:
            raise CaseError("a case without 'expect' has a text that 'changed' or 'renamed' makes another, and no more")
        if len(split(texts[0])) != len(split(texts[1])):
            raise CaseError("both texts must have the same number of sentences")
        return
    if case.renamed or len({bool(reading.expected) for reading in case.readings}) > 1:
        raise CaseError("with 'expect', a 'changed' text has its own 'changed_expect', and nothing is 'renamed'")
    for reading in case.readings:
        for expectation in reading.expected:
            _check_expectation(expectation, reading.text)
        validate(to_article(case.id, reading))


def _check_expectation(expectation: Expectation | None, text: str) -> None:
    if expectation is None:
        return
    speakers = () if expectation.speaker == AUTHOR else (expectation.speaker, *expectation.also)
    for name in filter(None, (*speakers, expectation.target)):
        if name not in text:
            raise CaseError(f"{name!r} does not stand in the text; copy it exactly")
    if expectation.speaker and expectation.label is Label.NONE:
        raise CaseError("a sentence labelled 'N' has no speaker")
    if expectation.target and expectation.label is not Label.ALLEGATION:
        raise CaseError("only an allegation, 'L', has a target")
    if expectation.label is None and expectation.speaker is None:
        raise CaseError(f"'?' expects nothing; write {UNCHECKED!r} for a sentence that is not checked")
