"""Load a running server from this machine, and check each reply against what the server says of that text in peace.

stance serve &
python benchmarks/load.py --clients 64 --seconds 60
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

MOST_CLIENTS = 256
MOST_SECONDS = 600
TEXTS = 100
GROWTH = 1.1
"""Memory at the end, as a multiple of that after a third of the time, from which on it counts as growing."""
SENTENCES = (
    "Harbour chief Selma Okoro denied that she had taken bribes.",
    "Union leader Piet Varga accused Brandt Lines of poisoning the bay.",
    "The ferry leaves at nine.",
    '"It will last a century," Mayor Ada Brook said.',
)

Answer = list[dict[str, Any]]


@dataclass
class Tally:
    """What all clients saw, under one lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    texts: int = 0
    wrong: int = 0


def main() -> int:
    """Run the load and print the figures; the exit code is 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="of a server on 127.0.0.1")
    parser.add_argument("--clients", type=int, default=64, help=f"at most {MOST_CLIENTS}")
    parser.add_argument("--seconds", type=float, default=60, help=f"at most {MOST_SECONDS}")
    arguments = parser.parse_args()
    seconds = min(arguments.seconds, MOST_SECONDS)
    before = _memory(arguments.port)
    expected = _in_peace(arguments.port)
    tally, end = Tally(), time.monotonic() + seconds
    clients = min(arguments.clients, MOST_CLIENTS)
    memory = [before]
    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(_client, number, arguments.port, end, expected, tally) for number in range(clients)]
        for _ in range(3):
            time.sleep(seconds / 3)
            memory.append(_memory(arguments.port))
    for client in running:
        client.result()  # what broke a client breaks the check
    memory.append(_memory(arguments.port))
    refused = _beyond_the_limits(arguments.port)
    _report(tally, seconds, memory, refused)
    flat = not memory[-1] > GROWTH * memory[1]
    # Beyond its queue a server says 429; everything else would be an answer lost.
    answered = not tally.wrong and {"200"} <= tally.statuses.keys() <= {"200", "429"}
    return 0 if answered and flat and refused == ["413", "422", "200"] else 1


def _in_peace(port: int) -> dict[str, object]:
    """Ask for texts of mixed sizes, each with words of its own, one after the other."""
    draw = random.Random(0)
    texts = [f"Report {n}. {' '.join(draw.choices(SENTENCES, k=draw.choice((1, 2, 4, 8, 40))))}" for n in range(TEXTS)]
    expected = {}
    for text in texts:
        status, documents, _ = _ask(port, [text])
        if status != "200":
            raise SystemExit(f"the server answers {status} before there is any load")
        expected[text] = _gist(documents[0])
    return expected


def _client(number: int, port: int, end: float, expected: Mapping[str, object], tally: Tally) -> None:
    """Ask for one text or several until the time is up, and compare."""
    draw = random.Random(number)
    while time.monotonic() < end:
        texts = draw.sample(list(expected), draw.choice((1, 1, 1, 4)))
        start = time.monotonic()
        status, documents, retry_after = _ask(port, texts)
        with tally.lock:
            tally.statuses[status] += 1
            if status == "200":
                tally.seconds.append(time.monotonic() - start)
                tally.texts += len(texts)
                tally.wrong += [document["text"] for document in documents] != texts or [
                    _gist(document) for document in documents
                ] != [expected[text] for text in texts]
            else:
                tally.wrong += status in ("429", "503") and not retry_after
        if status in ("429", "503"):
            time.sleep(0.5)


def _gist(document: Mapping[str, Any]) -> object:
    """Take what load and batching may not change: boundaries, labels and speakers."""
    return [(s["start"], s["end"], s["label"], s.get("speaker")) for s in document["sentences"]]


def _beyond_the_limits(port: int) -> list[str]:
    """Ask with too large a body, with too many texts, and then with one that is taken again."""
    asked: tuple[Sequence[str], ...] = (["x" * 1_000_000], ["Why?"] * 65, ["Why?"])
    return [_ask(port, texts)[0] for texts in asked]


def _ask(port: int, texts: Sequence[str]) -> tuple[str, Answer, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/v1/classify", json.dumps({"text": texts}), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        content = reply.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__, [], None
    finally:
        connection.close()
    return str(reply.status), json.loads(content) if reply.status == 200 else [], reply.getheader("Retry-After")


def _memory(port: int) -> float:
    """Ask how many megabytes the server takes; NaN where it does not tell."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    values = [line.split()[1] for line in text.splitlines() if line.startswith("process_resident_memory_bytes ")]
    return float(values[0]) / 1e6 if values else math.nan


def _report(tally: Tally, seconds: float, memory: Sequence[float], refused: Sequence[str]) -> None:
    ordered = sorted(tally.seconds)
    before, *during, after = (f"{value:.0f}" for value in memory)
    lines = [
        f"replies by status   {dict(tally.statuses)}",
        f"wrong replies       {tally.wrong}",
        f"texts a second      {tally.texts / seconds:.1f}",
        f"memory in MB        {before} before, {' '.join(during)} at each third, {after} after",
        f"beyond the limits   {refused[0]} body, {refused[1]} texts, then {refused[2]}",
    ]
    if ordered:
        median, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        lines.append(f"seconds a request   {median:.2f} median, {late:.2f} at 95%")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
