"""Engines run the network: windows in, arrays out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stance.windows import Window

Floats = NDArray[np.float32]

GRAPHS: Mapping[str, str] = MappingProxyType({"onnx-int8": "model_int8.onnx", "onnx": "model.onnx"})
"""The engines of ONNX Runtime and the file that each runs, the fastest first."""

ENGINES = (*GRAPHS, "torch", "torch-bfloat16")
"""The names of the engines."""


@dataclass(frozen=True, slots=True)
class Logits:
    """What the network computes of a window. S sentences, T tokens; position 0 of a pointer means "none".

    Args:
        label: (S, 4), in the order of ``LABELS``.
        mention: Start and end of the words that name the speaker, (S, 2, T).
        name: Start and end of that party's name, (S, 2, T).
        target: Start and end of the accused's name, (S, 2, T).
        tag: Source, cue and content tags, (T, 3).

    """

    label: Floats
    mention: Floats
    name: Floats
    target: Floats
    tag: Floats


class Engine(Protocol):
    """Runs the network on windows."""

    def run(self, windows: Iterable[Window]) -> Iterator[Logits]:
        """Compute the logits of windows.

        Args:
            windows: Any number of windows. All of them are taken before the call returns; an engine that computes in
                the background is then at work already.

        Returns:
            Their logits, in the same order.

        """
        ...
