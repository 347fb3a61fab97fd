"""Measure speed, memory and start: ``python -m benchmarks.speed ARTICLES.jsonl.gz -o benchmarks/speed.json``.

Every case runs in a process of its own, one after the other on one machine, so that their ratios mean something. A
case's time is the best of its repetitions; those that take minutes run once. Only what part of the bare encoder's
speed the whole pipeline has, and how near that comes to the processor's peak, is measured by turns in one process.
``--quick`` takes few articles, to see that everything runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from stance.engines import ENGINES, GRAPHS
from stance.labelled import read_lines
from stance.loading import DEFAULT_MODEL

if TYPE_CHECKING:
    import onnx

    from stance.windows import Window

Figures = dict[str, Any]
Result = TypeVar("Result")

_REPETITIONS = 3
_TURNS = 5
_LONG = 1000
_PEER_SENTENCES = 8


def main() -> None:
    """Run every case, or as a child process one of them, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("articles", help="JSON lines with 'text'")
    parser.add_argument("-o", "--output", default="benchmarks/speed.json")
    parser.add_argument("--quick", action="store_true", help="few articles, one repetition")
    parser.add_argument("--case", nargs=2, metavar=("NAME", "JSON"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.case:
        name, options = arguments.case
        sys.stdout.write(json.dumps(CASES[name](arguments.articles, **json.loads(options))))
        return
    with tempfile.TemporaryDirectory() as folder:
        # The package has no float32 graph.
        export = [sys.executable, "-m", "stance", "export", str(DEFAULT_MODEL), "-o", folder]
        subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
        figures = run_all(arguments.articles, arguments.quick, folder)
    from tools.speed import work

    about = {"graph": work(DEFAULT_MODEL / GRAPHS["onnx-int8"]), "machine": machine(), "quick": arguments.quick}
    text = json.dumps({**about, "cases": figures}, indent=1)
    Path(arguments.output).write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")


def run_all(articles: str, quick: bool, float32_folder: str) -> list[Figures]:
    """Run every case in a process of its own; ``float32_folder`` holds the default model's float32 graph."""
    many = 4 if quick else 200
    repetitions = 1 if quick else _REPETITIONS
    counts = (1, 4) if quick else (1, 10, 100, 1000, 2500)
    lengths = (1, 10) if quick else (1, 10, 100, 1000)
    cases: list[tuple[str, Figures, int]] = [("start", {}, 0)]
    # Without instructions for it, bfloat16 takes minutes, and nobody would choose it.
    engines = [engine for engine in ENGINES if engine != "torch-bfloat16" or "avx512_bf16" in _features()]
    cases += [("pipeline", {"engine": engine, "count": many}, 0) for engine in engines]
    cases += [("bare_encoder", {"count": many}, 0)]
    fewer = [threads for threads in (1, 2) if threads < (os.cpu_count() or 1)]
    cases += [("pipeline", {"engine": "onnx-int8", "count": many}, threads) for threads in fewer]
    cases += [("pipeline", {"engine": "onnx-int8", "count": count}, 0) for count in counts]
    cases += [("length", {"kilobytes": size}, 0) for size in lengths]
    cases += [("share", {"count": many, "turns": 1 if quick else _TURNS}, 0)]
    cases += [("steps", {"count": many}, 0), ("peak", {"count": many, "turns": 1 if quick else _TURNS}, 0)]
    cases += [("zero_shot", {}, 0), ("sentence_pipeline", {}, 0)]
    best: dict[int, Figures] = {}
    # Round by round, so that a machine which slows down for a while does so to all cases.
    for number in range(repetitions):
        for index, (name, options, threads) in enumerate(cases):
            if number and ("turns" in options or options.get("count", 0) >= _LONG):
                continue
            where = {"model": float32_folder} if options.get("engine") == "onnx" else {}
            run = run_case(articles, name, {**options, **where}, threads)
            sys.stderr.write(f"{name} {options} {run}\n")
            figures = {"case": name, **options, "threads": threads or "all", **run}
            best[index] = min(best.get(index, figures), figures, key=lambda run: float(run["seconds"]))
    return list(best.values())


def run_case(articles: str, name: str, options: Figures, threads: int) -> Figures:
    """Run one case in a new process; ``threads`` 0 leaves it all processors."""
    limited = {"OMP_NUM_THREADS": str(threads)} if threads else {}
    command = [sys.executable, "-m", "benchmarks.speed", articles, "--case", name, json.dumps(options)]
    done = subprocess.run(command, env={**os.environ, **limited}, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def machine() -> Figures:
    """Describe the machine, and the rate of a large matrix product on it, in float32 with torch."""
    import torch

    square = torch.rand(2048, 2048)
    seconds = min(_seconds(lambda: square @ square) for _ in range(5))
    return {
        "processors": os.cpu_count(),
        "architecture": platform.machine(),
        "features": _features(),
        "float32 GFLOPS": round(2 * 2048**3 / seconds / 1e9),
    }


def _features() -> list[str]:
    """List the instructions of the processor that matter here."""
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text(encoding="utf-8").split() if cpu.is_file() else []
    return sorted({"avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx_vnni"} & set(flags))


def start(_: str) -> Figures:
    """Time a new process until it has classified one sentence with the default model."""
    code = "import stance; stance.classify('The mayor denied it.')"
    return {"seconds": _seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))}


def pipeline(articles: str, engine: str, count: int, model: str | None = None) -> Figures:
    """Time the whole pipeline over a stream of articles."""
    import stance

    classifier = stance.load(model, engine=engine)
    texts = _texts(articles, count)
    classifier.classify(texts[0])
    sentences = 0

    def work() -> None:
        nonlocal sentences
        sentences = sum(len(document.sentences) for document in classifier.stream(iter(texts)))

    return _rate(_seconds(work), sentences)


def bare_encoder(articles: str, count: int) -> Figures:
    """Time the int8 encoder alone, without heads, on the windows that the pipeline would read."""
    work, sentences, _ = _encoder_work(_texts(articles, count))
    return _rate(_seconds(work), sentences)


def share(articles: str, count: int, turns: int) -> Figures:
    """Time the whole pipeline and the bare encoder by turns, and divide their speeds turn by turn."""
    import stance

    classifier = stance.load(engine="onnx-int8")
    texts = _texts(articles, count)
    encode, *_ = _encoder_work(texts)
    classifier.classify(texts[0])
    pairs = [(_seconds(lambda: deque(classifier.stream(texts), 0)), _seconds(encode)) for _ in range(turns)]
    return {"seconds": sum(map(sum, pairs)), "shares": [encoder / whole for whole, encoder in pairs]}


def steps(articles: str, count: int) -> Figures:
    """Count the processor's seconds in each step of the pipeline, on all processors together."""
    import stance
    from stance.assembly import assemble
    from stance.decoding import decode
    from stance.sentences import split

    classifier = stance.load(engine="onnx-int8")
    spent = dict.fromkeys(("sentences", "windows", "engine", "decoding", "assembly"), 0.0)

    def clock(step: str, call: Callable[..., Result], *given: object) -> Result:
        began = time.process_time()
        result = call(*given)
        spent[step] += time.process_time() - began
        return result

    classifier.classify("The mayor denied it.")
    for text in _texts(articles, count):
        spans = clock("sentences", split, text)
        windows = clock("windows", classifier.windower.windows, text, spans)
        logits = clock("engine", lambda given: list(classifier.engine.run(given)), windows)
        readings = clock("decoding", decode, text, windows, logits, classifier.settings)
        clock("assembly", assemble, None, text, spans, readings, classifier.settings, None)
    return {"seconds": sum(spent.values()), "steps": spent}


def peak(articles: str, count: int, turns: int) -> Figures:
    """Compare the encoder's products of 8 bits, in the time of all it computes, with a large such product."""
    import numpy as np
    import onnx

    from stance.engines.onnx import OnnxEngine

    size = 2048
    helper = onnx.helper
    states = helper.make_tensor_value_info("states", onnx.TensorProto.UINT8, [size, size])
    product = helper.make_tensor_value_info("product", onnx.TensorProto.INT32, [size, size])
    values = {"weight": np.ones((size, size), np.int8), "nought": np.uint8(0), "zero": np.int8(0)}
    constants = [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    node = helper.make_node("MatMulInteger", ["states", "weight", "nought", "zero"], ["product"])
    graph = helper.make_graph([node], "product", [states], [product], constants)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "product.onnx")
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), file)
        engine = OnnxEngine(file)
    given = {"states": np.ones((size, size), np.uint8)}

    def multiply() -> None:
        with ThreadPoolExecutor(engine.threads) as pool:
            list(pool.map(lambda _: engine.session.run(None, given), range(4 * engine.threads)))

    encode, _, tokens = _encoder_work(_texts(articles, count))
    times = [(_seconds(multiply), _seconds(encode)) for _ in range(turns)]
    large, whole = map(min, zip(*times, strict=True))
    rates = 4 * engine.threads * 2 * size**3 / large, tokens * _operations() / whole
    return {"seconds": whole, "peak GOPS": round(rates[0] / 1e9), "encoder GOPS": round(rates[1] / 1e9)}


def _operations() -> int:
    """Count the additions and multiplications of 8 bits that the encoder computes for each token."""
    import onnx

    graph = onnx.load(DEFAULT_MODEL / GRAPHS["onnx-int8"]).graph
    sizes = {weight.name: list(weight.dims) for weight in graph.initializer}
    products = [node for node in graph.node if node.op_type in {"DynamicQuantizeMatMul", "MatMulIntegerToFloat"}]
    return sum(2 * sizes[node.input[1]][0] * sizes[node.input[1]][1] for node in products)


def _encoder_work(texts: Sequence[str]) -> tuple[Callable[[], object], int, int]:
    """Prepare the run of the bare encoder over texts; tell how many sentences they have, and tokens their windows."""
    import onnx

    from stance.engines import GRAPHS
    from stance.engines.onnx import OnnxEngine, inputs
    from stance.loading import load_windower
    from stance.sentences import split
    from stance.settings import Settings

    model = onnx.load(DEFAULT_MODEL / GRAPHS["onnx-int8"])
    hidden = onnx.helper.make_empty_tensor_value_info(_hidden(model))
    del model.graph.output[:]
    # ONNX Runtime leaves out what no output needs.
    model.graph.output.append(hidden)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "encoder.onnx")
        onnx.save(model, file)
        engine = OnnxEngine(file)
    windower, _ = load_windower(DEFAULT_MODEL, Settings.read(DEFAULT_MODEL))
    spans = [split(text) for text in texts]
    windows = [window for text, own in zip(texts, spans, strict=True) for window in windower.windows(text, own)]

    def read(window: Window) -> None:
        engine.session.run(None, inputs(window))

    def work() -> None:
        with ThreadPoolExecutor(engine.threads) as pool:
            list(pool.map(read, windows))

    read(windows[0])
    return work, sum(map(len, spans)), sum(map(len, windows))


def length(articles: str, kilobytes: int) -> Figures:
    """Time one text of a given length."""
    import stance

    classifier = stance.load()
    text = "\n".join(_texts(articles, kilobytes))[: 1000 * kilobytes]
    classifier.classify("The mayor denied it.")
    sentences = 0

    def work() -> None:
        nonlocal sentences
        sentences = len(classifier.classify(text).sentences)

    return _rate(_seconds(work), sentences)


def zero_shot(articles: str) -> Figures:
    """Time zero-shot classification with the architecture of bart-large-mnli; its weights are random here."""
    from transformers import BartConfig, BartForSequenceClassification, PreTrainedTokenizerFast, pipeline

    tokenizer = PreTrainedTokenizerFast.from_pretrained(DEFAULT_MODEL)
    labels = {"contradiction": 0, "neutral": 1, "entailment": 2}
    config = BartConfig(num_labels=3, label2id=labels, eos_token_id=tokenizer.sep_token_id)
    peer = pipeline("zero-shot-classification", model=BartForSequenceClassification(config).eval(), tokenizer=tokenizer)
    sentences = _sentences(articles, _PEER_SENTENCES)
    candidates = ["assertion", "denial", "allegation", "none"]
    return _rate(_seconds(lambda: peer(sentences, candidate_labels=candidates)), len(sentences))


def sentence_pipeline(articles: str) -> Figures:
    """Time a classifier of single sentences with an encoder like the default model's, in torch."""
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast, pipeline

    config = BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536, num_labels=4)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(DEFAULT_MODEL)
    peer = pipeline("text-classification", model=BertForSequenceClassification(config).eval(), tokenizer=tokenizer)
    sentences = _sentences(articles, 16 * _PEER_SENTENCES)
    return _rate(_seconds(lambda: peer(sentences)), len(sentences))


CASES: Mapping[str, Callable[..., Figures]] = MappingProxyType(
    {
        case.__name__: case
        for case in (start, pipeline, bare_encoder, share, steps, peak, length, zero_shot, sentence_pipeline)
    }
)


def _hidden(model: onnx.ModelProto) -> str:
    """Name the encoder's last hidden states: what the tags, a linear layer on them, are computed from."""
    makers = {out: node for node in model.graph.node for out in node.output}
    node = makers["tag"]
    while node.op_type != "MatMul":
        node = makers[node.input[0]]
    return str(node.input[0])


def _texts(articles: str, count: int) -> list[str]:
    return [line["text"] for _, line in islice(read_lines(articles), count)]


def _sentences(articles: str, count: int) -> list[str]:
    from stance.sentences import split

    text = "\n".join(_texts(articles, count))
    return [text[start:end] for start, end in split(text)[:count]]


def _rate(seconds: float, sentences: int) -> Figures:
    return {
        "seconds": seconds,
        "sentences": sentences,
        "sentences a second": round(sentences / seconds, 1),
        "peak MB": _peak(),
    }


def _peak() -> int | None:
    """Give the most megabytes that this process has held, where Linux tells.

    ``ru_maxrss`` will not do: a process inherits it from the one that starts it.
    """
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="utf-8")) if status.is_file() else None
    return round(int(found[1]) / 1e3) if found else None


def _seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
