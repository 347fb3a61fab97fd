"""The functions at the top of the package, with the embedded default model behind them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, overload

from stance.classifier import StanceClassifier
from stance.document import Document

if TYPE_CHECKING:
    from stance.classifier import Boundaries, Texts
    from stance.evaluation import Evaluation
    from stance.labelled import Article


def load(model: str | Path | None = None, *, device: str | None = None, engine: str | None = None) -> StanceClassifier:
    """Load a classifier.

    Args:
        model: A folder, or the name of a repository on the Hugging Face hub; None is the embedded default.
        device: Where the network runs, such as ``"cuda"``; None is the processor.
        engine: How it runs there, such as ``"torch"``; see ``StanceClassifier.from_pretrained``.

    Returns:
        A classifier that is ready to use.

    Raises:
        FileNotFoundError: If there is no such folder, or it lacks one of a model's files.
        ValueError: If a file is broken, which the message names; if there is no such device or engine, or the engine
            does not run on the device.

    Example:
        >>> load().classify("Nobody was hurt, police said.").sentences[0].speaker.name
        'police'

    """
    return StanceClassifier.from_pretrained(model, device=device, engine=engine)


@overload
def classify(text: str, *, sentences: Boundaries | None = None, min_confidence: float | None = None) -> Document: ...


@overload
def classify(
    text: Texts, *, sentences: Sequence[Boundaries] | None = None, min_confidence: float | None = None
) -> list[Document]: ...


def classify(
    text: str | Texts,
    *,
    sentences: Boundaries | Sequence[Boundaries] | None = None,
    min_confidence: float | None = None,
) -> Document | list[Document]:
    """Label every sentence of one article or of several with the embedded default model.

    Args:
        text: An article, or a list of them.
        sentences: The caller's own sentence boundaries, as for ``StanceClassifier.classify``.
        min_confidence: Sentences whose confidence lies below are marked ``abstained``; labels do not change.

    Returns:
        A document, or a list of documents in the same order.

    Raises:
        TypeError: If an item is no string; the message says which.
        ValueError: If boundaries leave out, overlap or reverse anything, or ``min_confidence`` is no probability.

    Example:
        >>> classify("The mayor denied the claim.").sentences[0].label.value
        'denial'

    """
    # The overloads above hold for the classifier alike.
    return default_classifier().classify(text, sentences=sentences, min_confidence=min_confidence)  # type: ignore[arg-type]


def evaluate(
    gold: str | Path | Sequence[Article],
    predicted: str | Path | Sequence[Document] | Sequence[Article] | StanceClassifier | None = None,
) -> Evaluation:
    """Score predictions against a labelled set.

    Args:
        gold: A labelled set: its file or its articles. Each article has an id.
        predicted: Predicted documents, a file of them, or the classifier that shall predict; None is the embedded
            default model.

    Returns:
        Every metric with its 95% interval, the confusion matrix and the errors.

    Raises:
        stance.LabelledSetError: If the labelled set breaks its format.
        ValueError: If a gold article has no id, or the predictions are not those of the gold articles.

    """
    from stance.evaluation import by_id
    from stance.evaluation import evaluate as score

    if predicted is not None and not isinstance(predicted, StanceClassifier):
        return score(gold, predicted)
    articles = by_id(gold)
    classifier = predicted or default_classifier()
    texts = ((identifier, article["text"]) for identifier, article in articles.items())
    return score(articles.values(), classifier.stream(texts))


@lru_cache(maxsize=1)
def default_classifier() -> StanceClassifier:
    """Load the embedded default model, and keep it for the next call."""
    return load()
