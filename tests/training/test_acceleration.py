"""Acceleration: the same attention as before, and dropout that is the same at every token."""

import copy

import pytest
import torch
from transformers import AutoConfig, AutoModel

from training.acceleration import SequenceDropout, accelerate

CONFIGS = {
    "bert": {"num_attention_heads": 2},
    "roberta": {"num_attention_heads": 2},
    "modernbert": {"num_attention_heads": 2, "local_attention": 4, "pad_token_id": 0},
    "deberta-v2": {"num_attention_heads": 2, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
}


@pytest.mark.parametrize("kind", CONFIGS)
def test_an_encoder_computes_what_it_did_before(kind):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 3, "vocab_size": 50}
    plain = AutoModel.from_config(AutoConfig.for_model(kind, **sizes, **CONFIGS[kind])).eval()
    fast = copy.deepcopy(plain)
    accelerate(fast)
    ids = torch.randint(3, 50, (2, 12))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    states = [model(input_ids=ids, attention_mask=mask).last_hidden_state for model in (plain, fast)]
    torch.testing.assert_close(states[0][mask.bool()], states[1][mask.bool()], atol=1e-5, rtol=1e-4)


def test_padding_beyond_the_local_window_is_no_nan_in_bfloat16():
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 2, "vocab_size": 50}
    plain = AutoModel.from_config(AutoConfig.for_model("modernbert", **sizes, **CONFIGS["modernbert"])).eval()
    fast = copy.deepcopy(plain)
    accelerate(fast)
    ids = torch.randint(3, 50, (2, 16))
    mask = torch.ones_like(ids)
    mask[1, 3:] = 0
    with torch.autocast("cpu", torch.bfloat16):
        states = [model(input_ids=ids, attention_mask=mask).last_hidden_state for model in (plain, fast)]
    assert states[1].isfinite().all()
    states[1].sum().backward()
    assert all(weights.grad.isfinite().all() for weights in fast.parameters() if weights.grad is not None)
    torch.testing.assert_close(states[0][mask.bool()], states[1][mask.bool()], atol=0.05, rtol=0.05)


def test_dropout_drops_a_unit_at_every_token_of_a_window():
    torch.manual_seed(0)
    dropped = SequenceDropout(0.5)(torch.ones(4, 9, 64))
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(dropped[0], dropped[1])


def test_dropout_does_nothing_outside_training():
    hidden = torch.randn(2, 3, 4)
    assert torch.equal(SequenceDropout(0.5).eval()(hidden), hidden)
