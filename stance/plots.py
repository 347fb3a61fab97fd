"""Plots of documents, evaluations and training, in the colours and signs of every other surface."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stance.document import Document, Label
from stance.extras import require
from stance.palette import LIGHT, MARKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from stance.evaluation import Evaluation

_STATEMENTS = tuple(label for label in Label if label is not Label.NONE)
_HATCHES = {Label.ASSERTION: "", Label.DENIAL: "///", Label.ALLEGATION: "..."}


def plot_speakers(documents: Document | Sequence[Document], limit: int = 12) -> Figure:
    """Draw who asserts, denies and alleges how often.

    Args:
        documents: A document, or those of a corpus; speakers of one name count as one.
        limit: How many speakers are drawn, the most cited.

    Returns:
        A bar a speaker, divided by label; colour, hatching and a sign with the count tell the labels apart.

    Raises:
        ModuleNotFoundError: If matplotlib is not installed.

    """
    counts = _count([documents] if isinstance(documents, Document) else documents)
    names = sorted(counts, key=lambda name: -sum(counts[name].values()))[:limit]
    axes = _axes(7.5, 1.2 + 0.42 * max(len(names), 1))
    start = [0] * len(names)
    for label in _STATEMENTS:
        widths = [counts[name][label] for name in names]
        mark = MARKS[label]
        bars = axes.barh(
            range(len(names)),
            widths,
            left=start,
            height=0.66,
            color=mark.light,
            edgecolor=LIGHT.paper,
            hatch=_HATCHES[label],
            label=f"{mark.sign} {mark.verb}",
        )
        texts = [f"{mark.sign} {width}" if width else "" for width in widths]
        box = {"facecolor": mark.light, "edgecolor": "none", "boxstyle": "round,pad=0.35"}
        for text in axes.bar_label(bars, texts, label_type="center", color=LIGHT.paper, weight="bold"):
            if text.get_text():
                text.set_bbox(box)
        start = [left + width for left, width in zip(start, widths, strict=True)]
    # A dollar sign in a name is no formula.
    axes.set_yticks(range(len(names)), [name.replace("$", r"\$") for name in names])
    axes.invert_yaxis()
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("sentences")
    axes.legend(loc="lower right", frameon=False)
    return _of(axes)


def _count(documents: Sequence[Document]) -> dict[str, Counter[Label]]:
    counts: dict[str, Counter[Label]] = {}
    for document in documents:
        for sentence in document.sentences:
            if sentence.speaker is not None:
                counts.setdefault(sentence.speaker.name, Counter())[sentence.label] += 1
    return counts


def plot_confusion(evaluation: Evaluation) -> Figure:
    """Draw the confusion matrix of an evaluation.

    Args:
        evaluation: What ``stance.evaluate`` returned.

    Returns:
        Labelled labels in rows, predicted ones in columns: number of sentences, and share of the row by shade.

    Raises:
        ModuleNotFoundError: If matplotlib is not installed.

    """
    axes = _axes(5.5, 4.6)
    from matplotlib.colors import LinearSegmentedColormap

    rows = [[evaluation.confusion[gold][predicted] for predicted in Label] for gold in Label]
    shares = [[count / max(sum(row), 1) for count in row] for row in rows]
    shade = LinearSegmentedColormap.from_list("stance", [LIGHT.paper, MARKS[Label.ASSERTION].light])
    axes.imshow(shares, cmap=shade, vmin=0, vmax=1)
    for y, row in enumerate(rows):
        for x, count in enumerate(row):
            dark = shares[y][x] > 0.5
            words = f"{count}\n{shares[y][x]:.0%}"
            axes.text(x, y, words, ha="center", va="center", color=LIGHT.paper if dark else LIGHT.ink)
    names = [f"{MARKS[label].sign} {label}" for label in Label]
    axes.set_xticks(range(len(Label)), names)
    axes.set_yticks(range(len(Label)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("labelled")
    axes.spines[:].set_visible(False)
    return _of(axes)


def plot_risk_coverage(evaluation: Evaluation) -> Figure:
    """Draw how many labels are wrong among those that are surest.

    Args:
        evaluation: What ``stance.evaluate`` returned, of predictions with confidence.

    Returns:
        For each share of sentences, the surest first, the share of wrong labels among them.

    Raises:
        ModuleNotFoundError: If matplotlib is not installed.
        ValueError: If no prediction states its confidence.

    """
    if not evaluation.stated:
        raise ValueError("no prediction states its confidence, so there is no order in which to leave sentences out")
    ordered = sorted(evaluation.stated, key=lambda one: -one[0])
    wrong, risks = 0, []
    for number, (_, right) in enumerate(ordered, start=1):
        wrong += not right
        risks.append(wrong / number)
    axes = _axes(6, 4)
    axes.plot([number / len(risks) for number in range(1, len(risks) + 1)], risks, color=MARKS[Label.ASSERTION].light)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, None)
    axes.set_xlabel("coverage: share of sentences kept, the surest first")
    axes.set_ylabel("risk: share of wrong labels")
    return _of(axes)


def plot_training(folder: str | Path) -> Figure:
    """Draw loss and score of the stages of a training run.

    Args:
        folder: The ``output`` of the recipe.

    Returns:
        Loss above, and below the scores on the evaluation set, over the steps of all stages.

    Raises:
        FileNotFoundError: If no checkpoint lies there.
        ModuleNotFoundError: If matplotlib is not installed.

    """
    stages = sorted(Path(folder).glob("*-checkpoints"), key=lambda path: path.stat().st_mtime)
    histories = {stage.name.removesuffix("-checkpoints"): _history(stage) for stage in stages}
    if not any(histories.values()):
        raise FileNotFoundError(f"{folder}: no checkpoint of a training run lies here; give the recipe's 'output'")
    figure = _figure(7.5, 5.5)
    loss, score = figure.subplots(2, sharex=True)
    before = 0
    for stage, history in histories.items():
        for axes, key, label, marker in (
            (loss, "loss", Label.DENIAL, ""),
            (score, "eval_macro-F1", Label.ASSERTION, "o"),
            (score, "eval_joint accuracy", Label.ALLEGATION, "s"),
        ):
            steps = [before + entry["step"] for entry in history if key in entry]
            values = [entry[key] for entry in history if key in entry]
            name = key.removeprefix("eval_") if before == 0 else None
            axes.plot(steps, values, color=MARKS[label].light, marker=marker, label=name)
        title = loss.annotate(stage, (before, 1), xycoords=("data", "axes fraction"), va="bottom", fontsize=8)
        title.set_in_layout(False)
        before += max((int(entry["step"]) for entry in history), default=0)
    for axes, name in ((loss, "loss"), (score, "evaluation")):
        _quiet(axes)
        axes.set_ylabel(name)
    score.legend(frameon=False)
    score.set_xlabel("step")
    return figure


def _history(checkpoints: Path) -> list[dict[str, float]]:
    """Read what the last checkpoint of a stage recorded."""
    states = sorted(checkpoints.glob("checkpoint-*/trainer_state.json"), key=lambda path: int(path.parent.name[11:]))
    if not states:
        return []
    history: list[dict[str, float]] = json.loads(states[-1].read_text(encoding="utf-8"))["log_history"]
    return history


def _figure(width: float, height: float) -> Figure:
    # Without pyplot there is no state to leak, and no window opens.
    figure: Figure = require("matplotlib.figure", "plots").Figure(
        figsize=(width, height), facecolor=LIGHT.paper, layout="constrained"
    )
    return figure


def _of(axes: Axes) -> Figure:
    figure = axes.get_figure(root=True)
    assert figure is not None
    return figure


def _axes(width: float, height: float) -> Axes:
    axes: Axes = _figure(width, height).subplots()
    _quiet(axes)
    return axes


def _quiet(axes: Axes) -> None:
    axes.set_facecolor(LIGHT.paper)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LIGHT.rule)
    axes.tick_params(colors=LIGHT.ink, length=0)
