"""What an annotator has left of a sentence, as a sentence of a labelled set; shared by all annotation tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stance.document import AUTHOR, Label

Place = tuple[int, int]
"""Start and end of some words in the article."""


def sentence(
    text: str,
    place: Place,
    label: str,
    names: Sequence[str],
    mention: Place | None,
    target: Place | None,
    cue: Place | None,
    by_author: bool,
) -> dict[str, Any]:
    """Build a sentence of a labelled set; the label decides what belongs to it.

    Args:
        text: The article.
        place: Where the sentence stands.
        label: Its label.
        names: The right names of its speaker, the fullest first; where there are none, the mention is the name. If
            the author is the speaker, a source that is right too.
        mention: The words that name the speaker.
        target: The accused.
        cue: The words that signal the label.
        by_author: Whether the author is the speaker. Only the tool's format can tell: a source may be called "author".

    Returns:
        The sentence. Without speaker if the label is ``none``, without mention if the speaker is the author, without
        target if it is no allegation: whoever corrects it need not clear away what the model had found.

    """
    record: dict[str, Any] = {**_offsets(place), "label": label}
    if label != Label.NONE:
        record |= _speaker(text, names, mention, by_author)
    if label == Label.ALLEGATION:
        record["target"] = target and _offsets(target)
    if cue:
        record["cue"] = _offsets(cue)
    return record


def _speaker(text: str, names: Sequence[str], mention: Place | None, by_author: bool) -> dict[str, Any]:
    if by_author:
        return {"speaker": AUTHOR} | ({"speaker_also": names[0]} if names else {})
    named = list(names) or ([text[slice(*mention)]] if mention else [])
    if not named:
        return {}
    also = {"also": named[1:]} if named[1:] else {}
    return {"speaker": {"name": named[0], "mention": mention and _offsets(mention), **also}}


def place_of(span: dict[str, int] | None) -> Place | None:
    """Take start and end out of a span of a labelled set."""
    return (span["start"], span["end"]) if span else None


def squeezed(text: str) -> str:
    """Leave out all white space, which no two tools treat alike."""
    return "".join(text.split())


def _offsets(place: Place) -> dict[str, int]:
    return {"start": place[0], "end": place[1]}
