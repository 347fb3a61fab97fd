"""The server of the library on a free port of this machine, for what needs a real one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn

from stance.classifier import StanceClassifier
from stance.server.app import create_server
from stance.server.options import Options


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs.

    Args:
        port: Where it listens.
        server: The server, to be told to stop.
        thread: What it runs in.

    """

    port: int
    server: uvicorn.Server
    thread: threading.Thread


@contextmanager
def serving(classifier: StanceClassifier, options: Options) -> Iterator[Served]:
    """Run a server until the block ends, then stop it as a signal would.

    Args:
        classifier: Who labels.
        options: What it is started with; port 0 is a free one.

    Yields:
        The server.

    Raises:
        RuntimeError: If it does not start, or does not stop.

    """
    server = create_server(classifier, options)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start; its log says why")
            time.sleep(0.01)
        yield Served(server.servers[0].sockets[0].getsockname()[1], server, thread)
    finally:
        server.should_exit = True
        thread.join(2 * options.grace)
    if thread.is_alive():
        raise RuntimeError("the server does not stop")
