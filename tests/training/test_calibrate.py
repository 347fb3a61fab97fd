"""Fitted settings: against data whose right answer is known."""

import numpy as np
import pytest

from training.calibrate import fit_label_weights, fit_temperature


def test_temperature_recovers_how_much_too_sure_the_logits_are():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(20_000, 4)) * 2
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    truth = (probabilities.cumsum(-1) > rng.random((len(logits), 1))).argmax(-1)
    assert fit_temperature(logits * 2.5, truth) == pytest.approx(2.5, rel=0.05)


def test_a_rare_label_that_is_always_second_gains_weight():
    logits = np.log([[0.55, 0.43, 0.01, 0.01]] * 10 + [[0.9, 0.05, 0.04, 0.01]] * 90 + [[0.1, 0.05, 0.84, 0.01]] * 5)
    truth = np.array([1] * 10 + [0] * 90 + [2] * 5)
    weights = fit_label_weights(logits, truth)
    assert weights[1] > 1.2
    assert weights[0] == weights[3] == 1.0
