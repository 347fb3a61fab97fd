"""Training from a recipe: it learns, it resumes after a kill to the same result, and it fine-tunes what it made."""

import json
import math
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, AutoTokenizer

from stance import StanceClassifier, labelled
from stance.modeling import StanceModel
from stance.settings import Settings
from training.configuration import ConfigurationError, LossWeights, Recipe, Source, read_recipe
from training.data import features
from training.train import claim, held_out, initialise, load, parameter_groups, train


@pytest.fixture
def recipe(tmp_path):
    return read_recipe("configs/smoke.yaml").model_copy(update={"output": str(tmp_path / "run")})


def further(recipe, model, output):
    """A recipe that trains a Stance model further, without the keys that say what a new one is like."""
    values = recipe.model_dump(mode="json", exclude_unset=True, exclude={"pretrained", "pointer_size"})
    return Recipe.model_validate_json(json.dumps(values | {"model": str(model), "output": str(output)}))


def test_a_recipe_makes_a_model_that_loads_and_classifies(recipe):
    folder = train(recipe)
    doc = StanceClassifier.from_pretrained(folder).classify("Ada Roy denied it. She said so.")
    assert len(doc.sentences) == 2
    assert "tiny-encoder" not in (folder / "config.json").read_text(encoding="utf-8")
    assert all(value.dtype == torch.float16 for value in load_file(folder / "model.safetensors").values())


def test_a_killed_run_resumes_to_the_same_weights(recipe, tmp_path, train_until_killed):
    whole = load_file(train(recipe) / "model.safetensors")
    cut = recipe.model_copy(update={"output": str(tmp_path / "cut")})
    train_until_killed(cut)
    resumed = load_file(train(cut) / "model.safetensors")
    assert whole.keys() == resumed.keys()
    for name, value in whole.items():
        assert torch.equal(value, resumed[name]), name


@pytest.mark.slow
def test_processes_that_are_killed_at_any_moment_end_with_the_same_weights(recipe, tmp_path):
    def start(name):
        values = recipe.model_dump(mode="json", exclude_unset=True) | {"output": str(tmp_path / name)}
        values["stages"][0]["epochs"] = 6
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
        return subprocess.Popen([sys.executable, "-m", "training.train", tmp_path / f"{name}.yaml"])

    began = time.monotonic()
    assert start("whole").wait() == 0
    took = time.monotonic() - began
    chance = random.Random(5)
    killed = 0
    for _ in range(5):
        process = start("cut")
        try:
            process.wait(chance.uniform(0.4, 0.9) * took)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    assert start("cut").wait() == 0
    assert killed > 1
    assert (tmp_path / "cut/model/model.safetensors").read_bytes() == (
        tmp_path / "whole/model/model.safetensors"
    ).read_bytes()


def test_a_folder_is_that_of_one_recipe(recipe):
    wrong = recipe.model_copy(update={"model": "no/such/encoder"})
    with pytest.raises(OSError, match="no/such/encoder"):
        train(wrong)
    claim(Path(recipe.output), recipe, processes=1)
    initialise(recipe, Path(recipe.output) / "start")
    claim(Path(recipe.output), recipe.model_copy(update={"calibration_fold": 3}), processes=1)
    claim(Path(recipe.output), recipe.model_copy(update={"batch_size": recipe.batch_size // 2}), processes=2)
    with pytest.raises(ConfigurationError, match="delete the folder or name another output"):
        train(recipe.model_copy(update={"seed": recipe.seed + 1}))


def test_a_folder_is_that_of_its_data(recipe, tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_bytes(Path(recipe.evaluation).read_bytes())
    own = recipe.model_copy(update={"evaluation": str(path)})
    claim(Path(own.output), own, processes=1)
    initialise(own, Path(own.output) / "start")
    claim(Path(own.output), own, processes=1)
    labelled.write(path, labelled.read(path)[:1])
    with pytest.raises(ConfigurationError, match="or of other data"):
        train(own)


def test_windows_that_the_encoder_cannot_read_are_refused_at_the_start(recipe):
    with pytest.raises(ConfigurationError, match="cannot read a window of 4096 tokens"):
        train(recipe.model_copy(update={"window": 4096}))


@pytest.mark.parametrize("missing", ["id", "another's"])
def test_articles_that_could_not_be_scored_are_refused_at_the_start(recipe, tmp_path, missing):
    one = labelled.read(recipe.evaluation)[0]
    lines = [one, one] if missing == "another's" else [{key: value for key, value in one.items() if key != "id"}]
    labelled.write(tmp_path / "own.jsonl", lines)
    with pytest.raises(ValueError, match=r"has no id|is already on line 1"):
        train(recipe.model_copy(update={"evaluation": str(tmp_path / "own.jsonl")}))
    assert not (Path(recipe.output) / "start").exists()


def test_a_stage_with_nothing_to_learn_from_is_named(recipe, tmp_path):
    labelled.write(tmp_path / "empty.jsonl", [])
    source = Source(reader="labelled", path=str(tmp_path / "empty.jsonl"))
    stage = recipe.stages[0].model_copy(update={"sources": [source]})
    with pytest.raises(ConfigurationError, match=f"the stage '{stage.name}' has nothing to learn from"):
        train(recipe.model_copy(update={"stages": [stage]}))


def test_the_environment_chooses_no_engine_for_a_new_model(recipe, monkeypatch):
    monkeypatch.setenv("STANCE_ENGINE", "onnx")
    assert load(train(recipe)).classify("Ada Roy denied it.").sentences


def test_heads_learn_faster_and_lower_layers_slower(recipe):
    model = StanceModel.from_pretrained(train(recipe))
    layered = recipe.model_copy(update={"layer_decay": 0.5})
    stage = recipe.stages[0].model_copy(update={"learning_rate": 1.0, "head_rate": 4.0})
    rates = {id(p): group["lr"] for group in parameter_groups(model, layered, stage) for p in group["params"]}
    assert rates[id(model.label.weight)] == 4.0
    assert rates[id(model.encoder.encoder.layer[-1].output.dense.weight)] == 0.5
    assert rates[id(model.encoder.get_input_embeddings().weight)] == 0.5 ** (len(model.encoder.encoder.layer) + 1)


def test_training_goes_on_from_a_stance_model(recipe, tmp_path):
    again = further(recipe, train(recipe), tmp_path / "again")
    assert StanceClassifier.from_pretrained(train(again)).classify("So.").sentences


def test_a_model_trained_further_reads_in_the_windows_that_it_had(recipe, tmp_path):
    initialise(recipe, tmp_path / "first")
    again = further(recipe, tmp_path / "first", tmp_path / "again")
    settings = Settings.read(train(again.model_copy(update={"window": None, "overlap": None})))
    assert (settings.window, settings.overlap) == (recipe.window, recipe.overlap)


@pytest.mark.parametrize("changes", [{"pretrained": False}, {"dropout": 0.3}, {"pointer_size": 16}])
def test_what_a_stance_model_has_already_is_refused(recipe, tmp_path, changes):
    initialise(recipe, tmp_path / "first")
    again = further(recipe, tmp_path / "first", tmp_path / "again").model_copy(update=changes)
    with pytest.raises(ConfigurationError, match=next(iter(changes))):
        train(again)


def test_a_model_starts_without_the_tokens_that_its_encoder_reserves(recipe, tmp_path):
    encoder, folder = tmp_path / "encoder", tmp_path / "start"
    AutoModel.from_config(AutoConfig.from_pretrained(recipe.model)).save_pretrained(encoder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(Path(recipe.model, name), encoder)
    tokens = AutoTokenizer.from_pretrained(encoder).get_vocab()
    file = encoder / "tokenizer.json"
    text = file.read_text(encoding="utf-8")
    assert '"a":' in text
    file.write_text(text.replace('"a":', '"[unused0]":'), encoding="utf-8")
    initialise(recipe.model_copy(update={"model": str(encoder), "pretrained": True}), folder)
    before, after = (load_file(place / "model.safetensors") for place in (encoder, folder))
    new = AutoTokenizer.from_pretrained(folder).get_vocab()
    assert new.keys() == tokens.keys() - {"a"}
    name = "embeddings.word_embeddings.weight"
    for token, number in new.items():
        assert torch.equal(after[f"encoder.{name}"][number], before[name][tokens[token]]), token


def test_an_epoch_reads_a_share_of_the_plain_windows_but_all_of_some_sources(recipe, tmp_path):
    lines = [{"id": f"{i}", "text": "So.", "sentences": [{"start": 0, "end": 3, "label": "none"}]} for i in range(64)]
    labelled.write(tmp_path / "plain.jsonl", lines)
    source = Source(reader="labelled", path=str(tmp_path / "plain.jsonl"))
    every = source.model_copy(update={"every_window": True})
    steps = []
    for number, (sources, share) in enumerate([([source], 1.0), ([source], 0.25), ([source, every], 0.25)]):
        stage = recipe.stages[0].model_copy(update={"sources": sources, "epochs": 1, "plain_share": share})
        output = tmp_path / f"{number}"
        train(recipe.model_copy(update={"stages": [stage], "output": str(output)}))
        (checkpoint,) = (output / "stance-checkpoints").glob("checkpoint-*")
        steps.append(int(checkpoint.name.partition("-")[2]))
    assert steps == [windows / recipe.batch_size for windows in (64, 16, 16 + 64)]


def test_a_stage_may_start_from_the_mean_of_stages(recipe):
    stages = [recipe.stages[0].model_copy(update={"name": name, "epochs": 1}) for name in ("first", "second")]
    # So slow a stage ends where it starts.
    last = stages[0].model_copy(update={"name": "last", "start": ["first", "second"], "learning_rate": 1e-12})
    output = train(recipe.model_copy(update={"stages": [*stages, last]})).parent
    first, second, mean = (load_file(output / place / "model.safetensors") for place in ("first", "second", "last"))
    name = "label.weight"
    assert not torch.equal(first[name], second[name])
    torch.testing.assert_close(mean[name], (first[name] + second[name]) / 2)


def test_a_calibration_fold_is_kept_out_and_fits_the_settings(recipe, tmp_path):
    lines = [{**line, "fold": fold} for fold, line in enumerate(labelled.read("tests/fixtures/tiny.jsonl"))]
    labelled.write(tmp_path / "folds.jsonl", lines)
    source = recipe.stages[0].sources[0].model_copy(update={"path": str(tmp_path / "folds.jsonl")})
    stage = recipe.stages[0].model_copy(update={"sources": [source], "epochs": 1})
    own = recipe.model_copy(update={"stages": [stage], "calibration_fold": 1})
    assert [line["id"] for line in held_out(own)] == [lines[1]["id"]]
    folder = train(own)
    assert folder.name == "model-without-fold-1"
    assert Settings.read(folder).temperature != Settings().temperature


def test_no_reader_gives_an_article_of_the_calibration_fold(recipe, tmp_path, monkeypatch):
    lines = [{**line, "fold": fold} for fold, line in enumerate(labelled.read("tests/fixtures/tiny.jsonl"))]
    labelled.write(tmp_path / "labelled.jsonl", lines)
    labelled.write(tmp_path / "polnear.jsonl", [{"text": f"{line['text']}\n", "attributions": []} for line in lines])
    stages = [
        recipe.stages[0].model_copy(
            update={
                "name": reader,
                "sources": [Source(reader=reader, path=str(tmp_path / f"{reader}.jsonl"))],
                "epochs": 1,
            }
        )
        for reader in ("polnear", "labelled")
    ]
    learned_from = []

    def spy(articles, windower):
        learned_from.append([article.text.strip() for article in articles])
        return features(articles, windower)

    monkeypatch.setattr("training.train.features", spy)
    folder = train(recipe.model_copy(update={"stages": stages, "calibration_fold": 1}))
    assert learned_from == [[line["text"].strip() for line in lines if line["fold"] != 1]] * 2
    assert (folder.parent / "polnear-without-fold-1").is_dir()


CHANGES = [
    {"label_weights": (1.0, 5.0, 5.0, 1.0)},
    {"layer_decay": 0.5},
    {"stages": {"word_dropout": 0.5}},
    {"stages": {"renaming": 1.0}},
    {"stages": {"head_rate": 4.0}},
    {"stages": {"averaging": 0.0}},
    {"stages": {"loss_weights": LossWeights(name=5.0)}},
]


def learned(recipe, output, changes):
    """The weights of the first stage after an epoch."""
    stage = recipe.stages[0].model_copy(update={"epochs": 1, **changes.get("stages", {})})
    own = recipe.model_copy(update={**changes, "stages": [stage], "output": str(output)})
    return load_file(train(own).parent / stage.name / "model.safetensors")


@pytest.mark.slow
def test_every_key_of_a_recipe_changes_what_is_learned(recipe, tmp_path):
    plain = learned(recipe, tmp_path / "plain", {})
    start = load_file(tmp_path / "plain" / "start" / "model.safetensors")
    assert not torch.equal(plain["label.weight"], start["label.weight"])
    for number, changes in enumerate(CHANGES):
        other = learned(recipe, tmp_path / str(number), changes)
        assert any(not torch.equal(value, other[name]) for name, value in plain.items()), changes


def test_biases_and_norms_do_not_decay(recipe, tmp_path):
    initialise(recipe, tmp_path / "start")
    model = StanceModel.from_pretrained(tmp_path / "start")
    groups = parameter_groups(model, recipe.model_copy(update={"weight_decay": 0.5}), recipe.stages[0])
    decay = {id(parameter): group["weight_decay"] for group in groups for parameter in group["params"]}
    assert decay[id(model.label.weight)] == 0.5
    assert decay[id(model.label.bias)] == decay[id(model.norm.weight)] == 0.0


@pytest.mark.parametrize(("select", "kept"), [("best", 0), ("last", 1)])
def test_the_epoch_that_is_asked_for_is_kept(recipe, monkeypatch, select, kept):
    scores = iter([0.9, 0.1])
    monkeypatch.setattr(
        "training.train.evaluate",
        lambda *_: SimpleNamespace(metrics=dict.fromkeys(("macro-F1", "joint accuracy"), next(scores))),
    )
    stage = recipe.stages[0].model_copy(update={"select": select})
    output = train(recipe.model_copy(update={"stages": [stage]})).parent
    checkpoints = sorted((output / "stance-checkpoints").glob("checkpoint-*"), key=lambda one: int(one.name[11:]))
    averages = [load_file(one / "average.safetensors")["label.weight"] for one in checkpoints]
    assert not torch.equal(*averages)
    assert torch.equal(load_file(output / "stance" / "model.safetensors")["label.weight"], averages[kept])


def test_it_learns(recipe):
    stage = recipe.stages[0].model_copy(update={"epochs": 12, "averaging": 0.0})
    folder = train(recipe.model_copy(update={"stages": [stage]}))
    articles = labelled.read(recipe.evaluation)

    def likelihood(model):
        documents = StanceClassifier.from_pretrained(model).classify([one["text"] for one in articles])
        pairs = [
            (s, t)
            for one, doc in zip(articles, documents, strict=True)
            for s, t in zip(one["sentences"], doc.sentences, strict=True)
        ]
        return sum(math.log(predicted.scores[gold["label"]]) for gold, predicted in pairs) / len(pairs)

    before, after = likelihood(folder.parent / "start"), likelihood(folder)
    assert after > before + 0.1


def test_the_mean_of_stages_can_be_the_model(recipe):
    first = recipe.stages[0]
    stages = [first, first.model_copy(update={"name": "second", "batch_size": 2})]
    both = recipe.model_copy(update={"stages": stages, "average": ["stance", "stance", "second"]})
    final = load_file(train(both) / "model.safetensors")
    one, two = (load_file(Path(recipe.output) / name / "model.safetensors") for name in ("stance", "second"))
    for name, value in final.items():
        assert torch.equal(value, ((one[name] * 2 + two[name]) / 3).half()), name
