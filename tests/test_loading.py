"""Model folders: what is broken, cut short, exchanged or outside is refused, and nothing in one is ever run."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import stance
from stance.integrity import ModelError
from stance.loading import FILES, WEIGHTS, find_folder

MODEL = (*FILES, WEIGHTS[0])


@pytest.fixture
def folder(tiny, tmp_path):
    """A whole model folder, to be broken."""
    return Path(shutil.copytree(tiny.folder, tmp_path / "model"))


def change(file, **values):
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | values), encoding="utf-8")


@pytest.mark.parametrize("name", MODEL)
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content.rstrip()[:-1],
        lambda content: b"\x80\x04" + content,
        lambda content: b"[]",
        lambda content: b"{}",
    ],
    ids=["emptied", "half", "last byte gone", "prefixed", "a list", "an empty object"],
)
def test_a_damaged_file_is_refused_by_name(folder, name, damage):
    file = folder / name
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(ModelError, match=name):
        stance.load(folder)


@pytest.mark.parametrize("name", MODEL)
def test_a_missing_file_is_refused_by_name(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"lacks {name}"):
        stance.load(folder)


@pytest.mark.parametrize("name", WEIGHTS[1:])
@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\x0a" * 50])
def test_a_damaged_graph_is_refused_by_name(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=name):
        stance.load(folder)


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.0},
        {"temperature": None},
        {"temperature": float("nan")},
        {"label_bias": [0.0, 0.0, 0.0]},
        {"label_bias": [0.0, 0.0, float("inf"), 0.0]},
        {"label_bias": 1.0},
        {"label_weights": None},
        {"author_threshold": 50.0},
        {"label_weights": [1.0, 1.0, 1.0]},
        {"label_weights": [1.0, 1.0, -1.0, 1.0]},
        {"speaker_calibration": [1.0]},
        {"window": 64, "overlap": 64},
        {"window": "64"},
        {"window": 64.0, "overlap": 8},
        {"window": 2, "overlap": 0},
        {"window": True, "overlap": 0},
        {"windows": 64},
    ],
)
def test_settings_that_mean_nothing_are_refused(folder, settings):
    change(folder / "config.json", settings=settings)
    with pytest.raises(ModelError, match=r"config\.json is broken"):
        stance.load(folder)


@pytest.mark.parametrize(
    ("tamper", "message"),
    [
        (lambda weights: weights.pop("label.bias"), "differs in label.bias"),
        (lambda weights: weights.update(extra=torch.zeros(1)), "differs in extra"),
        (lambda weights: weights.update({"label.bias": torch.zeros(7)}), r"model\.safetensors is broken"),
        (lambda weights: weights["label.bias"].fill_(torch.nan), "not every number of label.bias is finite"),
    ],
    ids=["lacking", "superfluous", "another shape", "not finite"],
)
def test_weights_that_do_not_fit_are_refused(folder, tamper, message):
    weights = load_file(folder / "model.safetensors")
    tamper(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=message):
        stance.load(folder)


@pytest.mark.parametrize("device", ["cpu", "CPU", "cpu:0", torch.device("cpu"), torch.device("cpu", 0)])
def test_every_spelling_of_the_processor_is_the_processor(folder, device):
    assert stance.load(folder, device=device).classify("It rained.").sentences


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "", "cpus"])
def test_a_device_that_is_not_there_is_refused_by_name(folder, device):
    with pytest.raises(ValueError, match=f"^device '{device}': .*; leave it out to use the processor$"):
        stance.load(folder, device=device)


def test_a_tokenizer_of_another_model_is_refused(folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model.safetensors")
    config["encoder"]["vocab_size"] = 8
    name = "encoder.embeddings.word_embeddings.weight"
    weights[name] = weights[name][:8].clone()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match="the encoder only 8"):
        stance.load(folder)


@pytest.mark.parametrize(
    "model",
    [
        *("..", "../..", "owner/..", "../name", "./a/b", "/etc", "~/m", "a/b/c", "owner/", "/name", "owner/na..me"),
        *("owner\\..", "owner/na me", "owner/name\n", "owner/\0", "", "a/-b", "C:/x:y", "https://hub/x"),
    ],
)
def test_what_is_no_hub_id_is_never_fetched(model, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stance.loading._fetch", lambda repository: pytest.fail(f"fetched {repository!r}"))
    with pytest.raises(FileNotFoundError):
        find_folder(model)


@pytest.mark.parametrize("model", ["a--b/c", "owner/name.git", "owner/name-"])
def test_what_the_hub_refuses_is_not_found(model, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="cannot be had from the hub"):
        find_folder(model)


class Evil:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (Path.touch, (self.trace,))


def test_a_pickle_in_the_folder_is_not_read(folder, tmp_path):
    trace = tmp_path / "was-run"
    for name in ("pytorch_model.bin", "model.bin", "training_args.bin"):
        (folder / name).write_bytes(pickle.dumps(Evil(trace)))
    stance.load(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"lacks model\.safetensors"):
        stance.load(folder)
    assert not trace.exists()


def test_code_in_the_folder_is_not_run(folder, tmp_path):
    trace = tmp_path / "was-run"
    (folder / "evil.py").write_text(f"open({str(trace)!r}, 'w')\nclass Model: pass\nConfig = Model\n", encoding="utf-8")
    remote = {"AutoModel": "evil.Model", "AutoConfig": "evil.Config", "AutoTokenizer": "evil.Model"}
    change(folder / "config.json", auto_map=remote)
    change(folder / "tokenizer_config.json", auto_map=remote)
    stance.load(folder).classify("It rained.")
    assert not trace.exists()


def test_loading_unpickles_nothing(folder, monkeypatch):
    for module, name in ((pickle, "load"), (pickle, "loads"), (torch, "load")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("something was unpickled"))
    assert stance.load(folder).classify("It rained.").sentences
