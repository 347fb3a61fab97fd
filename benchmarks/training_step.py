"""Time a step of training, plain and accelerated, on the same tokens: ``python -m benchmarks.training_step``.

The steps alternate in one process, so that whatever else the machine does falls on all of them; each time is a median.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch
from torch import Tensor
from transformers import AutoModel, BertConfig, PreTrainedModel

from training.acceleration import accelerate

_TOKENS = 4096
_REPETITIONS = 7


def encoder() -> PreTrainedModel:
    """Make an encoder of the default model's shape, with random weights."""
    config = BertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        attention_probs_dropout_prob=0.0,
    )
    model: PreTrainedModel = AutoModel.from_config(config, add_pooling_layer=False)
    return model.train()


def step(model: PreTrainedModel, ids: Tensor) -> float:
    """Run one pass forward and back; return its seconds."""
    began = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16):
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state.square().mean()
    loss.backward()
    return time.perf_counter() - began


def main() -> None:
    """Print the seconds of a step for each encoder and window, and how many times as fast as the plain one it is."""
    torch.manual_seed(0)
    models = {"plain": encoder(), "accelerated": encoder()}
    accelerate(models["accelerated"])
    cases = [(name, window) for window in (512, 256) for name in models]
    times: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    for _ in range(_REPETITIONS):
        for name, window in cases:
            ids = torch.randint(5, 30_000, (_TOKENS // window, window))
            times[name, window].append(step(models[name], ids))
    medians = {case: statistics.median(seconds) for case, seconds in times.items()}
    for (name, window), seconds in medians.items():
        faster = medians["plain", 512] / seconds
        sys.stdout.write(f"{name:12} windows of {window}: {seconds:.2f} s for {_TOKENS} tokens, {faster:.2f} times\n")


if __name__ == "__main__":
    main()
