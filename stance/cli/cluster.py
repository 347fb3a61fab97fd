"""``stance classify --ray``: Parquet files in, Parquet files out, on all the machines of a cluster."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from stance.cli import inputs
from stance.cli.progress import with_progress
from stance.extras import require
from stance.integrations.parts import Part, check_folder, clear, cut

_UNFIT = ("source", "format", "errors_to", "only", "speaker")


def classify(arguments: argparse.Namespace) -> int:
    """Classify files on a cluster.

    Args:
        arguments: Those of ``stance classify``.

    Returns:
        The exit code.

    """
    _check(arguments)
    folder = Path(arguments.output)
    columns = [column for column in (arguments.text_column, arguments.id_column) if column]
    parts = cut(inputs.expand(arguments.files), folder, columns)
    if folder.is_dir() and any(folder.iterdir()) and not arguments.resume:
        raise ValueError(f"{folder} is not empty; go on with what is there by --resume, or name another folder")
    check_folder(folder, parts)
    left = [part for part in parts if not part.is_done(arguments.text_column)]
    if left:
        folder.mkdir(parents=True, exist_ok=True)
        with _connected(arguments.ray):
            for _ in with_progress(_written(left, arguments), len(left), "parts"):
                pass
        clear(folder)
    return _report(parts, folder)


def _check(arguments: argparse.Namespace) -> None:
    if not arguments.output:
        raise ValueError("--ray needs a folder for the results, which all machines share; name it with -o FOLDER")
    for option in _UNFIT:
        if getattr(arguments, option):
            name = {"source": "from"}.get(option, option.replace("_", "-"))
            raise ValueError(f"--{name} does not go with --ray, which reads and writes whole Parquet files")
    if other := [file for file in arguments.files if not file.endswith(".parquet")]:
        raise ValueError(f"{other[0]}: --ray reads .parquet files; name such files, or a pattern for them")


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Connect to the cluster, and tell on one line why what is done there fails."""
    ray, data = require("ray", "ray"), require("ray.data", "ray")
    try:
        _knock(address)
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # of every kind, a bare one where it cannot start
        raise ConnectionError(
            f"no Ray cluster answers at {address!r}: {error}; start one with: ray start --head, or give --ray local"
        ) from error
    logging.getLogger("ray.data").setLevel("CRITICAL")  # it would tell of every error on many lines
    context = data.DataContext.get_current()
    context.enable_progress_bars = False
    context.raise_original_map_exception = True
    try:
        yield
    except ray.exceptions.RayError as error:
        # Of an actor that cannot begin there is only a traceback, whose last line says why.
        said = str(getattr(error, "cause", error)).strip().splitlines()[-1:]
        raise ValueError(f"on the cluster: {said[0] if said else type(error).__name__}") from error
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Fail at once where nothing listens; Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _written(parts: Sequence[Part], arguments: argparse.Namespace) -> Iterator[str]:
    from stance.integrations.ray import classify_parts

    # The machines of the cluster know nothing of the folder that this command was started in.
    is_folder = arguments.model and os.path.isdir(arguments.model)
    return classify_parts(
        parts,
        text_column=arguments.text_column,
        id_column=arguments.id_column,
        model=os.path.abspath(arguments.model) if is_folder else arguments.model,
        min_confidence=arguments.min_confidence,
    )


def _report(parts: Sequence[Part], folder: Path) -> int:
    if absent := [part for part in parts if not os.path.exists(part.output)]:
        raise ValueError(f"{absent[0].output} was written on another machine; {folder} must be shared by all of them")
    if nulls := sum(part.nulls() for part in parts):
        sys.stderr.write(f"stance: {nulls} of the records have no text, and a document that is null\n")
        return 3
    return 0
