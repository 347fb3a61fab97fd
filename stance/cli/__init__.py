"""The ``stance`` command; each of its commands is a module of this package with a function ``add``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from stance import __version__
from stance.cli import classify, completion, convert, evaluate, export, models, serve, train

_EXAMPLES = """\
examples:
  stance classify article.txt                     a table of its sentences
  stance classify 'archive/*.txt' -o out.jsonl    many articles, as a labelled set
  stance evaluate seeds/dev.jsonl --errors 20     how good the model is
  stance train finetune.yaml                      a model of your own

exit codes: 0 done; 1 the reader of the output went away; 2 bad usage or input; 3 done, but for
the records that --errors-to has; 130 interrupted. NO_COLOR=1 turns colours off.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Its arguments; None takes those of the process.

    Returns:
        The exit code: 0 if all went well, 1 if the reader of the output went away, 2 for bad usage or bad input, 3 if
        all but some records could be classified, 130 after Ctrl-C.

    Raises:
        SystemExit: After ``--help``, ``--version`` and bad usage.

    """
    arguments = parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code: int = arguments.run(arguments) or 0
        sys.stdout.flush()
    except BrokenPipeError:
        _release_output()
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if arguments.debug:
            raise
        sys.stderr.write(f"stance: error: {_one_line(error)}\n")
        _release_output()
        return 2
    return code


class _Parser(argparse.ArgumentParser):
    """Reports bad usage on one line, as every other error."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"stance: error: {message}; see {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    whole = _Parser(
        prog="stance",
        description="Say who asserts, denies or alleges what in news articles.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whole.add_argument("--version", action="version", version=f"stance {__version__}")
    whole.add_argument("--debug", action="store_true", help="show where in the code an error comes from")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (classify, convert, evaluate, train, export, serve, models, completion):
        command.add(commands)
    for command_parser in commands.choices.values():
        # Taken before and after the name of the command; what stands before must not be reset.
        command_parser.add_argument(
            "--debug", action="store_true", default=argparse.SUPPRESS, help="show where in the code an error comes from"
        )
    return whole


def _release_output() -> None:
    """Write what standard output still holds, or let it go nowhere, as the Python documentation advises."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _one_line(error: Exception) -> str:
    """Say what is wrong without a line break; of an error of the operating system, the file and the reason."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'stance'}: {error.strerror}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = "; ".join(lines).replace(":; ", ": ") or type(error).__name__
    # Where an error was not foreseen, its type tells more than its words.
    foreseen = isinstance(error, OSError | EOFError | ValueError | ImportError)
    return said if foreseen else f"{type(error).__name__}: {said}; --debug shows where"
