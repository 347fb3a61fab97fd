"""Weights of an ONNX graph in 8 bits, and the encoder's matrix products computed in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper, numpy_helper

from stance.engines.onnx import inputs
from stance.windows import Window

Floats = NDArray[np.float32]

_LARGEST = 127
"""The largest number that 8 bits hold, of either sign."""

_SMALLEST = 10_000
"""Numbers that a weight must have to be worth storing in 8 bits."""

_OUTLIERS = 16
"""Channels of a product's input that stay in float32."""

_DAMPING = 0.03
"""Added to the mean square of each channel, in parts of the average: a few texts tell little of what goes together."""

_SCOPES = "pkg.torch.onnx.name_scopes"
"""Where torch notes the modules that a node belongs to."""


def quantize(model: ModelProto, windows: Sequence[Window]) -> None:
    """Turn a float32 graph into an int8 one, in place.

    All large weights are stored in 8 bits with one scale a channel. The matrix products of the encoder are computed
    in 8 bits too, at a scale of each token; the few channels of their input that are many times as large as the
    others, and would set the scale of all, are multiplied apart in float32 (Dettmers et al., 2022,
    https://arxiv.org/abs/2208.07339). The weights of these products are rounded so that one error makes up for
    another (Frantar et al., 2023, https://arxiv.org/abs/2210.17323). All else is computed in float32.

    Args:
        model: A graph, as ``trace`` makes it.
        windows: Windows of text: what the encoder computes of them shows which channels are large, and which go
            together. The more, and the more alike to what will be read, the closer the answers are to float32.

    """
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    quantizer = _Quantizer(weights, _observe(model, windows))
    nodes = [new for node in graph.node for new in quantizer.rewrite(node)]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items() if name in used
    )


@dataclass
class _Channels:
    """What is known of the K channels of an input of the encoder's products.

    Args:
        peaks: The largest size of each, (K,).
        moments: The products of each with each, summed up over all tokens, (K, K).

    """

    peaks: Floats
    moments: Floats


def _observe(model: ModelProto, windows: Sequence[Window]) -> dict[str, _Channels]:
    """Look at what the encoder multiplies in some windows; give it by name."""
    probe = ModelProto()
    probe.CopyFrom(model)
    names = list(dict.fromkeys(node.input[0] for node in model.graph.node if _is_product_of_encoder(node)))
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    seen: dict[str, _Channels] = {}
    for window in windows:
        for name, (states,) in zip(names, session.run(names, inputs(window)), strict=True):
            here = _Channels(np.abs(states).max(0), states.T @ states)
            if before := seen.get(name):
                here = _Channels(np.maximum(before.peaks, here.peaks), before.moments + here.moments)
            seen[name] = here
    return seen


def round_fitted(weight: Floats, scales: Floats, moments: Floats) -> NDArray[np.int8]:
    """Round a weight row by row, each time mending the error in the rows that are left (Frantar et al., 2023).

    Args:
        weight: (K, N).
        scales: (1, N).
        moments: Of the K channels of what is multiplied by the weight, (K, K).

    Returns:
        The weight in units of ``scales``, (K, N).

    """
    exact = moments.astype(np.float64)
    damped = exact + np.eye(len(exact)) * _DAMPING * np.diag(exact).mean()
    # What is largest is rounded while the most rows are left to mend it.
    order = np.argsort(-np.diag(exact))
    mending = np.linalg.cholesky(np.linalg.inv(damped[np.ix_(order, order)])).T
    left = weight[order].astype(np.float64)
    rounded = np.empty(weight.shape, np.int8)
    for row, channel in enumerate(order):
        rounded[channel] = np.clip(np.rint(left[row] / scales[0]), -_LARGEST, _LARGEST)
        error = (left[row] - rounded[channel] * scales[0]) / mending[row, row]
        left[row + 1 :] -= np.outer(mending[row, row + 1 :], error)
    return rounded


class _Quantizer:
    """Rewrites the nodes of a graph one by one, in order.

    Args:
        weights: The graph's weights by name; new ones are added.
        channels: Those of what is multiplied, by its name.

    """

    def __init__(self, weights: dict[str, NDArray[np.generic]], channels: Mapping[str, _Channels]) -> None:
        self.weights = weights
        self.channels = channels
        self._done: set[str] = set()

    def rewrite(self, node: NodeProto) -> Iterator[NodeProto]:
        """Give the nodes that stand for a node in the int8 graph."""
        table = 0 if node.op_type == "Gather" else 1
        if node.op_type not in {"Gather", "MatMul", "Gemm"} or not self._is_large(node.input[table]):
            yield node
        elif node.op_type == "Gather":
            yield from self._look_up(node)
        elif _is_product_of_encoder(node):
            yield from self._multiply(node)
        else:
            yield from self._restore(node)

    def _is_large(self, name: str) -> bool:
        weight = self.weights.get(name)
        return weight is not None and weight.ndim == 2 and weight.size >= _SMALLEST

    def _store(self, name: str, axis: int, moments: Floats | None = None) -> tuple[str, str]:
        """Store a weight in 8 bits with a scale for each index that is not along ``axis``; name both."""
        stored, scale = f"{name}_int8", f"{name}_scale"
        if stored not in self.weights:
            weight = self.weights[name].astype(np.float32)
            scales = np.maximum(np.abs(weight).max(axis, keepdims=True), 1e-9) / np.float32(_LARGEST)
            self.weights[scale] = scales
            if moments is None:
                self.weights[stored] = np.rint(weight / scales).astype(np.int8)
            else:
                self.weights[stored] = round_fitted(weight, scales, moments)
        return stored, scale

    def _look_up(self, node: NodeProto) -> Iterator[NodeProto]:
        """Look rows up in 8 bits, each with its own scale."""
        stored, scale = self._store(node.input[0], axis=1)
        (out,) = node.output
        yield helper.make_node("Gather", [stored, node.input[1]], [f"{out}_int8"])
        yield helper.make_node("Cast", [f"{out}_int8"], [f"{out}_cast"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Gather", [scale, node.input[1]], [f"{out}_scale"])
        yield helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out])

    def _restore(self, node: NodeProto) -> Iterator[NodeProto]:
        """Compute with a stored weight in float32; ONNX Runtime restores it once, when it loads the graph."""
        name = node.input[1]
        is_transposed = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        stored, scale = self._store(name, axis=int(is_transposed))
        if name not in self._done:
            self._done.add(name)
            yield helper.make_node("Cast", [stored], [f"{name}_cast"], to=onnx.TensorProto.FLOAT)
            yield helper.make_node("Mul", [f"{name}_cast", scale], [f"{name}_restored"])
        node.input[1] = f"{name}_restored"
        yield node

    def _multiply(self, node: NodeProto) -> Iterator[NodeProto]:
        """Multiply the most channels in 8 bits and the outliers in float32."""
        (left, right), (out,) = node.input, node.output
        stored, scale = self._store(right, axis=0, moments=self.channels[left].moments)
        if left not in self._done:
            self._done.add(left)
            yield from self._divide(left)
        quantized = [f"{left}_uint8", f"{left}_scale", f"{left}_zero"]
        yield helper.make_node("MatMulInteger", [quantized[0], stored, quantized[2]], [f"{out}_int32"])
        yield helper.make_node("Cast", [f"{out}_int32"], [f"{out}_cast"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Mul", [quantized[1], scale], [f"{out}_scale"])
        yield helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [f"{out}_scaled"])
        yield helper.make_node("Mul", [f"{out}_scaled", f"{left}_size"], [f"{out}_most"])
        yield helper.make_node("Gather", [stored, f"{left}_outliers"], [f"{right}_rows"], axis=0)
        yield helper.make_node("Cast", [f"{right}_rows"], [f"{right}_cast"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Mul", [f"{right}_cast", scale], [f"{right}_large"])
        yield helper.make_node("MatMul", [f"{left}_large", f"{right}_large"], [f"{out}_few"])
        yield helper.make_node("Add", [f"{out}_most", f"{out}_few"], [out])

    def _divide(self, left: str) -> Iterator[NodeProto]:
        """Part the outliers of a product's input from the others, which are put into 8 bits."""
        peaks = self.channels[left].peaks
        outliers = np.sort(np.argsort(-peaks)[: min(_OUTLIERS, len(peaks) // 4)])
        others = np.ones_like(peaks)
        others[outliers] = 0
        self.weights[f"{left}_outliers"] = outliers
        self.weights[f"{left}_others"] = others
        self.weights["channels"] = np.array([-1])
        self.weights["nothing"] = np.array(1e-9, np.float32)
        yield helper.make_node("Gather", [left, f"{left}_outliers"], [f"{left}_large"], axis=-1)
        yield helper.make_node("Mul", [left, f"{left}_others"], [f"{left}_small"])
        yield helper.make_node("Abs", [f"{left}_small"], [f"{left}_sizes"])
        yield helper.make_node("ReduceMax", [f"{left}_sizes", "channels"], [f"{left}_largest"])
        yield helper.make_node("Max", [f"{left}_largest", "nothing"], [f"{left}_size"])
        yield helper.make_node("Div", [f"{left}_small", f"{left}_size"], [f"{left}_even"])
        quantized = [f"{left}_uint8", f"{left}_scale", f"{left}_zero"]
        yield helper.make_node("DynamicQuantizeLinear", [f"{left}_even"], quantized)


def _is_product_of_encoder(node: NodeProto) -> bool:
    scopes = (item.value for item in node.metadata_props if item.key == _SCOPES)
    return node.op_type == "MatMul" and any("'model.encoder'" in scope for scope in scopes)
