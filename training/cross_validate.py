"""Measure a recipe out of fold: ``python -m training.cross_validate configs/default.yaml --folds 0 1 2 3 4``.

Each fold's articles are predicted by a model that never saw them. The settings are fitted on the other folds'
predictions where there are several, so that no figure is measured on what it was tuned on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from stance import labelled
from stance.classifier import StanceClassifier
from stance.document import Document
from stance.evaluation import Evaluation, evaluate

from .calibrate import calibrate
from .configuration import Recipe, read_recipe
from .train import train


def cross_validate(recipe: Recipe, folds: Sequence[int]) -> Evaluation:
    """Train without each fold in turn, predict it, fit the settings, and score all folds together.

    Args:
        recipe: The recipe; its labelled sources have folds.
        folds: Which folds to leave out, one after the other.

    Returns:
        The out-of-fold figures. The fitted settings are written to ``settings.json`` in the recipe's output folder.

    """
    output = Path(recipe.output)
    gold = {fold: held_out(recipe, fold) for fold in folds}
    raw = {fold: predict(recipe, fold, gold[fold]) for fold in folds}
    together = [article for fold in folds for article in gold[fold]]
    settings = calibrate(together, [prediction for fold in folds for prediction in raw[fold]])
    (output / "settings.json").write_text(json.dumps(asdict(settings), indent=1), encoding="utf-8")
    final: list[Document] = []
    for fold in folds:
        others = [other for other in folds if other != fold] or [fold]
        fitted = calibrate(
            [article for other in others for article in gold[other]],
            [prediction for other in others for prediction in raw[other]],
        )
        classifier = StanceClassifier.from_pretrained(fold_model(recipe, fold))
        classifier.settings = replace(fitted, window=recipe.window, overlap=recipe.overlap)
        final += classifier.stream((article["id"], article["text"]) for article in gold[fold])
    labelled.write(output / "out-of-fold.jsonl", [document.to_dict() for document in final])
    return evaluate(together, final)


def held_out(recipe: Recipe, fold: int) -> list[labelled.Article]:
    """Read the labelled articles of a fold."""
    paths = [source.path for stage in recipe.stages for source in stage.sources if source.reader == "labelled"]
    return [article for path in dict.fromkeys(paths) for article in labelled.read(path) if article.get("fold") == fold]


def fold_model(recipe: Recipe, fold: int) -> Path:
    """Return the folder of the model that never saw a fold, trained if it is not there."""
    folder = Path(recipe.output) / f"without-fold-{fold}" / "model"
    return folder if (folder / "config.json").is_file() else train(recipe, fold)


def predict(recipe: Recipe, fold: int, articles: Sequence[labelled.Article]) -> list[labelled.Article]:
    """Predict the articles of a fold with default settings, so that scores are those of the logits."""
    classifier = StanceClassifier.from_pretrained(fold_model(recipe, fold))
    classifier.settings = replace(
        classifier.settings, temperature=1.0, label_weights=(1.0, 1.0, 1.0, 1.0), speaker_calibration=(1.0, 0.0)
    )
    return [document.to_dict() for document in classifier.stream((line["id"], line["text"]) for line in articles)]


def main() -> None:
    """Cross-validate the recipe named on the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="a YAML file such as configs/default.yaml")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    sys.stdout.write(f"{cross_validate(read_recipe(arguments.config), arguments.folds)}\n")


if __name__ == "__main__":
    main()
