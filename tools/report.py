"""The evaluation report of the default model, from which every quoted figure comes: ``python -m tools.report``.

A set that is not measured again keeps its figures as long as the model is the same, and loses them otherwise.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stance import labelled
from stance.baselines import fit_baseline
from stance.classifier import DEFAULT_MODEL, FILES, WEIGHTS, StanceClassifier
from stance.evaluation import Evaluation, evaluate
from stance.labelled import Article
from stance.matching import judge
from training.configuration import Recipe, read_recipe
from training.train import held_out, predict

from . import ROOT
from .figures import REPORT, fill_pages, read_report

Report = dict[str, Any]

RECIPE = "configs/default.yaml"
SEEDS = ("seeds/dev.jsonl", "seeds/test.jsonl")
EXAMPLE = "examples/daily-brief.txt"
BASELINE = "seeds/test.jsonl tfidf"


def main() -> None:
    """Measure what the command line asks for, write the report and fill in the figures that are quoted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out-of-fold", action="store_true", help="score the fold that training left out, too")
    parser.add_argument("--labelled-dev", action="store_true", help="score the held-out set too; once a model")
    arguments = parser.parse_args()
    if arguments.out_of_fold or arguments.labelled_dev:
        corpora()  # says at once what is missing
    classifier = StanceClassifier.from_pretrained()
    report = {"model": fingerprints(DEFAULT_MODEL), "example": example(classifier)}
    sets = measure_seeds(classifier)
    sets[BASELINE] = baseline()
    if arguments.out_of_fold:
        sets["out-of-fold"] = measure_fold(classifier, read_recipe(RECIPE))
    if arguments.labelled_dev:
        sets["labelled-dev"] = measure(classifier, corpora() / "labelled-dev.jsonl")
    before = read_report() if REPORT.is_file() else {"model": None, "sets": {}}
    kept = before["sets"] if before["model"] == report["model"] else {}
    write_report(report | {"sets": kept | sets})
    fill_pages(read_report())


def write_report(report: Report) -> None:
    """Write the report, with keys in order, so that a change is small."""
    REPORT.write_text(json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def fingerprints(folder: Path) -> dict[str, str]:
    """Hash the files of a model that decide what it says."""
    present = [folder / name for name in (*FILES, *WEIGHTS) if (folder / name).is_file()]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in present}


def corpora() -> Path:
    """Return the folder of the outside corpora.

    Raises:
        SystemExit: If ``STANCE_DATA`` does not name it.

    """
    if "STANCE_DATA" not in os.environ:
        raise SystemExit("set STANCE_DATA to the folder of the corpora; see docs/training.md")
    return Path(os.environ["STANCE_DATA"])


def measure_seeds(classifier: StanceClassifier) -> dict[str, Report]:
    """Measure a model on the labelled sets that are part of the project; the worst errors of the first are listed."""
    return {path: measure(classifier, ROOT / path, with_errors=path == SEEDS[0]) for path in SEEDS}


def measure(classifier: StanceClassifier, path: Path, *, with_errors: bool = False) -> Report:
    """Measure a model on a labelled set; errors are listed only of a set that is the project's own."""
    gold = labelled.read(path)
    figures = summarise(gold, [document.to_dict() for document in predict(classifier, gold)], with_errors=with_errors)
    return figures | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def measure_fold(classifier: StanceClassifier, recipe: Recipe) -> Report:
    """Measure a model on the labelled articles that its recipe keeps out of training."""
    gold = held_out(recipe)
    predicted = [document.to_dict() for document in predict(classifier, gold)]
    return summarise(gold, predicted) | {"folds": [recipe.calibration_fold]}


def baseline() -> Report:
    """Measure TF-IDF with logistic regression, trained on the seeds, on the seeds' test set."""
    gold = labelled.read(ROOT / SEEDS[1])
    return summarise(gold, list(fit_baseline("tfidf", labelled.read(ROOT / "seeds/train.jsonl")).predict(gold)))


def example(classifier: StanceClassifier) -> Report:
    """Classify the article that the README shows."""
    line: Report = rounded(classifier.classify((ROOT / EXAMPLE).read_text(encoding="utf-8")).to_dict())
    return line


def summarise(gold: Sequence[Article], predicted: Sequence[Mapping[str, Any]], *, with_errors: bool = False) -> Report:
    """Put every figure about a labelled set into a dictionary; without errors, no word of its articles is in it."""
    evaluation: Evaluation = evaluate(gold, predicted)
    figures = evaluation.to_dict()
    del figures["errors"]
    judged = [one for article, guess in zip(gold, predicted, strict=True) for one in judge(article, guess)]
    found = [one.target_right for one in judged if one.target_right is not None and one.gold == one.predicted]
    summary: Report = rounded(figures | {"targets": {"allegations found": len(found), "right": sum(found)}})
    return summary | ({"errors": [asdict(error) for error in evaluation.errors]} if with_errors else {})


def rounded(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Round every number of a JSON value, so that a difference of the last bit is none."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    main()
