"""Other encoder architectures train, save, load and classify; small random weights show it."""

import pytest
import torch
from transformers import AutoConfig

from stance.modeling import StanceConfig, StanceModel

SIZES = {"vocab_size": 60, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48}


@pytest.mark.parametrize("kind", ["bert", "roberta", "deberta-v2", "modernbert"])
def test_an_encoder_gives_logits_and_gradients_and_survives_saving(kind, tmp_path):
    torch.manual_seed(0)
    special = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 0)
    encoder = AutoConfig.for_model(kind, **SIZES, max_position_embeddings=64, **special)
    model = StanceModel(StanceConfig(encoder=encoder.to_dict(), pointer_size=8)).eval()
    inputs = {
        "input_ids": torch.randint(1, 60, (2, 12)),
        "attention_mask": torch.ones(2, 12, dtype=torch.long),
        "surface_ids": torch.zeros(2, 12, dtype=torch.long),
        "sentence_ids": torch.tensor([[-1, *[0] * 5, *[1] * 6]] * 2),
    }
    output = model(**inputs)
    assert output.label_logits.shape == (2, 2, 4)
    (output.label_logits.sum() + output.name_logits[..., :3].sum()).backward()
    assert model.surface.weight.grad.abs().sum() > 0
    model.save_pretrained(tmp_path)
    again = StanceModel.from_pretrained(tmp_path).eval()
    assert torch.allclose(again(**inputs).label_logits, output.label_logits, atol=1e-6)
