"""The documented way to a model of one's own: classify, correct, fine-tune, evaluate."""

import json
from pathlib import Path

import pytest
import yaml

from stance import labelled
from stance.cli import main


def accept(path, corrections):
    """Do what an annotator does: accept the pre-annotations, and change some labels."""
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for task in tasks:
        result = task.pop("predictions")[0]["result"]
        for region in (one for one in result if one["type"] == "labels" and one["id"] in corrections):
            region["value"]["labels"] = ["none"]
        task["annotations"] = [{"result": result, "was_cancelled": False}]
    path.write_text(json.dumps(tasks), encoding="utf-8")


@pytest.mark.slow
def test_classify_correct_fine_tune_evaluate(tmp_path, tiny, capsys, monkeypatch):
    model = str(tiny.folder)
    articles = labelled.read("tests/fixtures/tiny.jsonl")
    labelled.write(tmp_path / "articles.jsonl", [{"id": one["id"], "text": one["text"]} for one in articles])
    recipe = yaml.safe_load(Path("configs/smoke.yaml").read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    assert main(["classify", "articles.jsonl", "-o", "out.jsonl", "--model", model]) == 0
    assert main(["convert", "out.jsonl", "tasks.json"]) == 0
    accept(tmp_path / "tasks.json", {"s0", "s3"})
    assert main(["convert", "tasks.json", "corrected.jsonl"]) == 0
    corrected = labelled.read("corrected.jsonl")
    assert [one["id"] for one in corrected] == [one["id"] for one in articles]
    assert {article["sentences"][index]["label"] for article in corrected for index in (0, 3)} == {"none"}

    stage = {**recipe["stages"][0], "epochs": 1, "sources": [{"reader": "labelled", "path": "corrected.jsonl"}]}
    kept = {key: value for key, value in recipe.items() if key not in ("pretrained", "pointer_size")}
    own = {**kept, "output": "run", "model": model, "evaluation": "corrected.jsonl", "stages": [stage]}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
    assert main(["train", "own.yaml"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "corrected.jsonl", "--model", "run/model"]) == 0
    assert "macro-F1" in capsys.readouterr().out
