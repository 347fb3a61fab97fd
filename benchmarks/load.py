"""Load a running server from this machine, and check each reply against the text that was sent.

stance serve &
python benchmarks/load.py --clients 64 --seconds 60
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

MOST_CLIENTS = 256
MOST_SECONDS = 600
SENTENCES = (
    "Harbour chief Selma Okoro denied that she had taken bribes.",
    "Union leader Piet Varga accused Brandt Lines of poisoning the bay.",
    "The ferry leaves at nine.",
    '"It will last a century," Mayor Ada Brook said.',
)


@dataclass
class Tally:
    """What all clients saw, under one lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    texts: int = 0
    wrong: int = 0


def main() -> int:
    """Run the load and print the figures; the exit code is 1 if a reply was wrong or a 5xx."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="of a server on 127.0.0.1")
    parser.add_argument("--clients", type=int, default=64, help=f"at most {MOST_CLIENTS}")
    parser.add_argument("--seconds", type=float, default=60, help=f"at most {MOST_SECONDS}")
    arguments = parser.parse_args()
    end = time.monotonic() + min(arguments.seconds, MOST_SECONDS)
    tally = Tally()
    threads = [
        threading.Thread(target=_client, args=(number, arguments.port, end, tally))
        for number in range(min(arguments.clients, MOST_CLIENTS))
    ]
    memory = [_memory(arguments.port)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    memory.append(_memory(arguments.port))
    _report(tally, min(arguments.seconds, MOST_SECONDS), memory)
    failed = tally.wrong or any(status.startswith("5") for status in tally.statuses)
    return 1 if failed else 0


def _client(number: int, port: int, end: float, tally: Tally) -> None:
    """Ask with texts of mixed sizes, each with words of its own, until the time is up."""
    draw = random.Random(number)
    asked = 0
    while time.monotonic() < end:
        texts = [_text(draw, f"{number}-{asked}-{index}") for index in range(draw.choice((1, 1, 1, 4)))]
        asked += 1
        start = time.monotonic()
        status, documents = _ask(port, texts)
        with tally.lock:
            tally.statuses[status] += 1
            if status == "200":
                tally.seconds.append(time.monotonic() - start)
                tally.texts += len(texts)
                tally.wrong += [document["text"] for document in documents] != texts
        if status in ("429", "503"):
            time.sleep(0.5)


def _text(draw: random.Random, mark: str) -> str:
    sentences = draw.choices(SENTENCES, k=draw.choice((1, 2, 4, 8, 40)))
    return f"Report {mark}. {' '.join(sentences)}"


def _ask(port: int, texts: list[str]) -> tuple[str, list[dict[str, str]]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/v1/classify", json.dumps({"text": texts}), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        content = reply.read()
    except OSError as error:
        return type(error).__name__, []
    finally:
        connection.close()
    return str(reply.status), json.loads(content) if reply.status == 200 else []


def _memory(port: int) -> float:
    """Ask how many megabytes the server takes; NaN where it does not tell."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    values = [line.split()[1] for line in text.splitlines() if line.startswith("process_resident_memory_bytes ")]
    return float(values[0]) / 1e6 if values else float("nan")


def _report(tally: Tally, seconds: float, memory: list[float]) -> None:
    ordered = sorted(tally.seconds)
    lines = [
        f"replies by status   {dict(tally.statuses)}",
        f"wrong replies       {tally.wrong}",
        f"texts a second      {tally.texts / seconds:.1f}",
        f"memory in MB        {memory[0]:.0f} before, {memory[1]:.0f} after",
    ]
    if ordered:
        median, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
        lines.append(f"seconds a request   {median:.2f} median, {late:.2f} at 95%")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
