"""Rounding that is fitted to texts errs less on what goes together as it does there."""

import numpy as np
import pytest

pytest.importorskip("onnx", reason="needs the extra export: pip install 'stance[export]'")


def test_fitted_rounding_errs_less_than_plain_rounding():
    from training.quantization import round_fitted

    random = np.random.default_rng(13)
    # A few sources move all channels, so that they go together.
    states = random.normal(size=(500, 6)) @ random.normal(size=(6, 32)) + 0.1 * random.normal(size=(500, 32))
    weight = random.normal(size=(32, 16)).astype(np.float32)
    scales = np.abs(weight).max(0, keepdims=True) / 127
    fitted = round_fitted(weight, scales, states.T @ states)
    plain = np.rint(weight / scales)
    assert np.abs(fitted - plain).max() <= 3  # steps
    error, before = (np.linalg.norm(states @ (weight - steps * scales)) for steps in (fitted, plain))
    assert error < 0.6 * before
