"""Fit the inference settings on out-of-fold predictions: calibration of labels and speakers, label weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from stance.document import LABELS, Label
from stance.labelled import Article
from stance.matching import closest, judge
from stance.settings import Settings

_STANCES = [index for index, label in enumerate(LABELS) if label is not Label.NONE]
# A denial or an allegation that is missed loses its target too: finding more of them is worth some F1.
_BETA = 1.4
_WEIGHTS = (0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4, 2.9, 3.5, 4.2)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def calibrate(gold: Sequence[Article], predicted: Sequence[Article]) -> Settings:
    """Fit the settings that turn logits into decisions and probabilities.

    Args:
        gold: Labelled articles.
        predicted: Out-of-fold predictions of the same articles in the same order, made with default settings.

    Returns:
        Settings with temperature, biases and weights of the labels, and the speaker's calibration.

    """
    log_scores, truth = label_scores(gold, predicted)
    temperature, bias = fit_label_calibration(log_scores, truth)
    return Settings(
        temperature=temperature,
        label_bias=bias,
        label_weights=fit_label_weights(log_scores / temperature + bias),
        speaker_calibration=fit_speaker_calibration(gold, predicted),
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


def fit_label_calibration(logits: Floats, truth: Integers) -> tuple[float, tuple[float, float, float, float]]:
    """Find temperature and biases of least cross-entropy (Alexandari et al., 2020, https://arxiv.org/abs/1901.06852).

    Args:
        logits: (N, 4).
        truth: Indices of the right labels, (N,).

    Returns:
        The temperature, above 1 for a model that is too sure, and what is added to each label's tempered logit: 0 for
        assertions, below 0 for a label that the model gives too much. A standard normal prior on the biases keeps those
        of labels that hardly occur small.

    """

    def loss(parameters: Floats) -> float:
        tempered = logits * np.exp(-parameters[0]) + np.append(0.0, parameters[1:])
        return float(parameters[1:] @ parameters[1:] / 2 - log_softmax(tempered, axis=-1)[rows, truth].sum())

    rows = np.arange(len(truth))
    fitted = minimize(loss, np.zeros(len(LABELS)), bounds=[(-1.2, 1.6)] + [(-5.0, 5.0)] * (len(LABELS) - 1)).x
    denial, allegation, none = (round(float(bias), 4) for bias in fitted[1:])
    return round(float(np.exp(fitted[0])), 4), (0.0, denial, allegation, none)


def fit_label_weights(logits: Floats) -> tuple[float, float, float, float]:
    """Find by grid search the weights that give the best macro-F1.4 over the three stances, of expected counts.

    What is expected of these sentences by their calibrated probabilities, and not their labels: which weights score
    best on a few hundred denials is half chance (Ye et al., 2012, https://arxiv.org/abs/1206.4625).

    Args:
        logits: Calibrated, (N, 4).

    Returns:
        A weight for each label; assertions and none weigh 1.

    """
    probabilities = softmax(logits, axis=-1)[:, _STANCES]
    there = probabilities.sum(axis=0)

    def score(weights: tuple[float, ...]) -> float:
        guessed = (logits + np.log(weights)).argmax(axis=-1)[:, None] == _STANCES
        found = (probabilities * guessed).sum(axis=0)
        return float(((1 + _BETA**2) * found / (_BETA**2 * there + guessed.sum(axis=0))).mean())

    # Of weights that do as well, those that change least.
    return max(
        ((1.0, denial, allegation, 1.0) for denial, allegation in product(_WEIGHTS, _WEIGHTS)),
        key=lambda weights: (score(weights), -float(np.abs(np.log(weights)).sum())),
    )


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
