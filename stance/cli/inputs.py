"""What ``stance classify`` reads: text, web pages, JSON lines and tables, one record an article."""

from __future__ import annotations

import csv
import errno
import glob
import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from types import MappingProxyType
from typing import IO, cast

from stance.cli.commands import named
from stance.extras import require

STANDARD_INPUT = "-"
_ROWS = 64


@dataclass(frozen=True, slots=True)
class Record:
    """An article to classify.

    Args:
        place: Where it stands, for messages.
        id: Its id, if it has one.
        text: The article.

    """

    place: str
    id: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A record that cannot be classified.

    Args:
        place: Where it stands.
        id: Its id, if it has one.
        reason: What is wrong with it.

    """

    place: str
    id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Source:
    """How files are to be read.

    Args:
        format: One of ``FORMATS``; None goes by the ending of each file.
        text: The key or column of the article.
        id: The key or column of its id; None takes ``id`` where there is one.

    """

    format: str | None = None
    text: str = "text"
    id: str | None = None

    def format_of(self, file: str) -> str:
        """Tell how a file is to be read; what has no known ending is text."""
        name = file.lower().removesuffix(".gz")
        return self.format or next((known for ending, known in _ENDINGS.items() if name.endswith(ending)), "text")


def expand(files: Iterable[str]) -> list[str]:
    """Resolve patterns, and make sure that every file is there before hours of work begin.

    Args:
        files: Names and patterns; ``-`` is standard input.

    Returns:
        Names of files in the order given; those of one pattern in order of the alphabet.

    Raises:
        OSError: If a file is missing or a folder.
        ValueError: If nothing matches a pattern.

    """
    found: list[str] = []
    for file in files:
        matches = [file]
        if file != STANDARD_INPUT and not os.path.lexists(file) and glob.has_magic(file):
            matches = sorted(name for name in glob.glob(file, recursive=True) if not os.path.isdir(name))
            if not matches:
                raise ValueError(f"{file}: no file matches this pattern")
        found += matches
    for file in found:
        if file != STANDARD_INPUT and stat.S_ISDIR(os.stat(file).st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
    return found


def read(files: Sequence[str], source: Source) -> Iterator[Record | Failure]:
    """Read articles one after the other.

    Args:
        files: Names of files; ``-`` is standard input.
        source: How to read them.

    Yields:
        A record an article, or a failure where there is none to be had; one for all the rest of a file that is broken.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If a table has no such column, or a Parquet file is broken.

    """
    for file in files:
        format = source.format_of(file)
        name = "standard input" if file == STANDARD_INPUT else file
        with named(name), _open(file, format) as content:
            try:
                yield from _READERS[format](name, content, source)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                yield Failure(name, None, f"broken gzip file: {error}; no more of it was read, fetch it again")


def _open(file: str, format: str) -> AbstractContextManager[IO[bytes]]:
    if file == STANDARD_INPUT:
        # A Parquet file is read from its end.
        return nullcontext(io.BytesIO(sys.stdin.buffer.read()) if format == "parquet" else sys.stdin.buffer)
    if file.lower().endswith(".gz"):
        return cast("AbstractContextManager[IO[bytes]]", gzip.open(file))
    return open(file, "rb")


def _read_text(name: str, content: IO[bytes], source: Source) -> Iterator[Record | Failure]:
    identifier = None if content is sys.stdin.buffer else name
    try:
        yield Record(name, identifier, content.read().decode("utf-8"))
    except UnicodeDecodeError as error:
        yield Failure(name, identifier, f"not UTF-8 at byte {error.start}; save the file as UTF-8")


def _read_page(name: str, content: IO[bytes], source: Source) -> Iterator[Record | Failure]:
    from stance.webpages import article_text

    identifier = None if content is sys.stdin.buffer else name
    try:
        yield Record(name, identifier, article_text(content.read()))
    except ValueError as error:
        yield Failure(name, identifier, str(error))


def _read_lines(name: str, content: IO[bytes], source: Source) -> Iterator[Record | Failure]:
    from stance.labelled import LabelledSetError, raw_lines

    try:
        for number, line in raw_lines(content, name):
            yield _read_line(f"{name}, line {number}", line, source)
    except LabelledSetError as error:
        yield Failure(name, None, str(error).removeprefix(f"{name}, "))


def _read_line(place: str, line: bytes, source: Source) -> Record | Failure:
    from stance.labelled import parse_line

    try:
        article = parse_line(line, place)
    except ValueError as error:
        return Failure(place, None, str(error).removeprefix(f"{place}: "))
    if not isinstance(article, Mapping):
        return Failure(place, None, f"an article is a JSON object, not {type(article).__name__}")
    identifier = article.get(source.id or "id")
    for key, option in _missing(source, article):
        known = identifier if isinstance(identifier, str) else None
        return Failure(place, known, f"there is no key {key!r}; name another with {option}")
    return _record(place, article[source.text], identifier, source)


def _read_csv(name: str, content: IO[bytes], source: Source) -> Iterator[Record | Failure]:
    from stance.integrations.sheets import LONGEST_CELL

    csv.field_size_limit(LONGEST_CELL)
    table = csv.DictReader(io.TextIOWrapper(content, encoding="utf-8-sig", newline=""), strict=True)
    number = 0
    try:
        _check_columns(name, table.fieldnames or [], source)
        for number, row in enumerate(table, 1):
            place, identifier = f"{name}, row {number}", row.get(source.id or "id")
            # Empty cells at the end, which are beyond the columns too, lose nothing.
            if any(row.get(None, ())):
                yield Failure(place, identifier, "more cells than columns; put texts with commas in quotation marks")
            else:
                yield _record(place, row[source.text], identifier, source)
    except (UnicodeDecodeError, csv.Error) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else f"no CSV: {error}"
        rest = "no more of it was read, save the table as CSV in UTF-8"
        yield Failure(f"{name}, after row {number}", None, f"{reason}; {rest}")


def _read_parquet(name: str, content: IO[bytes], source: Source) -> Iterator[Record | Failure]:
    try:
        table = require("pyarrow.parquet", "parquet").ParquetFile(content)
    except ValueError as error:
        raise ValueError(f"{name}: no Parquet file: {error}") from error
    columns = table.schema_arrow.names
    _check_columns(name, columns, source)
    wanted = [column for column in (source.text, source.id or "id") if column in columns]
    rows = (row for batch in table.iter_batches(_ROWS, columns=wanted) for row in batch.to_pylist())
    for number, row in enumerate(rows, 1):
        identifier = row.get(source.id or "id")
        yield _record(
            f"{name}, row {number}", row[source.text], None if identifier is None else str(identifier), source
        )


def _record(place: str, text: object, identifier: object, source: Source) -> Record | Failure:
    if not isinstance(identifier, str | None):
        return Failure(place, None, f"{source.id or 'id'!r} must be a string, not {type(identifier).__name__}")
    if not isinstance(text, str):
        return Failure(place, identifier, f"{source.text!r} must be a string, not {type(text).__name__}")
    return Record(place, identifier, text)


def _check_columns(name: str, columns: Sequence[str], source: Source) -> None:
    for column, option in _missing(source, columns):
        listed = ", ".join(columns) or "none"
        raise ValueError(f"{name}: there is no column {column!r}; name one of its columns ({listed}) with {option}")


def _missing(source: Source, keys: Container[str]) -> Iterator[tuple[str, str]]:
    """List what a source wants and its keys or columns lack, each with the option that names it."""
    wanted = ((source.text, "--text-column"), (source.id, "--id-column"))
    return ((key, option) for key, option in wanted if key is not None and key not in keys)


_READERS: Mapping[str, Callable[[str, IO[bytes], Source], Iterator[Record | Failure]]] = MappingProxyType(
    {"text": _read_text, "html": _read_page, "jsonl": _read_lines, "csv": _read_csv, "parquet": _read_parquet}
)
FORMATS = tuple(_READERS)
_ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        ".jsonl": "jsonl",
        ".html": "html",
        ".htm": "html",
        ".csv": "csv",
        ".parquet": "parquet",
    }
)
