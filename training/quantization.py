"""Weights of an ONNX graph in 8 bits, and the encoder's matrix products computed in them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper

Floats = NDArray[np.float32]

_LARGEST = 127
_SMALLEST = 1_000
_SCOPES = "pkg.torch.onnx.name_scopes"
"""Where torch notes the modules that a node belongs to."""


def quantize(model: onnx.ModelProto) -> None:
    """Turn a float32 graph into an int8 one, in place.

    All large weights are stored in 8 bits with one scale a channel. The matrix products of the encoder are computed
    in 8 bits too; the scale of their other operand is that of the window that they read. All else is computed in
    float32.

    Args:
        model: A graph, as ``trace`` makes it.

    """
    graph = model.graph
    quantizer = _Quantizer({tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer})
    nodes = [new for node in graph.node for new in quantizer.rewrite(node)]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    graph.initializer.extend(
        numpy_helper.from_array(value, name) for name, value in quantizer.weights.items() if name in used
    )


class _Quantizer:
    def __init__(self, weights: dict[str, NDArray[np.generic]]) -> None:
        self.weights = weights
        self._done: set[str] = set()

    def rewrite(self, node: NodeProto) -> Iterator[NodeProto]:
        """Give the nodes that stand for a node in the int8 graph."""
        table = 0 if node.op_type == "Gather" else 1
        if node.op_type not in {"Gather", "MatMul", "Gemm"} or not self._is_large(node.input[table]):
            yield node
        elif node.op_type == "Gather":
            yield from self._look_up(node)
        elif node.op_type == "MatMul" and _in_encoder(node):
            yield from self._multiply(node)
        else:
            yield from self._restore(node)

    def _is_large(self, name: str) -> bool:
        weight = self.weights.get(name)
        return weight is not None and weight.ndim == 2 and weight.size >= _SMALLEST

    def _store(self, name: str, axis: int) -> tuple[str, str]:
        """Store a weight in 8 bits with a scale for each index that is not along ``axis``; name both."""
        stored, scale = f"{name}_int8", f"{name}_scale"
        if stored not in self.weights:
            weight = self.weights[name].astype(np.float32)
            scales = np.maximum(np.abs(weight).max(axis, keepdims=True), 1e-9) / _LARGEST
            self.weights[stored] = np.rint(weight / scales).astype(np.int8)
            self.weights[scale] = scales.astype(np.float32)
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
        if f"{name}_restored" not in self._done:
            self._done.add(f"{name}_restored")
            yield helper.make_node("Cast", [stored], [f"{name}_cast"], to=onnx.TensorProto.FLOAT)
            yield helper.make_node("Mul", [f"{name}_cast", scale], [f"{name}_restored"])
        node.input[1] = f"{name}_restored"
        yield node

    def _multiply(self, node: NodeProto) -> Iterator[NodeProto]:
        """Multiply in 8 bits."""
        left, (out,) = node.input[0], node.output
        stored, scale = self._store(node.input[1], axis=0)
        scaled = [f"{left}_uint8", f"{left}_scale", f"{left}_zero"]
        if scaled[0] not in self._done:
            self._done.add(scaled[0])
            yield helper.make_node("DynamicQuantizeLinear", [left], scaled)
        yield helper.make_node("MatMulInteger", [scaled[0], stored, scaled[2]], [f"{out}_int32"])
        yield helper.make_node("Cast", [f"{out}_int32"], [f"{out}_cast"], to=onnx.TensorProto.FLOAT)
        yield helper.make_node("Mul", [scaled[1], scale], [f"{out}_scale"])
        yield helper.make_node("Mul", [f"{out}_cast", f"{out}_scale"], [out])


def _in_encoder(node: NodeProto) -> bool:
    return any("'model.encoder'" in item.value for item in node.metadata_props if item.key == _SCOPES)
