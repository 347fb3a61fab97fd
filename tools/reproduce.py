"""Rebuild the default model, and tell how its figures differ from the report's: ``python -m tools.reproduce``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from stance.classifier import StanceClassifier
from training.configuration import read_recipe
from training.train import train

from .figures import read_report
from .report import RECIPE, measure_fold, measure_seeds


def main() -> None:
    """Train by the recipe as the report's model was trained, measure, and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipe", default=RECIPE)
    parser.add_argument("--output", default="runs/reproduce", help="where the model is built; kept to go on later")
    parser.add_argument("--precision", choices=("fp32", "bf16"), help="by default the recipe's")
    arguments = parser.parse_args()
    report = read_report()
    given = {"output": arguments.output, "precision": arguments.precision}
    recipe = read_recipe(arguments.recipe).model_copy(update={name: value for name, value in given.items() if value})
    classifier = StanceClassifier.from_pretrained(train(recipe))
    sets = measure_seeds(classifier)
    if "out-of-fold" in report["sets"]:
        sets["out-of-fold"] = measure_fold(classifier, recipe)
    sys.stdout.write(compare(report["sets"], sets) + "\n")


def compare(committed: Mapping[str, Any], rebuilt: Mapping[str, Any]) -> str:
    """Lay the figures of two models side by side.

    Args:
        committed: The sets of the report.
        rebuilt: The same sets, measured on the model that was rebuilt.

    Returns:
        A table; the last column says whether the rebuilt figure lies in the 95% interval of the committed one.

    Example:
        >>> one = {"own": {"metrics": {"ECE": 0.02}, "intervals": {"ECE": [0.01, 0.03]}}}
        >>> print(compare(one, one))  # doctest: +NORMALIZE_WHITESPACE
        set metric         committed   rebuilt  difference  in the interval
        own ECE                0.020     0.020      +0.000  yes

    """
    width = max(map(len, rebuilt))
    lines = [f"{'set':{width}} {'metric':18}{'committed':>10}{'rebuilt':>10}{'difference':>12}  in the interval"]
    for name, measured in rebuilt.items():
        for metric, value in measured["metrics"].items():
            before, (low, high) = committed[name]["metrics"][metric], committed[name]["intervals"][metric]
            inside = "yes" if low <= value <= high else "NO"
            lines.append(f"{name:{width}} {metric:18}{before:10.3f}{value:10.3f}{value - before:+12.3f}  {inside}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
