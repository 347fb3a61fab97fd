"""Weights of an ONNX graph in 8 bits, and the encoder's matrix products computed in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

_PARTS = 24
"""Parts that are split off the largest channels of a normalised input."""

_DAMPING = 0.03
"""Added to the mean square of each channel, in parts of the average: a few texts tell little of what goes together."""

_SCOPES = "pkg.torch.onnx.name_scopes"
"""Where torch notes the modules that a node belongs to."""


def quantize(model: ModelProto, windows: Sequence[Window]) -> None:
    """Turn a float32 graph into an int8 one, in place.

    All large weights are stored in 8 bits with one scale a channel. The matrix products of the encoder are computed
    in 8 bits too. A layer norm makes a few channels many times as large as the others (Kovaleva et al., 2021,
    https://arxiv.org/abs/2105.06990), which would set the scale of all: they are split into parts (Zhao et al., 2019,
    https://arxiv.org/abs/1901.09504), here by size, so that the parts of a number are as fine as any other. Inputs
    that no layer norm gives have a scale for each token. The weights of these products are rounded so that one error
    makes up for another (Frantar et al., 2023, https://arxiv.org/abs/2210.17323). All else is computed in float32.

    Args:
        model: A graph, as ``trace`` makes it.
        windows: Windows of text, one at least: what the encoder computes of them shows which channels are large, and
            which go together. The more, and the more alike to what will be read, the closer the answers are to float32.

    """
    graph = model.graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    products = [node for node in graph.node if _is_product_of_encoder(node) and node.input[1] in weights]
    names = list(dict.fromkeys(node.input[0] for node in products))
    normalised = {out for node in graph.node if node.op_type == "LayerNormalization" for out in node.output}
    peaks: dict[str, Floats] = {}
    for name, states in _states(model, names, windows):
        peaks[name] = np.maximum(peaks.get(name, 0), np.abs(states).max(0))
    parts = {name: Parts.of(peaks[name]) for name in names if name in normalised}
    moments: dict[str, Floats] = {}
    for name, states in _states(model, names, windows):
        multiplied = parts[name].split(states) if name in parts else states
        moments[name] = moments.get(name, 0) + multiplied.T @ multiplied
    quantizer = _Quantizer(weights, parts, moments)
    nodes = [new for node in graph.node for new in quantizer.rewrite(node)]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    graph.initializer.extend(
        numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in weights.items() if name in used
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """What is split off the largest of K channels, so that none is much larger than the others.

    Args:
        kept: The size up to which a number stays in its channel, infinite for most channels, (K,).
        channels: The channel that each of P parts is split off, (P,).
        lower: The size from which on a number counts in that part, (P,).
        upper: The size up to which it does, infinite for the last part of a channel, (P,).

    """

    kept: Floats
    channels: NDArray[np.int64]
    lower: Floats
    upper: Floats

    @classmethod
    def of(cls, peaks: Floats) -> Parts:
        """Split the channel that is largest, again and again.

        Args:
            peaks: The largest size of each channel, (K,).

        Returns:
            The parts.

        """
        counts = np.ones(len(peaks), np.int64)
        for _ in range(min(_PARTS, len(peaks) // 4)):
            counts[np.argmax(peaks / counts)] += 1
        size = max(float((peaks / counts).max()), 1e-9)
        more = counts - 1
        numbers = np.concatenate([np.arange(1, count) for count in counts])
        upper = np.where(numbers == more.repeat(more), np.inf, (numbers + 1) * size)
        kept = np.where(more > 0, size, np.inf)
        channels = np.arange(len(peaks)).repeat(more)
        return cls(kept.astype(np.float32), channels, (numbers * size).astype(np.float32), upper.astype(np.float32))

    def split(self, states: Floats) -> Floats:
        """Split what is multiplied, as the graph does.

        Args:
            states: (T, K).

        Returns:
            What stays in the channels, then the parts, (T, K + P); both together add up to the states.

        """
        large = states[:, self.channels]
        parts = large.clip(-self.upper, self.upper) - large.clip(-self.lower, self.lower)
        return np.concatenate([states.clip(-self.kept, self.kept), parts], axis=1)


def _states(model: ModelProto, names: Sequence[str], windows: Iterable[Window]) -> Iterator[tuple[str, Floats]]:
    """Give what the encoder multiplies in some windows, by name."""
    probe = ModelProto()
    probe.CopyFrom(model)
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    for window in windows:
        yield from ((name, states[0]) for name, states in zip(names, session.run(names, inputs(window)), strict=True))


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
        parts: Those that normalised inputs of products are split into, by name.
        moments: The products of each channel of an input, or part, with each, summed up over all tokens, by name.

    """

    def __init__(
        self, weights: dict[str, NDArray[np.generic]], parts: Mapping[str, Parts], moments: Mapping[str, Floats]
    ) -> None:
        self.weights = weights
        self.parts = parts
        self.moments = moments
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
        """Multiply in 8 bits."""
        (left, right), (out,) = node.input, node.output
        if left not in self._done:
            self._done.add(left)
            yield from self._split(left) if left in self.parts else self._divide(left)
        if left in self.parts:
            weight = self.weights[right]
            right = f"{right}_{left}_split"
            self.weights[right] = np.concatenate([weight, weight[self.parts[left].channels]])
        stored, scale = self._store(right, axis=0, moments=self.moments[left])
        yield helper.make_node("MatMulInteger", [f"{left}_uint8", stored, f"{left}_zero"], [f"{out}_int32"])
        yield helper.make_node("Cast", [f"{out}_int32"], [f"{out}_cast"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Mul", [f"{left}_scale", scale], [f"{out}_scale"])
        if left in self.parts:
            yield helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out])
        else:
            yield helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [f"{out}_even"])
            yield helper.make_node("Mul", [f"{out}_even", f"{left}_size"], [out])

    def _split(self, left: str) -> Iterator[NodeProto]:
        """Put a normalised input into 8 bits, its largest channels split."""
        parts, large = self.parts[left], f"{left}_large"
        self.weights[f"{left}_channels"] = parts.channels
        yield helper.make_node("Gather", [left, f"{left}_channels"], [large], axis=-1)
        for states, name, bounds in (
            (left, "kept", parts.kept),
            (large, "lower", parts.lower),
            (large, "upper", parts.upper),
        ):
            self.weights[f"{left}_{name}"], self.weights[f"{left}_{name}_below"] = bounds, -bounds
            yield helper.make_node("Max", [states, f"{left}_{name}_below"], [f"{left}_{name}_half"])
            yield helper.make_node("Min", [f"{left}_{name}_half", f"{left}_{name}"], [f"{left}_{name}_cut"])
        yield helper.make_node("Sub", [f"{left}_upper_cut", f"{left}_lower_cut"], [f"{left}_parts"])
        yield helper.make_node("Concat", [f"{left}_kept_cut", f"{left}_parts"], [f"{left}_split"], axis=-1)
        yield self._quantize(f"{left}_split", left)

    def _divide(self, left: str) -> Iterator[NodeProto]:
        """Put an input into 8 bits, each token divided by its size."""
        self.weights["channels"] = np.array([-1])
        self.weights["nothing"] = np.array(1e-9, np.float32)
        yield helper.make_node("Abs", [left], [f"{left}_sizes"])
        yield helper.make_node("ReduceMax", [f"{left}_sizes", "channels"], [f"{left}_largest"])
        yield helper.make_node("Max", [f"{left}_largest", "nothing"], [f"{left}_size"])
        yield helper.make_node("Div", [left, f"{left}_size"], [f"{left}_divided"])
        yield self._quantize(f"{left}_divided", left)

    def _quantize(self, states: str, left: str) -> NodeProto:
        quantized = [f"{left}_uint8", f"{left}_scale", f"{left}_zero"]
        return helper.make_node("DynamicQuantizeLinear", [states], quantized)


def _is_product_of_encoder(node: NodeProto) -> bool:
    scopes = (item.value for item in node.metadata_props if item.key == _SCOPES)
    return node.op_type == "MatMul" and any("'model.encoder'" in scope for scope in scopes)
