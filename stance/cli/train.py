"""``stance train``: a model from a recipe."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from stance.cli.commands import add_command

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
    recipe = _training("configuration").read_recipe(arguments.config)
    sys.stdout.write(f"the model is in {_training('train').train(recipe)}\n")


def _training(module: str) -> ModuleType:
    """Import a training module: from the wheel as ``stance.training``, in a checkout as the folder ``training``."""
    if importlib.util.find_spec("stance.training"):
        return importlib.import_module(f"stance.training.{module}")
    if (Path(__file__).parents[2] / "training" / "train.py").is_file():
        return importlib.import_module(f"training.{module}")
    raise ModuleNotFoundError("this installation lacks the training code; reinstall stance from its wheel")
