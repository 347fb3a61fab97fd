"""The vocabulary of an encoder without the tokens that no text gives."""

from __future__ import annotations

import json
import re
from pathlib import Path


def without_unused(folder: Path) -> list[int] | None:
    """Take the tokens that BERT reserves, such as ``[unused7]``, out of a tokenizer, a thirtieth of its vocabulary.

    The last tokens move into their places, so that all others, the special tokens among them, keep their numbers.

    Args:
        folder: Where the ``tokenizer.json`` lies that is changed.

    Returns:
        For each token that is left, its row in the embeddings so far; None where nothing is reserved, or special
        tokens would have to move.

    """
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text(encoding="utf-8"))
    if tokenizer["model"]["type"] != "WordPiece":
        return None
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    reserved = {token for token in vocabulary if re.fullmatch(r"\[unused\d+\]", token)}
    left = len(vocabulary) - len(reserved)
    if not reserved or any(token["id"] >= left or token["content"] in reserved for token in tokenizer["added_tokens"]):
        return None
    free = sorted(vocabulary.pop(token) for token in reserved)
    rows = list(range(left))
    moved = sorted((number, token) for token, number in vocabulary.items() if number >= left)
    # As many places are free below the new end as tokens lie beyond it; the other free ones lie beyond it too.
    for place, (number, token) in zip(free, moved, strict=False):
        vocabulary[token], rows[place] = place, number
    file.write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    return rows
