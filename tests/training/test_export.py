"""Exported folders are whole, carry nothing of the machine that made them, and are small in int8."""

import json
import math
import shutil

import pytest

from stance.cli import main
from stance.engines import GRAPHS
from stance.loading import FILES, WEIGHTS
from tests.conftest import SMALLEST

onnx = pytest.importorskip("onnx", reason="needs the extra export: pip install 'stance[export]'")


def test_int8_stores_a_byte_a_weight(exported):
    sizes = {name: (exported / file).stat().st_size for name, file in GRAPHS.items()}
    assert sizes["onnx-int8"] < sizes["onnx"]
    graph = onnx.load(exported / GRAPHS["onnx-int8"]).graph
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type in {"DynamicQuantizeMatMul", "MatMulIntegerToFloat"}]
    assert {types[node.input[1]] for node in products} == {onnx.TensorProto.INT8}


def test_small_layers_stay_in_float32(exported):
    weights = onnx.load(exported / GRAPHS["onnx-int8"]).graph.initializer
    sizes = [math.prod(weight.dims) for weight in weights if weight.data_type == onnx.TensorProto.INT8]
    assert sizes
    assert min(sizes) >= SMALLEST


@pytest.mark.parametrize("file", GRAPHS.values())
def test_the_graph_tells_nothing_about_the_machine(exported, file):
    content = (exported / file).read_bytes()
    assert b"site-packages" not in content
    assert b".py" not in content


@pytest.mark.parametrize("file", GRAPHS.values())
def test_the_sizes_of_a_window_are_open(exported, file):
    inputs = {value.name: value.type.tensor_type.shape.dim for value in onnx.load(exported / file).graph.input}
    assert set(inputs) == {"input_ids", "surface_ids", "sentence_ids", "numbers"}
    assert all(size.dim_param and not size.dim_value for sizes in inputs.values() for size in sizes)


def test_a_model_without_torch_weights_is_refused(exported, tmp_path):
    from training.export import export

    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", GRAPHS["onnx"]):
        (tmp_path / name).write_bytes((exported / name).read_bytes())
    with pytest.raises(FileNotFoundError, match=r"lacks model\.safetensors"):
        export(tmp_path, tmp_path / "out")


def test_no_weights_of_another_model_stay_beside_the_graph(exported, tmp_path):
    from training.export import write

    for name in WEIGHTS:
        (tmp_path / name).write_bytes(b"another network")
    write(onnx.load(exported / GRAPHS["onnx"]), exported, tmp_path, int8=False)
    assert {file.name for file in tmp_path.iterdir()} == {*FILES, GRAPHS["onnx"]}


def test_the_model_card_goes_with_the_graph(exported, tmp_path):
    from training.export import write

    source = shutil.copytree(exported, tmp_path / "source")
    (source / "README.md").write_text("A card.")
    write(onnx.load(exported / GRAPHS["onnx"]), source, tmp_path / "out", int8=False)
    assert (tmp_path / "out" / "README.md").read_text() == "A card."


def test_int8_is_fitted_to_a_sample(exported, tmp_path, monkeypatch):
    monkeypatch.setattr("training.quantization._SMALLEST", SMALLEST)
    sample = tmp_path / "sample.jsonl"
    sample.write_text(json.dumps({"text": "Ada denied it. Bob had accused her.", "sentences": []}) + "\n")
    command = ["export", str(exported), "-o", str(tmp_path / "out"), "--int8", "--sample", str(sample)]
    assert main(command) == 0
    own, fitted = (folder / GRAPHS["onnx-int8"] for folder in (exported, tmp_path / "out"))
    assert own.read_bytes() != fitted.read_bytes()


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("", ["--int8"], "has no article that int8 could be fitted to"),
        ('{"text": " ", "sentences": []}\n', ["--int8"], "the sample has no sentence"),
        ("", [], "add --int8"),
    ],
)
def test_a_sample_that_fits_nothing_is_refused(exported, tmp_path, capsys, content, more, message):
    (tmp_path / "sample.jsonl").write_text(content)
    sample = ["--sample", str(tmp_path / "sample.jsonl")]
    assert main(["export", str(exported), "-o", str(tmp_path / "out"), *more, *sample]) != 0
    assert message in capsys.readouterr().err
