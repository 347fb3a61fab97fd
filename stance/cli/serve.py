"""``stance serve``: the server and its page."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from stance.cli.commands import add_command
from stance.server.options import Options, add_options

if TYPE_CHECKING:
    from stance.cli.commands import Commands

_EXAMPLES = """\
  stance serve                                    a page on http://127.0.0.1:8000
  stance serve --host 0.0.0.0 --token-file token.txt --allow-host news.example
"""


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = add_command(commands, "serve", "answer over HTTP, with a page to try it on", _EXAMPLES)
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from stance.server import serve

    serve(Options.from_arguments(arguments))
