"""What the tests of training share: a run that is cut off."""

import pytest

from training.train import StanceTrainer, train


@pytest.fixture
def train_until_killed(monkeypatch):
    """Train by a recipe until the second evaluation is interrupted, whose epoch has no checkpoint yet."""

    def run(recipe):
        calls = []
        evaluate = StanceTrainer.evaluate

        def killed(self, *args, **kwargs):
            calls.append(None)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return evaluate(self, *args, **kwargs)

        with monkeypatch.context() as patch:
            patch.setattr(StanceTrainer, "evaluate", killed)
            with pytest.raises(KeyboardInterrupt):
                train(recipe)

    return run
