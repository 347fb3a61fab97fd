"""Averages of weights: a checkpoint has the whole of one, or none."""

from types import SimpleNamespace

import pytest
import torch
from transformers import TrainerControl, TrainerState

from training import averaging
from training.averaging import AVERAGE_FILE, WeightAverage


def test_an_average_whose_writing_was_cut_short_is_not_there(tmp_path, monkeypatch):
    def killed(weights, file):
        file.write_bytes(b"half")
        raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint-3"
    checkpoint.mkdir()
    average = WeightAverage(torch.nn.Linear(2, 2), decay=0.9)
    moment = SimpleNamespace(output_dir=tmp_path), TrainerState(global_step=3), TrainerControl()
    monkeypatch.setattr(averaging, "save_file", killed)
    with pytest.raises(KeyboardInterrupt):
        average.on_save(*moment)
    assert not (checkpoint / AVERAGE_FILE).exists()
    monkeypatch.undo()
    average.on_save(*moment)
    average.load(checkpoint)
    assert average.weights["weight"].shape == (2, 2)
    assert [file.name for file in checkpoint.iterdir()] == [AVERAGE_FILE]
