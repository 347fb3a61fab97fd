"""Fuzz every reader for its share of some seconds, or one of them: ``python -m fuzz.run 60 [TARGET]``.

What makes a reader fail is written to ``fuzz/findings/TARGET/``; once it is fixed, it belongs to the regression tests
in ``tests/test_fuzz.py``.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

ROOT = Path(__file__).parents[1]
FINDINGS = ROOT / "fuzz" / "findings"
_LONGEST = 4096


def main() -> None:
    """Fuzz one target in this process, or all of them in processes of their own."""
    seconds, *chosen = sys.argv[1:]
    if chosen:
        run(chosen[0], int(seconds))
        return
    from fuzz.targets import TARGETS

    share = str(max(1, int(seconds) // len(TARGETS)))
    for name in TARGETS:
        subprocess.run([sys.executable, "-m", "fuzz.run", share, name], cwd=ROOT, check=True)


def run(name: str, seconds: int) -> None:
    """Fuzz one target; the process ends when the time is over or something is found."""
    with atheris.instrument_imports(include=["stance", "training"]):
        from fuzz.targets import TARGETS
    findings = FINDINGS / name
    findings.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as corpus:
        sow(name, Path(corpus))
        options = [f"-max_total_time={seconds}", f"-max_len={_LONGEST}", "-timeout=10", "-verbosity=0"]
        atheris.Setup([sys.argv[0], corpus, *options, f"-artifact_prefix={findings}/"], TARGETS[name])
        atheris.Fuzz()


def sow(name: str, corpus: Path) -> None:
    """Write some good input, from which the fuzzer starts."""
    from stance.integrations import brat, label_studio

    articles = (ROOT / "examples" / "concepts.jsonl").read_bytes().splitlines()
    tasks = [label_studio.to_task(json.loads(article)) for article in articles]
    finished = [json.dumps([task | {"annotations": task["predictions"]}]) for task in tasks]
    seeds = {
        "labelled": articles,
        "gzipped": [gzip.compress(article) for article in articles],
        "standoff": (ROOT / "seeds" / "standoff" / "daquq.jsonl").read_bytes().splitlines(),
        "brat": [brat.to_ann(json.loads(article)).encode() for article in articles],
        "label-studio": [task.encode() for task in finished],
        "sheet": [b"id,start,end,label,speaker,mention,cue,target\na,0,26,denial,Ada Brook,Ada Brook,denied,\n"],
        "recipe": [path.read_bytes() for path in (ROOT / "configs").glob("*.yaml")],
        "settings": [(ROOT / "stance" / "models" / "default" / "config.json").read_bytes()],
        "sentences": [(ROOT / "examples" / "daily-brief.txt").read_bytes()],
        "http": [
            b'{"text": "Ada Brook denied it.", "min_confidence": 0.5, "also": ["html", "csv"]}',
            b'{"text": ["<p>Ada Brook denied it.</p>", ""], "format": "html"}',
        ],
    }
    for number, content in enumerate(seeds[name]):
        (corpus / f"seed-{number}").write_bytes(content)


if __name__ == "__main__":
    main()
