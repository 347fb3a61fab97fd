"""A real server on a free port of this machine, around a classifier that needs no network to be quick."""

import http.client
import json
import re
import threading
from contextlib import contextmanager

import pytest

from stance.classifier import Prepared
from stance.document import Document
from stance.sentences import split

LABELS = {"denied": "denial", "accused": "allegation", "?": "none"}


class Keywords:
    """Takes each sentence for a window, and labels it by its words; the first name in it speaks."""

    def __init__(self):
        self.steps = []
        self.gate = threading.Event()
        self.gate.set()
        self.engine = self

    def prepare(self, text):
        spans = split(text)
        return Prepared(text, spans, [text[start:end] for start, end in spans])

    def run(self, windows):
        assert self.gate.wait(20)
        if any("explode" in window for window in windows):
            raise ValueError(f"cannot read {windows}")
        self.steps.append(list(windows))
        return iter([next((label for word, label in LABELS.items() if word in one), "assertion") for one in windows])

    def read(self, article, window, label):
        return label

    def finish(self, article, logits, min_confidence=None, identifier=None):
        records = [
            self.record(article.text, *span, label, min_confidence)
            for span, label in zip(article.spans, logits, strict=True)
        ]
        return Document.from_dict({"id": identifier, "text": article.text, "sentences": records})

    def record(self, text, start, end, label, min_confidence):
        def first(pattern):
            found = re.compile(pattern).search(text, start, end)
            return {"start": found.start(1), "end": found.end(1)} if found else None

        record = {"start": start, "end": end, "label": label, "confidence": 0.8, "speaker_confidence": 0.7}
        record |= {"scores": {"assertion": 0.1, "denial": 0.1, "allegation": 0.1, "none": 0.1} | {label: 0.7}}
        record |= {"abstained": (min_confidence or 0) > 0.8, "cue": first(r"(denied|accused|said)")}
        if label == "none":
            return record
        mention = first(r"([A-Z]\w+) (?:denied|accused|said)")
        name = mention and {"name": text[mention["start"] : mention["end"]], "mention": mention}
        record["speaker"] = name or "author"
        if label == "allegation":
            record["target"] = first(r"accused ([A-Z]\w+)")
        return record


class Client:
    """Asks a server, one connection a question."""

    def __init__(self, port):
        self.port = port

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        reply.content = reply.read()
        connection.close()
        return reply

    def post(self, body, **headers):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.ask("POST", "/v1/classify", content, **{"Content_Type": "application/json", **headers})

    def classify(self, text, **more):
        reply = self.post({"text": text, **more})
        assert reply.status == 200, reply.content
        return json.loads(reply.content)


@contextmanager
def running(classifier, **options):
    """Run a server until the block ends, and give a client of it."""
    pytest.importorskip("stance.server.app", reason="the extra web is not installed")
    from stance.server.options import Options
    from tools.serving import serving

    with serving(classifier, Options(port=0, **options)) as served:
        client = Client(served.port)
        client.server, client.thread = served.server, served.thread
        try:
            yield client
        finally:
            if isinstance(classifier, Keywords):
                classifier.gate.set()


@pytest.fixture
def classifier():
    return Keywords()


@pytest.fixture
def client(classifier):
    with running(classifier) as client:
        yield client


@pytest.fixture
def serve(classifier):
    """Run servers with options of one's own."""
    return lambda classifier=classifier, **options: running(classifier, **options)
