"""A text with one space in each gap of a line, so that a name is spelt alike wherever it stands.

Line breaks of Windows leave two characters where a text is unwrapped, quoted mail and listings are indented, print is
justified by wider gaps, and web pages keep words together by spaces of other kinds.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from stance.lines import LINE_BREAKS

_GAP = re.compile(rf"[^\S{LINE_BREAKS}]+")
_WIDE = re.compile(rf"[^\S{LINE_BREAKS}]{{2,}}")


class EvenlySpaced:
    r"""A text with one space in each gap of a line, and where its words stand in the text as it was.

    Args:
        text: Any text.

    Example:
        >>> even = EvenlySpaced("Mr  Roe met\u00a0Mia  Reed.")
        >>> even.text
        'Mr Roe met Mia Reed.'
        >>> even.here((12, 21)), even.there((11, 19))
        ((11, 19), (12, 21))

    """

    def __init__(self, text: str) -> None:
        self.text = _GAP.sub(" ", text)
        wide = [gap.span() for gap in _WIDE.finditer(text)]
        # Up to each wide gap's end, so many characters are left out.
        self._left_out = [0, *accumulate(end - start - 1 for start, end in wide)]
        self._ends_there = [end for _, end in wide]
        self._ends_here = [end - left_out for end, left_out in zip(self._ends_there, self._left_out[1:], strict=True)]

    def here(self, span: tuple[int, int]) -> tuple[int, int]:
        """Find a span of the text as it was that begins and ends with a word."""
        start, end = (place - self._left_out[bisect_right(self._ends_there, place)] for place in span)
        return start, end

    def there(self, span: tuple[int, int]) -> tuple[int, int]:
        """Find where a span that begins and ends with a word stood in the text as it was."""
        start, last = (place + self._left_out[bisect_right(self._ends_here, place)] for place in (span[0], span[1] - 1))
        return start, max(start, last + 1)
