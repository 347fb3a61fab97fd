"""One model for many requests: a thread that runs windows of all waiting texts together."""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice

from stance.classifier import Prepared, StanceClassifier
from stance.decoding import WindowReading
from stance.document import Document
from stance.engines import Logits
from stance.windows import Window

_LOG = logging.getLogger("stance.server")
_STEP = 2048
"""Tokens that the network reads at once, padding included: enough to be efficient, few enough for others to wait."""
_OPEN = 2048
"""Windows of texts that are worked on; the rest of the queue waits, so that what is computed fits in memory."""


class QueueFullError(Exception):
    """More texts wait than the server takes on."""


@dataclass(slots=True, eq=False)
class Job:
    """A text on its way to a document.

    Args:
        text: The text.
        min_confidence: Below it a sentence is marked as abstained.
        future: Gets the document; cancelling it drops the text.
        prepared: The text cut up, as soon as that is done.
        found: What was read in its windows so far.

    """

    text: str
    min_confidence: float | None
    future: Future[Document] = field(default_factory=Future)
    prepared: Prepared | None = None
    found: list[WindowReading] = field(default_factory=list)

    @property
    def windows(self) -> Sequence[Window]:
        """All its windows, as soon as the text is cut up."""
        return self.prepared.windows if self.prepared else ()

    @property
    def rest(self) -> Sequence[Window]:
        """The windows that the network has still to read."""
        return self.windows[len(self.found) :]

    @property
    def progress(self) -> float:
        """How much is done, from 0 to 1."""
        return 1.0 if self.future.done() else len(self.found) / max(len(self.windows), 1)


class Batcher:
    """Classifies texts of many callers with one classifier, on a thread of its own.

    Texts take turns window by window, so that a short one need not wait for a long one to end.

    Args:
        classifier: The classifier.
        limit: How many texts may wait or be worked on.
        on_step: Is told of every step of the network: how many windows, and of how many texts.

    """

    def __init__(self, classifier: StanceClassifier, limit: int, on_step: Callable[[int, int], None]) -> None:
        self._classifier = classifier
        self._limit = limit
        self._on_step = on_step
        self._waiting: deque[Job] = deque()
        self._open: deque[Job] = deque()
        self._pending = 0
        self._closing = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="stance-batcher", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more, finish what was taken, and stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    @property
    def ready(self) -> bool:
        """Tell whether texts are taken."""
        return self._thread.is_alive() and not self._closing

    def __len__(self) -> int:
        """Count the texts that wait or are worked on."""
        return self._pending

    def submit(self, texts: Sequence[str], min_confidence: float | None) -> list[Job]:
        """Put texts in the queue, all of them or none.

        Args:
            texts: The texts.
            min_confidence: As for ``StanceClassifier.classify``.

        Returns:
            A job for each, in order.

        Raises:
            QueueFullError: If the queue has no room for them.

        """
        jobs = [Job(text, min_confidence) for text in texts]
        with self._changed:
            if self._closing or self._pending + len(jobs) > self._limit:
                raise QueueFullError
            self._pending += len(jobs)
            self._waiting += jobs
            self._changed.notify()
        for job in jobs:
            job.future.add_done_callback(self._forget)
        return jobs

    def _forget(self, _: Future[Document]) -> None:
        with self._changed:
            self._pending -= 1

    def _work(self) -> None:
        while self._wait():
            self._admit()
            self._step()
            self._open = deque(job for job in self._open if not job.future.done())

    def _wait(self) -> bool:
        """Wait for a text; False says that there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._open or self._closing)
            return bool(self._waiting or self._open)

    def _admit(self) -> None:
        """Cut up texts that wait, as many as there is room for."""
        room = _OPEN - sum(len(job.windows) for job in self._open)
        while room > 0 and self._waiting:
            job = self._waiting.popleft()
            if job.future.done():
                continue
            try:
                job.prepared = self._classifier.prepare(job.text)
            except Exception as error:
                _fail([job], error)
            else:
                room -= len(job.windows)
                self._open.append(job)

    def _step(self) -> None:
        """Run the next windows of as many texts as fit, and finish the texts that are complete."""
        shares = self._share()
        try:
            windows = [window for job, count in shares.items() for window in job.rest[:count]]
            logits = self._classifier.engine.run(windows)
            for job, count in shares.items():
                self._read(job, islice(logits, count))
            self._on_step(len(windows), len(shares))
        except Exception as error:
            _fail(shares, error)
        for job in self._open:
            if not job.rest and not job.future.done():
                self._finish(job)

    def _share(self) -> dict[Job, int]:
        """Tell how many windows of which texts are next: one of each in turn, while they fit."""
        shares: dict[Job, int] = {}
        turns = deque(job for job in self._open if job.rest and not job.future.done())
        longest = count = 0
        while turns:
            job = turns.popleft()
            taken = shares.get(job, 0)
            longest, count = max(longest, len(job.rest[taken])), count + 1
            if count > 1 and count * longest > _STEP:
                break
            shares[job] = taken + 1
            if taken + 1 < len(job.rest):
                turns.append(job)
        # Who had no turn is first in the next step.
        self._open.rotate(-len(shares))
        return shares

    def _read(self, job: Job, logits: Iterable[Logits]) -> None:
        """Find what matters in a job's next windows; the logits themselves would be too much to keep of a long text."""
        assert job.prepared is not None
        out = zip(job.rest, logits, strict=False)
        job.found += [self._classifier.read(job.prepared, window, computed) for window, computed in out]

    def _finish(self, job: Job) -> None:
        assert job.prepared is not None
        try:
            document = self._classifier.finish(job.prepared, job.found, job.min_confidence)
        except Exception as error:
            _fail([job], error)
        else:
            if job.future.set_running_or_notify_cancel():
                job.future.set_result(document)


def _fail(jobs: Iterable[Job], error: Exception) -> None:
    """Pass on what went wrong. The log names the place in the code only: a message could quote a text."""
    place = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("classification failed with %s\n%s", type(error).__name__, place)
    for job in jobs:
        if not job.future.done() and job.future.set_running_or_notify_cancel():
            job.future.set_exception(error)
