"""The engine that runs the network in PyTorch."""

from __future__ import annotations

import os

import torch

from stance.engines import Batch, Logits
from stance.modeling import StanceModel

# A process that was forked has no threads but its own, and would wait for the others for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class TorchEngine:
    """Runs a ``StanceModel`` where its parameters lie.

    Args:
        model: The network.

    """

    def __init__(self, model: StanceModel) -> None:
        self.model = model.eval()

    @torch.inference_mode()
    def run(self, batch: Batch) -> Logits:
        """Compute the logits of every window of the batch."""
        device = self.model.device
        output = self.model(
            input_ids=torch.from_numpy(batch.input_ids).to(device),
            attention_mask=torch.from_numpy(batch.attention_mask).to(device),
            surface_ids=torch.from_numpy(batch.surface_ids).to(device),
            sentence_ids=torch.from_numpy(batch.sentence_ids).to(device),
        )
        return Logits(
            label=output.label_logits.float().cpu().numpy(),
            mention=output.mention_logits.float().cpu().numpy(),
            name=output.name_logits.float().cpu().numpy(),
            target=output.target_logits.float().cpu().numpy(),
            tag=output.tag_logits.float().cpu().numpy(),
        )
