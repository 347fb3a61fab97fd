"""Write a model as ONNX: a graph that ONNX Runtime runs without torch, in float32 or in int8."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnxruntime
import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from stance.engines import GRAPHS
from stance.engines.onnx import SLOW_FUSION
from stance.extras import require
from stance.loading import WEIGHTS, copy_files, find_folder, list_files, load_windower, read_network
from stance.modeling import StanceModel
from stance.sentences import split
from stance.settings import Settings

# torch translates with the second.
for package in ("onnx", "onnxscript"):
    require(package, "export")

import onnx  # noqa: E402

from .quantization import quantize  # noqa: E402

_INPUTS = ("input_ids", "surface_ids", "sentence_ids", "numbers")
_OUTPUTS = ("label", "mention", "name", "target", "tag")
_FUSED_ATTENTION = "stance_fused"
# In these encoders each token attends to each, so that a window without padding needs no attention mask.
_FULL_ATTENTION = frozenset({"bert", "roberta"})

_SAMPLE = """
Harbour board denies hiding report on cracked pier

The Veldhaven harbour board on Thursday rejected claims that it had buried a report on the cracked eastern pier.

"Nothing was hidden from anybody," its chairwoman, Ines Aldermark, told a press conference. "The report was on our desk
for two days, and then it went to the ministry."

The dockers' union accused the board of endangering 340 workers. Its leader, Tobias Renk, said that inspectors had
warned the board in March, and that "not one bolt" had been replaced since. He did not show the letter.

According to the Ministry of Transport (MoT), an inquiry will begin next week. A spokesman declined to say whether
anybody would be charged.

Mr Renk was allegedly offered $20,000 to keep silent, the Veldhaven Courier reported; the board called the story false.

About 1.2 million tonnes of grain pass over the pier every year. Will it open again by winter? Engineers think so.

Share this story
"""


def export(model: str | Path, folder: Path, *, int8: bool = False, sample: Sequence[str] = ()) -> Path:
    """Write a model as ONNX, with all that a classifier needs beside the graph.

    Args:
        model: A model folder with ``model.safetensors``, or the name of a repository on the hub.
        folder: Where to write; the model's own folder gets the graph beside the weights that are there, in another
            folder no other weights stay.
        int8: Whether to store the weights in 8 bits, and to compute the encoder's matrix products in them.
        sample: Texts of the kind that will be read, which int8 is fitted to; some 20,000 words are plenty. Without
            any, a short one is taken.

    Returns:
        The file of the graph.

    Raises:
        FileNotFoundError: If there is no such model, or it has no ``model.safetensors``.
        ValueError: If the texts of the sample are empty.

    """
    source = find_folder(model)
    if not (source / "model.safetensors").is_file():
        raise FileNotFoundError(f"the model folder {str(source)!r} lacks model.safetensors; export the original model")
    graph = trace(read_network(source).eval())
    return write(graph, source, folder, int8=int8, sample=sample)


def write(graph: onnx.ModelProto, source: Path, folder: Path, *, int8: bool, sample: Sequence[str] = ()) -> Path:
    """Write a traced graph, with all that a classifier needs beside it; arguments and result as for ``export``."""
    if int8:
        windower, _ = load_windower(source, Settings.read(source))
        texts = sample or (_SAMPLE,)
        windows = [window for text in texts for window in windower.windows(text, split(text))]
        if not windows:
            raise ValueError("the sample has no sentence that int8 could be fitted to; give texts with some")
        quantize(graph, windows)
    graph = _fuse(graph)
    _forget_origin(graph)
    copy_files(source, folder, [name for name in list_files(source) if name not in WEIGHTS])
    file = folder / GRAPHS["onnx-int8" if int8 else "onnx"]
    onnx.save(graph, file)
    return file


def trace(model: StanceModel) -> onnx.ModelProto:
    """Trace the network into a graph for any number of windows, tokens and sentences.

    Args:
        model: The network, in float32 and in evaluation mode.

    Returns:
        A graph that takes windows of one length, without padding.

    """
    if model.config.encoder["model_type"] in _FULL_ATTENTION:
        AttentionInterface.register(_FUSED_ATTENTION, _fused_attention)
        model.encoder.set_attn_implementation(_FUSED_ATTENTION)
    # No two sizes alike, or the tracer would take them for the same size.
    tokens = torch.tensor([[5, 6, 7, 8, 9, 10]] * 2)
    sentences = torch.tensor([[-1, 0, 0, 1, 1, 2]] * 2)
    window = {0: torch.export.Dim("windows"), 1: torch.export.Dim("tokens")}
    with torch.no_grad():
        program = torch.onnx.export(
            _Graph(model).eval(),
            (tokens, torch.zeros_like(tokens), sentences, torch.arange(3)),
            input_names=_INPUTS,
            output_names=_OUTPUTS,
            dynamic_shapes=(window, window, window, {0: torch.export.Dim("sentences")}),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch traced nothing; this should not happen")
    graph: onnx.ModelProto = program.model_proto
    return graph


class _Graph(nn.Module):
    """The network with the inputs and outputs of the graph."""

    def __init__(self, model: StanceModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: Tensor, surface_ids: Tensor, sentence_ids: Tensor, numbers: Tensor
    ) -> tuple[Tensor, ...]:
        output = self.model.read(input_ids, torch.ones_like(input_ids), surface_ids, sentence_ids, numbers)
        return tuple(getattr(output, f"{name}_logits") for name in _OUTPUTS)


def _fused_attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: None, scaling: float, **_: object
) -> tuple[Tensor, None]:
    """Name ONNX Runtime's own attention, which keeps no matrix of all pairs of tokens; shapes (B, heads, T, size)."""
    batch, heads, tokens, size = query.shape
    attended = torch.onnx.ops.symbolic(
        "com.microsoft::MultiHeadAttention",
        [states.transpose(1, 2).flatten(2) for states in (query, key, value)],
        {"num_heads": heads, "scale": scaling},
        dtype=query.dtype,
        shape=(batch, tokens, heads * size),
        version=1,
    )
    return attended.view(batch, tokens, heads, size), None


def _fuse(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Let ONNX Runtime join nodes now, as it would each time that it loads the graph."""
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(Path(folder, "graph.onnx"))
        # Folded, the weights that are stored in 8 bits and computed with in float32 would be stored in float32.
        onnxruntime.InferenceSession(
            graph.SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["ConstantFolding", SLOW_FUSION],
        )
        fused = onnx.load(options.optimized_model_filepath)
    used = {node.domain for node in fused.graph.node}
    domains = [domain for domain in fused.opset_import if domain.domain in used]
    del fused.opset_import[:]
    fused.opset_import.extend(domains)
    return fused


def _forget_origin(graph: onnx.ModelProto) -> None:
    """Remove what the tracer notes about the machine: paths, line numbers, the source of each node."""
    del graph.metadata_props[:], graph.graph.metadata_props[:], graph.graph.value_info[:]
    for part in (*graph.graph.node, *graph.graph.initializer, *graph.graph.input, *graph.graph.output):
        del part.metadata_props[:]
