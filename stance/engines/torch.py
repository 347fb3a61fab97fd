"""The engine that runs the network in PyTorch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stance.engines import Floats, Logits
from stance.modeling import StanceModel
from stance.windows import Window

_TOKENS_A_BATCH = 8192

# A process that was forked has no threads but its own, and would wait for the others for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class TorchEngine:
    """Runs a ``StanceModel`` where its parameters lie and in their precision, windows of like length together.

    Args:
        model: The network.

    """

    def __init__(self, model: StanceModel) -> None:
        self.model = model.eval()

    def run(self, windows: Iterable[Window]) -> Iterator[Logits]:
        """Compute the logits of windows, in order; see ``Engine``."""
        given = list(windows)
        order = sorted(range(len(given)), key=lambda index: len(given[index]))
        out: dict[int, Logits] = {}
        while order:
            size = max(1, _TOKENS_A_BATCH // len(given[order[-1]]))
            chosen, order = order[-size:], order[:-size]
            out.update(zip(chosen, self._batch([given[index] for index in chosen]), strict=True))
        return (out[index] for index in range(len(given)))

    @torch.inference_mode()
    def _batch(self, windows: Sequence[Window]) -> list[Logits]:
        """Compute the logits of windows that are padded to the longest of them."""
        device = self.model.device
        output = self.model(
            input_ids=_stack([window.input_ids for window in windows], 0).to(device),
            attention_mask=_stack([np.ones(len(window), dtype=np.int64) for window in windows], 0).to(device),
            surface_ids=_stack([window.surface_ids for window in windows], 0).to(device),
            sentence_ids=_stack([window.sentence_ids for window in windows], -1).to(device),
        )
        label, mention, name, target, tag = (
            _floats(logits)
            for logits in (
                output.label_logits,
                output.mention_logits,
                output.name_logits,
                output.target_logits,
                output.tag_logits,
            )
        )
        unpadded = []
        for row, window in enumerate(windows):
            sentences, tokens = int(window.sentence_ids[-1]) + 1, len(window)
            unpadded.append(
                Logits(
                    label=label[row, :sentences],
                    mention=mention[row, :sentences, :, :tokens],
                    name=name[row, :sentences, :, :tokens],
                    target=target[row, :sentences, :, :tokens],
                    tag=tag[row, :tokens],
                )
            )
        return unpadded


def _stack(rows: Sequence[NDArray[np.int64]], fill: int) -> Tensor:
    out = np.full((len(rows), max(map(len, rows))), fill, dtype=np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return torch.from_numpy(out)


def _floats(logits: Tensor) -> Floats:
    array: Floats = logits.float().cpu().numpy()
    return array
