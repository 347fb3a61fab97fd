"""The lines of a text: what breaks them, and which breaks only wrap the text to the width of a page.

E-mails and text taken from PDFs are wrapped: a line ends where the next word would not have fitted. So many lines go on
with a small letter amid a sentence, and the lines before these are full. In other texts hardly any line goes on so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

# Other separators that str.splitlines knows are left out: in real articles \x1c, \x1d and \x85 are quotation marks and
# ellipses that a wrong decoding has broken.
LINE_BREAKS = "\n\v\f\r\u2028\u2029"
LINE = re.compile(f"[^{LINE_BREAKS}]+")

_ONE_BREAK = re.compile(rf"[^\S{LINE_BREAKS}]*(?:\r\n|[{LINE_BREAKS}])[^\S{LINE_BREAKS}]*")
_WORD = re.compile(r"\S+")
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*[,;.!?…\]\"”’]*")  # no link, no handle, no "a)" and no "title:"
_STOPS = ".!?…:;"
_TO_SPACES = dict.fromkeys(map(ord, LINE_BREAKS), " ")
# Items of lists, quoted mail, turns of an interview, headers of a mail, bylines.
_ITEM = re.compile(r"[-*•·>]|\(?\d{1,2}[.)](?!\S)|[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}:|By [A-Z]")

# Shorter lines are headings and menus, longer ones are paragraphs.
_WIDTHS = range(30, 121)
_FEWEST = 3
# How much of the width the line and the next word would exceed: all of it, or in print, whose letters differ, most.
# For each, how many of the lines before a small letter are so.
_FULL = ((1.0, 0.95), (0.85, 0.8))
_LONGEST = 1.15  # of the width; one line in ten may be an exception


@dataclass(frozen=True, slots=True)
class _Break:
    """A line break, with the white space around it, between two lines with words.

    Args:
        start: Where the line before ends.
        end: Where the line behind it begins.
        length: Of the line before.
        needed: How long that would be with the next word.
        is_inner: Whether the line behind goes on with a small letter amid a sentence.
        is_before_item: Whether the line behind begins as no line in the middle of a paragraph does.

    """

    start: int
    end: int
    length: int
    needed: int
    is_inner: bool
    is_before_item: bool


def unwrap(text: str) -> str:
    r"""Put a space for each line break that only wraps a text to the width of a page; no other character changes.

    Args:
        text: Any text.

    Returns:
        A text of the same length; the text itself if it is not wrapped.

    Example:
        >>> unwrap("Nobody was hurt by the fire on\nthe ferry, but two of the boats\n"
        ...        "are lost, as the owners of both\nsay.")
        'Nobody was hurt by the fire on the ferry, but two of the boats are lost, as the owners of both say.'

    """
    breaks = _breaks(text)
    inner = [one for one in breaks if one.is_inner and one.length in _WIDTHS]
    if len(inner) < _FEWEST:
        return text
    width = sorted(one.length for one in inner)[-1 - len(inner) // 10]
    for part, share in _FULL:
        least = part * width
        if sum(one.needed > least for one in inner) >= share * len(inner):
            return _without([one for one in breaks if _wraps(one, width, least)], text)
    return text


def _wraps(one: _Break, width: int, least: float) -> bool:
    """Tell whether a break of a wrapped text is no end of a paragraph."""
    # Half a line may be a heading. A longer one that goes on with a small letter is none, even if it is not full.
    is_line = width / 2 < one.length <= _LONGEST * width
    return is_line and (one.is_inner or (one.needed > least and not one.is_before_item))


def _without(breaks: list[_Break], text: str) -> str:
    pieces, done = [], 0
    for one in breaks:
        pieces += [text[done : one.start], text[one.start : one.end].translate(_TO_SPACES)]
        done = one.end
    return "".join([*pieces, text[done:]])


def _breaks(text: str) -> list[_Break]:
    lines = []
    for line in LINE.finditer(text):
        # What has no word, such as a rule, parts paragraphs as a blank line does.
        if any(map(str.isalnum, line[0])):
            start = line.end() - len(line[0].lstrip())
            lines.append((start, start + len(line[0].strip())))
    return [
        _break(text, start, end, following)
        for (start, end), (following, _) in pairwise(lines)
        if _ONE_BREAK.fullmatch(text, end, following)
    ]


def _break(text: str, start: int, end: int, following: int) -> _Break:
    """Describe the break between the line from ``start`` to ``end`` and the one that begins at ``following``."""
    found = _WORD.match(text, following)
    word = found[0] if found else ""
    return _Break(
        start=end,
        end=following,
        length=end - start,
        needed=end - start + 1 + len(word),
        is_inner=word[:1].islower() and text[end - 1] not in _STOPS and _PLAIN_WORD.fullmatch(word) is not None,
        is_before_item=_ITEM.match(text, following) is not None,
    )
