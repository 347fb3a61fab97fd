"""``stance convert``: labelled sets to annotation tools, and corrected ones back."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
import warnings
from collections.abc import Mapping
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

_FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "labelled": "stance.labelled",
        "label-studio": "stance.integrations.label_studio",
        "brat": "stance.integrations.brat",
        "csv": "stance.integrations.sheets",
    }
)
"""The module of each format, imported when needed; all have ``read`` and ``write``."""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    about = "take labelled sets to annotation tools, and bring corrected ones back"
    parser = add_command(commands, "convert", about, _EXAMPLES)
    help = "labelled set (.jsonl), Label Studio (.json), spreadsheet (.csv) or brat (a folder)"
    parser.add_argument("input", metavar="INPUT", help=help)
    parser.add_argument("output", metavar="OUTPUT", help="likewise")
    parser.add_argument("--from", dest="source", choices=list(_FORMATS), help="default: by the ending of INPUT")
    parser.add_argument("--to", choices=list(_FORMATS), help="default: by the ending of OUTPUT")
    parser.add_argument("--texts", metavar="FILE", help="for .csv: the .jsonl that the sheet was made from")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from stance.labelled import check_unique

    source = arguments.source or _format(arguments.input)
    to = arguments.to or _format(arguments.output)
    if (source == "csv") != bool(arguments.texts):
        raise ValueError(
            "a .csv has no articles, only sentences: --texts names their .jsonl, and goes with nothing else"
        )
    given = [Path(name).resolve() for name in (arguments.input, arguments.texts) if name]
    for path in _written(to, arguments.output):
        if path.resolve() in given:
            raise ValueError(f"{path} would be overwritten; name another file")
    with warnings.catch_warnings(record=True) as left_out:
        warnings.simplefilter("always")
        articles = _read(source, arguments.input, arguments.texts)
    check_unique((article.get("id") for article in articles), arguments.input)
    with named(arguments.output):
        _write(to, arguments.output, articles)
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


def _written(to: str, output: str) -> list[Path]:
    if to != "label-studio":
        return [Path(output)]
    from stance.integrations.label_studio import interface_path

    return [Path(output), interface_path(output)]


def _read(source: str, path: str, texts: str | None) -> list[Article]:
    module = importlib.import_module(_FORMATS[source])
    if source != "csv":
        return list(module.read(path))
    from stance.labelled import read_lines

    return list(module.read(path, [line for _, line in read_lines(texts or "") if isinstance(line, Mapping)]))


def _write(to: str, path: str, articles: list[Article]) -> None:
    module = importlib.import_module(_FORMATS[to])
    if to != "csv":
        module.write(path, articles)
        return
    from stance.document import Document

    sheet = io.StringIO(newline="")
    module.write(map(Document.from_dict, articles), sheet)
    # The mark at the start tells spreadsheets that it is UTF-8.
    Path(path).write_text(sheet.getvalue(), encoding="utf-8-sig", newline="")
