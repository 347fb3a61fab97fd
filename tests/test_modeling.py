"""The network: shapes, padding, and that it saves and loads."""

import torch

from stance.engines import Batch
from stance.engines.torch import TorchEngine
from stance.modeling import StanceModel
from stance.sentences import split

SHORT, LONG = "One. Two.", "Ada Roy denied the claim. She said it was false. Nobody else spoke."


def test_logits_have_the_documented_shapes(tiny):
    (window,) = tiny.windower.windows(LONG, split(LONG))
    logits = tiny.engine.run(Batch.of([window, window], tiny.pad_id))
    tokens = len(window)
    assert logits.label.shape == (2, 3, 4)
    assert logits.mention.shape == logits.name.shape == logits.target.shape == (2, 3, 2, tokens)
    assert logits.tag.shape == (2, tokens, 3)


def test_padding_changes_nothing(tiny):
    windows = [tiny.windower.windows(text, split(text))[0] for text in (SHORT, LONG)]
    padded = tiny.engine.run(Batch.of(windows, tiny.pad_id))
    alone = tiny.engine.run(Batch.of(windows[:1], tiny.pad_id))
    length = len(windows[0])
    assert abs(padded.label[0, :2] - alone.label[0]).max() < 1e-4
    assert abs(padded.mention[0, :2, :, :length] - alone.mention[0]).max() < 1e-4
    assert (padded.mention[0, :2, :, length:] < -1000).all()


def test_saved_weights_load_bit_by_bit(tiny, tmp_path):
    model = tiny.engine.model
    model.save_pretrained(tmp_path)
    again = StanceModel.from_pretrained(tmp_path)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert isinstance(TorchEngine(again), TorchEngine)
