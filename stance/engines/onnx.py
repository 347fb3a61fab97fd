"""The engine that runs an exported graph in ONNX Runtime, without torch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from stance.engines import Logits
from stance.windows import Window

SLOW_FUSION = "SkipLayerNormFusion"
"""What ONNX Runtime joins an addition and a layer norm into: it takes six times as long as the two."""

_CPU = Path("/proc/cpuinfo")
"""Where Linux tells what the processor can do."""


class OnnxEngine:
    """Runs a graph that ``stance export`` made, each window alone on one processor, several windows at once.

    Alone, a window needs no padding, and the scales that int8 gives its activations depend on nothing else.

    Args:
        file: The graph.

    """

    def __init__(self, file: Path) -> None:
        self.file = file.absolute()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # Windows differ in length: the memory plan of every length would be kept.
        options.enable_mem_pattern = False
        if not _has_vnni():
            # Without those instructions, pairs of products of 8 bits would be added up in 16 bits, which overflow.
            # With them, this option would have the products computed without them, three times as slowly.
            options.add_session_config_entry("session.x64quantprecision", "1")
        self.session = onnxruntime.InferenceSession(
            file, options, providers=["CPUExecutionProvider"], disabled_optimizers=[SLOW_FUSION]
        )
        self.threads = _processors()

    def __reduce__(self) -> tuple[type[OnnxEngine], tuple[Path]]:
        """Go to another process as the file, which is loaded there; a session cannot be sent."""
        return OnnxEngine, (self.file,)

    def run(self, windows: Iterable[Window]) -> Iterator[Logits]:
        """Compute the logits of windows, in order; see ``Engine``."""
        rest = iter(windows)
        first = list(islice(rest, 2))
        if len(first) < 2:
            # A short text need not wait for a thread to start.
            return map(self._run, first)
        # A pool for each call: one that is kept would hang in the children of a process that forks.
        pool = ThreadPoolExecutor(self.threads)
        logits = pool.map(self._run, chain(first, rest))
        pool.shutdown(wait=False)
        return logits

    def _run(self, window: Window) -> Logits:
        return Logits(*(array[0] for array in self.session.run(None, inputs(window))))


def inputs(window: Window) -> dict[str, NDArray[np.int64]]:
    """Give what the graph takes of one window."""
    return {
        "input_ids": window.input_ids[None],
        "surface_ids": window.surface_ids[None],
        "sentence_ids": window.sentence_ids[None],
        "numbers": np.arange(window.sentence_ids[-1] + 1),
    }


def _has_vnni() -> bool:
    """Tell whether the processor multiplies in 8 bits without overflow; where no file says so, it may not."""
    try:
        with _CPU.open(encoding="utf-8") as lines:
            flags: set[str] = set(next((line for line in lines if line.startswith("flags")), "").split())
    except OSError:
        return False
    return not flags.isdisjoint({"avx512_vnni", "avx_vnni"})


def _processors() -> int:
    """Count the processors that this process may use; ``OMP_NUM_THREADS`` says it, as it does to torch."""
    said = os.environ.get("OMP_NUM_THREADS", "")
    if said.isdigit() and int(said) > 0:
        return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
