"""What makes an encoder learn faster on a processor: attention written out, dropout that needs few random numbers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask

_WRITTEN_OUT = "written_out"


def accelerate(encoder: PreTrainedModel) -> None:
    """Make an encoder learn faster on a CPU in bfloat16; inference is not touched.

    Args:
        encoder: The encoder in training, changed in place.

    """
    for module in list(encoder.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, SequenceDropout(child.p).train(child.training))
    if encoder._supports_attention_backend:
        encoder.set_attn_implementation(_WRITTEN_OUT)


class SequenceDropout(nn.Dropout):
    """Dropout of the same units at every token of a window (Gal and Ghahramani, 2016, https://arxiv.org/abs/1512.05287).

    A processor draws random numbers one after the other: one for each unit of each token takes an eighth of a step.
    """

    def forward(self, hidden: Tensor) -> Tensor:
        """Drop units of (B, T, H); anything else is dropped one by one."""
        if not self.training or not self.p or hidden.dim() != 3:
            return super().forward(hidden)
        kept = torch.empty(hidden.size(0), 1, hidden.size(2), dtype=hidden.dtype, device=hidden.device)
        return hidden * kept.bernoulli_(1 - self.p).div_(1 - self.p)


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attend in the precision of the inputs, softmax included.

    In bfloat16 the fused kernel's backward pass is slow on a processor, see ``benchmarks.training_step``.
    Models with dropout inside attention are not trained here, see ``training.train.initialise``.

    Args:
        module: The layer; unused.
        query: (B, heads, T, size).
        key: (B, heads, T, size).
        value: (B, heads, T, size).
        attention_mask: What is added to the scores, (B, 1, T, T) or (B, 1, 1, T); None masks nothing.
        scaling: Factor on the scores; by default one over the root of the size.

    Returns:
        What each token takes in, (B, T, heads, size), and no weights.

    """
    with torch.autocast(query.device.type, enabled=False):
        scores = (query * (scaling or query.size(-1) ** -0.5)) @ key.transpose(2, 3)
        if attention_mask is not None:
            # The least number of float32 is minus infinity in bfloat16, whose softmax over nothing else is no number.
            scores = scores + attention_mask.clamp(min=torch.finfo(scores.dtype).min).to(scores.dtype)
        taken = scores.softmax(-1) @ value
    return taken.transpose(1, 2).contiguous(), None


AttentionInterface.register(_WRITTEN_OUT, attention)
AttentionMaskInterface.register(_WRITTEN_OUT, eager_mask)
