"""How well predicted documents agree with a labelled set: every metric, with its interval and its worst errors."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stance.document import AUTHOR, LABELS, Document, Label
from stance.labelled import Article, read, read_lines, validate
from stance.matching import Judged, judge

STANCES = (Label.ASSERTION, Label.DENIAL, Label.ALLEGATION)
METRICS = (
    *(f"F1 {label}" for label in LABELS),
    "macro-F1",
    "label accuracy",
    "speaker accuracy",
    "mention overlap",
    "author F1",
    "joint accuracy",
    "target accuracy",
    "ECE",
)
DIAGNOSTICS = ("mention right but name wrong", "name right but mention wrong")
RATIOS = tuple(name for name in (*METRICS, *DIAGNOSTICS) if name not in ("macro-F1", "ECE"))
BINS = 15
_EDGES = [edge / BINS for edge in range(BINS + 1)]
RESAMPLES = 300

Articles = str | Path | Iterable[Document | Mapping[str, Any]]
Points = dict[str, tuple[int, int]]
"""What one sentence earns in each metric, and the most that it could have earned; 0 of 0 where it does not count."""


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """A sentence with a wrong label, or with the right label and a wrong speaker.

    Args:
        article: The id of its article.
        sentence: Its index among the sentences of the labelled article.
        text: The sentence itself.
        kind: What is wrong: ``label`` (and perhaps the speaker too) or ``speaker``.
        gold_label: The label that a person gave.
        predicted_label: The label that was predicted.
        gold_speaker: The right name, ``author``, or None where the label is none.
        predicted_speaker: The name that was predicted, likewise.
        confidence: The predicted probability of what is wrong, or None where the prediction has none.

    """

    article: str
    sentence: int
    text: str
    kind: str
    gold_label: Label
    predicted_label: Label
    gold_speaker: str | None
    predicted_speaker: str | None
    confidence: float | None

    def __str__(self) -> str:
        """Return the error on one line, with a long sentence cut short."""
        sure = "" if self.confidence is None else f" ({self.confidence:.2f})"
        gold, predicted = f"{self.gold_label}/{self.gold_speaker}", f"{self.predicted_label}/{self.predicted_speaker}"
        return f"{self.article}: gold {gold}, predicted {predicted}{sure}: {' '.join(self.text.split())[:170]!r}"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well predictions agree with a labelled set.

    Args:
        metrics: Every figure by its name; NaN where no sentence counts towards it.
        intervals: The 95% bootstrap interval of each, over articles.
        diagnostics: Of the sentences with a labelled mention, the share with a right mention but a wrong name and the
            share with a right name but a wrong mention.
        confusion: Number of sentences by labelled label, then by predicted label.
        errors: What went wrong, the worst first: wrong labels, the most confident first, then wrong speakers likewise.
        articles: Number of articles that have a sentence.
        sentences: Number of labelled sentences.
        stated: The confidence of every prediction that states one, and whether its label is right.

    """

    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    diagnostics: dict[str, float]
    confusion: dict[Label, dict[Label, int]]
    errors: list[ErrorCase]
    articles: int
    sentences: int
    stated: list[tuple[float, bool]]

    def to_dict(self) -> dict[str, Any]:
        """Return the evaluation as JSON types, with None for NaN."""
        return {
            "metrics": {name: _or_none(value) for name, value in self.metrics.items()},
            "intervals": {name: [_or_none(end) for end in ends] for name, ends in self.intervals.items()},
            "diagnostics": {name: _or_none(value) for name, value in self.diagnostics.items()},
            "confusion": {
                gold.value: {predicted.value: count for predicted, count in row.items()}
                for gold, row in self.confusion.items()
            },
            "errors": [
                {**asdict(error), "gold_label": error.gold_label.value, "predicted_label": error.predicted_label.value}
                for error in self.errors
            ],
            "articles": self.articles,
            "sentences": self.sentences,
        }

    def to_text(self, errors: int = 0) -> str:
        """Return the evaluation as a table to read.

        Args:
            errors: How many of the worst errors to list below it.

        Returns:
            Metrics with intervals, diagnostics and confusion matrix, of several lines.

        """
        lines = [f"{'':29}{'value':>7}  95% interval"]
        for name, value in self.metrics.items():
            low, high = self.intervals[name]
            lines.append(f"{name:29}{value:7.3f}  {low:.3f} to {high:.3f}")
        lines += [f"{name:29}{value:7.3f}" for name, value in self.diagnostics.items()]
        lines += ["", f"{'gold / predicted':18}" + "".join(f"{label:>11}" for label in LABELS)]
        for gold, row in self.confusion.items():
            lines.append(f"{gold:18}" + "".join(f"{count:11}" for count in row.values()))
        lines += ["", f"{self.articles} articles, {self.sentences} sentences, {len(self.errors)} errors"]
        lines += [f"  {error}" for error in self.errors[: max(errors, 0)]]
        return "\n".join(lines)

    def __str__(self) -> str:
        """Return ``to_text`` without errors."""
        return self.to_text()


def evaluate(gold: Articles, predicted: Articles) -> Evaluation:
    """Measure predictions against a labelled set.

    Args:
        gold: A labelled set: the path of its file, or its articles.
        predicted: Predictions of the same articles in any order: the path of a file with one ``Document.to_dict()`` a
            line, or documents, or such dictionaries. Each labelled sentence takes the predicted one that overlaps it
            most. Articles that the labelled set lacks are left out.

    Returns:
        Metrics, intervals, confusion matrix and errors.

    Raises:
        ValueError: If an article has no prediction, has two, or has another text; the message names its id.
        stance.LabelledSetError: If the labelled set breaks the format.

    Example:
        >>> gold = {"id": "a", "text": "Ann denied it.", "sentences": [{"start": 0, "end": 14, "label": "denial",
        ...     "speaker": {"name": "Ann", "mention": {"start": 0, "end": 3}}}]}
        >>> evaluate([gold], [gold]).metrics["joint accuracy"]
        1.0

    """
    labelled = by_id(gold)
    predictions = _by_id(_load_predicted(predicted), "the predictions")
    judged = [_judge(article, _find(predictions, article)) for article in labelled.values()]
    return _summarise([article for article in judged if article])


def by_id(gold: Articles) -> dict[str, Article]:
    """Read a labelled set, and make sure before anything is predicted that predictions can be matched with it.

    Args:
        gold: The path of its file, or its articles.

    Returns:
        Its articles by their ids, in order.

    Raises:
        ValueError: If an article has no id, or that of another.
        stance.LabelledSetError: If the labelled set breaks the format.

    """
    return _by_id(_load_gold(gold), str(gold) if isinstance(gold, (str, Path)) else "the labelled set")


def _load_gold(articles: Articles) -> list[Article]:
    if isinstance(articles, (str, Path)):
        return read(articles)
    loaded = _to_dicts(articles, "labelled article")
    for number, article in enumerate(loaded):
        validate(article, f"labelled article {number}")
    return loaded


def _load_predicted(articles: Articles) -> list[Article]:
    # Not validated: another tool's name may be no words of the article, and must still count, as wrong.
    if isinstance(articles, (str, Path)):
        articles = (article for _, article in read_lines(articles))
    return _to_dicts(articles, "prediction")


def _to_dicts(articles: Iterable[Document | Mapping[str, Any]], what: str) -> list[Article]:
    loaded: list[Article] = []
    for number, article in enumerate(articles):
        if not isinstance(article, (Document, Mapping)):
            message = f"{what} {number} must be a Document or a dictionary, not {type(article).__name__}"
            raise TypeError(message)
        loaded.append(article.to_dict() if isinstance(article, Document) else dict(article))
    return loaded


def _by_id(articles: Sequence[Article], where: str) -> dict[str, Article]:
    found: dict[str, Article] = {}
    for number, article in enumerate(articles):
        identifier = article.get("id")
        if identifier is None:
            raise ValueError(f"article {number} of {where} has no id; evaluation matches articles by id")
        if identifier in found:
            raise ValueError(f"the id {identifier!r} stands twice in {where}; ids are unique")
        found[identifier] = article
    return found


def _find(predictions: Mapping[str, Article], gold: Article) -> Article:
    found = predictions.get(gold["id"])
    if found is None:
        raise ValueError(f"no prediction for the article {gold['id']!r}; predict every article of the labelled set")
    if found.get("text") != gold["text"]:
        raise ValueError(f"the prediction for {gold['id']!r} is of another text; predict the labelled text unchanged")
    return found


def _judge(gold: Article, predicted: Article) -> list[Judged]:
    try:
        return list(judge(gold, predicted))
    except (AttributeError, KeyError, TypeError, ValueError):
        validate(predicted, f"the prediction for {gold['id']!r}")  # says what is wrong, and where
        raise


def _summarise(judged: Sequence[Sequence[Judged]]) -> Evaluation:
    sentences = [sentence for article in judged for sentence in article]
    counts = np.array([_count(article) for article in judged]).reshape(len(judged), 2 * len(RATIOS) + 2 * BINS + 1)
    figures = _figures(counts.sum(0))
    pairs = Counter((sentence.gold, sentence.predicted) for sentence in sentences)
    return Evaluation(
        metrics={name: figures[name] for name in METRICS},
        intervals=_intervals(counts),
        diagnostics={name: figures[name] for name in DIAGNOSTICS},
        confusion={gold: {predicted: pairs[gold, predicted] for predicted in LABELS} for gold in LABELS},
        errors=_errors(sentences),
        articles=len(judged),
        sentences=len(sentences),
        stated=[(s.confidence, s.gold == s.predicted) for s in sentences if s.confidence is not None],
    )


def _points(sentence: Judged) -> Points:
    """Count what a sentence earns in every metric that is a ratio of sums."""
    label_right = sentence.gold == sentence.predicted
    # F1 is 2 · hits / (predicted + labelled), a ratio of sums as well.
    points = {
        f"F1 {label}": (2 * (sentence.gold == label == sentence.predicted), _either(sentence, label))
        for label in LABELS
    }
    points["label accuracy"] = (int(label_right), 1)
    if sentence.gold != Label.NONE:
        by_author, to_author = not sentence.by_source, sentence.predicted_speaker == AUTHOR
        points["author F1"] = (2 * (by_author and to_author), by_author + to_author)
        points["joint accuracy"] = (int(label_right and bool(sentence.speaker_right)), 1)
    if sentence.by_source:
        points["speaker accuracy"] = (int(bool(sentence.speaker_right)), 1)
    if sentence.mention_right is not None:
        mention, name = sentence.mention_right, bool(sentence.speaker_right)
        points["mention overlap"] = (int(mention), 1)
        points["mention right but name wrong"] = (int(mention and not name), 1)
        points["name right but mention wrong"] = (int(name and not mention), 1)
    if sentence.target_right is not None:
        points["target accuracy"] = (int(sentence.target_right), 1)
    return points


def _either(sentence: Judged, label: Label) -> int:
    return (sentence.gold == label) + (sentence.predicted == label)


def _count(article: Sequence[Judged]) -> npt.NDArray[np.float64]:
    """Add up an article's sentences, so that a resample of articles is a sum of such rows.

    Returns:
        Hits of every ratio, then what was possible; the summed confidence of every calibration bin, then its right
        labels; the number of sentences with a confidence.

    """
    ratios = np.zeros((2, len(RATIOS)))
    for sentence in article:
        for name, (hits, possible) in _points(sentence).items():
            ratios[:, RATIOS.index(name)] += hits, possible
    stated = [(s.confidence, s.gold == s.predicted) for s in article if s.confidence is not None]
    bins = np.zeros((2, BINS))
    for confidence, right in stated:
        # A bin holds its upper edge and not its lower; a confidence outside (0, 1] is in no bin.
        at = bisect_left(_EDGES, confidence) - 1
        if 0 <= at < BINS:
            bins[:, at] += confidence, right
    return np.concatenate([ratios.ravel(), bins.ravel(), [len(stated)]])


def _figures(count: npt.NDArray[np.float64]) -> dict[str, float]:
    """Turn summed counts into metrics and diagnostics."""
    hits, possible = count[: 2 * len(RATIOS)].reshape(2, -1).tolist()
    figures = {name: _ratio(*pair) for name, *pair in zip(RATIOS, hits, possible, strict=True)}
    figures["macro-F1"] = sum(figures[f"F1 {label}"] for label in STANCES) / len(STANCES)
    confidence, right = count[2 * len(RATIOS) : -1].reshape(2, BINS)
    # A bin's weight times its gap between mean confidence and accuracy is the gap between its sums, over all sentences.
    figures["ECE"] = _ratio(float(np.abs(confidence - right).sum()), float(count[-1]))
    return figures


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _intervals(counts: npt.NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """Resample whole articles, because the sentences of one are no independent draws."""
    generator, size = random.Random(0), len(counts)
    drawn = [np.bincount(generator.choices(range(size), k=size), minlength=size) for _ in range(RESAMPLES)]
    figures = [_figures(count) for count in np.array(drawn).reshape(RESAMPLES, size) @ counts]
    low, high = int(RESAMPLES * 0.025), int(RESAMPLES * 0.975) - 1
    # Python's own sort, as in the reference: NumPy's would put NaN resamples elsewhere and give another interval.
    ordered = {name: sorted(figure[name] for figure in figures) for name in METRICS}
    return {name: (values[low], values[high]) for name, values in ordered.items()}


def _errors(sentences: Iterable[Judged]) -> list[ErrorCase]:
    wrong = [_error(sentence) for sentence in sentences if _wrong(sentence)]
    return sorted(wrong, key=lambda error: (error.kind != "label", -(error.confidence or 0.0)))


def _wrong(sentence: Judged) -> bool:
    return sentence.gold != sentence.predicted or sentence.speaker_right is False


def _error(sentence: Judged) -> ErrorCase:
    mislabelled = sentence.gold != sentence.predicted
    return ErrorCase(
        article=sentence.article,
        sentence=sentence.index,
        text=sentence.text,
        kind="label" if mislabelled else "speaker",
        gold_label=sentence.gold,
        predicted_label=sentence.predicted,
        gold_speaker=sentence.gold_speaker,
        predicted_speaker=sentence.predicted_speaker,
        confidence=sentence.confidence if mislabelled else sentence.speaker_confidence,
    )


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else value
