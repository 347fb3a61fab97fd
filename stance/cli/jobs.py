"""Long jobs: results go to ``FILE.partial``, line by line, and a run that was killed goes on where it stopped.

Each record leaves exactly one line, in the output or among the errors, and no line is begun before the one before is
written. So the whole lines of both files tell how many records are done, whenever the run was killed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from stance.cli.commands import named
from stance.cli.inputs import Failure, Record

if TYPE_CHECKING:
    from stance.classifier import StanceClassifier
    from stance.document import Document

_CHUNK = 32


def results(
    records: Iterator[Record | Failure], classifier: StanceClassifier, min_confidence: float | None, keep_going: bool
) -> Iterator[Document | Failure]:
    """Classify records in constant memory.

    Args:
        records: The records, and those that are failures already.
        classifier: Who labels them.
        min_confidence: As for ``StanceClassifier.stream``.
        keep_going: Whether a record that the classifier cannot take becomes a failure, and does not end the run.

    Yields:
        A document or a failure a record, in order.

    """
    while chunk := list(islice(records, _CHUNK)):
        given = [record for record in chunk if isinstance(record, Record)]
        answers = iter(_answers(given, classifier, min_confidence, keep_going))
        for record in chunk:
            yield record if isinstance(record, Failure) else next(answers)


def _answers(
    records: list[Record], classifier: StanceClassifier, min_confidence: float | None, keep_going: bool
) -> Iterator[Document | Failure]:
    texts = [record.text if record.id is None else (record.id, record.text) for record in records]
    if not keep_going:
        return classifier.stream(texts, min_confidence=min_confidence)
    try:
        return iter(list(classifier.stream(texts, min_confidence=min_confidence)))
    except Exception as error:
        if len(records) == 1:
            return iter([Failure(records[0].place, records[0].id, f"{type(error).__name__}: {error}")])
        # One of them is at fault; the others are not to suffer for it.
        return (answer for one in records for answer in _answers([one], classifier, min_confidence, True))


@dataclass(slots=True)
class Job:
    """The files that a run writes, and what an earlier one has left in them.

    Args:
        output: Where the results go in the end; None if not into a file of their own.
        errors: Where failures go; None if a failure ends the run.
        resumable: Whether half of the results are worth something.
        resume: Whether to go on with what an earlier run has left.
        failed: How many records have failed.

    """

    output: Path | None
    errors: Path | None
    resumable: bool
    resume: bool
    failed: int = 0

    @property
    def partial(self) -> Path | None:
        """Where the results are until they are complete."""
        return self.output and partial_of(self.output)

    def is_complete(self) -> bool:
        """Tell whether an earlier run has come to the end of its input."""
        if not self.resume or self.output is None or self.partial is None:
            return False
        return self.output.exists() and not self.partial.exists()

    def prepare(self) -> int:
        """Make the files fit to be written on.

        Returns:
            How many records are done.

        Raises:
            ValueError: If an earlier run has left results, and it was not said what to do with them.

        """
        if self.is_complete():
            self.failed, _ = _whole_lines(self.errors)
            return _whole_lines(self.output)[0] + self.failed
        # A run that failed before the first record, as by a wrong option, has left empty files; what failed before the
        # first result is in the errors alone.
        if self.resumable and _exists(self.partial) and any(map(_holds_something, (self.partial, self.errors))):
            if not self.resume:
                message = "was left by a run that did not end; go on with it by --resume, or delete it"
                raise ValueError(f"{self.partial} {message}")
            self.failed = _cut_back(self.errors)
            return _cut_back(self.partial) + self.failed
        # Errors first: where the partial file is, they belong to it.
        for file in filter(None, (self.errors, self.partial)):
            file.write_bytes(b"")
        return 0

    def skip(self, records: Iterator[Record | Failure], done: int) -> None:
        """Take the records that are done, and make sure that they are those that the files are about.

        Args:
            records: All records.
            done: How many are done.

        Raises:
            ValueError: If the files are about others.

        """
        written = self.output if self.is_complete() else self.partial
        if written is None or not done:
            return
        failed, finished = _failed_numbers(self.errors), _finished(written)
        next_failed = next(failed, None)
        for number in range(1, done + 1):
            record = next(records, None)
            if number == next_failed:
                next_failed = next(failed, None)
                continue
            line = next(finished, None)
            if not isinstance(record, Record) or line != (record.id, record.text):
                place = record.place if record else "the end of the input"
                raise ValueError(
                    f"{written} does not belong to this input: record {number}, {place}, is another there; "
                    "resume with the same files and options, or delete it"
                )

    def set_aside(self, results: Iterator[Document | Failure], done: int) -> Iterator[Document]:
        """Write failures down where they belong, and pass on the rest.

        Args:
            results: Results in order.
            done: How many there were before.

        Yields:
            The documents.

        Raises:
            ValueError: At the first failure, if there is no file for them.

        """
        with ExitStack() as stack:
            file = stack.enter_context(_appending(self.errors)) if self.errors else None
            for number, result in enumerate(results, done + 1):
                if not isinstance(result, Failure):
                    yield result
                elif file is None or self.errors is None:
                    raise ValueError(f"{result.place}: {result.reason}")
                else:
                    self.failed += 1
                    line = {"record": number, "place": result.place, "id": result.id, "error": result.reason}
                    with named(str(self.errors)):
                        file.write(f"{json.dumps(line)}\n")

    @contextmanager
    def results_file(self, otherwise: TextIO) -> Iterator[TextIO]:
        """Open the file for the results, and give it its name when all are written.

        Args:
            otherwise: Where they go if not into a file of their own.

        Yields:
            The file to write on.

        """
        if self.output is None or self.partial is None:
            yield otherwise
            otherwise.flush()
            return
        with named(str(self.partial)):
            with _appending(self.partial) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            self.partial.replace(self.output)


def partial_of(output: Path) -> Path:
    """Name the file that holds the results until they are complete."""
    return output.with_name(f"{output.name}.partial")


def _exists(path: Path | None) -> bool:
    return path is not None and path.exists()


def _holds_something(path: Path | None) -> bool:
    return path is not None and path.exists() and path.stat().st_size > 0


def _appending(path: Path) -> TextIO:
    # Line by line to the system: what it has, a killed process does not take along.
    return path.open("a", encoding="utf-8", errors="backslashreplace", newline="", buffering=1)


def _whole_lines(path: Path | None) -> tuple[int, int]:
    """Count the whole lines of a file, and their bytes."""
    lines = size = 0
    if path is not None:
        with suppress(FileNotFoundError), path.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    lines, size = lines + 1, size + len(line)
    return lines, size


def _cut_back(path: Path | None) -> int:
    """Cut off a last line that is not whole, and count the others."""
    lines, size = _whole_lines(path)
    if path is not None:
        with suppress(FileNotFoundError):
            os.truncate(path, size)
    return lines


def _finished(path: Path) -> Iterator[tuple[str | None, str]]:
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            for line in file:
                document = json.loads(line)
                yield document["id"], document["text"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} holds other lines than this command writes; name another file") from error


def _failed_numbers(path: Path | None) -> Iterator[int]:
    if path is None:
        return
    with suppress(FileNotFoundError), path.open("rb") as file:
        for line in file:
            yield json.loads(line)["record"]
