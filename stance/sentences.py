"""Sentence boundaries: where each sentence of a news text starts and ends, or the caller's own, checked."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable
from contextlib import suppress

import numpy as np

from stance.lines import LINE, unwrap

Boundary = tuple[int, int]
"""Start and end of a sentence, as indices into the text."""

# A possible end: mark, closing quotes and brackets, white space; a look at the next word, past its opening quotes.
# Runs of one class are followed by another class only, so that no input makes the search quadratic.
# A quotation mark after a space closes too, as that of the outer quotation does in print.
_CLOSERS = "\"'”’»)]"
_CLOSER = f"[{re.escape(_CLOSERS)}]"
# Right behind a stop, “ closes a quotation too: „So.“
_STOP = re.compile(rf"""([.!?…])[{re.escape(_CLOSERS)}“]*(?:\s{_CLOSER}+(?!\S))?\s+(?=["'“‘«(\[„]*([\w.…]*))""")
_WHITE_SPACE = "".join(filter(str.isspace, map(chr, range(0x3001))))
_CLOSING = f"{_WHITE_SPACE}.!?…{_CLOSERS}“"

_LAST_WORD = re.compile(r"(?:\w['’&])?[\w.]+\Z")  # "didn't" and "AT&T" do not end in an initial
_OPENING = ".… \"'“‘«([„"
_LONGEST = 12  # characters to look back at; longer words are no abbreviations
_LETTERS = re.compile(r"[^\W\d_]|(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")  # "J", "U.S", "a.m", "Ph.D"


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# Never the last word of a sentence.
_LEADS = _words(
    "Mr Mrs Ms Mx Messrs Dr Prof Rev Fr Msgr Hon Sen Sens Rep Reps Gov Govs Pres Amb Sec Atty Gen Adm Brig Maj Col Lt "
    "Capt Cmdr Sgt Cpl Pvt Pfc Det Insp Supt Ofc Ste Mt Ft Vs vs v cf approx e.g i.e a.k.a"
)
# Part of what follows where that is a number.
_BEFORE_NUMBER = _words("Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec No Nos Art Fig Vol Rs pp p no")
# Found inside sentences and at their end, as single letters and "U.S." are: the next word decides.
_MAY_END = _words(
    "Inc Corp Co Cos Ltd Bros Jr Sr Esq Dept Assn Univ St Ave Blvd Rd Cong Yahoo etc al "
    "Ala Ariz Ark Calif Colo Conn Del Fla Ga Ill Ind Kan Ky La Mass Md Mich Minn Miss Mo Mont Neb Nev Okla Ore Pa Penn "
    "Tenn Tex Va Vt Wash Wis Wisc Wyo"
)
_STARTERS = _words(
    "A According After All Also Although An And Another As At Because Before But By Despite During Earlier Even For "
    "From He Her Here His How However I If In Instead It Its Last Later Many Meanwhile Most Mr Mr. Mrs Mrs. Ms Ms. "
    "My No Not Nothing Now On One Our Several She Since So Some Still That The Their Then There These They This "
    "Those Though Through To Under Until We What When Where Which While Who Why With Yet You Your"
)


def split(text: str) -> list[Boundary]:
    """Split a news text into sentences.

    Args:
        text: Any text. In news a new line is a new sentence, headline or list item, unless the break only wraps the
            text to the width of a page.

    Returns:
        The sentences in order, without the white space around them; every other character lies in exactly one.

    Example:
        >>> split("Mr. Roe of the U.S. Navy resigned. Why? He would not say.")
        [(0, 34), (35, 39), (40, 57)]

    """
    text = unwrap(text)
    spans: list[Boundary] = []
    for line in LINE.finditer(text):
        # Outside the lines there is only white space, and a stop takes all the white space after it.
        start = line.end() - len(line[0].lstrip())
        last = line.start() + len(line[0].rstrip(_CLOSING))  # behind the last word there is no sentence any more
        for stop in _STOP.finditer(text, start, last):
            if _ends_sentence(text, start, stop):
                spans.append((start, start + len(text[start : stop.end()].rstrip())))
                start = stop.end()
        # White space of other kinds, which a stop did not take, is no sentence.
        if text[start : line.end()].strip():
            spans.append((start, start + len(text[start : line.end()].rstrip())))
    return spans


def check_boundaries(text: str, spans: Iterable[Boundary], place: str = "") -> list[Boundary]:
    """Check sentence boundaries that a caller has brought along.

    Args:
        text: The text that they belong to.
        spans: Pairs ``(start, end)`` of whole numbers, in order, that leave out nothing but white space; the rows of an
            array are such pairs.
        place: What an error message begins with, such as ``"text 1, "``.

    Returns:
        The same pairs, as tuples of ``int``.

    Raises:
        TypeError: If ``spans`` holds anything but pairs of whole numbers; the message names the item.
        ValueError: If a pair is empty, blank, out of range or out of order, or if words lie in none of them.

    Example:
        >>> check_boundaries("So. Why?", [(0, 3), (4, 8)])
        [(0, 3), (4, 8)]

    """
    if not isinstance(spans, Iterable):
        raise TypeError(f"{place}sentences: must be a list of pairs (start, end), not {type(spans).__name__}")
    checked: list[Boundary] = []
    previous_end = 0
    for index, span in enumerate(spans):
        where = f"{place}sentence {index}"
        start, end = _check_pair(span, where)
        if not 0 <= start < end <= len(text):
            message = f"{where}: ({start}, {end}) must satisfy 0 <= start < end <= {len(text)}, the length of the text"
            raise ValueError(message)
        if start < previous_end:
            raise ValueError(
                f"{where}: starts at {start}, before the end {previous_end} of the one before; "
                "sentences are in order and do not overlap"
            )
        if text[start:end].isspace():
            raise ValueError(f"{where}: ({start}, {end}) is only white space; leave it out")
        _check_gap(text, previous_end, start, f"{place}before sentence {index}")
        checked.append((start, end))
        previous_end = end
    _check_gap(text, previous_end, len(text), f"{place}after the last sentence")
    return checked


def _check_pair(span: object, where: str) -> Boundary:
    pair = span.tolist() if isinstance(span, np.ndarray) else span
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"{where}: must be a pair (start, end), not {span!r:.80}; give one list of pairs a text")
    start, end = pair
    if bool not in (type(start), type(end)):
        with suppress(TypeError):
            return operator.index(start), operator.index(end)
    raise TypeError(f"{where}: start and end must be whole numbers (int), not {start!r:.80} and {end!r:.80}")


def _check_gap(text: str, start: int, end: int, where: str) -> None:
    left_out = text[start:end].strip()
    if left_out:
        at = text.index(left_out[0], start)
        raise ValueError(
            f"{where}: {left_out[:20]!r} at {at} lies in no sentence; "
            "every character that is not white space must lie in one"
        )


def _ends_sentence(text: str, start: int, stop: re.Match[str]) -> bool:
    """Tell whether the sentence begun at ``start`` ends at ``stop``."""
    mark, follower = stop.groups()
    at = stop.start()
    if text.startswith((".", "…"), stop.end()):
        return False  # "It ended. ... Then": the dots belong to the sentence that they follow
    if at - start < 4:
        before = text[start:at]
        if before in ("Q", "A") or before.isdigit() or not before.strip(_OPENING):
            return False  # an interview's "Q." and "A."; the number of a list item; dots that open a quotation
    found = _LAST_WORD.search(text, max(start, at - _LONGEST), at)
    word = found[0] if found else ""
    if len(word) > 1 and word.isupper() and follower == follower.upper() and follower not in _STARTERS:
        word = word.capitalize()  # "REP. JANE ROE" is a headline's "Rep.", but "in LA. Then" has no "La."
    is_lower = follower[:1].isalpha() and follower.islower()  # not so "iPhone" and "2nd", which can start a sentence
    if word != "Yahoo" and (mark != "." or not word or word.endswith(".")):
        return not is_lower
    if word in _LEADS or (word in _BEFORE_NUMBER and follower[:1].isdigit()):
        return False
    if word in _MAY_END or _LETTERS.fullmatch(word):
        return follower in _STARTERS
    # A small letter follows more abbreviations than the tables have ("Bros. and"), or else a sentence typed carelessly.
    return not is_lower or (len(word) > 3 and word.islower() and stop[0][1:].isspace())
