"""Write a model as ONNX: one graph that ONNX Runtime runs without torch, in float32 or in int8."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from stance.modeling import StanceModel

_FUSED = "onnx_fused"
_FULL_ATTENTION = frozenset({"bert", "roberta"})


class _Graph(nn.Module):
    """The network as the graph has it: arrays of windows without padding in, a tuple of logits out."""

    def __init__(self, model: StanceModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, surface_ids: Tensor, sentence_ids: Tensor, numbers: Tensor) -> tuple[Tensor, ...]:
        output = self.model.read(input_ids, torch.ones_like(input_ids), surface_ids, sentence_ids, numbers)
        return (
            output.label_logits,
            output.mention_logits,
            output.name_logits,
            output.target_logits,
            output.tag_logits,
        )


def _fused_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: None, scaling: float, **_: object
) -> tuple[Tensor, None]:
    batch, heads, tokens, size = query.shape
    out = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        [states.transpose(1, 2).flatten(2) for states in (query, key, value)],
        {"num_heads": heads, "scale": scaling},
        dtype=query.dtype,
        shape=(batch, tokens, heads * size),
        version=1,
    )
    return out.unflatten(-1, (heads, size)), None


def trace(model, path):
    AttentionInterface.register(_FUSED, _fused_attention)
    if model.config.encoder["model_type"] in _FULL_ATTENTION:
        model.encoder.set_attn_implementation(_FUSED)
    windows = torch.tensor([[5, 6, 7, 8, 9, 10]] * 2)
    surface = torch.zeros_like(windows)
    sentences = torch.tensor([[-1, 0, 0, 1, 1, 2]] * 2)
    d={0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    with torch.no_grad():
        program = torch.onnx.export(_Graph(model).eval(), (windows, surface, sentences, torch.arange(3)), dynamo=True,
            verbose=False,
            dynamic_shapes=(d,d,d, {0: torch.export.Dim("sentences")}),
            input_names=["input_ids","surface_ids","sentence_ids","numbers"], output_names=["label","mention","name","target","tag"])
    program.save(path)

if __name__=='__main__':
    import sys,time
    t=time.time()
    trace(StanceModel.from_pretrained(sys.argv[1], dtype="float32").eval(), sys.argv[2]); print(time.time()-t)
