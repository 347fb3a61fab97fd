"""Engines agree with each other, batches change nothing, and the one of ONNX Runtime needs no torch."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from stance import StanceClassifier
from stance.engines import ENGINES, GRAPHS
from stance.engines.onnx import OnnxEngine
from stance.loading import DEFAULT_MODEL, choose_engine
from stance.sentences import split

TEXTS = [
    "Mayor Ada Roy denied the claim.\n\n“It is false,” she said. Critics disagree.\n\nShare this page",
    "One.",
    "The port reopened on Monday. Nobody was hurt, the harbour master said. Dockers accused the firm of lying. " * 6,
    "",
]


def documents(folder, engine, texts=TEXTS):
    return StanceClassifier.from_pretrained(folder, engine=engine).classify(texts)


def pairs(some, others):
    for one, other in zip(some, others, strict=True):
        yield from zip(one.sentences, other.sentences, strict=True)


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_the_float32_engines_give_the_same_scores(exported, tiny, engine):
    for one, other in pairs(documents(exported, engine), tiny.classify(TEXTS)):
        assert [*one.scores.values()] == pytest.approx([*other.scores.values()], abs=1e-4)
        assert one.speaker_confidence == pytest.approx(other.speaker_confidence, abs=1e-4)


def test_the_graph_computes_every_head(exported, tiny):
    windows = [window for text in TEXTS for window in tiny.windower.windows(text, split(text))]
    graph = StanceClassifier.from_pretrained(exported, engine="onnx").engine
    for one, other in zip(graph.run(windows), tiny.engine.run(windows), strict=True):
        for head in ("label", "mention", "name", "target", "tag"):
            assert getattr(one, head).shape == getattr(other, head).shape
            assert np.abs(getattr(one, head) - getattr(other, head)).max() < 1e-3, head


@pytest.mark.parametrize("engine", ["onnx-int8", "torch-bfloat16"])
def test_fewer_bits_stay_close(exported, tiny, engine):
    both = list(pairs(documents(exported, engine), tiny.classify(TEXTS)))
    for one, other in both:
        assert [*one.scores.values()] == pytest.approx([*other.scores.values()], abs=0.05)
    assert any([*one.scores.values()] != pytest.approx([*other.scores.values()], abs=1e-5) for one, other in both)


@pytest.mark.parametrize("is_told", [True, False])
def test_products_of_8_bits_do_not_overflow(tmp_path, monkeypatch, is_told):
    if not is_told:
        monkeypatch.setattr("stance.engines.onnx._CPU", tmp_path / "no such file")
    onnx = pytest.importorskip("onnx", reason="needs the extra export: pip install 'stance[export]'")
    helper = onnx.helper
    states = helper.make_tensor_value_info("states", onnx.TensorProto.UINT8, [16, 64])
    product = helper.make_tensor_value_info("product", onnx.TensorProto.INT32, [16, 8])
    values = {"weight": np.full((64, 8), 127, np.int8), "nought": np.uint8(0), "zero": np.int8(0)}
    constants = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    # ONNX Runtime 1.23, the last for Python 3.10, aborts without zero points, unless the product is fused with what
    # follows it, as all are in the default model's graph.
    node = helper.make_node("MatMulInteger", ["states", "weight", "nought", "zero"], ["product"])
    graph = helper.make_graph([node], "product", [states], [product], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), tmp_path / "m.onnx")
    session = OnnxEngine(tmp_path / "m.onnx").session
    assert (session.run(None, {"states": np.full((16, 64), 255, np.uint8)})[0] == 64 * 255 * 127).all()


@pytest.mark.parametrize(("engine", "tolerance"), [("onnx-int8", 1e-3), ("onnx", 1e-4), ("torch", 1e-4)])
def test_batches_change_nothing(exported, engine, tolerance):
    classifier = StanceClassifier.from_pretrained(exported, engine=engine)
    for one, other in pairs(classifier.classify(TEXTS), [classifier.classify(text) for text in TEXTS]):
        assert one.label == other.label
        assert one.speaker == other.speaker or one.speaker.name == other.speaker.name
        assert [*one.scores.values()] == pytest.approx([*other.scores.values()], abs=tolerance)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_any_number_of_windows_is_computed_in_order(exported, tiny, count):
    windows = [tiny.windower.windows(text, split(text))[0] for text in (TEXTS * 2) if text][:count]
    graph = StanceClassifier.from_pretrained(exported, engine="onnx").engine
    computed = list(graph.run(iter(windows)))
    assert [len(logits.tag) for logits in computed] == [len(window) for window in windows]


def test_the_fastest_engine_that_has_its_file_is_chosen(tmp_path, monkeypatch):
    monkeypatch.delenv("STANCE_ENGINE", raising=False)
    (tmp_path / "model.safetensors").touch()
    assert choose_engine(tmp_path, None, None) == "torch"
    for name in reversed(GRAPHS):
        (tmp_path / GRAPHS[name]).touch()
        assert choose_engine(tmp_path, None, None) == name
        for processor in ("cpu", "CPU", "cpu:0", torch.device("cpu"), torch.device("cpu", 0)):
            assert choose_engine(tmp_path, processor, None) == name
    assert choose_engine(tmp_path, "cuda", None) == "torch"
    monkeypatch.setenv("STANCE_ENGINE", "torch")
    assert choose_engine(tmp_path, "cpu", None) == "torch"
    assert choose_engine(tmp_path, "cpu", "onnx") == "onnx"


@pytest.mark.parametrize(
    ("device", "engine", "error", "message"),
    [
        (None, "tensorflow", ValueError, f"the engines are {', '.join(ENGINES)}"),
        ("cuda", "onnx", ValueError, "runs on the processor, not on 'cuda'"),
        (None, "onnx-int8", FileNotFoundError, r"lacks model_int8\.onnx.*stance export .* --int8"),
        (None, "onnx", FileNotFoundError, r"lacks model\.onnx.*stance export"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(tmp_path, device, engine, error, message):
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(error, match=message):
        choose_engine(tmp_path, device, engine)


def test_a_folder_without_torch_weights_says_so(tmp_path):
    (tmp_path / "model_int8.onnx").touch()
    with pytest.raises(FileNotFoundError, match=r"lacks model\.safetensors"):
        choose_engine(tmp_path, None, "torch")


def test_an_onnx_process_imports_neither_torch_nor_transformers(exported):
    assert imported_by(str(exported)) == []


@pytest.mark.skipif(
    not (DEFAULT_MODEL / GRAPHS["onnx-int8"]).is_file(), reason="the embedded model has no int8 graph; stance export"
)
def test_the_default_model_imports_neither_torch_nor_transformers():
    assert imported_by(None) == []


def imported_by(model):
    code = (
        "import json, sys, stance\n"
        "stance.load(json.loads(sys.argv[1])).classify('The mayor denied it.')\n"
        "print(json.dumps(sorted({'torch', 'transformers', 'scipy', 'pandas'} & set(sys.modules))))"
    )
    command = [sys.executable, "-c", code, json.dumps(model)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
