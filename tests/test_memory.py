"""Memory in a process of its own, as the system counts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from stance.engines import GRAPHS
from stance.loading import DEFAULT_MODEL

ROOT = Path(__file__).parents[1]
STATUS = Path("/proc/self/status")
CODE = """
import json, sys, stance
classifier, megabytes = stance.load(engine="onnx-int8"), []
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
for _ in range(4):
    for _ in classifier.stream(iter(texts)):
        pass
    status = dict(line.split(":", 1) for line in open(sys.argv[2], encoding="utf-8"))
    megabytes.append(int(status["VmRSS"].split()[0]) / 1000)
print(json.dumps(megabytes))
"""


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.is_file(), reason="only Linux tells it in a file")
@pytest.mark.skipif(
    not (DEFAULT_MODEL / GRAPHS["onnx-int8"]).is_file(), reason="the embedded model has no int8 graph; stance export"
)
def test_streaming_takes_little_memory_and_no_more_each_time():
    command = [sys.executable, "-c", CODE, str(ROOT / "seeds" / "test.jsonl"), str(STATUS)]
    first, *_, last = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert last < 300
    assert last < 1.05 * first
