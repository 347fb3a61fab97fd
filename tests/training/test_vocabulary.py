"""A tokenizer without reserved tokens reads as before, with every token in its old row."""

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordPiece
from tokenizers.processors import TemplateProcessing

from training.vocabulary import without_unused


def save(tokenizer, folder):
    tokenizer.save(str(folder / "tokenizer.json"))


def load(folder):
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


@pytest.mark.parametrize(
    "tokens",
    [
        ["[PAD]", "[unused0]", "[unused1]", "[CLS]", "ada", "denied", "it", "[unused2]"],
        ["[PAD]", "[CLS]", "ada", "[unused0]", "denied", "[unused13]", "it"],
        ["[unused0]", "[CLS]", "[PAD]", "it", "denied", "[unused1]", "[unused2]", "ada"],
    ],
)
def test_every_token_keeps_its_row(tmp_path, tokens):
    before = Tokenizer(WordPiece({token: number for number, token in enumerate(tokens)}, unk_token="[PAD]"))
    before.add_special_tokens(["[CLS]"])
    before.post_processor = TemplateProcessing("[CLS] $A", special_tokens=[("[CLS]", tokens.index("[CLS]"))])
    save(before, tmp_path)
    rows = without_unused(tmp_path)
    after = load(tmp_path)
    assert after.get_vocab_size() == len(rows) == 5
    assert after.token_to_id("[CLS]") == tokens.index("[CLS]")
    for text in ("ada", "denied", "it", "else"):
        old, new = before.encode(text), after.encode(text)
        assert new.tokens == old.tokens
        assert [rows[number] for number in new.ids] == old.ids


@pytest.mark.parametrize("model", [WordPiece({"ada": 0}, unk_token="ada"), BPE({"[unused0]": 0}, [])])
def test_other_tokenizers_stay_as_they_are(tmp_path, model):
    save(Tokenizer(model), tmp_path)
    before = (tmp_path / "tokenizer.json").read_bytes()
    assert without_unused(tmp_path) is None
    assert (tmp_path / "tokenizer.json").read_bytes() == before
