"""Measure a recipe out of fold: ``python -m training.cross_validate configs/default.yaml --folds 0 1 2 3 4``.

Each fold's articles are predicted by a model that never saw them. The settings are fitted on the other folds'
predictions where there are several, so that no figure is measured on what it was tuned on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stance import labelled
from stance.document import Document
from stance.evaluation import Evaluation, evaluate

from .calibrate import calibrate
from .configuration import Recipe, read_recipe
from .train import held_out, load, predict, predict_unfitted, train


def cross_validate(recipe: Recipe, folds: Sequence[int]) -> Evaluation:
    """Train without each fold in turn, predict it, and score all folds together.

    Args:
        recipe: The recipe; its labelled sources have folds.
        folds: Which folds to leave out, one after the other.

    Returns:
        The out-of-fold figures; the predictions are written to ``out-of-fold.jsonl`` in the recipe's output folder.

    """
    gold, raw, classifiers = {}, {}, {}
    for fold in folds:
        one = recipe.model_copy(update={"calibration_fold": fold})
        gold[fold] = held_out(one)
        classifiers[fold] = load(train(one))
        raw[fold] = predict_unfitted(classifiers[fold], gold[fold])
    final: list[Document] = []
    for fold in folds:
        others = [other for other in folds if other != fold] or [fold]
        fitted = calibrate(
            [article for other in others for article in gold[other]],
            [prediction for other in others for prediction in raw[other]],
        )
        own = classifiers[fold].settings
        classifiers[fold].settings = replace(fitted, window=own.window, overlap=own.overlap)
        final += predict(classifiers[fold], gold[fold])
    labelled.write(Path(recipe.output) / "out-of-fold.jsonl", [document.to_dict() for document in final])
    return evaluate([article for fold in folds for article in gold[fold]], final)


def main() -> None:
    """Cross-validate the recipe named on the command line and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="a YAML file such as configs/default.yaml")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    arguments = parser.parse_args()
    sys.stdout.write(f"{cross_validate(read_recipe(arguments.config), arguments.folds)}\n")


if __name__ == "__main__":
    main()
