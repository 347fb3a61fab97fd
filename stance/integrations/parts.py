"""Parquet files in parts: a part is read alone, and written whole or not at all, so that what is there is done."""

from __future__ import annotations

import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from stance.extras import require

if TYPE_CHECKING:
    import pyarrow

ROWS = 1_000
DOCUMENT = "document"
"""The column of what is made of each row."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a Parquet file.

    Args:
        file: The file.
        first: The first of the rows.
        rows: How many there are.
        output: The file for them and what is made of them.

    """

    file: str
    first: int
    rows: int
    output: str

    def read(self, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """Read the rows, without holding others of a large file.

        Args:
            columns: The columns to read; None reads all.

        Returns:
            The rows.

        """
        pyarrow, file = require("pyarrow", "parquet"), _open(self.file)
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
        begins, stop = [0, *accumulate(sizes)], self.first + self.rows
        # From the first group on, each part of a large file would decode again all that lies before it.
        group = bisect_right(begins, self.first) - 1
        found, begin = [], begins[group]
        for batch in file.iter_batches(ROWS, range(group, bisect_left(begins, stop)), columns):
            end = begin + len(batch)
            if end > self.first:
                found.append(batch.slice(max(self.first - begin, 0), min(stop, end) - max(self.first, begin)))
            if end >= stop:
                break
            begin = end
        return pyarrow.Table.from_batches(found)

    def write(self, table: pyarrow.Table) -> None:
        """Write the part; whoever reads the folder meanwhile sees all of it or nothing."""
        output = Path(self.output)
        partial = output.with_name(f".{output.name}.{uuid4().hex}")
        require("pyarrow.parquet", "parquet").write_table(table, partial)
        partial.replace(output)

    def is_done(self, column: str) -> bool:
        """Tell whether the part is written.

        Args:
            column: The column by which the rows are known.

        Returns:
            Whether there is a file with what is made of them.

        Raises:
            ValueError: If what is written under its name was made of other rows.

        """
        if not os.path.exists(self.output):
            return False
        if _open(self.output).read([column]).to_pylist() != self.read([column]).to_pylist():
            raise ValueError(
                f"{self.output} does not belong to this input: its {column!r} is not that of the {self.rows} rows "
                f"from {self.first} of {self.file}; resume with the same files, or name another folder"
            )
        return True

    def nulls(self) -> int:
        """Count the rows that have nothing in the last column of what is written."""
        metadata = _open(self.output).metadata
        last = [metadata.row_group(group).column(metadata.num_columns - 1) for group in range(metadata.num_row_groups)]
        return sum(column.statistics.null_count for column in last)


def cut(files: Iterable[str], folder: str | Path, columns: Sequence[str], rows: int = ROWS) -> list[Part]:
    """Cut Parquet files into parts.

    Args:
        files: Their names.
        folder: Where the parts are to be written.
        columns: Columns that every file must have.
        rows: The most rows of a part.

    Returns:
        The parts in order; so are the names of what they are written into.

    Raises:
        ValueError: If a file is no Parquet file or lacks a column, if it has a column ``document``, or if two have the
            same name.

    """
    parts: list[Part] = []
    for file in map(os.path.abspath, files):
        opened = _open(file)
        for column in columns:
            if column not in opened.schema_arrow.names:
                listed = ", ".join(opened.schema_arrow.names)
                raise ValueError(f"{file}: there is no column {column!r}; the columns are {listed}")
        check_free(opened.schema_arrow.names, f"{file}: ")
        total = opened.metadata.num_rows
        for first in range(0, total, rows):
            output = Path(folder).resolve() / f"{Path(file).stem}-{first:09}.parquet"
            parts.append(Part(file, first, min(rows, total - first), str(output)))
    sources: dict[str, str] = {}
    for part in parts:
        if (other := sources.setdefault(part.output, part.file)) != part.file:
            raise ValueError(f"{other} and {part.file} would be written to the same files; rename one")
    return parts


def check_free(columns: Iterable[str], place: str = "") -> None:
    """Refuse rows whose column ``document`` would be lost to the one that is added.

    Args:
        columns: The columns that the rows have.
        place: What an error message begins with.

    Raises:
        ValueError: If ``document`` is among them.

    """
    if DOCUMENT in columns:
        raise ValueError(f"{place}there is a column {DOCUMENT!r} already, where the results go; rename it")


def check_folder(folder: str | Path, parts: Iterable[Part]) -> None:
    """Refuse a folder whose Parquet files would not be the parts alone.

    Args:
        folder: Where the parts are written.
        parts: All that ``cut`` made.

    Raises:
        ValueError: If another Parquet file lies there, such as a part of a longer input.

    """
    outputs = {part.output for part in parts}
    if others := sorted({str(file) for file in Path(folder).resolve().glob("*.parquet")} - outputs):
        raise ValueError(
            f"{others[0]} is no part of this input; resume with the same files, move it away, or name another folder"
        )


def clear(folder: str | Path) -> None:
    """Delete what writers that were killed have left of parts."""
    for partial in Path(folder).glob(".*.parquet.*"):
        partial.unlink(missing_ok=True)


def _open(file: str) -> pyarrow.parquet.ParquetFile:
    try:
        return require("pyarrow.parquet", "parquet").ParquetFile(file)
    except ValueError as error:
        raise ValueError(f"{file}: no Parquet file: {error}") from error
