"""Logits to readings: label probabilities, and ranked spans for mention, name, target and cue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.document import LABELS
from stance.engines import Floats, Logits
from stance.settings import Settings
from stance.windows import Window

Floats64 = NDArray[np.float64]

_MOST_TOKENS = 16
_BEST_STARTS = 10
# Names are short: of two that the pointer finds alike, the shorter is right more often, and a span from the start of
# one name to the end of another is always the longer. Measured, see docs/experiments.md.
_LENGTH_PRIOR = np.exp(-0.25 * np.arange(_MOST_TOKENS))
_CUE = 1


@dataclass(frozen=True, slots=True)
class Candidates:
    """Spans that a pointer found for one sentence.

    Args:
        spans: Start and end in the article, the likeliest first.
        probabilities: One for each span.
        none: Probability that it points at none: the author, or a party not named in the window.

    """

    spans: tuple[tuple[int, int], ...]
    probabilities: tuple[float, ...]
    none: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What the network reads from one sentence.

    Args:
        scores: Calibrated probability of each label, in the order of ``LABELS``.
        label: Index of the label decided on.
        mention: Where the speaker is mentioned; none is the author.
        name: Where that party is named in full.
        target: Where the accused is named in full.
        cue: Start and end of the words that signal the label, or None.

    """

    scores: tuple[float, ...]
    label: int
    mention: Candidates
    name: Candidates
    target: Candidates
    cue: tuple[int, int] | None


_Words = tuple[Candidates, Candidates, Candidates, tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class WindowReading:
    """What is kept of a window's logits: a hundredth of them.

    Args:
        label: The logits of the labels of its sentences, (S, 4).
        words: Mention, name, target and cue of each sentence that is read in it.

    """

    label: Floats
    words: list[_Words]


def read_window(text: str, window: Window, logits: Logits) -> WindowReading:
    """Find the words that the logits of a window point at.

    Args:
        text: The article.
        window: One of its windows.
        logits: What the engine computed of it.

    Returns:
        The words, and the logits of the labels.

    """
    return WindowReading(logits.label, _words(text, window, logits))


def decode(windows: Sequence[Window], found: Iterable[WindowReading], settings: Settings) -> list[Reading]:
    """Decode an article.

    Args:
        windows: Its windows in order.
        found: What was read in each.
        settings: Temperature, biases and weights of the labels.

    Returns:
        One reading a sentence, in order: its label from the mean logits of all windows that hold it, the words from
        the window where it has most context.

    """
    total = np.zeros((windows[-1].read[1] if windows else 0, len(LABELS)))
    count = np.zeros((len(total), 1))
    words: list[_Words] = []
    for window, reading in zip(windows, found, strict=True):
        held = slice(window.first, window.first + len(reading.label))
        total[held] += reading.label
        count[held] += 1
        words += reading.words
    scores = softmax(total / count / settings.temperature + np.array(settings.label_bias))
    labels = (scores * np.array(settings.label_weights)).argmax(axis=-1)
    return [
        Reading(tuple(map(float, row)), int(label), *found)
        for row, label, found in zip(scores, labels, words, strict=True)
    ]


def softmax(logits: Floats64) -> Floats64:
    """Normalise the last axis to probabilities."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities: Floats64 = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


def _words(text: str, window: Window, logits: Logits) -> list[_Words]:
    """Find mention, name, target and cue of each sentence that is read in a window."""
    rows = slice(window.read[0] - window.first, window.read[1] - window.first)
    pointed = _point(text, window, np.concatenate([logits.mention[rows], logits.name[rows], logits.target[rows]]))
    count = rows.stop - rows.start
    heads = (pointed[:count], pointed[count : 2 * count], pointed[2 * count :])
    return list(zip(*heads, _cues(text, window, logits.tag, range(rows.start, rows.stop)), strict=True))


def _point(text: str, window: Window, logits: Floats) -> list[Candidates]:
    """Rank the spans of each of some pointers by the product of start, end and length probability."""
    probabilities = softmax(logits.astype(np.float64))
    none = probabilities[:, :, 0].mean(axis=1)
    probabilities[:, :, window.is_marker] = 0.0
    count, _, length = probabilities.shape
    best = np.argsort(-probabilities[:, 0], axis=-1)[:, :_BEST_STARTS]
    ends = best[:, :, None] + np.arange(_MOST_TOKENS)
    inside = np.minimum(ends, length - 1)
    # A name does not run over the end of its sentence.
    allowed = (ends < length) & (window.sentence_ids[inside] == window.sentence_ids[best][:, :, None])
    rows = np.arange(count)[:, None]
    scores = probabilities[rows, 0, best][:, :, None] * probabilities[rows[:, :, None], 1, inside]
    scores *= allowed * _LENGTH_PRIOR
    flat = scores.reshape(count, -1)
    order = np.argsort(-flat, axis=-1)[:, :_BEST_STARTS]
    start, more = np.divmod(order, _MOST_TOKENS)
    begins = window.offsets[best[rows, start], 0].tolist()
    stops = window.offsets[inside[rows, start, more], 1].tolist()
    weights = flat[rows, order].tolist()
    out = []
    for row in range(count):
        likely = [weight for weight in weights[row] if weight > 1e-4]
        # The weights fall, so that what is likely comes first.
        spans = tuple(_whole_words(text, *span) for span in zip(begins[row], stops[row][: len(likely)], strict=False))
        out.append(Candidates(spans, tuple(likely), float(none[row])))
    return out


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen a span of word pieces to whole words."""
    while start > 0 and text[start].isalnum() and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return start, end


def _cues(text: str, window: Window, tags: Floats, sentences: range) -> list[tuple[int, int] | None]:
    """Give each sentence its likeliest run of cue tokens."""
    is_cue = (tags[:, _CUE] > 0) & ~window.is_marker
    cues: list[tuple[int, int] | None] = []
    for sentence in sentences:
        tokens = np.flatnonzero(window.sentence_ids == sentence)
        if not is_cue[tokens].any():
            cues.append(None)
            continue
        first = last = int(tokens[np.where(is_cue[tokens], tags[tokens, _CUE], -np.inf).argmax()])
        while is_cue[first - 1] and window.sentence_ids[first - 1] == sentence:
            first -= 1
        while last + 1 < len(is_cue) and is_cue[last + 1] and window.sentence_ids[last + 1] == sentence:
            last += 1
        cues.append(_whole_words(text, int(window.offsets[first, 0]), int(window.offsets[last, 1])))
    return cues
