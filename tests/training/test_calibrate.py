"""Fitted settings: against data whose right answer is known."""

import numpy as np
import pytest
from sklearn.metrics import fbeta_score

from training.calibrate import calibrate, fit_label_calibration, fit_label_weights


def draw(logits, rng):
    """Draw the right label of each row from the probabilities that calibrated logits give."""
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    return (probabilities.cumsum(-1) > rng.random((len(logits), 1))).argmax(-1)


def test_calibration_recovers_how_much_too_sure_the_logits_are_and_which_labels_they_favour():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    favoured = np.array([0.0, 0.7, 1.1, -0.3])
    temperature, bias = fit_label_calibration((logits + favoured) * 2.5, draw(logits, rng))
    assert temperature == pytest.approx(2.5, rel=0.05)
    assert bias == pytest.approx(-favoured, abs=0.1)
    assert bias[0] == 0.0


def test_a_label_that_does_not_occur_is_not_ruled_out():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50, 4)) + np.array([3.0, 0.0, 0.0, 3.0])
    _, bias = fit_label_calibration(logits, np.where(draw(logits, rng) == 3, 3, 0))
    assert -3 < bias[1] < 0
    assert -3 < bias[2] < 0


def test_a_rare_label_that_is_always_second_gains_weight():
    sentences = [[0.55, 0.43, 0.01, 0.01]] * 10 + [[0.97, 0.01, 0.01, 0.01]] * 90 + [[0.05, 0.01, 0.93, 0.01]] * 5
    weights = fit_label_weights(np.log(sentences))
    assert weights[1] > 1.2
    assert weights[0] == weights[2] == weights[3] == 1.0


def test_weights_that_change_nothing_stay_1():
    logits = np.log([[0.97, 0.01, 0.01, 0.01], [0.01, 0.97, 0.01, 0.01], [0.01, 0.01, 0.97, 0.01]] * 3)
    assert fit_label_weights(logits) == (1.0, 1.0, 1.0, 1.0)


def test_the_weights_that_are_expected_to_be_best_are_better_than_their_neighbours_on_drawn_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(50_000, 4)) * 1.5 + np.array([2.5, -0.5, -0.5, -1.0])
    truth = draw(logits, rng)

    def found(weights):
        guess = (logits + np.log(weights)).argmax(-1)
        return fbeta_score(truth, guess, beta=1.4, labels=[0, 1, 2], average="macro")

    _, denial, allegation, _ = fitted = fit_label_weights(logits)
    for factor in (0.8, 1.25):
        assert found(fitted) > found((1.0, factor * denial, factor * allegation, 1.0))


def test_the_speakers_confidence_becomes_how_often_it_is_right():
    # Of ten that are 90% sure six are right, of ten that are 60% sure four.
    sure = [(0.9, number < 6) for number in range(10)] + [(0.6, number < 4) for number in range(10)]
    spans = [{"start": 11 * number, "end": 11 * number + 10, "label": "assertion"} for number in range(len(sure))]
    scores = {"assertion": 0.7, "denial": 0.1, "allegation": 0.1, "none": 0.1}
    guesses = [
        {**span, "speaker": "author" if right else {"name": "It"}, "speaker_confidence": stated, "scores": scores}
        for span, (stated, right) in zip(spans, sure, strict=True)
    ]
    gold = {"id": "a", "text": "It rained. " * len(sure), "sentences": [{**one, "speaker": "author"} for one in spans]}
    slope, intercept = calibrate([gold], [{**gold, "sentences": guesses}]).speaker_calibration
    for stated, share in ((0.9, 0.6), (0.6, 0.4)):
        log_odds = slope * np.log(stated / (1 - stated)) + intercept
        assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(share, abs=0.01)
