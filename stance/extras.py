"""Optional dependencies: found, or asked for in one sentence."""

from __future__ import annotations

import importlib
from types import ModuleType


def require(module: str, extra: str) -> ModuleType:
    """Import an optional dependency.

    Args:
        module: Its name.
        extra: The extra of this package that brings it.

    Returns:
        The module.

    Raises:
        ModuleNotFoundError: If it is not installed; the message has the command that installs it.

    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != package:
            raise
        message = f"{package} is not installed; install it with: pip install 'stance[{extra}]'"
        raise ModuleNotFoundError(message, name=error.name) from error
