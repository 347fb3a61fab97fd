"""Spreadsheets: documents as CSV, one row a sentence, and corrected sheets as labelled sets."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from stance.document import AUTHOR, Document
from stance.frames import COLUMNS, rows
from stance.integrations.corrected import Place, sentence, squeezed
from stance.labelled import Article, LabelledSetError, check_unique, validate
from stance.surrogates import replace_surrogates

LONGEST_CELL = 2**31 - 1
"""For ``csv.field_size_limit``, whose default is shorter than some articles: the most that every system takes."""

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def write(documents: Iterable[Document], file: TextIO) -> None:
    """Write documents as a sheet to correct, which ``read`` takes back.

    Args:
        documents: The documents, each with an id of its own.
        file: An open text file, as for ``write_rows``.

    Raises:
        ValueError: If a document has no id, which is all that the sheet says of its article, or that of another; or if
            it has a source called "author", which in a sheet is the author; names the document.

    """
    given = list(documents)
    for number, document in enumerate(given, 1):
        if document.id is None:
            raise ValueError(
                f"article {number}, {document.text[:40]!r}, has no id, by which a corrected sheet finds its article; "
                "give each article an id of its own"
            )
        if any(speaker.name == AUTHOR != speaker.kind for speaker in document.speakers):
            raise ValueError(
                f"article {document.id!r} has a source called 'author', which in a sheet is the author of the article; "
                "correct it in brat, which tells them apart"
            )
    check_unique((document.id for document in given), "sheet")
    write_rows(given, file)


def write_rows(documents: Iterable[Document], file: TextIO) -> None:
    """Write documents as CSV, one row a sentence, which need have no ids.

    Args:
        documents: The documents.
        file: An open text file. A cell that a spreadsheet would take for a formula gets an apostrophe before it; the
            character of code 0, which none of them has, and lone surrogates, which no file has, become U+FFFD.

    """
    table = csv.DictWriter(file, list(COLUMNS))
    table.writeheader()
    for document in documents:
        for row in rows(document):
            table.writerow({key: _guarded(value) for key, value in row.items()})


def read(path: str | Path, articles: Iterable[Mapping[str, Any]]) -> Iterator[Article]:
    """Read a corrected sheet.

    Args:
        path: A CSV file with the columns ``id``, ``start``, ``end``, ``label``, ``speaker`` and, if they were not
            removed, those of the evidence.
        articles: The articles that the sheet is about: objects with ``id`` and ``text``, whose other keys are kept.

    Yields:
        A labelled article for each of the sheet's, in the order of their first rows; the rows may stand in any order.
        A mention or target that was typed anew is the nearest place where the article has these words.

    Raises:
        LabelledSetError: If an article is missing, or a row does not fit it; names the row.

    """
    known = {article["id"]: article for article in articles if article.get("id") is not None}
    csv.field_size_limit(LONGEST_CELL)
    sheet: dict[str, list[tuple[str, dict[str, str]]]] = defaultdict(list)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if missing := {"id", "start", "end", "label", "speaker"} - set(table.fieldnames or ()):
                raise LabelledSetError(f"{path}: there is no column {', '.join(sorted(missing))}; write the sheet anew")
            for number, row in enumerate(table, 1):
                sheet[_bare(row["id"])].append((f"{path}, row {number}", row))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelledSetError(f"{path}: no table in UTF-8: {error}; save the sheet as CSV in UTF-8") from error
    for identifier, group in sheet.items():
        if identifier not in known:
            raise LabelledSetError(f"{path}: no article has the id {identifier!r}; give the articles of the sheet")
        line = known[identifier]
        records = [_record(line["text"], row, place) for place, row in group]
        article = {**line, "sentences": sorted(records, key=lambda record: record["start"])}
        validate(article, f"{path}, article {identifier!r}")
        yield article


def _record(text: str, row: Mapping[str, str | None], place: str) -> dict[str, Any]:
    try:
        start, end = int(row["start"] or ""), int(row["end"] or "")
    except ValueError as error:
        raise LabelledSetError(f"{place}: 'start' and 'end' must be whole numbers") from error
    written = _writable(text)
    cells = {key: _bare(row.get(key)) for key in ("text", "label", "speaker", "mention", "cue", "target")}
    if cells["text"] and squeezed(cells["text"]) != squeezed(written[start:end]):
        raise LabelledSetError(f"{place}: the article has {written[start:end]!r:.60} there, not {cells['text']!r:.60}")

    def found(role: str, words: str) -> Place | None:
        return _nearest(written, words, row.get(f"{role}_start"), (start, end), f"{place}, {role}") if words else None

    by_author = cells["speaker"] == AUTHOR
    names = [_as_given(text, written, cells["speaker"])] if cells["speaker"] and not by_author else []
    mention = None if by_author else found("mention", cells["mention"] or cells["speaker"])
    target, cue = found("target", cells["target"]), found("cue", cells["cue"])
    return sentence(text, (start, end), cells["label"].strip().lower(), names, mention, target, cue, by_author)


def _as_given(given: str, written: str, name: str) -> str:
    """Take a name from the article as it was given, of which the sheet cannot hold every character."""
    start = written.find(name)
    return name if start < 0 else given[start : start + len(name)]


def _nearest(text: str, words: str, given: str | None, near: Place, place: str) -> Place:
    """Find words where they were, or else as near to a sentence as they stand."""
    if given and given.isdecimal() and text.startswith(words, int(given)):
        return int(given), int(given) + len(words)
    starts = [found.start() for found in re.finditer(re.escape(words), text)]
    if not starts:
        raise LabelledSetError(f"{place}: {words!r} does not stand in the article; copy it exactly")
    best = min(starts, key=lambda start: max(near[0] - start, start + len(words) - near[1], 0))
    return best, best + len(words)


def _guarded(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    return _writable(f"'{cell}" if _FORMULA.match(cell) else cell)


def _writable(text: str) -> str:
    return replace_surrogates(text).replace("\0", "\ufffd")


def _bare(cell: str | None) -> str:
    return cell[1:] if cell and cell.startswith("'") and _FORMULA.match(cell) else cell or ""
