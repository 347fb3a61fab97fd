"""What ``stance classify`` writes: a table, JSON lines, HTML, CSV or Parquet, document by document."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TextIO

from stance.extras import require

if TYPE_CHECKING:
    from stance.document import Document

_ROW_GROUP = 256  # articles


def format_of(file: str) -> str:
    """Tell in which format a file is to be written, by its ending.

    Args:
        file: Its name.

    Returns:
        One of ``FORMATS``.

    Raises:
        ValueError: If the ending says nothing.

    """
    known = Path(file).suffix.removeprefix(".").lower()
    if known not in FORMATS:
        raise ValueError(f"{file}: how to write it is not clear; let it end in .jsonl, .csv, .html or .parquet")
    return known


def _write_tables(documents: Iterable[Document], file: TextIO) -> None:
    from rich.console import Console

    from stance.display import to_table

    console = Console(file=file)
    for document in documents:
        console.print(to_table(document, console.width))


def _write_lines(documents: Iterable[Document], file: TextIO) -> None:
    for document in documents:
        file.write(f"{document.to_json()}\n")


def _write_html(documents: Iterable[Document], file: TextIO) -> None:
    file.write('<!doctype html><meta charset="utf-8"><title>Stance</title>\n')
    for document in documents:
        heading = "" if document.id is None else f"<h2>{html.escape(document.id)}</h2>\n"
        file.write(f"{heading}{document.to_html()}\n")


def _write_csv(documents: Iterable[Document], file: TextIO) -> None:
    from stance.integrations.sheets import write_rows

    write_rows(documents, file)


def _write_parquet(documents: Iterable[Document], file: TextIO) -> None:
    pyarrow, parquet = require("pyarrow", "parquet"), require("pyarrow.parquet", "parquet")
    from stance.frames import to_frame

    schema = pyarrow.Schema.from_pandas(to_frame([]))
    with parquet.ParquetWriter(file.buffer, schema) as table:
        rest = iter(documents)
        while group := list(islice(rest, _ROW_GROUP)):
            table.write_table(pyarrow.Table.from_pandas(to_frame(group), schema))


FORMATS: Mapping[str, Callable[[Iterable[Document], TextIO], None]] = MappingProxyType(
    {"table": _write_tables, "jsonl": _write_lines, "html": _write_html, "csv": _write_csv, "parquet": _write_parquet}
)
"""How each format is written. A JSON line is whole at every line break, so that a run can be resumed after it."""
