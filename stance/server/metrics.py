"""What the server counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest


class Metrics:
    """Counters of one server, in a registry of its own.

    Args:
        queued: Tells how many texts wait or are worked on.

    """

    def __init__(self, queued: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "stance_requests", "Requests answered.", ["path", "method", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "stance_request_seconds",
            "Time from a request's head to the end of its reply.",
            ["path"],
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60),
            registry=self.registry,
        )
        self.texts = Counter("stance_texts", "Texts classified.", registry=self.registry)
        self.characters = Counter("stance_characters", "Characters of the texts classified.", registry=self.registry)
        self.windows = Histogram(
            "stance_step_windows",
            "Windows that the network reads in one step.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.shared = Histogram(
            "stance_step_texts",
            "Texts that share one step of the network.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        queue = Gauge("stance_queue_texts", "Texts that wait or are worked on.", registry=self.registry)
        queue.set_function(queued)

    def step(self, windows: int, texts: int) -> None:
        """Count a step of the network."""
        self.windows.observe(windows)
        self.shared.observe(texts)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)
