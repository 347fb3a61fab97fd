"""A wrong recipe is refused before anything runs, and every key at fault is named."""

import os
from pathlib import Path

import pytest
import yaml

from training.configuration import ConfigurationError, read_recipe

GOOD = yaml.safe_load(Path("configs/smoke.yaml").read_text(encoding="utf-8"))
STAGE = GOOD["stages"][0]
FILE = STAGE["sources"][0]["path"]


def written(tmp_path, **changes):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**GOOD, **changes}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batchsize": 4}, "batchsize"),
        ({"batch_size": "four"}, "batch_size: .*, not 'four'"),
        ({"dropout": "-1e-5"}, "dropout"),
        ({"weight_decay": "nan"}, "weight_decay"),
        ({"weight_decay": True}, "weight_decay"),
        ({"weight_decay": "little"}, "weight_decay"),
        ({"evaluation": "no/such.jsonl"}, "no/such.jsonl"),
        ({"evaluation": "${NO_SUCH_VARIABLE}/dev.jsonl"}, "NO_SUCH_VARIABLE"),
        ({"stages": [{"name": "one"}]}, "stages.0.sources"),
        ({"precision": "fp8"}, "precision"),
        ({"dropout": 1.5}, "dropout"),
        ({"overlap": 96}, "overlap must be less"),
        ({"stages": []}, "stages"),
        ({"stages": GOOD["stages"] * 2}, "a name of its own"),
        ({"stages": [{**STAGE, "start": [STAGE["name"]]}]}, "starts from stages before it"),
        ({"stages": [{**STAGE, "renaming": 1.5}]}, "stages.0.renaming"),
        ({"stages": [{**STAGE, "teacher": "no/such.yaml"}]}, "no/such.yaml"),
        ({"stages": [{**STAGE, "name": "average"}]}, "none of start, average, model"),
        ({"average": ["no-stage"]}, "average names stages, not .*no-stage"),
        ({"stages": [{**STAGE, "sources": [{**STAGE["sources"][0], "reader": "gum", "tags": FILE}]}]}, "tags is for"),
    ],
)
def test_faults_are_named(tmp_path, changes, message):
    with pytest.raises(ConfigurationError, match=message.replace("$", r"\$")):
        read_recipe(written(tmp_path, **changes))


def test_a_number_in_scientific_notation_needs_no_dot(tmp_path):
    path = written(tmp_path, stages=[{**STAGE, "learning_rate": 0.125}])
    path.write_text(path.read_text(encoding="utf-8").replace("0.125", "3e-5"), encoding="utf-8")
    assert read_recipe(path).stages[0].learning_rate == 3e-5


def test_the_files_of_a_recipe_are_listed_once():
    assert list(read_recipe("configs/smoke.yaml").fingerprints()).count(FILE) == 1


def test_no_yaml_and_no_file_are_clear_errors(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no YAML"):
        read_recipe(broken)
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_recipe(tmp_path / "missing.yaml")


@pytest.mark.corpora
@pytest.mark.skipif("STANCE_DATA" not in os.environ, reason="STANCE_DATA names no folder of corpora")
@pytest.mark.parametrize("name", ["default", "teacher", "deberta-v3-base", "modernbert-base"])
def test_recipes_for_the_corpora_are_valid(name):
    assert read_recipe(f"configs/{name}.yaml").stages


@pytest.mark.parametrize("name", ["finetune", "smoke"])
def test_recipes_that_need_no_corpora_are_valid(name):
    assert read_recipe(f"configs/{name}.yaml").stages
