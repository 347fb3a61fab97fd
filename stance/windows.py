"""Sentences to encoder windows: whole sentences, token by token, with character offsets.

A window is ``[CLS] [SEP] sentence [SEP] sentence …``: the separator before each sentence is its *marker*, whose final
hidden state stands for the sentence. What a lower-casing tokenizer throws away (capitals, line breaks, whether a
quotation is open) is kept as one *surface* number a token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.lines import LINE_BREAKS, unwrap
from stance.spelling import ACCENTS
from stance.surrogates import replace_surrogates

LOWER, CAPITALISED, UPPER = 0, 1, 2
FIRST_MARKER_SURFACE = 3
N_SURFACES = 9
"""Three for tokens; for markers, three kinds of line break times whether a quotation is open."""

_UPPERCASE = np.array([chr(code).isupper() for code in range(0x2000)] + [False])
# The last character that is white space is U+3000.
_WHITE_SPACE = np.array([chr(code).isspace() for code in range(0x3001)] + [False])
_ACCENT = np.array([ACCENTS[0] <= chr(code) <= ACCENTS[-1] for code in range(0x371)])


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of whole sentences, as the encoder reads it.

    Args:
        input_ids: Token ids, shape (tokens,).
        surface_ids: Surface numbers, shape (tokens,).
        sentence_ids: For each token its sentence, counted from the window's first; -1 for ``[CLS]``; shape (tokens,).
        offsets: For each token its first character in the article and the one after its last, shape (tokens, 2);
            a special token's are both where its sentence starts.
        first: Index of the window's first sentence in the article.
        read: Range (from, to) of the article's sentences that are read in this window, because they have
            more context here than in any other.

    """

    input_ids: NDArray[np.int64]
    surface_ids: NDArray[np.int64]
    sentence_ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    first: int
    read: tuple[int, int]

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.input_ids)

    @property
    def is_marker(self) -> NDArray[np.bool_]:
        """Whether each token is special and stands for no characters."""
        marks: NDArray[np.bool_] = self.offsets[:, 0] == self.offsets[:, 1]
        return marks


class Windower:
    """Cuts articles into windows.

    Args:
        tokenizer: A fast tokenizer with a classification and a separator token.
        cls_id: Id of the token that starts a window.
        sep_id: Id of the token that marks a sentence.
        window: Longest window in tokens.
        overlap: Tokens that a window repeats of the one before, at most.

    """

    def __init__(self, tokenizer: Tokenizer, cls_id: int, sep_id: int, window: int, overlap: int) -> None:
        if not 0 <= overlap < window:
            raise ValueError(f"overlap must be at least 0 and less than the window of {window}, not {overlap}")
        self.tokenizer = tokenizer
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        self.cls_id = cls_id
        self.sep_id = sep_id
        self.window = window
        self.overlap = overlap

    def windows(self, text: str, spans: Sequence[tuple[int, int]]) -> list[Window]:
        """Cut an article into windows.

        Args:
            text: The article.
            spans: Start and end of each sentence, in order.

        Returns:
            Windows that together read each sentence once. Of a sentence longer than a whole window, the window
            holds the beginning.

        """
        if not spans:
            return []
        text = unwrap(text)
        pieces = self._encode(replace_surrogates(text), spans)
        markers = _marker_surfaces(text, spans)
        lengths = [len(ids) for ids, _, _ in pieces]
        groups = group_sentences(lengths, self.window - 1, self.overlap)
        reads = assign_reads(lengths, groups)
        return [
            self._window(pieces, markers, spans, group, read)
            for group, read in zip(groups, reads, strict=True)
            if read[0] < read[1]
        ]

    def _encode(
        self, text: str, spans: Sequence[tuple[int, int]]
    ) -> list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
        """Tokenise each sentence into ids, offsets and surfaces, its marker first."""
        codes = _codepoints(text)
        next_word = _next(_WHITE_SPACE, codes)
        past_accents = _next(_ACCENT, codes)
        capitals = np.concatenate(([0], np.cumsum(_is_upper(text))))
        encodings = self.tokenizer.encode_batch([text[start:end] for start, end in spans], add_special_tokens=False)
        pieces = []
        for encoding, (start, end) in zip(encodings, spans, strict=True):
            ids = np.array([self.sep_id, *encoding.ids], dtype=np.int64)[: self.window - 1]
            offsets = np.array([(0, 0), *encoding.offsets], dtype=np.int64)[: self.window - 1] + start
            # Byte-level tokenizers count the white space before a word as part of it.
            offsets[:, 0] = np.minimum(next_word[offsets[:, 0]], offsets[:, 1])
            offsets[0, 0] = start
            upper = capitals[offsets[:, 1]] - capitals[offsets[:, 0]]
            size = offsets[:, 1] - offsets[:, 0]
            surface = np.where((upper == size) & (size > 1), UPPER, np.where(upper > 0, CAPITALISED, LOWER))
            # Tokenizers that strip accents leave them out where they are characters of their own.
            offsets[1:, 1] = np.minimum(past_accents[offsets[1:, 1]], end)
            pieces.append((ids, offsets, surface.astype(np.int64)))
        return pieces

    def _window(
        self,
        pieces: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
        markers: NDArray[np.int64],
        spans: Sequence[tuple[int, int]],
        group: tuple[int, int],
        read: tuple[int, int],
    ) -> Window:
        first, last = group
        chosen = pieces[first:last]
        start = spans[first][0]
        sentence_ids = np.repeat(np.arange(last - first), [len(ids) for ids, _, _ in chosen])
        surface = np.concatenate([[LOWER], *(surface for _, _, surface in chosen)])
        is_start = np.concatenate([[False], np.diff(sentence_ids, prepend=-1) > 0])
        surface[is_start] = markers[first:last]
        return Window(
            input_ids=np.concatenate([[self.cls_id], *(ids for ids, _, _ in chosen)]),
            surface_ids=surface,
            sentence_ids=np.concatenate([[-1], sentence_ids]),
            offsets=np.concatenate([[[start, start]], *(offsets for _, offsets, _ in chosen)]),
            first=first,
            read=read,
        )


def group_sentences(lengths: Sequence[int], budget: int, overlap: int) -> list[tuple[int, int]]:
    """Group sentences greedily into windows that overlap by whole sentences.

    Args:
        lengths: Tokens of each sentence, each at most ``budget``.
        budget: Most tokens a window holds.
        overlap: Most tokens a window repeats of the one before.

    Returns:
        Ranges (from, to) of sentences.

    Example:
        >>> group_sentences([4, 4, 4, 4], budget=8, overlap=4)
        [(0, 2), (1, 3), (2, 4)]

    """
    groups = []
    first = 0
    while True:
        last, total = first, 0
        while last < len(lengths) and total + lengths[last] <= budget:
            total += lengths[last]
            last += 1
        groups.append((first, last))
        if last == len(lengths):
            return groups
        repeated = 0
        # The next sentence must fit behind what is repeated, or the window would bring nothing new.
        room = min(overlap, budget - lengths[last])
        first = last
        while first > groups[-1][0] + 1 and repeated + lengths[first - 1] <= room:
            first -= 1
            repeated += lengths[first]


def assign_reads(lengths: Sequence[int], groups: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Share out the sentences that two windows hold: each goes where the nearer edge is farther away.

    Args:
        lengths: Tokens of each sentence.
        groups: Ranges of sentences, as ``group_sentences`` makes them.

    Returns:
        For each group the range of sentences that are read there; together they are all, each once.

    Example:
        >>> assign_reads([4, 4, 4], [(0, 2), (1, 3)])
        [(0, 2), (2, 3)]

    """
    ends = list(accumulate(lengths))
    starts = [0, *ends]
    reads = []
    begin = 0
    for (_, last), following in zip(groups, [*groups[1:], None], strict=True):
        boundary = last
        if following is not None:
            shared = range(max(begin, following[0]), last)
            # To the right of a sentence lies this window's end, to its left the next window's start.
            nearer_here = [ends[last - 1] - ends[i] >= starts[i] - starts[following[0]] for i in shared]
            boundary = max(begin, following[0]) + sum(nearer_here)
        reads.append((begin, boundary))
        begin = boundary
    return reads


def _codepoints(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def _is_upper(text: str) -> NDArray[np.bool_]:
    upper: NDArray[np.bool_] = _UPPERCASE[np.minimum(_codepoints(text), len(_UPPERCASE) - 1)]
    return upper


def _next(skipped: NDArray[np.bool_], codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Map every index to that of the next character that is not to be skipped; one more entry for the end."""
    end = len(codes)
    places = np.append(np.where(skipped[np.minimum(codes, len(skipped) - 1)], end, np.arange(end)), end)
    nearest: NDArray[np.int64] = np.minimum.accumulate(places[::-1])[::-1]
    return nearest


def _marker_surfaces(text: str, spans: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Number each sentence by the line break before it and by whether a quotation is open where it starts."""
    codes = _codepoints(text)
    starts = np.array([start for start, _ in spans])
    is_break = np.isin(codes, [ord(character) for character in LINE_BREAKS])
    is_break[:-1] &= (codes[:-1] != ord("\r")) | (codes[1:] != ord("\n"))  # "\r\n" is one
    newlines = np.concatenate(([0], np.cumsum(is_break)))
    ends_before = np.concatenate(([0], [end for _, end in spans[:-1]])).astype(np.int64)
    breaks = np.minimum(newlines[starts] - newlines[ends_before], 2)
    breaks[0] = 2
    # Quotations are counted within their line: an unclosed one does not run on through the whole article.
    line_starts = np.maximum.accumulate(np.where(breaks > 0, starts, 0))
    straight = np.concatenate(([0], np.cumsum(codes == ord('"'))))
    # Behind a „ of the same line, “ closes a quotation.
    places = np.arange(len(codes))
    last_low, last_break = (np.maximum.accumulate(np.where(at, places, -1)) for at in (codes == ord("„"), is_break))
    left = (codes == ord("“")) * np.where(last_low > last_break, -1, 1)
    curly = np.concatenate(([0], np.cumsum(left + (codes == ord("„")) - (codes == ord("”")).astype(int))))
    is_open = ((straight[starts] - straight[line_starts]) % 2 == 1) | (curly[starts] - curly[line_starts] > 0)
    surfaces: NDArray[np.int64] = FIRST_MARKER_SURFACE + 2 * breaks + is_open
    return surfaces
