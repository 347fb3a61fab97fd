"""``stance export``: a model as ONNX."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stance.cli.commands import add_command, training_module

if TYPE_CHECKING:
    from stance.cli.commands import Commands

_EXAMPLES = """\
  stance export runs/finetune/model -o runs/finetune/model           the graph beside the weights
  stance export runs/finetune/model -o runs/finetune/small --int8    a quarter of the size
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "export", "write a model as ONNX, which runs fast and without torch", _EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a folder or a hub id")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where to write; may be the same folder")
    parser.add_argument("--int8", action="store_true", help="in 8 bits: a quarter of the size, and faster")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    file = training_module("export").export(arguments.model, Path(arguments.output), int8=arguments.int8)
    sys.stdout.write(f"the graph is {file}\n")
