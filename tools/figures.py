"""Quoted figures: what stands between two comments is filled in from what was measured, ``python -m tools.figures``.

A comment says what is wanted; the figures of a set are named as the report names them:

    <!-- figures: seeds/test.jsonl | macro-F1 -->0.748<!-- /figures -->

"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from stance import labelled
from stance.document import LABELS, Document
from stance.loading import DEFAULT_MODEL

from . import ROOT, speed

Report = Mapping[str, Any]

REPORT = DEFAULT_MODEL / "report.json"

PAGES = ("README.md", "stance/models/default/README.md", "seeds/README.md", "docs/limits.md", "docs/performance.md")
"""The files in which figures are filled in."""

MAIN = ("macro-F1", "label accuracy", "speaker accuracy", "joint accuracy", "target accuracy", "ECE")
ALL = (MAIN[0], "F1 assertion", "F1 denial", "F1 allegation", "F1 none", *MAIN[1:])
_MARK = re.compile(r"(<!-- figures: (.+?) -->)(.*?)(<!-- /figures -->)", re.DOTALL)
_WIDTH = 104


def main() -> None:
    """Fill in the figures of every page from the committed report."""
    fill_pages(read_report())


def read_report() -> Report:
    """Read the committed report."""
    report: Report = json.loads(REPORT.read_text(encoding="utf-8"))
    return report


def fill_pages(report: Report) -> None:
    """Fill in the figures of every page."""
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        (ROOT / page).write_text(fill(text, report), encoding="utf-8")


def fill(text: str, report: Report) -> str:
    """Fill in the figures of a text.

    Args:
        text: A text with comments.
        report: The evaluation report.

    Returns:
        The text with the figures of the report.

    Raises:
        KeyError: If the report has no such figure.

    Example:
        >>> report = {"sets": {"own": {"metrics": {"macro-F1": 0.75}}}}
        >>> fill("It reaches <!-- figures: own | macro-F1 --><!-- /figures -->.", report)
        'It reaches <!-- figures: own | macro-F1 -->0.750<!-- /figures -->.'

    """
    return _MARK.sub(lambda mark: f"{mark[1]}{quote(mark[2], report)}{mark[4]}", text)


def quote(wanted: str, report: Report) -> str:
    """Write what one comment wants: a kind and its arguments, parted by bars, or a set and one of its figures.

    What ``benchmarks/speed.json`` holds is wanted by the name of a function of ``tools.speed``.
    """
    kind, *arguments = (part.strip() for part in wanted.split("|"))
    if kind in _BLOCKS:
        return f"\n\n{_BLOCKS[kind](report, arguments)}\n\n"
    if kind == "speed":
        said = speed.QUOTES[arguments[0]]()
        return f"\n\n{said}\n\n" if "\n" in said else said
    return figure(report["sets"][kind], arguments[0])


def figure(measured: Report, name: str) -> str:
    """Write one figure of a set.

    Args:
        measured: What the report has on the set.
        name: A metric; ``articles`` or ``sentences``; ``folds``; ``found LABEL``, how many sentences of a label were
            given it, out of how many; ``right LABEL``, how many sentences that were given a label are of it, likewise;
            ``targets``, how many targets of the allegations that were found are right; ``changed label``, ``changed
            speaker`` and ``changed label or speaker``, in what share of the sentences int8 changes that.

    Returns:
        The figure as text.

    """
    if name in ("articles", "sentences"):
        return f"{measured[name]:,}"
    if name == "folds":
        return ", ".join(map(str, measured["folds"]))
    if name == "targets":
        return f"{measured['targets']['right']:,} of {measured['targets']['allegations found']:,}"
    kind, _, what = name.partition(" ")
    if kind in ("found", "right"):
        confusion = measured["confusion"]
        whole = confusion[what] if kind == "found" else {gold: row[what] for gold, row in confusion.items()}
        return f"{whole[what]:,} of {sum(whole.values()):,}"
    if kind == "changed":
        return f"{measured['changed by int8'][what]:.2%}"
    return f"{measured['metrics'][name]:.3f}"


def _table(names: Sequence[str]) -> Callable[[Report, Sequence[str]], str]:
    """Make a table of some metrics, with a column for each set that the report has."""
    return lambda report, sets: _side_by_side(report, sets, names, _with_interval)


def _side_by_side(report: Report, sets: Sequence[str], names: Sequence[str], cell: Callable[[Report, str], str]) -> str:
    """Make a table with a row for each name and a column for each set that the report has."""
    measured = {title: report["sets"][title] for title in sets if title in report["sets"]}
    rows = [["", *map(_title, measured, measured.values())], ["---"] * (len(measured) + 1)]
    rows += [[name, *(cell(one, name) for one in measured.values())] for name in names]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _title(name: str, measured: Report) -> str:
    titles = {
        "out-of-fold": f"news, out of fold (fold {', '.join(map(str, measured.get('folds', [])))})",
        "labelled-dev": "news, held out (`labelled-dev`)",
    }
    return f"{titles.get(name, f'`{name}`')}: {measured['articles']:,} texts, {measured['sentences']:,} sentences"


def _with_interval(measured: Report, name: str) -> str:
    value, interval = measured["metrics"][name], measured["intervals"].get(name)
    return f"{value:.3f}" + (f" ({interval[0]:.3f}–{interval[1]:.3f})" if interval else "")


def _found(report: Report, sets: Sequence[str]) -> str:
    """Tell of each set that the report has how many rare labels and targets are found, and how many are right."""
    lines = []
    for name in sets:
        if measured := report["sets"].get(name):
            names = (f"{kind} {label}" for kind in ("found", "right") for label in ("denial", "allegation"))
            found_denials, found, right_denials, right = (figure(measured, name) for name in names)
            lines.append(
                f"- {_title(name, measured)}. It finds {found_denials} denials and {found} allegations; of what it "
                f"calls so, {right_denials} denials and {right} allegations are right; of the allegations found, the "
                f"target is right in {figure(measured, 'targets')}"
            )
    return "\n".join(lines)


def _confidence(report: Report, sets: Sequence[str]) -> str:
    """Compare the confidence stated with the share that is right, for labels as given and speakers, in some sets."""

    def compared(measured: Report, name: str) -> str:
        given = measured["confidence"][name]
        return f"{given['stated']:.2f}, right {given['right']:.2f} of {given['count']:,}"

    return _side_by_side(report, sets, [*(label.value for label in LABELS), "speaker"], compared)


def _errors(report: Report, arguments: Sequence[str]) -> str:
    """List the most confident errors of a set, so many of each of three kinds."""
    measured, many = report["sets"][arguments[0]]["errors"], int(arguments[1])
    kinds: dict[str, Callable[[Mapping[str, Any]], bool]] = {
        "Denials and allegations that it misses": lambda e: (
            e["kind"] == "label" and e["gold_label"] in ("denial", "allegation")
        ),
        "What it takes for a denial or an allegation": lambda e: (
            e["kind"] == "label"
            and e["predicted_label"] in ("denial", "allegation")
            and e["gold_label"] not in ("denial", "allegation")
        ),
        "Wrong speakers": lambda e: e["kind"] == "speaker",
    }
    lines = []
    for title, belongs in kinds.items():
        lines += [f"**{title}**", "", "| sentence | right | it says | sure |", "|---|---|---|---|"]
        lines += [_error(error) for error in [error for error in measured if belongs(error)][:many]] + [""]
    return "\n".join(lines).rstrip()


def _error(error: Mapping[str, Any]) -> str:
    def verdict(which: str) -> str:
        label, speaker = error[f"{which}_label"], error[f"{which}_speaker"]
        return f"{label} by {speaker}" if speaker else str(label)

    sentence = " ".join(error["text"].split()).replace("|", "\\|")
    return f"| {sentence} | {verdict('gold')} | {verdict('predicted')} | {error['confidence']:.0%} |"


def _behaviour(_: Report, __: Sequence[str]) -> str:
    """List the pass rates of the behaviour tests, by phenomenon, as ``python -m tests.behaviour --write`` left them."""
    rates = json.loads((ROOT / "tests" / "behaviour" / "floors.json").read_text(encoding="utf-8"))
    rows = [f"| {name.replace('_', ' ')} | {rate:.0%} |" for name, rate in rates.items()]
    return "\n".join(["| phenomenon | passed |", "| --- | --- |", *rows])


def _seeds(_: Report, __: Sequence[str]) -> str:
    """Count the texts and the labels of the project's own labelled sets."""
    sets = ("train", "articles", "contrast", "parties", "pages", "furniture", "brief", "claims", "dev", "test")
    columns = [_counted(labelled.read(ROOT / "seeds" / f"{name}.jsonl")) for name in sets]
    rows = [["", *sets], ["---"] * (len(sets) + 1)]
    rows += [[title, *(f"{column[title]:,}" if column[title] else "" for column in columns)] for title in columns[0]]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _counted(texts: Sequence[labelled.Article]) -> dict[str, int]:
    kinds = Counter(text["id"].partition("-")[0] for text in texts)
    labels = Counter(sentence["label"] for text in texts for sentence in text["sentences"])
    others = {
        "short contrast texts (`contrast-*`)": kinds["contrast"],
        "texts about one phenomenon (`micro-*`, `probe-*`)": kinds["micro"] + kinds["probe"],
        "short texts, most sentences plain (`brief-*`)": kinds["brief"],
        "short texts and stories (`claims-*`)": kinds["claims"],
    }
    return {
        "articles": len(texts) - sum(others.values()),
        **others,
        "sentences": labels.total(),
        **{label.value: labels[label.value] for label in LABELS},
    }


def _example(report: Report, sentences: Sequence[str]) -> str:
    """Show some sentences of the example as the command shows them on a terminal."""
    from rich.console import Console

    from stance.display import to_table

    line = report["example"]
    shown = [line["sentences"][int(index)] for index in sentences]
    console = Console(file=io.StringIO(), width=_WIDTH)
    console.print(to_table(Document.from_dict(line | {"sentences": shown}), _WIDTH))
    assert isinstance(console.file, io.StringIO)
    rows = [row.rstrip() for row in console.file.getvalue().splitlines() if row.strip()]
    return "\n".join(["```", "$ stance classify examples/daily-brief.txt        # some lines of it", *rows, "```"])


_BLOCKS: Mapping[str, Callable[[Report, Sequence[str]], str]] = MappingProxyType(
    {
        "table": _table(MAIN),
        "full table": _table(ALL),
        "found": _found,
        "confidence": _confidence,
        "errors": _errors,
        "example": _example,
        "behaviour": _behaviour,
        "seeds": _seeds,
    }
)

if __name__ == "__main__":
    main()
