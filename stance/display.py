"""A document as a table for the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stance.document import Document, Sentence
from stance.palette import MARKS, percent

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


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
            Text(_label(sentence), style=MARKS[sentence.label].terminal),
            Text(_parties(sentence)),
            _underlined(sentence),
            percent(sentence.confidence),
        )
    return table


def _parties(sentence: Sentence) -> str:
    speaker = _printable(sentence.speaker.name) if sentence.speaker else ""
    return f"{speaker}\n→ {_printable(sentence.target.text)}" if sentence.target else speaker


def _label(sentence: Sentence) -> str:
    return f"{MARKS[sentence.label].sign} {sentence.label}{'?' if sentence.abstained else ''}"


def _underlined(sentence: Sentence) -> Text:
    """Underline the evidence that stands in the sentence itself."""
    from rich.text import Text

    text = Text(_printable(sentence.text))
    for span in (sentence.target, sentence.mention, sentence.cue):
        if span is not None:
            text.stylize("underline", max(span.start - sentence.start, 0), max(span.end - sentence.start, 0))
    return text


def _printable(text: str) -> str:
    """Replace, one for one, what would move the cursor or command the terminal."""
    return _CONTROL.sub(lambda found: " " if found.group().isspace() else "\N{REPLACEMENT CHARACTER}", text)
