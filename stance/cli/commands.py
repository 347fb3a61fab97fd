"""What all commands share: how one is added, how errors get their files' names, and where the training code is."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_command(commands: Commands, name: str, about: str, examples: str) -> argparse.ArgumentParser:
    """Add a command to the command line.

    Args:
        commands: The commands so far.
        name: What the user types.
        about: What it does, in half a sentence.
        examples: Lines that show it, printed under its ``--help``.

    Returns:
        Its parser, which still needs arguments, and ``run`` as a default.

    """
    return commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


@contextmanager
def named(file: str) -> Iterator[None]:
    """Put a name to an error of the operating system that has none, such as that of a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None and not isinstance(error, BrokenPipeError):
            # Those of libraries have words only, which would be lost.
            error.strerror = error.strerror or str(error)
            error.filename = file
        raise


def training_module(module: str) -> ModuleType:
    """Import a training module: from the wheel as ``stance.training``, in a checkout as the folder ``training``.

    Args:
        module: Its name.

    Returns:
        The module.

    Raises:
        ModuleNotFoundError: If it is in neither place.

    """
    if importlib.util.find_spec("stance.training"):
        return importlib.import_module(f"stance.training.{module}")
    if (Path(__file__).parents[2] / "training" / "train.py").is_file():
        return importlib.import_module(f"training.{module}")
    raise ModuleNotFoundError("this installation lacks the training code; reinstall stance from its wheel")
