"""Training in several processes is the same training: it follows the loss curve of one process."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from stance import labelled

_ARTICLES = 163
_BATCH = 8


def article(number):
    """Write an article; they differ in length, and in which answers they have, most of all in how many."""
    text, sentences = "", []

    def add(words, **gold):
        nonlocal text
        start = len(text)
        text += words + " "
        sentences.append({"start": start, "end": start + len(words), **gold})
        return start

    accuser, accused = f"Ada Roy {number}", f"Cole Reed {number * 7}"
    for _ in range(number % 4):
        add("It rained.", label="assertion", speaker="author")
    if number % 3 == 0:
        start = add(f"{accuser} accused {accused} of theft.", label="allegation")
        target = start + len(f"{accuser} accused ")
        mention = {"start": start, "end": start + len(accuser)}
        sentences[-1]["speaker"] = {"name": accuser, "mention": mention}
        sentences[-1]["target"] = {"start": target, "end": target + len(accused)}
    if number % 5:
        start = add(f"{accused} denied the claim.", label="denial")
        sentences[-1]["speaker"] = {"name": accused, "mention": {"start": start, "end": start + len(accused)}}
    add("Share this story", label="none")
    return {"id": str(number), "text": text, "sentences": sentences}


@pytest.fixture
def recipe(tmp_path):
    """A recipe without any dropout, whose labels weigh differently and whose last batch is not full."""
    labelled.write(tmp_path / "articles.jsonl", map(article, range(_ARTICLES)))
    with open("configs/smoke.yaml", encoding="utf-8") as file:
        recipe = yaml.safe_load(file)
    source = {"reader": "labelled", "path": str(tmp_path / "articles.jsonl")}
    recipe["stages"][0] |= {"word_dropout": 0.0, "epochs": 3, "sources": [source]}
    return recipe | {"dropout": 0.0, "label_weights": [1.0, 3.0, 2.0, 0.5]}


def curve(recipe, folder, processes):
    """Train in so many processes with the same batch for all of them together, and return the losses."""
    folder.mkdir()
    own = recipe | {"output": str(folder / "run"), "batch_size": _BATCH // processes}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(processes), "-m"]
    command = [sys.executable, "-m", *launcher, "training.train", str(folder / "recipe.yaml")]
    # So small a model is slower with more threads, on a busy machine by far.
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    states = (folder / "run" / "stance-checkpoints").glob("checkpoint-*/trainer_state.json")
    last = max((json.loads(state.read_text(encoding="utf-8")) for state in states), key=lambda one: one["global_step"])
    return [entry["loss"] for entry in last["log_history"] if "loss" in entry]


@pytest.mark.slow
def test_two_processes_follow_the_loss_curve_of_one(recipe, tmp_path):
    assert _ARTICLES % _BATCH
    one = curve(recipe, tmp_path / "one", 1)
    assert len(one) == 3
    assert one[-1] < one[0]
    assert curve(recipe, tmp_path / "two", 2) == pytest.approx(one, abs=1e-3)


@pytest.mark.slow
def test_two_processes_learn_from_a_teacher(recipe, tmp_path):
    stage = recipe["stages"][0] | {"epochs": 1}
    teacher = recipe | {"output": str(tmp_path / "teacher"), "batch_size": _BATCH // 2, "stages": [stage]}
    (tmp_path / "teacher.yaml").write_text(yaml.safe_dump(teacher), encoding="utf-8")
    taught = recipe | {"stages": [stage | {"epochs": 3, "teacher": str(tmp_path / "teacher.yaml")}]}
    losses = curve(taught, tmp_path / "two", 2)
    assert losses[-1] < losses[0]
    assert (tmp_path / "two/run/model/model.safetensors").is_file()
