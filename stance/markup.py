"""A document as HTML: the marked article, and under it the ledger of who asserts, denies and alleges what."""

from __future__ import annotations

import hashlib
import html
from functools import cache
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from types import MappingProxyType
from typing import TYPE_CHECKING

from stance import palette
from stance.document import Document, Label, Sentence, Speaker
from stance.lines import unwrap
from stance.palette import MARKS, percent
from stance.surrogates import replace_surrogates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROLES: Mapping[str, str] = MappingProxyType({"target": "accused", "mention": "speaker", "cue": "cue"})
"""The evidence of a sentence and what a reader calls it; of overlapping kinds the later shows."""

_COLUMNS = tuple(label for label, mark in MARKS.items() if mark.verb)
_SHOWN = 3
_EXCERPT = 120


def to_html(doc: Document) -> str:
    """Render a document as an HTML fragment that carries its own style and needs nothing else.

    Args:
        doc: The document.

    Returns:
        ``to_fragment`` with its style sheet in it.

    """
    return f"<div><style>{palette.stylesheet('.stance')}{rules()}</style>{to_fragment(doc)}</div>"


def to_fragment(doc: Document) -> str:
    """Render a document as HTML without a style sheet.

    Args:
        doc: The document.

    Returns:
        The whole text, escaped, with its white space: beside each sentence its speaker, the sign and word of its
        label, confidence and accused; the words that prove them underlined. Under it a row for each speaker, with
        counts and links. ``data-label`` and ``data-speaker`` (an index into ``doc.speakers``) tell whose is what.

    Example:
        >>> line = {"text": "It rained.", "sentences": [
        ...     {"start": 0, "end": 10, "label": "assertion", "speaker": "author"}]}
        >>> "It rained.</span></p></div>" in to_fragment(Document.from_dict(line))
        True

    """
    article = "".join(f"<p>{''.join(paragraph)}</p>" for paragraph in _paragraphs(doc))
    return f'<div class="stance"><div class="article" dir="auto">{article}</div>{_ledger(doc)}</div>'


@cache
def rules() -> str:
    """Read the style sheet of the fragment; its colours are the variables of ``palette.stylesheet``."""
    return Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def _paragraphs(doc: Document) -> Iterator[list[str]]:
    """Cut the article where a line break stands between sentences, and keep every character."""
    roles, anchor = _roles(doc), _anchor(doc)
    speakers = {(speaker.kind, speaker.name): index for index, speaker in enumerate(doc.speakers)}
    paragraph: list[str] = []
    unwrapped = unwrap(doc.text)
    end = 0
    for index, sentence in enumerate(doc.sentences):
        paragraph.append(_escape(doc.text[end : sentence.start]))
        if not {"\n", "\r"}.isdisjoint(unwrapped[end : sentence.start]):
            yield paragraph
            paragraph = []
        whose = speakers[sentence.speaker.kind, sentence.speaker.name] if sentence.speaker else None
        paragraph += _marked(doc.text, sentence, f"{anchor}-{index}", whose, roles)
        end = sentence.end
    yield [*paragraph, _escape(doc.text[end:])]


def _marked(
    text: str, sentence: Sentence, anchor: str, speaker: int | None, roles: Sequence[str | None]
) -> Iterator[str]:
    whose = "" if speaker is None else f' data-speaker="{speaker}"'
    yield f'<span class="sentence {sentence.label}" id="{anchor}" data-label="{sentence.label}"{whose}>'
    yield _note(sentence)
    for role, group in groupby(range(sentence.start, sentence.end), roles.__getitem__):
        places = list(group)
        words = _escape(text[places[0] : places[-1] + 1])
        yield words if role is None else f'<u class="{role}" title="{ROLES[role]}">{words}</u>'
    yield "</span>"


def _note(sentence: Sentence) -> str:
    """Say beside a sentence who says it and how, and how sure the prediction is."""
    label = f"{sentence.label}{'?' if sentence.abstained else ''} {percent(sentence.confidence)}".rstrip()
    sign = f'<b aria-hidden="true">{_escape(MARKS[sentence.label].sign)}</b> '
    speaker = f"<bdi>{_escape(sentence.speaker.name)}</bdi> " if sentence.speaker else ""
    target = f" <i>→ <bdi>{_escape(sentence.target.text)}</bdi></i>" if sentence.target else ""
    return f'<small class="note" title="{_title(sentence)}">{sign}{speaker}<i>{label}</i>{target} </small>'


def _title(sentence: Sentence) -> str:
    """State how sure the prediction is; a person's label is stated alone."""
    label = f"{sentence.label} {percent(sentence.confidence)}".rstrip()
    speaker = f", speaker {percent(sentence.speaker_confidence)}" if sentence.speaker_confidence is not None else ""
    return label + speaker + (", less sure than asked for" if sentence.abstained else "")


def _ledger(doc: Document) -> str:
    if not doc.speakers:
        return ""
    anchor = _anchor(doc)
    heads = "".join(
        f'<th scope="col" class="{label}"><b aria-hidden="true">{MARKS[label].sign}</b> {MARKS[label].verb}</th>'
        for label in _COLUMNS
    )
    rows = "".join(_row(doc, index, speaker, anchor) for index, speaker in enumerate(doc.speakers))
    statements = sum(len(speaker.sentences) for speaker in doc.speakers)
    caption = f"<b>Ledger</b> {_plural(len(doc.speakers), 'speaker')}, {_plural(statements, 'statement')}"
    return (
        f'<table class="ledger"><caption>{caption}</caption>'
        f'<thead><tr><th scope="col">Speaker</th>{heads}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(doc: Document, index: int, speaker: Speaker, anchor: str) -> str:
    aliases = ", ".join(f"<bdi>{_escape(alias)}</bdi>" for alias in speaker.aliases if alias != speaker.name)
    also = f"<small>also {aliases}</small>" if aliases else ""
    cells = "".join(_cell(doc, speaker, label, anchor) for label in _COLUMNS)
    name = f'<bdi class="name">{_escape(speaker.name)}</bdi>'
    return f'<tr data-speaker="{index}"><th scope="row" dir="auto">{name}{also}</th>{cells}</tr>'


def _cell(doc: Document, speaker: Speaker, label: Label, anchor: str) -> str:
    items = [_link(doc.sentences[at], f"{anchor}-{at}") for at in speaker.sentences if doc.sentences[at].label is label]
    opened = f'<td class="{label}" data-label="{label}">'
    if not items:
        return f'{opened}<span class="nothing" aria-label="nothing">–</span></td>'
    shown, rest = "".join(items[:_SHOWN]), "".join(items[_SHOWN:])
    more = f"<details><summary>{len(items) - _SHOWN} more</summary><ul>{rest}</ul></details>" if rest else ""
    verb = MARKS[label].verb
    return f'{opened}<b class="count">{len(items)}</b><span class="verb"> {verb}</span><ul>{shown}</ul>{more}</td>'


def _link(sentence: Sentence, anchor: str) -> str:
    accused = f"<i>→ <bdi>{_escape(sentence.target.text)}</bdi></i> " if sentence.target else ""
    words = _escape(shorten(sentence.text, _EXCERPT, placeholder="…"))
    sure = f" <small>{percent(sentence.confidence)}</small>" if sentence.confidence is not None else ""
    return f'<li dir="auto">{accused}<a href="#{anchor}">{words or "…"}</a>{sure}</li>'


def _roles(doc: Document) -> Sequence[str | None]:
    """Tell of every character of the text which kind of evidence it is, if any."""
    roles: list[str | None] = [None] * len(doc.text)
    for role in ROLES:
        for span in (getattr(sentence, role) for sentence in doc.sentences):
            if span is not None:
                roles[span.start : span.end] = [role] * (span.end - span.start)
    return roles


def _anchor(doc: Document) -> str:
    """Name the article, so that the links of several in one notebook go to their own."""
    return f"stance-{hashlib.sha256(doc.text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def _escape(text: str) -> str:
    return html.escape(replace_surrogates(text))


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
