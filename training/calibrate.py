"""Fit the inference settings on out-of-fold predictions: temperature, label weights, the speaker's calibration."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score

from stance.document import LABELS, Label
from stance.labelled import Article
from stance.matching import closest, judge
from stance.settings import Settings

_STANCES = [index for index, label in enumerate(LABELS) if label is not Label.NONE]
# A denial or an allegation that is missed loses its target too: finding more of them is worth some F1.
_BETA = 1.6
_WEIGHTS = (0.6, 0.75, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def calibrate(gold: Sequence[Article], predicted: Sequence[Article]) -> Settings:
    """Fit the settings that turn logits into decisions and probabilities.

    Args:
        gold: Labelled articles.
        predicted: Out-of-fold predictions of the same articles in the same order, made with default settings.

    Returns:
        Settings with temperature, label weights and speaker calibration.

    """
    log_scores, truth = label_scores(gold, predicted)
    temperature = fit_temperature(log_scores, truth)
    weights = fit_label_weights(log_scores / temperature, truth)
    return Settings(
        temperature=temperature, label_weights=weights, speaker_calibration=fit_speaker_calibration(gold, predicted)
    )


def label_scores(gold: Sequence[Article], predicted: Sequence[Article]) -> tuple[Floats, Integers]:
    """Pair each labelled sentence with the predicted scores.

    Returns:
        The logarithms of the scores, (N, 4), and the indices of the right labels, (N,).

    """
    rows, truth = [], []
    for article, prediction in zip(gold, predicted, strict=True):
        for sentence in article["sentences"]:
            scores = closest(sentence, prediction["sentences"]).get("scores")
            if scores:
                rows.append([scores[label.value] for label in LABELS])
                truth.append(LABELS.index(Label(sentence["label"])))
    return np.log(np.maximum(np.array(rows), 1e-9)), np.array(truth)


def fit_temperature(logits: Floats, truth: Integers) -> float:
    """Find the temperature of least cross-entropy (Guo et al., 2017, https://arxiv.org/abs/1706.04599).

    Args:
        logits: (N, 4).
        truth: Indices of the right labels, (N,).

    Returns:
        The temperature, above 1 for a model that is too sure.

    """

    def loss(temperature: float) -> float:
        return -float(log_softmax(logits / temperature, axis=-1)[np.arange(len(truth)), truth].mean())

    return round(float(minimize_scalar(loss, bounds=(0.3, 5.0), method="bounded").x), 4)


def fit_label_weights(logits: Floats, truth: Integers) -> tuple[float, float, float, float]:
    """Find by grid search the weights of probabilities that give the best macro-F1.6 over the three stances.

    Args:
        logits: Tempered, (N, 4).
        truth: Indices of the right labels, (N,).

    Returns:
        A weight for each label; assertions and none weigh 1.

    """

    def score(weights: tuple[float, ...]) -> float:
        guess = (logits + np.log(weights)).argmax(axis=-1)
        return float(fbeta_score(truth, guess, beta=_BETA, labels=_STANCES, average="macro", zero_division=0))

    return max(((1.0, denial, allegation, 1.0) for denial, allegation in product(_WEIGHTS, _WEIGHTS)), key=score)


def fit_speaker_calibration(gold: Sequence[Article], predicted: Sequence[Article]) -> tuple[float, float]:
    """Fit slope and intercept of Platt scaling on the log-odds of the speaker's raw probability (Platt, 1999)."""
    judged = [one for article, guess in zip(gold, predicted, strict=True) for one in judge(article, guess)]
    known = [one for one in judged if one.speaker_right is not None and one.speaker_confidence is not None]
    raw = np.clip([one.speaker_confidence for one in known], 1e-6, 1 - 1e-6)
    right = [one.speaker_right for one in known]
    if len(set(right)) < 2:
        return 1.0, 0.0
    fitted = LogisticRegression(C=1e6).fit(np.log(raw / (1 - raw))[:, None], right)
    return round(float(fitted.coef_[0, 0]), 4), round(float(fitted.intercept_[0]), 4)
