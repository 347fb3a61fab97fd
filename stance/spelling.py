"""A text as its names are spelt elsewhere: one space in each gap of a line, whole letters, nothing that is not seen.

Line breaks of Windows leave two characters where a text is unwrapped, quoted mail and listings are indented, print is
justified by wider gaps, web pages keep words together by spaces of other kinds and say where a word may be broken, and
some programs write an accent as a character of its own.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from itertools import accumulate

from stance.lines import LINE_BREAKS

ACCENTS = "\u0300-\u036f"
"""The characters that put an accent on the letter before them, as a range in a character class."""

_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_GAP = rf"[^\S{LINE_BREAKS}]"
# A gap that is not one space, with what is not seen in it; a letter with its accents; what is not seen in a word.
_ODD = re.compile(
    rf"[{_UNSEEN}]+{_GAP}(?:{_GAP}|[{_UNSEEN}])*|{_GAP}(?:{_GAP}|[{_UNSEEN}])+|(?! ){_GAP}"
    rf"|[^\W\d_][{ACCENTS}]+|[{_UNSEEN}]+"
)


class PlainText:
    r"""A text in plain spelling, and where its words stand in the text as it was.

    Args:
        text: Any text.

    Example:
        >>> plain = PlainText("Mr  Roe met\u00a0Rene\u0301e  Re\u00aded.")
        >>> plain.text
        'Mr Roe met Renée Reed.'
        >>> plain.here((12, 25)), plain.there((11, 21))
        ((11, 21), (12, 25))

    """

    def __init__(self, text: str) -> None:
        odd = list(_ODD.finditer(text))
        spelt = [_spell(match[0]) for match in odd]
        # Up to the end of each odd place, so many characters are left out.
        left_out = [0, *accumulate(len(match[0]) - len(new) for match, new in zip(odd, spelt, strict=True))]
        self._left_out = left_out
        self._is_seen = [*map(bool, spelt)]
        self._ends_there = [match.end() for match in odd]
        self._ends_here = [end - out for end, out in zip(self._ends_there, left_out[1:], strict=True)]
        starts = [0, *self._ends_there]
        pieces = [text[start : match.start()] + new for start, match, new in zip(starts, odd, spelt, strict=False)]
        self.text = "".join([*pieces, text[starts[-1] :]])

    def here(self, span: tuple[int, int]) -> tuple[int, int]:
        """Find a span of the text as it was, which neither begins nor ends with a gap or with what is not seen."""
        start, end = (place - self._left_out[bisect_right(self._ends_there, place)] for place in span)
        return start, end

    def there(self, span: tuple[int, int]) -> tuple[int, int]:
        """Find where a span, which neither begins nor ends with a gap, stood in the text as it was."""
        start = span[0] + self._left_out[bisect_right(self._ends_here, span[0])]
        last = bisect_right(self._ends_here, span[1] - 1)
        # A letter with its accent ends where the accent does.
        is_letter = last < len(self._ends_here) and self._ends_here[last] == span[1] and self._is_seen[last]
        end = self._ends_there[last] if is_letter else span[1] + self._left_out[last]
        return start, max(start, end)


def _spell(odd: str) -> str:
    if any(map(str.isspace, odd)):
        return " "
    return "" if odd[0] in _UNSEEN else unicodedata.normalize("NFC", odd)
