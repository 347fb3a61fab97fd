"""A document to look at: marked text for the browser, a table for the terminal."""

from __future__ import annotations

import html
import re
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from stance.document import Document, Label, Sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.table import Table
    from rich.text import Text


class Mark(NamedTuple):
    """How a label looks.

    Args:
        sign: A character that tells it where there are no colours.
        colour: Red, green and blue as ``#rrggbb``; readable on black and on white.

    """

    sign: str
    colour: str


MARKS: Mapping[Label, Mark] = MappingProxyType(
    {
        Label.ASSERTION: Mark("+", "#1a73e8"),
        Label.DENIAL: Mark("-", "#d13438"),
        Label.ALLEGATION: Mark("!", "#b040b0"),
        Label.NONE: Mark("·", "#7a7a7a"),
    }
)

_ROLES: Mapping[str, str] = MappingProxyType({"target": "accused", "mention": "speaker", "cue": "cue"})
"""The evidence of a sentence and what a reader calls it; of overlapping kinds the later shows."""

_STYLE = "".join(
    [
        "<style>.stance{white-space:pre-wrap;line-height:1.8}",
        ".stance bdi{border:1px solid;border-radius:.3em;padding:0 .3em;margin-right:.3em;font-size:.8em}",
        ".stance .cue{text-decoration-style:dotted}.stance .target{text-decoration-style:double}",
        *(f".stance .{label}{{background:{mark.colour}22}}" for label, mark in MARKS.items()),
        *(f".stance .{label} bdi{{border-color:{mark.colour}}}" for label, mark in MARKS.items()),
        "</style>",
    ]
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def to_html(doc: Document) -> str:
    """Render a document as an HTML fragment that carries its own style.

    Args:
        doc: The document.

    Returns:
        The whole text, escaped, with its white space. Before each sentence stand the sign and word of its label and
        its speaker; the title of a sentence states its confidence; the words that prove it are underlined.

    Example:
        >>> line = {"text": "It rained.", "sentences": [
        ...     {"start": 0, "end": 10, "label": "assertion", "speaker": "author"}]}
        >>> to_html(Document.from_dict(line)).partition("</style>")[2]
        '<span class="assertion" title="assertion"><bdi>+ assertion · author </bdi>It rained.</span></div>'

    """
    roles = _roles(doc)
    parts, end = [f'<div class="stance" dir="auto">{_STYLE}'], 0
    for sentence in doc.sentences:
        parts += [_escape(doc.text[end : sentence.start]), *_marked(doc.text, sentence, roles)]
        end = sentence.end
    return "".join([*parts, _escape(doc.text[end:]), "</div>"])


def to_table(doc: Document, width: int | None = None) -> Table:
    """Render a document as a table for ``rich.print``, one row a sentence.

    Args:
        doc: The document.
        width: Its width in characters; None takes what the terminal has.

    Returns:
        A table with label, speaker and under it the accused, sentence and confidence; above it the document's id.

    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    title = None if doc.id is None else Text(_printable(doc.id), style="bold")
    table = Table(title=title, title_justify="left", width=width, box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("label", no_wrap=True)
    table.add_column("speaker → accused", max_width=20, overflow="fold")
    table.add_column("sentence", ratio=1, overflow="fold")
    table.add_column("sure", no_wrap=True, justify="right")
    for sentence in doc.sentences:
        table.add_row(
            Text(_label(sentence), style=MARKS[sentence.label].colour),
            Text(_parties(sentence)),
            _underlined(sentence),
            _percent(sentence.confidence),
        )
    return table


def _parties(sentence: Sentence) -> str:
    speaker = _printable(sentence.speaker.name) if sentence.speaker else ""
    return f"{speaker}\n→ {_printable(sentence.target.text)}" if sentence.target else speaker


def _label(sentence: Sentence) -> str:
    return f"{MARKS[sentence.label].sign} {sentence.label}{'?' if sentence.abstained else ''}"


def _percent(probability: float | None) -> str:
    return "" if probability is None else f"{probability:.0%}"


def _underlined(sentence: Sentence) -> Text:
    """Underline the evidence that stands in the sentence itself."""
    from rich.text import Text

    text = Text(_printable(sentence.text))
    for span in (getattr(sentence, role) for role in _ROLES):
        if span is not None:
            text.stylize("underline", max(span.start - sentence.start, 0), max(span.end - sentence.start, 0))
    return text


def _printable(text: str) -> str:
    """Replace, one for one, what would move the cursor or command the terminal."""
    return _CONTROL.sub(lambda found: " " if found.group().isspace() else "\N{REPLACEMENT CHARACTER}", text)


def _escape(text: str) -> str:
    return html.escape(_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))


def _roles(doc: Document) -> Sequence[str | None]:
    """Tell of every character of the text which kind of evidence it is, if any."""
    roles: list[str | None] = [None] * len(doc.text)
    for role in _ROLES:
        for span in (getattr(sentence, role) for sentence in doc.sentences):
            if span is not None:
                roles[span.start : span.end] = [role] * (span.end - span.start)
    return roles


def _marked(text: str, sentence: Sentence, roles: Sequence[str | None]) -> Iterator[str]:
    yield f'<span class="{sentence.label}" title="{_escape(_title(sentence))}"><bdi>{_escape(_tag(sentence))} </bdi>'
    for role, group in groupby(range(sentence.start, sentence.end), roles.__getitem__):
        places = list(group)
        words = _escape(text[places[0] : places[-1] + 1])
        yield words if role is None else f'<u class="{role}" title="{_ROLES[role]}">{words}</u>'
    yield "</span>"


def _tag(sentence: Sentence) -> str:
    speaker = f" · {sentence.speaker.name}" if sentence.speaker else ""
    target = f" → {sentence.target.text}" if sentence.target else ""
    return _label(sentence) + speaker + target


def _title(sentence: Sentence) -> str:
    """State how sure the prediction is; a person's label is stated alone."""
    label = f"{sentence.label} {_percent(sentence.confidence)}".rstrip()
    speaker = f", speaker {_percent(sentence.speaker_confidence)}" if sentence.speaker_confidence is not None else ""
    return label + speaker + (", less sure than asked for" if sentence.abstained else "")
