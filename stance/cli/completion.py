"""``stance completion``: what makes a shell complete commands, options and files."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from stance.cli.commands import add_command
from stance.extras import require

if TYPE_CHECKING:
    from stance.cli.commands import Commands

_EXAMPLES = """\
  stance completion bash > ~/.local/share/bash-completion/completions/stance
  stance completion zsh > ~/.zfunc/_stance    # with fpath+=~/.zfunc in ~/.zshrc
"""
_FILES = frozenset({"FILE", "FOLDER", "SET", "TRAIN", "OUT", "CONFIG", "DIR", "INPUT", "OUTPUT", "MODEL"})


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "completion", "print a script that makes a shell complete commands", _EXAMPLES)
    parser.add_argument("shell", choices=("bash", "zsh"))
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from stance.cli import parser

    shtab = require("shtab", "completion")
    whole = parser()
    for actions in (whole._actions, *(command._actions for command in _commands(whole).values())):
        for action in actions:
            if action.metavar in _FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    sys.stdout.write(f"{shtab.complete(whole, arguments.shell)}\n")


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return dict(found.choices)
