"""The evaluation report of the default model, from which every quoted figure comes: ``python -m tools.report``.

A set that is not measured again keeps its figures while model, code and data are the same, and loses them otherwise.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

import stance
from benchmarks.agreement import changes
from stance import labelled
from stance.baselines import fit_baseline
from stance.classifier import StanceClassifier
from stance.document import LABELS
from stance.evaluation import Evaluation, evaluate
from stance.labelled import Article
from stance.loading import DEFAULT_MODEL, FILES, WEIGHTS
from stance.matching import Judged, judge
from training.configuration import Recipe, read_recipe, sha256
from training.train import held_out, predict

from . import ROOT
from .figures import REPORT, fill_pages, read_report

Report = dict[str, Any]

EVERYTHING = 'make evaluate ARGS="--out-of-fold --labelled-dev"'
RECIPE = "configs/default.yaml"
SEEDS = ("seeds/dev.jsonl", "seeds/test.jsonl")
EXAMPLE = "examples/daily-brief.txt"
BASELINE = "seeds/test.jsonl tfidf"
OUTSIDE = {"out-of-fold": "labelled-train.jsonl.gz", "labelled-dev": "labelled-dev.jsonl"}
"""The sets of the outside corpora, which are measured on demand, and their files."""

CODE = (
    "lines",
    "sentences",
    "windows",
    "decoding",
    "spelling",
    "names",
    "assembly",
    "matching",
    "evaluation",
    "settings",
)
"""The modules of the library on which a figure hangs beside the network."""


def main() -> None:
    """Measure what the command line asks for, print and write the report, and fill in the figures that are quoted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out-of-fold", action="store_true", help="score the fold that training left out, too")
    parser.add_argument("--labelled-dev", action="store_true", help="score the held-out set too; once a model")
    arguments = parser.parse_args()
    if arguments.out_of_fold or arguments.labelled_dev:
        corpora()  # says at once what is missing
    classifier = StanceClassifier.from_pretrained()
    report = {"model": fingerprints(DEFAULT_MODEL), "code": code_fingerprint(), "example": example(classifier)}
    sets = measure_seeds(classifier)
    sets[BASELINE] = baseline()
    if arguments.out_of_fold:
        recipe = read_recipe(RECIPE)
        data = {"sha256": sha256(corpora() / OUTSIDE["out-of-fold"])}
        sets["out-of-fold"] = measure_fold(classifier, recipe) | data
        sets["out-of-fold"]["changed by int8"] = changed_by_int8(held_out(recipe))
    if arguments.labelled_dev:
        sets["labelled-dev"] = measure(classifier, corpora() / OUTSIDE["labelled-dev"])
    before = read_report() if REPORT.is_file() else {"sets": {}}
    sets = still_true(before, report) | sets
    write_report(report | {"sets": sets})
    if lost := before["sets"].keys() - sets:
        raise SystemExit(f"{', '.join(sorted(lost))}: not of this model, code and data; measure with {EVERYTHING}")
    fill_pages(read_report())
    sys.stdout.write(as_text(sets) + "\n")


def as_text(sets: Mapping[str, Report]) -> str:
    """Lay out the metrics of each set with their 95% intervals.

    Example:
        >>> print(as_text({"own": {"metrics": {"ECE": 0.02}, "intervals": {"ECE": [0.01, 0.03]}}}))
        own
          ECE                  0.020  0.010 to 0.030

    """
    lines = []
    for name, figures in sets.items():
        lines.append(name)
        for metric, value in figures["metrics"].items():
            low, high = figures["intervals"][metric]
            lines.append(f"  {metric:18}{value:8.3f}  {low:.3f} to {high:.3f}")
    return "\n".join(lines)


def still_true(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Report]:
    """Choose the sets of an earlier report that would be measured as they were.

    Args:
        before: The earlier report.
        now: Today's, of which ``model`` and ``code`` are compared.

    Returns:
        The sets by name. The data of a set is compared where it is at hand.

    """
    if any(before.get(key) != now[key] for key in ("model", "code")):
        return {}
    files = {name: Path(os.environ.get("STANCE_DATA", ""), file) for name, file in OUTSIDE.items()}
    at_hand = {name: sha256(file) for name, file in files.items() if file.is_file()}
    changed = {name for name, data in at_hand.items() if before["sets"].get(name, {}).get("sha256") != data}
    return {name: figures for name, figures in before["sets"].items() if name not in changed}


def write_report(report: Report) -> None:
    """Write the report, with keys in order, so that a change is small."""
    REPORT.write_text(json.dumps(report, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def fingerprints(folder: Path) -> dict[str, str]:
    """Hash the files of a model that decide what it says."""
    present = [folder / name for name in (*FILES, *WEIGHTS) if (folder / name).is_file()]
    return {file.name: sha256(file) for file in present}


def code_fingerprint() -> str:
    """Hash what the modules do that decide on a figure."""
    package = Path(stance.__file__).parent
    meanings = [meaning((package / f"{name}.py").read_text(encoding="utf-8")) for name in CODE]
    return hashlib.sha256("\n".join(meanings).encode()).hexdigest()


def meaning(source: str) -> str:
    """Reduce a module to what it does, the same under every Python.

    Args:
        source: The text of a module.

    Returns:
        Its syntax tree without docstrings; comments and layout are not in it anyway.

    Example:
        >>> meaning("def f(a): 'What'; return (a)  # why") == meaning("def f(a): return a")
        True
        >>> meaning("a = 1") == meaning("a = 2")
        False

    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_remark(one)]
    # Whether empty fields are written differs from Python to Python.
    return re.sub(r"\w+=\[\]|ctx=Load\(\)|, ", "", ast.dump(tree))


def _is_remark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


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
    return figures | {"sha256": sha256(path)}


def measure_fold(classifier: StanceClassifier, recipe: Recipe) -> Report:
    """Measure a model on the labelled articles that its recipe keeps out of training."""
    gold = held_out(recipe)
    predicted = [document.to_dict() for document in predict(classifier, gold)]
    return summarise(gold, predicted) | {"folds": [recipe.calibration_fold]}


def changed_by_int8(articles: Sequence[Article]) -> Report:
    """Count what int8 changes in the default model's answers against float32."""
    exact, rough = (
        predict(StanceClassifier.from_pretrained(device="cpu", engine=engine), articles)
        for engine in ("torch", "onnx-int8")
    )
    shares: Report = rounded(changes(exact, rough))
    return shares


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
    targets = {"allegations found": len(found), "right": sum(found)}
    summary: Report = rounded(figures | {"targets": targets, "confidence": confidence(judged)})
    return summary | ({"errors": [asdict(error) for error in evaluation.errors]} if with_errors else {})


def confidence(judged: Sequence[Judged]) -> Report:
    """Compare stated confidence with what was right, for each label that was given and for the speakers.

    Returns:
        For each, how many there are, the mean confidence, and the share that is right.

    """
    sure: dict[str, list[tuple[float, bool]]] = {name: [] for name in (*(label.value for label in LABELS), "speaker")}
    for one in judged:
        if one.confidence is not None:
            sure[one.predicted].append((one.confidence, one.gold == one.predicted))
        if one.speaker_confidence is not None and one.speaker_right is not None:
            sure["speaker"].append((one.speaker_confidence, one.speaker_right))
    return {
        name: {
            "count": len(pairs),
            "stated": fmean(stated for stated, _ in pairs),
            "right": fmean(right for _, right in pairs),
        }
        for name, pairs in sure.items()
        if pairs
    }


def rounded(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    """Round every number of a JSON value, so that a difference of the last bit is none."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    main()
