"""What is fuzzed: each reader with the errors that it may raise; any other error is a finding."""

from __future__ import annotations

import atexit
import functools
import http.client
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import MappingProxyType

from stance import labelled
from stance.classifier import StanceClassifier
from stance.document import Document
from stance.integrations import brat, label_studio, sheets
from stance.integrity import ModelError
from stance.labelled import LabelledSetError
from stance.sentences import check_boundaries, split
from stance.server.options import Options
from stance.settings import Settings
from tools.serving import serving
from training.configuration import ConfigurationError, read_recipe

_KNOWN = "Mayor Ada Brook denied it."
_ANSWERS = frozenset({200, 400, 422})


def read_labelled(content: bytes) -> None:
    """Read a labelled set, and make documents of its articles."""
    with _file(content, ".jsonl") as path, suppress(LabelledSetError):
        for article in labelled.read(path):
            document = Document.from_dict(article)
            assert Document.from_dict(json.loads(document.to_json())) == document
            document.to_html()
            document.to_frame()


def read_gzipped(content: bytes) -> None:
    """Read a labelled set that says it is gzipped."""
    with _file(content, ".jsonl.gz") as path, suppress(LabelledSetError):
        labelled.read(path)


def read_standoff(content: bytes) -> None:
    """Join stand-off labels with an article."""
    with _file(content, ".jsonl") as path, suppress(LabelledSetError):
        labelled.join(path, [{"text": _KNOWN}])


def read_brat(content: bytes) -> None:
    """Read brat's annotation of an article."""
    with suppress(LabelledSetError):
        brat.from_ann(_KNOWN, content.decode("utf-8", "replace"))


def read_label_studio(content: bytes) -> None:
    """Read an export of Label Studio."""
    with _file(content, ".json") as path, suppress(LabelledSetError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        list(label_studio.read(path))


def read_sheet(content: bytes) -> None:
    """Read a corrected sheet of an article."""
    with _file(content, ".csv") as path, suppress(LabelledSetError):
        list(sheets.read(path, [{"id": "a", "text": _KNOWN}]))


def read_configuration(content: bytes) -> None:
    """Read a training recipe."""
    with _file(content, ".yaml") as path, suppress(ConfigurationError):
        read_recipe(path)


def read_settings(content: bytes) -> None:
    """Read the settings of a model folder."""
    with tempfile.TemporaryDirectory(dir=_memory()) as folder, suppress(ModelError):
        (Path(folder) / "config.json").write_bytes(content)
        Settings.read(Path(folder))


def split_text(content: bytes) -> None:
    """Split a text into sentences, which leave out nothing."""
    text = content.decode("utf-8", "surrogateescape")
    assert check_boundaries(text, split(text)) == split(text)


def request_classification(content: bytes) -> None:
    """Send a request to classify, whatever its body."""
    connection = http.client.HTTPConnection("127.0.0.1", _port(), timeout=10)
    connection.request("POST", "/v1/classify", content, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    assert reply.status in _ANSWERS, reply.status
    answer = json.loads(reply.read())
    connection.close()
    assert reply.status == 200 or list(answer) == ["detail"]


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "labelled": read_labelled,
        "gzipped": read_gzipped,
        "standoff": read_standoff,
        "brat": read_brat,
        "label-studio": read_label_studio,
        "sheet": read_sheet,
        "recipe": read_configuration,
        "settings": read_settings,
        "sentences": split_text,
        "http": request_classification,
    }
)


@functools.cache
def _port() -> int:
    """Start a server, which runs as long as the process; return its port."""
    whole = ExitStack()
    atexit.register(whole.close)
    return whole.enter_context(serving(StanceClassifier.from_pretrained(), Options(port=0))).port


def _memory() -> str | None:
    """Name a folder in memory, where the system has one."""
    return "/dev/shm" if os.path.isdir("/dev/shm") else None


@contextmanager
def _file(content: bytes, suffix: str) -> Iterator[str]:
    with tempfile.NamedTemporaryFile(dir=_memory(), suffix=suffix) as file:
        file.write(content)
        file.flush()
        yield file.name
