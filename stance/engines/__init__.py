"""Engines run the network: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stance.windows import Window

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows padded to one length, as every engine takes them. B windows, T tokens.

    Args:
        input_ids: (B, T).
        attention_mask: 1 for tokens, 0 for padding, (B, T).
        surface_ids: (B, T).
        sentence_ids: -1 for padding and the first token, (B, T).

    """

    input_ids: NDArray[np.int64]
    attention_mask: NDArray[np.int64]
    surface_ids: NDArray[np.int64]
    sentence_ids: NDArray[np.int64]

    @classmethod
    def of(cls, windows: Sequence[Window], pad_id: int) -> Batch:
        """Pad windows to the longest of them."""

        def stack(rows: Sequence[NDArray[np.int64]], fill: int) -> NDArray[np.int64]:
            out = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
            for index, row in enumerate(rows):
                out[index, : len(row)] = row
            return out

        return cls(
            input_ids=stack([window.input_ids for window in windows], pad_id),
            attention_mask=stack([np.ones(len(window), dtype=np.int64) for window in windows], 0),
            surface_ids=stack([window.surface_ids for window in windows], 0),
            sentence_ids=stack([window.sentence_ids for window in windows], -1),
        )


@dataclass(frozen=True, slots=True)
class Logits:
    """What the network computes. B windows, S sentences, T tokens; position 0 of a pointer means "none".

    Args:
        label: (B, S, 4), in the order of ``LABELS``.
        mention: Start and end of the words that name the speaker, (B, S, 2, T).
        name: Start and end of that party's name, (B, S, 2, T).
        target: Start and end of the accused's name, (B, S, 2, T).
        tag: Source, cue and content tags, (B, T, 3).

    """

    label: Floats
    mention: Floats
    name: Floats
    target: Floats
    tag: Floats


class Engine(Protocol):
    """Runs the network on a batch of windows."""

    def run(self, batch: Batch) -> Logits:
        """Compute the logits of every window of the batch."""
        ...
