"""Cross-validation: every article is predicted once, with settings that were fitted on the other folds."""

from pathlib import Path

from stance import labelled
from training import cross_validate as module
from training.calibrate import calibrate
from training.configuration import read_recipe
from training.cross_validate import cross_validate


def test_no_fold_is_measured_by_what_was_fitted_on_it(tmp_path, monkeypatch):
    lines = [{**line, "fold": number % 2} for number, line in enumerate(labelled.read("tests/fixtures/tiny.jsonl"))]
    labelled.write(tmp_path / "folds.jsonl", lines)
    recipe = read_recipe("configs/smoke.yaml")
    source = recipe.stages[0].sources[0].model_copy(update={"path": str(tmp_path / "folds.jsonl")})
    stage = recipe.stages[0].model_copy(update={"sources": [source], "epochs": 1})
    recipe = recipe.model_copy(update={"stages": [stage], "output": str(tmp_path / "run")})
    fitted_on = []

    def spy(gold, predicted):
        fitted_on.append({article["fold"] for article in gold})
        assert [article["id"] for article in gold] == [article["id"] for article in predicted]
        return calibrate(gold, predicted)

    monkeypatch.setattr(module, "calibrate", spy)
    evaluation = cross_validate(recipe, [0, 1])
    assert fitted_on == [{1}, {0}]
    assert evaluation.sentences == sum(len(line["sentences"]) for line in lines)
    predicted = labelled.read(Path(recipe.output) / "out-of-fold.jsonl")
    assert sorted(line["id"] for line in predicted) == sorted(line["id"] for line in lines)
