"""The network: shapes, padding, and that it saves and loads."""

import copy

import numpy as np
import torch

from stance.engines.torch import TorchEngine
from stance.modeling import StanceModel
from stance.sentences import split

SHORT, LONG = "One. Two.", "Ada Roy denied the claim. She said it was false. Nobody else spoke."


def test_logits_have_the_documented_shapes(tiny):
    (window,) = tiny.windower.windows(LONG, split(LONG))
    first, second = tiny.engine.run([window, window])
    tokens = len(window)
    assert first.label.shape == second.label.shape == (3, 4)
    assert first.mention.shape == first.name.shape == first.target.shape == (3, 2, tokens)
    assert first.tag.shape == (tokens, 3)


def test_padding_changes_nothing(tiny):
    windows = [tiny.windower.windows(text, split(text))[0] for text in (SHORT, LONG)]
    padded, _ = tiny.engine.run(windows)
    (alone,) = tiny.engine.run(windows[:1])
    assert padded.mention.shape == alone.mention.shape
    assert abs(padded.label - alone.label).max() < 1e-4
    assert abs(padded.mention - alone.mention).max() < 1e-4


def test_saved_weights_load_bit_by_bit(tiny, tmp_path):
    model = tiny.engine.model
    model.save_pretrained(tmp_path)
    again = StanceModel.from_pretrained(tmp_path)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_pointer_knows_how_far_a_word_lies_from_its_sentence(tiny):
    (window,) = tiny.windower.windows(LONG, split(LONG))
    model = copy.deepcopy(tiny.engine.model)
    for pointer in (model.mention, model.name, model.target):
        torch.nn.init.zeros_(pointer.distance.weight)
        torch.nn.init.constant_(pointer.distance.weight[len(pointer.distance.weight) // 2], 99.0)  # its own sentence
    (logits,) = TorchEngine(model).run([window])
    for head in (logits.mention, logits.name, logits.target):
        assert (window.sentence_ids[head.argmax(-1)] == np.arange(3)[:, None]).all()
