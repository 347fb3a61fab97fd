"""Broken model folders: whatever reading a file of one raises becomes one error that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ModelError(ValueError):
    """A file of a model folder is broken, or does not fit the others; the message names it."""


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Blame a file of a model folder for whatever is raised while it is read.

    Args:
        file: The file.

    Raises:
        ModelError: If the block raises anything but a missing package, a lack of memory or a ``ModelError``.

    Example:
        >>> with reading(Path("my-model/config.json")):
        ...     int("x")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        stance.integrity.ModelError: the model file my-model/config.json is broken: invalid literal for int() ...

    """
    try:
        yield
    except (ModelError, ImportError, MemoryError):
        raise
    # Each library has errors of its own for a broken file; the one for tokenizers raises a bare Exception.
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"the model file {file} is broken: {reason}; save the model again, or fetch it again"
        ) from error
