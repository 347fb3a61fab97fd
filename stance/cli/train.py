"""``stance train``: a model from a recipe."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from stance.cli.commands import add_command, training_module

if TYPE_CHECKING:
    from stance.cli.commands import Commands


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(
        commands,
        "train",
        "train a model",
        "  stance train configs/finetune.yaml    the default model, trained further on your own articles\n",
    )
    parser.add_argument("config", metavar="CONFIG", help="a recipe such as configs/finetune.yaml")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    recipe = training_module("configuration").read_recipe(arguments.config)
    sys.stdout.write(f"the model is in {training_module('train').train(recipe)}\n")
