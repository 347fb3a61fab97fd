"""Stance: who asserts, denies or alleges what in a news article.

Example:
    >>> import stance
    >>> doc = stance.classify("The mayor denied the claim.")
    >>> doc.sentences[0].label.value
    'denial'

"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stance.api import classify, evaluate, load
    from stance.classifier import StanceClassifier
    from stance.document import Document, Label, Sentence, Span, Speaker
    from stance.evaluation import Evaluation
    from stance.frames import classify_batch, classify_frame
    from stance.labelled import LabelledSetError
    from stance.modeling import StanceConfig, StanceModel

__version__ = "0.1.0"

__all__ = [
    "Document",
    "Evaluation",
    "Label",
    "LabelledSetError",
    "Sentence",
    "Span",
    "Speaker",
    "StanceClassifier",
    "StanceConfig",
    "StanceModel",
    "classify",
    "classify_batch",
    "classify_frame",
    "evaluate",
    "load",
]

_HOMES = {
    "Document": "document",
    "Evaluation": "evaluation",
    "Label": "document",
    "LabelledSetError": "labelled",
    "Sentence": "document",
    "Span": "document",
    "Speaker": "document",
    "StanceClassifier": "classifier",
    "StanceConfig": "modeling",
    "StanceModel": "modeling",
    "classify": "api",
    "classify_batch": "frames",
    "classify_frame": "frames",
    "evaluate": "api",
    "load": "api",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used, so that ``import stance`` stays instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'stance' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"stance.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
