"""Readings to a document: speakers resolved across the article, evidence as spans, confidence calibrated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stance.decoding import Reading
from stance.document import AUTHOR, LABELS, Document, Label, Sentence, Span, Speaker, link_speakers
from stance.names import Names, Party
from stance.settings import Settings


@dataclass(frozen=True, slots=True)
class _Attribution:
    """Who says a sentence: no party is the author."""

    probability: float
    party: Party | None = None
    mention: tuple[int, int] | None = None


def assemble(
    identifier: str | None,
    text: str,
    spans: Sequence[tuple[int, int]],
    readings: Sequence[Reading],
    settings: Settings,
    min_confidence: float | None,
) -> Document:
    """Build the document of an article.

    Args:
        identifier: The article's id, or None.
        text: The article.
        spans: Its sentences.
        readings: What the network read from each.
        settings: The model's inference settings.
        min_confidence: Below it a sentence is marked as abstained; None marks none.

    Returns:
        The document.

    """
    names = Names(text)
    attributions = [_attribute(reading, names, settings) for reading in readings]
    drafts = []
    for (start, end), reading, attribution in zip(spans, readings, attributions, strict=True):
        label = LABELS[reading.label]
        accused = (
            names.accused(reading.target, attribution.party) if attribution and label is Label.ALLEGATION else None
        )
        confidence = reading.scores[reading.label]
        drafts.append(
            Sentence(
                start=start,
                end=end,
                text=text[start:end],
                label=label,
                confidence=confidence,
                scores=dict(zip(LABELS, reading.scores, strict=True)),
                speaker=_speaker(attribution, names),
                speaker_confidence=_platt(attribution.probability, settings) if attribution else None,
                mention=Span.of(text, *attribution.mention) if attribution and attribution.mention else None,
                cue=Span.of(text, *reading.cue) if reading.cue and label is not Label.NONE else None,
                target=Span.of(text, *accused.span) if accused else None,
                abstained=min_confidence is not None and confidence < min_confidence,
            )
        )
    return Document(text, *link_speakers(drafts), identifier)


def _attribute(reading: Reading, names: Names, settings: Settings) -> _Attribution | None:
    if LABELS[reading.label] is Label.NONE:
        return None
    author = reading.mention.none
    if author >= settings.author_threshold or not reading.mention.spans:
        return _Attribution(author)
    mention = reading.mention.spans[0]
    party = names.speaker(mention, reading.name)
    return _Attribution((1 - author) * party.probability, party, mention)


def _speaker(attribution: _Attribution | None, names: Names) -> Speaker | None:
    """Name the speaker of a sentence, who is not linked yet."""
    if attribution is None:
        return None
    return Speaker(names.as_written(attribution.party), "source") if attribution.party else Speaker(AUTHOR, AUTHOR)


def _platt(probability: float, settings: Settings) -> float:
    """Calibrate a probability by Platt scaling of its log-odds."""
    slope, intercept = settings.speaker_calibration
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    log_odds = slope * math.log(bounded / (1 - bounded)) + intercept
    # The logistic function, which overflows for no slope.
    return 0.5 * (1 + math.tanh(log_odds / 2))
