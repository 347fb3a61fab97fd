"""The result types: an article, its sentences, and who says what in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 1
AUTHOR = "author"


class Label(str, Enum):
    """How a sentence is put forward: as an assertion, a denial, an allegation, or not as a statement.

    Example:
        >>> Label("denial") == "denial"
        True

    """

    ASSERTION = "assertion"
    DENIAL = "denial"
    ALLEGATION = "allegation"
    NONE = "none"

    def __str__(self) -> str:
        """Return the plain value, so that a label prints as ``denial``."""
        return self.value


LABELS: tuple[Label, ...] = tuple(Label)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the article: ``doc.text[span.start:span.end] == span.text``.

    Args:
        start: Index of the first character in the article.
        end: Index after the last character.
        text: The words themselves.

    """

    start: int
    end: int
    text: str

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Span:
        """Cut a span out of the article ``text``.

        Example:
            >>> Span.of("Ann said so.", 0, 3)
            Span(start=0, end=3, text='Ann')

        """
        return cls(start, end, text[start:end])


@dataclass(frozen=True, slots=True)
class Speaker:
    """A party that makes statements in an article.

    Args:
        name: The fullest form by which the article names the party, or ``author``.
        kind: ``author`` for the writer's own voice, ``source`` for anybody else.
        aliases: The forms by which the sentences mention the party, each once, in order of appearance.
        sentences: Indices into ``Document.sentences`` of what the party says.

    """

    name: str
    kind: str
    aliases: tuple[str, ...] = ()
    sentences: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its label, its speaker, and the words that prove them.

    Args:
        start: Index of its first character in the article.
        end: Index after its last character.
        text: The sentence itself.
        label: Assertion, denial, allegation or none.
        confidence: Calibrated probability of ``label``; None where a person has labelled.
        scores: Calibrated probability of every label, summing to 1; None where a person has labelled.
        speaker: Who is committed to the claim; None for the label ``none``.
        speaker_confidence: Calibrated probability that ``speaker`` is right, or None.
        mention: The words that name the speaker for this sentence; None for the author.
        cue: The words that signal the label ("denied"), where there are any.
        target: The accused of an allegation, in the fullest form that the article has.
        abstained: True where ``confidence`` is below the ``min_confidence`` asked for.

    """

    start: int
    end: int
    text: str
    label: Label
    confidence: float | None = None
    scores: Mapping[Label, float] | None = None
    speaker: Speaker | None = None
    speaker_confidence: float | None = None
    mention: Span | None = None
    cue: Span | None = None
    target: Span | None = None
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """An article with every sentence labelled and linked to its speaker.

    Args:
        text: The article exactly as it was given.
        sentences: Its sentences in order; where they were predicted, every non-white-space character lies in exactly
            one.
        speakers: Every party once, the most cited first.
        id: The identifier that was given with the text, or None.

    Example:
        >>> line = {"id": "a", "text": "Ann denied it.", "sentences": [{"start": 0, "end": 14, "label": "denial",
        ...     "speaker": {"name": "Ann", "mention": {"start": 0, "end": 3}}}]}
        >>> Document.from_dict(line).speakers[0].name
        'Ann'

    """

    text: str
    sentences: tuple[Sentence, ...]
    speakers: tuple[Speaker, ...] = ()
    id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the document as one line of a labelled set, with the predictions' own keys added.

        Returns:
            A dictionary of JSON types; ``schema`` is the version of its layout.

        """
        return {
            "schema": SCHEMA,
            "id": self.id,
            "text": self.text,
            "sentences": [_sentence_to_dict(sentence) for sentence in self.sentences],
        }

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> Document:
        """Read a document back from ``to_dict`` or from a line of a labelled set.

        Args:
            line: A dictionary in the labelled-set format.

        Returns:
            The document; ``Document.from_dict(doc.to_dict()) == doc``.

        Raises:
            stance.LabelledSetError: If the line breaks the format; the message names the place.

        """
        from stance.labelled import validate

        validate(line)
        text = line["text"]
        sentences, speakers = link_speakers([_sentence_from_dict(text, record) for record in line["sentences"]])
        return cls(text, sentences, speakers, line.get("id"))

    def to_json(self) -> str:
        """Return ``to_dict`` as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=True)

    def to_frame(self) -> pd.DataFrame:
        """Return a pandas data frame with one row a sentence.

        Returns:
            The columns that ``stance.frames.COLUMNS`` lists.

        """
        from stance.frames import to_frame

        return to_frame([self])

    def to_html(self) -> str:
        """Return the marked article and its ledger as an HTML fragment, with all text escaped."""
        from stance.markup import to_html

        return to_html(self)

    def _repr_html_(self) -> str:
        """Show the marked article and its ledger in a notebook."""
        return self.to_html()


def link_speakers(drafts: Sequence[Sentence]) -> tuple[tuple[Sentence, ...], tuple[Speaker, ...]]:
    """Gather the parties of an article from its sentences.

    Args:
        drafts: Its sentences in order; of their speakers only kind and name are known.

    Returns:
        The sentences with their whole speakers, and every speaker once, the most cited first; those cited equally
        often in order of appearance.

    """
    cited: dict[tuple[str, str], list[int]] = {}
    for index, draft in enumerate(drafts):
        if draft.speaker is not None:
            cited.setdefault((draft.speaker.kind, draft.speaker.name), []).append(index)
    speakers: dict[tuple[str, str], Speaker] = {}
    for (kind, name), said in cited.items():
        mentions = (drafts[index].mention for index in said)
        aliases = dict.fromkeys(mention.text for mention in mentions if mention)
        speakers[kind, name] = Speaker(name, kind, tuple(aliases), tuple(said))
    sentences = (
        replace(draft, speaker=draft.speaker and speakers[draft.speaker.kind, draft.speaker.name]) for draft in drafts
    )
    return tuple(sentences), tuple(sorted(speakers.values(), key=lambda speaker: -len(speaker.sentences)))


def _offsets(span: Span | None) -> dict[str, int] | None:
    return None if span is None else {"start": span.start, "end": span.end}


def _sentence_to_dict(sentence: Sentence) -> dict[str, Any]:
    out: dict[str, Any] = {"start": sentence.start, "end": sentence.end, "label": sentence.label.value}
    if sentence.speaker is not None and sentence.speaker.kind == AUTHOR:
        out["speaker"] = AUTHOR
    elif sentence.speaker is not None:
        out["speaker"] = {"name": sentence.speaker.name, "mention": _offsets(sentence.mention)}
    if sentence.label is Label.ALLEGATION:
        out["target"] = _offsets(sentence.target)
    predicted: dict[str, Any] = {
        "confidence": sentence.confidence,
        "scores": sentence.scores and {label.value: score for label, score in sentence.scores.items()},
        "speaker_confidence": sentence.speaker_confidence,
        "cue": _offsets(sentence.cue),
        "abstained": sentence.abstained,
    }
    # A sentence labelled by hand has none of these keys, a predicted one has them all.
    return out | predicted if any(predicted.values()) else out


def _sentence_from_dict(text: str, record: Mapping[str, Any]) -> Sentence:
    """Read a sentence whose speaker is not linked yet."""

    def span(offsets: Mapping[str, int] | None) -> Span | None:
        return Span.of(text, offsets["start"], offsets["end"]) if offsets else None

    said_by = record.get("speaker")
    source = said_by if isinstance(said_by, Mapping) else None
    speaker = Speaker(source["name"], "source") if source else Speaker(AUTHOR, AUTHOR)
    scores = record.get("scores")
    return Sentence(
        start=record["start"],
        end=record["end"],
        text=text[record["start"] : record["end"]],
        label=Label(record["label"]),
        confidence=record.get("confidence"),
        scores={Label(label): score for label, score in scores.items()} if scores else None,
        speaker=speaker if said_by is not None else None,
        speaker_confidence=record.get("speaker_confidence"),
        mention=span(source.get("mention")) if source else None,
        cue=span(record.get("cue")),
        target=span(record.get("target")),
        abstained=record.get("abstained", False),
    )
