"""``stance models``: which models there are."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stance.cli.commands import add_command

if TYPE_CHECKING:
    from stance.cli.commands import Commands

_EXAMPLES = """\
  stance models                  the embedded models
  stance models runs/finetune    those that were trained there too
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "models", "list the models that are part of the package, and others", _EXAMPLES)
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="look for models in and below this folder too")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from stance.loading import DEFAULT_MODEL, FILES, WEIGHTS

    folders = (DEFAULT_MODEL.parent, *map(Path, arguments.folders))
    if missing := [str(folder) for folder in folders if not folder.is_dir()]:
        raise FileNotFoundError(f"there is no folder {missing[0]!r}")
    for config in (found for folder in folders for found in sorted(folder.rglob("config.json"))):
        files = {file.name for file in config.parent.iterdir()}
        if files.issuperset(FILES) and not files.isdisjoint(WEIGHTS):
            sys.stdout.write(f"{_about(config)}\n")


def _about(config: Path) -> str:
    """Tell of a model what helps to choose it."""
    from stance.integrity import reading

    megabytes = sum(file.stat().st_size for file in config.parent.iterdir()) / 1e6
    with reading(config):
        settings = json.loads(config.read_text(encoding="utf-8"))
        encoder = settings.get("encoder", {})
        kind, layers = encoder.get("model_type", "unknown"), encoder.get("num_hidden_layers", "?")
        width, window = encoder.get("hidden_size", "?"), settings.get("settings", {}).get("window", "?")
    return (
        f"{config.parent.name}: {kind} encoder, {layers} layers of {width}, windows of {window} tokens, "
        f"{megabytes:.0f} MB, in {config.parent}"
    )
