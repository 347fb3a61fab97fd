"""``stance export``: a model as ONNX."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from stance import labelled
from stance.cli.commands import add_command, training_module

if TYPE_CHECKING:
    from stance.cli.commands import Commands

_EXAMPLES = """\
  stance export runs/finetune/model -o runs/finetune/model           the graph beside the weights
  stance export runs/finetune/model -o runs/finetune/small --int8    a quarter of the size
  stance export runs/finetune/model -o runs/finetune/small --int8 --sample seeds/train.jsonl    nearer to float32
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "export", "write a model as ONNX, which runs fast and without torch", _EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a folder or a hub id")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where to write; may be the same folder")
    parser.add_argument("--int8", action="store_true", help="in 8 bits: a quarter of the size")
    parser.add_argument("--sample", metavar="SET", help="a labelled set of texts like yours, to fit int8 to")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.sample and not arguments.int8:
        raise ValueError("--sample is what int8 is fitted to; add --int8, or leave it out")
    sample = [article["text"] for article in labelled.read(arguments.sample)] if arguments.sample else []
    if arguments.sample and not sample:
        raise ValueError(f"{arguments.sample} has no article that int8 could be fitted to")
    output = Path(arguments.output)
    file = training_module("export").export(arguments.model, output, int8=arguments.int8, sample=sample)
    sys.stdout.write(f"the graph is {file}\n")
