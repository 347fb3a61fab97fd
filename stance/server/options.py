"""What the server may be told: where it listens, and how much it takes on."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

_KINDS = {"model": "MODEL", "token_file": "FILE"}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def _option(default: Any, about: str) -> Any:  # noqa: ANN401 (as dataclasses.field)
    return field(default=default, metadata={"about": about})


@dataclass(frozen=True, slots=True)
class Options:
    """The options of ``stance serve``; each is one on the command line, with dashes.

    Example:
        >>> Options(port=9000).allowed_hosts()
        ('localhost', '127.0.0.1', '[::1]')

    """

    host: str = _option("127.0.0.1", "address to listen on")
    port: int = _option(8000, "port to listen on; 0 takes a free one")
    model: str | None = _option(None, "a folder or a hub id (default: the embedded model)")
    token_file: str | None = _option(None, "file with a token that requests must bear (default: none is asked for)")
    allow_host: Sequence[str] = _option((), "host name that requests may be sent to, without port; can be repeated")
    max_bytes: int = _option(1_000_000, "largest body of a request")
    max_texts: int = _option(64, "most texts in a request")
    queue: int = _option(256, "most texts that wait or are worked on; beyond, requests get 429")
    requests: int = _option(256, "most requests with a body at once; beyond, they get 503")
    timeout: float = _option(60.0, "seconds until a request that is not answered gets 503")
    read_timeout: float = _option(10.0, "seconds that a client may take to send head or body of a request")
    grace: int = _option(30, "seconds that requests may go on for when the server is told to stop")

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            ValueError: If a limit is not positive, or no request could have the number of texts that it may have.

        """
        for name in ("max_bytes", "max_texts", "queue", "requests", "timeout", "read_timeout", "grace"):
            if not getattr(self, name) > 0:
                raise ValueError(f"--{name.replace('_', '-')} must be above 0, not {getattr(self, name)}")
        if self.queue < self.max_texts:
            raise ValueError(f"--queue {self.queue} holds fewer texts than one request may have: {self.max_texts}")

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace) -> Options:
        """Take the options from a parsed command line."""
        return cls(**{option.name: getattr(arguments, option.name) for option in fields(cls)})

    def allowed_hosts(self) -> Sequence[str]:
        """Tell which names requests may be sent to; none means any.

        Returns:
            Those given; else, on a loopback address, its names, so that no web page can reach the server through a
            name of its own; else none.

        """
        if self.allow_host:
            return tuple(self.allow_host)
        return _LOOPBACK if self.host in ("localhost", "127.0.0.1", "::1") else ()

    def token(self) -> str | None:
        """Read the token that requests must bear.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it holds no token, or one that no header can carry.

        """
        if self.token_file is None:
            return None
        token = Path(self.token_file).read_text(encoding="utf-8", errors="replace").strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError(f"{self.token_file}: a token is one word of printable ASCII characters")
        return token


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add every option to a command line."""
    for option in fields(Options):
        flag, about = f"--{option.name.replace('_', '-')}", option.metadata["about"]
        if option.name == "allow_host":
            parser.add_argument(flag, action="append", default=[], metavar="NAME", help=about)
            continue
        default = "" if option.default is None else f" (default: {option.default})"
        kind = str if option.default is None else type(option.default)
        metavar = _KINDS.get(option.name, "X")
        parser.add_argument(flag, type=kind, default=option.default, metavar=metavar, help=about + default)
