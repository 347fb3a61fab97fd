"""Rounding that is fitted to texts errs less on what goes together as it does there; split channels add up."""

import numpy as np
import onnxruntime
import pytest
import torch
from transformers import AutoConfig

from stance.engines.onnx import inputs
from stance.modeling import StanceConfig, StanceModel
from stance.windows import Window

pytest.importorskip("onnx", reason="needs the extra export: pip install 'stance[export]'")


def test_fitted_rounding_errs_less_than_plain_rounding():
    from training.quantization import round_fitted

    random = np.random.default_rng(13)
    # A few sources move all channels, so that they go together.
    states = random.normal(size=(500, 6)) @ random.normal(size=(6, 32)) + 0.1 * random.normal(size=(500, 32))
    weight = random.normal(size=(32, 16)).astype(np.float32)
    scales = np.abs(weight).max(0, keepdims=True) / 127
    fitted = round_fitted(weight, scales, states.T @ states)
    plain = np.rint(weight / scales)
    assert np.abs(fitted - plain).max() <= 3  # steps
    error, before = (np.linalg.norm(states @ (weight - steps * scales)) for steps in (fitted, plain))
    assert error < 0.6 * before


def test_the_parts_of_a_channel_add_up_and_are_as_small_as_the_other_channels():
    from training.quantization import Parts

    random = np.random.default_rng(13)
    states = random.normal(size=(500, 64)).astype(np.float32).clip(-2, 2)
    states[:, [7, 40]] *= [9, 3]
    peaks = np.abs(states).max(0)
    parts = Parts.of(peaks)
    split = parts.split(states)
    assert np.abs(split).max() < 1.5 * np.median(peaks)
    kept, own = split[:, :64], split[:, 64:]
    whole = kept + np.stack([own[:, parts.channels == channel].sum(1) for channel in range(64)], 1)
    assert whole == pytest.approx(states, abs=1e-5)


def test_what_is_larger_than_in_the_sample_is_not_lost():
    from training.quantization import Parts

    parts = Parts.of(np.array([8, 1, 1, 1, 1, 1, 1, 1], np.float32))
    split = parts.split(np.array([[100, 5, 0, 0, 0, 0, 0, -3]], np.float32))
    assert split.sum() == pytest.approx(102)


@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_the_products_of_an_encoder_are_computed_in_8_bits_and_stay_close(kind):
    from training.export import trace
    from training.quantization import quantize

    torch.manual_seed(0)
    sizes = {"vocab_size": 60, "hidden_size": 128, "num_hidden_layers": 1, "num_attention_heads": 2}
    special = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
    encoder = AutoConfig.for_model(kind, **sizes, intermediate_size=96, max_position_embeddings=64, **special)
    graph = trace(StanceModel(StanceConfig(encoder=encoder.to_dict(), pointer_size=8)).eval())
    ids, sentences = np.arange(1, 13), np.array([-1, *[0] * 5, *[1] * 6])
    window = Window(ids, np.zeros(12, np.int64), sentences, np.zeros((12, 2), np.int64), 0, (0, 2))
    results = []
    for is_int8 in (False, True):
        if is_int8:
            quantize(graph, [window])
        session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
        results.append(session.run(["label"], inputs(window))[0])
    assert sum(node.op_type == "MatMulInteger" for node in graph.graph.node) >= 4
    assert 0 < np.abs(results[0] - results[1]).max() < 0.05
