"""Training in several processes is the same training: it follows the loss curve of one process."""

import json
import subprocess
import sys
from itertools import islice, permutations

import pytest
import yaml

from stance import labelled

_ARTICLES = 320
_BATCH = 8


def article(accuser, accused):
    """Write an article; all have equally many tokens and answers, so that a mean of two halves is that of the whole."""
    pieces = [f"{accuser} accused {accused} of theft.", f"{accused} denied the claim.", "It rained."]
    text = " ".join(pieces)

    def place(words, start=0):
        return {"start": text.index(words, start), "end": text.index(words, start) + len(words)}

    (charge, denial, rain), reply = map(place, pieces), text.index(pieces[1])
    return {
        "id": f"{accuser}-{accused}",
        "text": text,
        "sentences": [
            {
                **charge,
                "label": "allegation",
                "speaker": {"name": accuser, "mention": place(accuser)},
                "target": place(accused),
            },
            {**denial, "label": "denial", "speaker": {"name": accused, "mention": place(accused, reply)}},
            {**rain, "label": "assertion", "speaker": "author"},
        ],
    }


@pytest.fixture
def recipe(tmp_path):
    """A recipe without any dropout."""
    names = ["".join(letters).capitalize() for letters in permutations("bdfglmnr", 3)]
    articles = [article(*pair) for pair in islice(zip(names, reversed(names), strict=True), _ARTICLES)]
    labelled.write(tmp_path / "articles.jsonl", articles)
    with open("configs/smoke.yaml", encoding="utf-8") as file:
        recipe = yaml.safe_load(file)
    source = {"reader": "labelled", "path": str(tmp_path / "articles.jsonl")}
    recipe["stages"][0] |= {"word_dropout": 0.0, "epochs": 2, "sources": [source]}
    return recipe | {"dropout": 0.0}


def curve(recipe, folder, processes):
    """Train in so many processes with the same batch for all of them together, and return the losses."""
    folder.mkdir()
    own = recipe | {"output": str(folder / "run"), "batch_size": _BATCH // processes}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    launcher = ["torch.distributed.run", "--standalone", "--nproc_per_node", str(processes), "-m"]
    command = [sys.executable, "-m", *launcher, "training.train", str(folder / "recipe.yaml")]
    subprocess.run(command, check=True)
    states = (folder / "run" / "stance-checkpoints").glob("checkpoint-*/trainer_state.json")
    last = max((json.loads(state.read_text(encoding="utf-8")) for state in states), key=lambda one: one["global_step"])
    return [entry["loss"] for entry in last["log_history"] if "loss" in entry]


@pytest.mark.slow
def test_two_processes_follow_the_loss_curve_of_one(recipe, tmp_path):
    one = curve(recipe, tmp_path / "one", 1)
    assert len(one) == 2 * _ARTICLES // _BATCH // 20
    assert one[-1] < one[0]
    assert curve(recipe, tmp_path / "two", 2) == pytest.approx(one, abs=1e-3)
