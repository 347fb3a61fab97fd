"""Cases through a classifier: which pass, how many of each phenomenon, and whether that is less than it was."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stance.document import AUTHOR, Document, Sentence, Span
from stance.matching import Judged, judge, normalise, related
from tests.behaviour.cases import Case, Expectation, Phenomenon, Reading, rename, to_article

FLOORS = Path(__file__).parent / "floors.json"

Classify = Callable[[list[str]], list[Document]]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one case.

    Args:
        case: The case.
        problems: What is wrong, one line each; none where it passes.

    """

    case: Case
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How many cases of a phenomenon pass."""

    phenomenon: Phenomenon
    results: tuple[Result, ...]

    @property
    def passed(self) -> int:
        """The number of cases that pass."""
        return sum(not result.problems for result in self.results)

    @property
    def rate(self) -> float:
        """The share of cases that pass, rounded down to three digits."""
        return math.floor(1000 * self.passed / len(self.results)) / 1000


def check(classify: Classify, phenomena: Sequence[Phenomenon]) -> list[Score]:
    """Run all cases through a classifier in one batch.

    Args:
        classify: Gives a document for each text, in the same order, such as ``stance.classify``.
        phenomena: The cases.

    Returns:
        A score for each phenomenon, in the same order.

    """
    texts = [reading.text for phenomenon in phenomena for case in phenomenon.cases for reading in case.readings]
    documents = iter(classify(texts))

    def result(case: Case) -> Result:
        return Result(case, tuple(_problems(case, [next(documents) for _ in case.readings])))

    return [Score(phenomenon, tuple(result(case) for case in phenomenon.cases)) for phenomenon in phenomena]


def to_markdown(scores: Sequence[Score]) -> str:
    """Return the pass rates as a Markdown table, for the model card."""
    lines = ["| phenomenon | what the cases test | passed | rate |", "|---|---|---|---|"]
    for score in scores:
        name = score.phenomenon.name.replace("_", " ")
        lines.append(
            f"| {name} | {score.phenomenon.about} | {score.passed} of {len(score.results)} | {score.rate:.2f} |"
        )
    passed, cases = sum(score.passed for score in scores), sum(len(score.results) for score in scores)
    return "\n".join([*lines, f"| all | | {passed} of {cases} | {passed / cases:.2f} |"])


def below(scores: Sequence[Score], floors: Mapping[str, float]) -> list[str]:
    """Name the phenomena that pass less often than their floor.

    Args:
        scores: What a classifier reaches.
        floors: The rate that each phenomenon must reach; one without a floor is below it.

    Returns:
        One line a phenomenon, with its failed cases.

    """
    return [
        f"{score.phenomenon.name}: {score.rate} < {floors.get(score.phenomenon.name)}; failed: "
        + ", ".join(result.case.id for result in score.results if result.problems)
        for score in scores
        if score.rate < floors.get(score.phenomenon.name, math.inf)
    ]


def read_floors() -> dict[str, float]:
    """Return the rates that must not be fallen below."""
    floors: dict[str, float] = json.loads(FLOORS.read_text(encoding="utf-8"))
    return floors


def write_floors(scores: Sequence[Score]) -> None:
    """Make today's rates the floors."""
    floors = {score.phenomenon.name: score.rate for score in scores}
    FLOORS.write_text(json.dumps(floors, indent=1) + "\n", encoding="utf-8")


def _problems(case: Case, documents: Sequence[Document]) -> Iterator[str]:
    if case.is_invariance:
        base, changed = documents
        yield from _differences(base, changed, case.renamed)
        return
    for reading, document in zip(case.readings, documents, strict=True):
        yield from _misjudged(case.id, reading, document)


def _misjudged(case_id: str, reading: Reading, document: Document) -> Iterator[str]:
    for expectation, judged in zip(
        reading.expected, judge(to_article(case_id, reading), document.to_dict()), strict=True
    ):
        if expectation is not None and (wrong := list(_wrong(expectation, judged))):
            yield f"{judged.text!r}: {', '.join(wrong)}"


def _wrong(expectation: Expectation, judged: Judged) -> Iterator[str]:
    if expectation.label not in (None, judged.predicted):
        yield f"label {judged.predicted}, expected {expectation.label}"
    if expectation.speaker and not judged.speaker_right:
        yield f"speaker {judged.predicted_speaker}, expected {expectation.speaker}"
    if expectation.target and not judged.target_right:
        yield f"target not {expectation.target}"


def _differences(base: Document, changed: Document, renamed: Mapping[str, str]) -> Iterator[str]:
    """Name the sentences whose label, speaker or target is another than before the change."""
    for before, after in zip(base.sentences, changed.sentences, strict=True):
        answers = [
            ("label", before.label.value, after.label.value, before.label == after.label),
            _compared("speaker", _speaker(before), _speaker(after), renamed),
            _compared("target", _words(before.target), _words(after.target), renamed),
        ]
        for what, old, new, same in answers:
            if not same:
                yield f"{after.text!r}: {what} {new}, but {old} before the change"


def _compared(
    what: str, before: str | None, after: str | None, renamed: Mapping[str, str]
) -> tuple[str, str | None, str | None, bool]:
    """Compare two names, the first as the change renames it."""
    if before is None or after is None or AUTHOR in (before, after):
        return what, before, after, before == after
    return what, before, after, related(normalise(rename(before, renamed)), normalise(after))


def _speaker(sentence: Sentence) -> str | None:
    return None if sentence.speaker is None else sentence.speaker.name


def _words(span: Span | None) -> str | None:
    return None if span is None else span.text
