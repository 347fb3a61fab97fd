"""What simple things reach: two baselines that label given sentences, to measure a model against."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stance.document import AUTHOR, LABELS, SCHEMA, Label
from stance.matching import PRONOUNS, TITLES

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from stance.labelled import Article

SOURCE = "source"
_CAPITALISED = re.compile(r"[A-ZÀ-Þ][\w'’-]*(?: [A-ZÀ-Þ][\w'’-]*)*")


class Baseline(Protocol):
    """Something fitted that labels the sentences of articles."""

    def predict(self, articles: Iterable[Article]) -> list[Article]:
        """Label articles whose sentence boundaries are given.

        Args:
            articles: Articles in the labelled-set format; their labels are not looked at.

        Returns:
            The same articles with predicted labels and speakers, as ``Document.to_dict`` has them.

        """
        ...


def fit_baseline(name: str, train: Iterable[Article]) -> Baseline:
    """Fit a baseline on a labelled set.

    Args:
        name: ``majority`` or ``tfidf``.
        train: Articles in the labelled-set format.

    Returns:
        The fitted baseline.

    Raises:
        ValueError: If the name is unknown, or the articles have no sentence or too few kinds of them to learn from.

    Example:
        >>> train = [{"id": "a", "text": "It rained.", "sentences": [
        ...     {"start": 0, "end": 10, "label": "assertion", "speaker": "author"}]}]
        >>> fit_baseline("majority", train).predict(train)[0]["sentences"][0]["label"]
        'assertion'

    """
    if name not in BASELINES:
        raise ValueError(f"unknown baseline {name!r}; it must be one of {', '.join(BASELINES)}")
    return BASELINES[name](train)


@dataclass(frozen=True, slots=True)
class Majority:
    """Gives every sentence the commonest label, and its author as the speaker.

    Args:
        scores: The share of every label among the sentences it was fitted on.
        author: The share of the author among the speakers.

    """

    scores: Mapping[Label, float]
    author: float

    def predict(self, articles: Iterable[Article]) -> list[Article]:
        """Label articles whose sentence boundaries are given; see ``Baseline.predict``."""
        return [
            _predicted(article, [_record(span, self.scores, AUTHOR, self.author) for span in article["sentences"]])
            for article in articles
        ]


@dataclass(frozen=True, slots=True)
class Tfidf:
    """Reads each sentence by itself as a bag of words and of letters.

    Args:
        label: Tells the label of a sentence.
        speaker: Tells whether its speaker is the author or a source; the source's name is then the longest run of
            capitalised words in the sentence, the first of equally long ones.

    """

    label: Pipeline
    speaker: Pipeline

    def predict(self, articles: Iterable[Article]) -> list[Article]:
        """Label articles whose sentence boundaries are given; see ``Baseline.predict``."""
        return [_predicted(article, self._sentences(article)) for article in articles]

    def _sentences(self, article: Article) -> list[dict[str, Any]]:
        text, spans = article["text"], article["sentences"]
        sentences = [text[span["start"] : span["end"]] for span in spans]
        records = []
        for span, label, kind in zip(
            spans, _probabilities(self.label, sentences), _probabilities(self.speaker, sentences), strict=True
        ):
            scores = {known: label.get(known.value, 0.0) for known in LABELS}
            name = _longest_name(text, span) if kind.get(SOURCE, 0.0) > kind.get(AUTHOR, 0.0) else None
            records.append(_record(span, scores, name or AUTHOR, kind.get(SOURCE if name else AUTHOR, 0.0)))
        return records


def majority(train: Iterable[Article]) -> Majority:
    """Fit ``Majority`` on articles in the labelled-set format."""
    sentences = _labelled_sentences(train)
    labels = Counter(Label(record["label"]) for _, record in sentences)
    kinds = Counter(_kind(record) for _, record in sentences if record["label"] != Label.NONE)
    return Majority({label: labels[label] / len(sentences) for label in LABELS}, kinds[AUTHOR] / max(kinds.total(), 1))


def tfidf(train: Iterable[Article]) -> Tfidf:
    """Fit ``Tfidf`` on articles in the labelled-set format."""
    sentences = _labelled_sentences(train)
    claims = [(text, record) for text, record in sentences if record["label"] != Label.NONE]
    label, speaker = _pipeline(), _pipeline()
    label.fit([text for text, _ in sentences], [record["label"] for _, record in sentences])
    speaker.fit([text for text, _ in claims], [_kind(record) for _, record in claims])
    return Tfidf(label, speaker)


BASELINES: Mapping[str, Callable[[Iterable[Article]], Baseline]] = {"majority": majority, "tfidf": tfidf}


def _pipeline() -> Pipeline:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)
    features = FeatureUnion([("words", words), ("letters", letters)])
    return Pipeline([("features", features), ("model", LogisticRegression(class_weight="balanced", max_iter=1000))])


def _probabilities(pipeline: Pipeline, sentences: Sequence[str]) -> list[dict[str, float]]:
    if not sentences:
        return []
    return [dict(zip(pipeline.classes_, row, strict=True)) for row in pipeline.predict_proba(sentences).tolist()]


def _labelled_sentences(train: Iterable[Article]) -> list[tuple[str, dict[str, Any]]]:
    sentences = [
        (article["text"][record["start"] : record["end"]], record)
        for article in train
        for record in article["sentences"]
    ]
    if not sentences:
        raise ValueError("a baseline needs at least one labelled sentence to be fitted on; the articles have none")
    return sentences


def _kind(record: Mapping[str, Any]) -> str:
    return SOURCE if isinstance(record.get("speaker"), Mapping) else AUTHOR


def _longest_name(text: str, span: Mapping[str, int]) -> dict[str, Any] | None:
    found = [
        match
        for match in _CAPITALISED.finditer(text, span["start"], span["end"])
        if not (PRONOUNS | TITLES).issuperset(match.group().lower().split())
    ]
    if not found:
        return None
    name = max(found, key=lambda match: match.group().count(" "))
    return {"name": name.group(), "mention": {"start": name.start(), "end": name.end()}}


def _predicted(article: Article, sentences: list[dict[str, Any]]) -> Article:
    return {"schema": SCHEMA, "id": article.get("id"), "text": article["text"], "sentences": sentences}


def _record(
    span: Mapping[str, int], scores: Mapping[Label, float], speaker: str | dict[str, Any], speaker_confidence: float
) -> dict[str, Any]:
    label = max(scores, key=lambda known: scores[known])
    record: dict[str, Any] = {"start": span["start"], "end": span["end"], "label": label.value}
    if label is not Label.NONE:
        record["speaker"] = speaker
    if label is Label.ALLEGATION:
        record["target"] = None
    return record | {
        "confidence": scores[label],
        "scores": {known.value: score for known, score in scores.items()},
        "speaker_confidence": speaker_confidence,
        "cue": None,
        "abstained": False,
    }
