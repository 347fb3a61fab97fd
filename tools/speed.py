"""What ``benchmarks/speed.json`` says, as tables and as a picture for the documentation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from . import ROOT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Case = Mapping[str, Any]

FIGURES = ROOT / "benchmarks" / "speed.json"
_RATE = "sentences a second"
_PEERS = {
    "bare_encoder": "the bare int8 encoder, on the same windows",
    "sentence_pipeline": "`text-classification` of transformers, sentence by sentence, an encoder of this size",
    "zero_shot": "`zero-shot-classification` of transformers, bart-large-mnli",
}


_STEPS = {
    "sentences": "finding the sentences",
    "windows": "words into tokens, tokens into windows",
    "engine": "the network",
    "decoding": "labels and spans from its numbers",
    "assembly": "names, speakers, the document",
}


def read_measurements() -> Case:
    """Read what was measured: on which graph and machine, and the cases."""
    measured: Case = json.loads(FIGURES.read_text(encoding="utf-8"))
    return measured


def work(graph: Path) -> str:
    """Hash what a graph has to compute, its nodes and the shapes of its weights: on them its speed hangs."""
    import onnx

    content = onnx.load(graph).graph
    nodes = [node.op_type for node in content.node]
    weights = [f"{weight.data_type} {list(weight.dims)}" for weight in content.initializer]
    return hashlib.sha256("\n".join([*nodes, *weights]).encode()).hexdigest()


def rates() -> str:
    """List the engines, the peers and the bare encoder with their speed and memory."""
    cases = read_measurements()["cases"]
    zero = _rate(_named(cases, "zero_shot")[0])
    rows = [
        (f"Stance, `{case['engine']}`" + _threads(case), case)
        for case in _named(cases, "pipeline")
        if case["count"] == _named(cases, "bare_encoder")[0]["count"]
    ]
    rows += [(about, case) for name, about in _PEERS.items() for case in _named(cases, name)]
    lines = [f"| {what} | {case[_RATE]} | {_rate(case) / zero:.1f} | {case['peak MB']} |" for what, case in rows]
    return "\n".join(["| what | sentences a second | times zero-shot | peak MB |", "|---|---|---|---|", *lines])


def growth() -> str:
    """List how time and memory grow with the number and the length of texts."""
    cases = read_measurements()["cases"]
    rows = [(f"{case['count']:,} articles", case) for case in _counts(cases)]
    rows += [(f"one text of {case['kilobytes']:,} kB", case) for case in _named(cases, "length")]
    lines = [
        f"| {what} | {case['sentences']:,} | {case['seconds']:.2f} | {case[_RATE]} | {case['peak MB']} |"
        for what, case in rows
    ]
    head = ["| input | sentences | seconds | sentences a second | peak MB |", "|---|---|---|---|---|"]
    return "\n".join([*head, *lines])


def share() -> str:
    """Say how fast the whole pipeline is in parts of the bare encoder's speed, and how much that varies."""
    cases = read_measurements()["cases"]
    parts = _named(cases, "share")[0]["shares"]
    return f"{median(parts):.2f} (the median of {len(parts)} turns, from {min(parts):.2f} to {max(parts):.2f})"


def steps() -> str:
    """List what part of the processor's time each step of the pipeline takes."""
    spent = _named(read_measurements()["cases"], "steps")[0]["steps"]
    whole = sum(spent.values())
    lines = [f"| {_STEPS[step]} | {seconds:.2f} | {seconds / whole:.1%} |" for step, seconds in spent.items()]
    return "\n".join(["| step | seconds of processor | part |", "|---|---|---|", *lines])


def peak() -> str:
    """Say how near the encoder comes to the processor's rate of products of 8 bits."""
    case = _named(read_measurements()["cases"], "peak")[0]
    part = case["encoder GOPS"] / case["peak GOPS"]
    return f"{case['encoder GOPS']} of {case['peak GOPS']} GOPS, {part:.0%}"


def start() -> str:
    """Say how many seconds a new process takes to its first label."""
    cases = read_measurements()["cases"]
    return f"{_named(cases, 'start')[0]['seconds']:.2f}"


def machine() -> str:
    """Describe the machine that was measured."""
    about = read_measurements()["machine"]
    features = ", ".join(about["features"]) or "no vector instructions that matter here"
    speed = f"{about['float32 GFLOPS']} GFLOPS in a large float32 product"
    return f"{about['processors']} processors of {about['architecture']} with {features}, {speed}"


def length() -> str:
    """Say how many sentences an article has on average."""
    largest = _counts(read_measurements()["cases"])[-1]
    return f"{largest['sentences'] / largest['count']:.0f}"


def plot() -> Figure:
    """Draw time and memory over the number of articles, both axes in powers of ten."""
    import matplotlib.pyplot as plt

    cases = _counts(read_measurements()["cases"])
    counts = [case["count"] for case in cases]
    figure, (time, memory) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    time.loglog(counts, [case["seconds"] for case in cases], "o-")
    time.set(xlabel="articles", ylabel="seconds")
    peaks = [case["peak MB"] for case in cases]
    memory.semilogx(counts, peaks, "o-")
    memory.set(xlabel="articles", ylabel="peak MB", ylim=(0, 1.1 * max(peaks)))
    return figure


def _named(cases: Sequence[Case], name: str) -> list[Case]:
    return [case for case in cases if case["case"] == name]


def _counts(cases: Sequence[Case]) -> list[Case]:
    """Select the runs of the default engine on all processors, by number of articles."""
    usual = [case for case in _named(cases, "pipeline") if (case["engine"], case["threads"]) == ("onnx-int8", "all")]
    return sorted(usual, key=lambda case: int(case["count"]))


def _rate(case: Case) -> float:
    return float(case["sentences"] / case["seconds"])


def _threads(case: Case) -> str:
    return "" if case["threads"] == "all" else f", {case['threads']} thread{'s' * (case['threads'] > 1)}"


QUOTES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {quote.__name__: quote for quote in (rates, growth, length, share, steps, peak, start, machine)}
)
