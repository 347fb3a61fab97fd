"""Lone surrogates: characters that a string may hold and that no UTF-8 can."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def replace_surrogates(text: str) -> str:
    r"""Put the replacement character in place of each lone surrogate; it is as long, so offsets stay right.

    Args:
        text: Any text.

    Returns:
        The text in a form that can be encoded.

    Example:
        >>> replace_surrogates("a\ud800b") == "a\ufffdb"
        True

    """
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
