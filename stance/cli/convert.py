"""``stance convert``: labelled sets to annotation tools, and corrected ones back."""

from __future__ import annotations

import argparse
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from stance.cli.commands import add_command, named

if TYPE_CHECKING:
    from stance.cli.commands import Commands
    from stance.labelled import Article

_EXAMPLES = """\
  stance convert out.jsonl tasks.json                        tasks for Label Studio, and tasks.xml, their interface
  stance convert export.json corrected.jsonl                 finished annotations, to train on
  stance convert out.jsonl brat/                             a folder for brat
  stance convert brat/ corrected.jsonl
  stance convert out.jsonl sheet.csv                         one row a sentence
  stance convert sheet.csv corrected.jsonl --texts out.jsonl
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    about = "take labelled sets to annotation tools, and bring corrected ones back"
    parser = add_command(commands, "convert", about, _EXAMPLES)
    help = "labelled set (.jsonl), Label Studio (.json), spreadsheet (.csv) or brat (a folder)"
    parser.add_argument("input", metavar="INPUT", help=help)
    parser.add_argument("output", metavar="OUTPUT", help="likewise")
    parser.add_argument("--from", dest="source", choices=list(_READERS), help="default: by the ending of INPUT")
    parser.add_argument("--to", choices=list(_WRITERS), help="default: by the ending of OUTPUT")
    parser.add_argument("--texts", metavar="FILE", help="for .csv: the .jsonl that the sheet was made from")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    source = arguments.source or _format(arguments.input)
    to = arguments.to or _format(arguments.output)
    if (source == "csv") != bool(arguments.texts):
        raise ValueError(
            "a .csv has no articles, only sentences: --texts names their .jsonl, and goes with nothing else"
        )
    given = [Path(name).resolve() for name in (arguments.input, arguments.texts) if name]
    if Path(arguments.output).resolve() in given:
        raise ValueError(f"{arguments.output} would be overwritten; name another file")
    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        articles = list(_READERS[source](arguments.input, arguments.texts))
    with named(arguments.output):
        _WRITERS[to](arguments.output, articles)
    for warning in left_out:
        sys.stderr.write(f"stance: {warning.message}\n")
    count = "1 article" if len(articles) == 1 else f"{len(articles)} articles"
    sys.stderr.write(f"stance: {count} in {arguments.output}\n")


def _format(path: str) -> str:
    if path.endswith((".jsonl", ".jsonl.gz")):
        return "labelled"
    ending = Path(path).suffix
    if ending in (".json", ".csv"):
        return {".json": "label-studio", ".csv": "csv"}[ending]
    if Path(path).is_dir() or not ending:
        return "brat"
    raise ValueError(f"{path}: what this is is not clear; say it with --from or --to")


def _read_labelled(path: str, texts: str | None) -> Iterable[Article]:
    from stance.labelled import read

    return read(path)


def _read_label_studio(path: str, texts: str | None) -> Iterable[Article]:
    from stance.integrations.label_studio import read

    return read(path)


def _read_brat(path: str, texts: str | None) -> Iterable[Article]:
    from stance.integrations.brat import read

    return read(path)


def _read_csv(path: str, texts: str | None) -> Iterable[Article]:
    from stance.integrations.sheets import read
    from stance.labelled import read_lines

    return read(path, [line for _, line in read_lines(texts or "") if isinstance(line, Mapping)])


def _write_labelled(path: str, articles: list[Article]) -> None:
    from stance.labelled import write

    write(path, articles)


def _write_label_studio(path: str, articles: list[Article]) -> None:
    from stance.integrations.label_studio import write

    write(path, articles)


def _write_brat(path: str, articles: list[Article]) -> None:
    from stance.integrations.brat import write

    write(path, articles)


def _write_csv(path: str, articles: list[Article]) -> None:
    from stance.document import Document
    from stance.integrations.sheets import write

    sheet = io.StringIO(newline="")
    write(map(Document.from_dict, articles), sheet)
    # The mark at the start tells spreadsheets that it is UTF-8.
    Path(path).write_text(sheet.getvalue(), encoding="utf-8-sig", newline="")


_READERS: Mapping[str, Callable[[str, str | None], Iterable[Article]]] = MappingProxyType(
    {"labelled": _read_labelled, "label-studio": _read_label_studio, "brat": _read_brat, "csv": _read_csv}
)
_WRITERS: Mapping[str, Callable[[str, list[Article]], None]] = MappingProxyType(
    {"labelled": _write_labelled, "label-studio": _write_label_studio, "brat": _write_brat, "csv": _write_csv}
)
