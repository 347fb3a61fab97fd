"""Training articles to batches: windows with the gold that each head learns from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stance.document import AUTHOR, LABELS
from stance.modeling import EVIDENCED, TAGS
from stance.windows import FIRST_MARKER_SURFACE, Window, Windower

from .corpora import Article, Offsets, Sentence
from .losses import IGNORED

Feature = dict[str, Any]
_MOST_MENTIONS = 48
_NOWHERE = 0
"""The position that means the author, or a party not named in the window."""


def features(articles: Iterable[Article], windower: Windower) -> list[Feature]:
    """Cut articles into windows with gold.

    Args:
        articles: What training knows.
        windower: Cuts as it will at inference.

    Returns:
        One feature a window, of lists of numbers. Gold of a pointer is a list of [query, side, token] with side 0
        for a right start and 1 for a right end.

    """
    return [
        _feature(article, window)
        for article in articles
        for window in windower.windows(article.text, [sentence.span for sentence in article.sentences])
    ]


def collate(
    rows: Sequence[Feature], pad_id: int, mask_id: int = 0, word_dropout: float = 0.0, renaming: float = 0.0
) -> dict[str, Any]:
    """Pad features to a batch.

    Args:
        rows: Features of windows.
        pad_id: Token id that fills up shorter windows.
        mask_id: Token id that stands for a hidden token.
        word_dropout: Share of the tokens that are hidden, markers never.
        renaming: How likely the parties of a window get names of the batch's.

    Returns:
        The model's inputs; ``whole_ids``, the token ids before any is hidden, (B, T); and ``gold`` as
        ``training.losses.total_loss`` takes it.

    """
    tokens = max(len(row["input_ids"]) for row in rows)
    sentences = max(len(row["labels"]) for row in rows)
    mentions = max(1, *(len(row["mentions"]) for row in rows))
    gold = {
        "labels": _padded([row["labels"] for row in rows], sentences, IGNORED),
        "mention": _answers([row["mention"] for row in rows], sentences, tokens),
        "name": _answers([row["name"] for row in rows], sentences, tokens),
        "target": _answers([row["target"] for row in rows], sentences, tokens),
        "antecedent": _answers([row["antecedent"] for row in rows], mentions, tokens),
        "tags": _marks([row["tags"] for row in rows], tokens, len(TAGS)),
        "evidence": _marks([row["evidence"] for row in rows], tokens, len(EVIDENCED)),
    }
    asked = torch.zeros(len(rows), mentions, 3, dtype=torch.long)
    for index, row in enumerate(rows):
        if row["mentions"]:
            asked[index, : len(row["mentions"])] = torch.tensor(row["mentions"])
    input_ids = _padded([_renamed(row, rows, renaming) for row in rows], tokens, pad_id)
    surface_ids = _padded([row["surface_ids"] for row in rows], tokens, 0)
    sentence_ids = _padded([row["sentence_ids"] for row in rows], tokens, -1)
    is_word = (sentence_ids >= 0) & (surface_ids < FIRST_MARKER_SURFACE)
    hidden = is_word & (torch.rand(input_ids.shape) < word_dropout)
    return {
        "input_ids": input_ids.masked_fill(hidden, mask_id),
        "attention_mask": _padded([[1] * len(row["input_ids"]) for row in rows], tokens, 0),
        "surface_ids": surface_ids,
        "sentence_ids": sentence_ids,
        "mentions": asked,
        "whole_ids": input_ids,
        "gold": gold,
    }


class _Locator:
    """Finds the tokens of character spans in a window."""

    def __init__(self, window: Window) -> None:
        self.tokens = np.flatnonzero(~window.is_marker)
        self.starts = window.offsets[self.tokens, 0]
        self.ends = window.offsets[self.tokens, 1]

    def find(self, span: Offsets) -> tuple[int, int] | None:
        """Return the first and last token of a span, or None if it does not lie whole in the window."""
        first = int(np.searchsorted(self.ends, span[0], side="right"))
        last = int(np.searchsorted(self.starts, span[1], side="left")) - 1
        if first > last or span[0] < self.starts[0] or span[1] > self.ends[-1]:
            return None
        return int(self.tokens[first]), int(self.tokens[last])

    def mark(self, spans: Iterable[Offsets], length: int) -> NDArray[np.int64]:
        """Return 1 for every token that a span touches, shape (length,)."""
        marked = np.zeros(length, dtype=np.int64)
        for start, end in spans:
            first = int(np.searchsorted(self.ends, start, side="right"))
            last = int(np.searchsorted(self.starts, end, side="left"))
            marked[self.tokens[first:last]] = 1
        return marked


def _feature(article: Article, window: Window) -> Feature:
    count = int(window.sentence_ids[-1]) + 1
    sentences = article.sentences[window.first : window.first + count]
    locator = _Locator(window)
    pointers: dict[str, list[list[int]]] = {"mention": [], "name": [], "target": []}
    for index, sentence in enumerate(sentences):
        if sentence.mentions == AUTHOR:
            pointers["mention"] += _at(index, [(_NOWHERE, _NOWHERE)])
        elif sentence.mentions is not None:
            found = [locator.find(mention) for mention in sentence.mentions]  # type: ignore[arg-type]
            pointers["mention"] += _at(index, [tokens for tokens in found if tokens])
        if sentence.names is not None:
            pointers["name"] += _at(index, _fullest(sentence.names, locator))
        if sentence.targets is not None:
            every = [places for form in sentence.targets for places in form]
            pointers["target"] += _at(index, _fullest([every], locator))
    mentions, antecedent = _coreference(article, window, locator)
    return {
        "length": len(window),
        "input_ids": window.input_ids.tolist(),
        "surface_ids": window.surface_ids.tolist(),
        "sentence_ids": window.sentence_ids.tolist(),
        "labels": [IGNORED if sentence.label is None else sentence.label for sentence in sentences],
        "tags": np.stack([locator.mark(spans, len(window)) for spans in article.tags], -1).tolist()
        if article.tags is not None
        else None,
        "evidence": _evidence(sentences, window, locator).tolist(),
        "mentions": mentions,
        "antecedent": antecedent,
        "party_ids": _party_ids(article, sentences, window),
        **pointers,
    }


def _party_ids(article: Article, sentences: Sequence[Sentence], window: Window) -> list[int]:
    """List the tokens that begin capitalised words in names of speakers and accused, and stand nowhere else."""
    forms = [form for sentence in sentences for form in (*(sentence.names or ()), *(sentence.targets or ()))]
    words = {
        start + word.start()
        for start, end in chain(*forms)
        for word in re.finditer(r"\w+", article.text[start:end])
        if word[0][0].isupper()
    }
    begins = np.isin(window.offsets[:, 0], list(words)) & ~window.is_marker
    named: list[int] = np.setdiff1d(window.input_ids[begins], window.input_ids[~begins]).tolist()
    return named


def _renamed(row: Feature, rows: Sequence[Feature], share: float) -> list[int]:
    """Draw for each first token of a party's name one of the batch, as Hermann et al. (2015) hide entities.

    What a party is called, and what was said of it elsewhere, says nothing about what this article says. Two may get
    the same token, and what else a name is split into stays.
    """
    ids: list[int] = row["input_ids"]
    others = [token for other in rows for token in other["party_ids"]]
    if not (share and row["party_ids"]) or torch.rand(()) >= share:
        return ids
    drawn = torch.randint(len(others), (len(row["party_ids"]),)).tolist()
    names = {token: others[index] for token, index in zip(row["party_ids"], drawn, strict=True)}
    return [names.get(token, token) for token in ids]


def _evidence(sentences: Sequence[Sentence], window: Window, locator: _Locator) -> NDArray[np.int64]:
    """Tell of each token whether it shows a denial or an allegation, -1 where nobody has told, (tokens, 2)."""
    shown = np.full((len(window), len(EVIDENCED)), -1)
    for index, sentence in enumerate(sentences):
        inside = window.sentence_ids == index
        label = None if sentence.label is None else LABELS[sentence.label]
        if label in EVIDENCED:
            if sentence.evidence:
                shown[inside, EVIDENCED.index(label)] = locator.mark(sentence.evidence, len(window))[inside]
        elif label is not None:
            shown[inside] = 0
    return shown


def _coreference(article: Article, window: Window, locator: _Locator) -> tuple[list[list[int]], list[list[int]]]:
    """List the window's mentions as [sentence, first, last] and the gold of their names."""
    mentions: list[list[int]] = []
    gold: list[list[int]] = []
    found = [(tokens, names) for mention, names in article.coreference if (tokens := locator.find(mention))]
    # Every so many are enough: a window of dialogue has hundreds, most of them alike.
    for tokens, names in found[:: len(found) // _MOST_MENTIONS + 1]:
        if window.sentence_ids[tokens[0]] == window.sentence_ids[tokens[1]]:
            gold += _at(len(mentions), _fullest([names], locator))
            mentions.append([int(window.sentence_ids[tokens[0]]), *tokens])
    return mentions, gold


def _fullest(forms: Sequence[Sequence[Offsets]], locator: _Locator) -> list[tuple[int, int]]:
    """Find where the fullest form that the window has stands in it; nowhere if it has none."""
    for places in forms:
        if found := [tokens for place in places if (tokens := locator.find(place))]:
            return found
    return [(_NOWHERE, _NOWHERE)]


def _at(query: int, answers: Iterable[tuple[int, int]]) -> list[list[int]]:
    return [[query, side, answer[side]] for answer in answers for side in (0, 1)]


def _padded(rows: Sequence[Sequence[int]], length: int, fill: int) -> Tensor:
    return torch.tensor([[*row, *([fill] * (length - len(row)))] for row in rows], dtype=torch.long)


def _marks(rows: Sequence[Sequence[Sequence[int]] | None], tokens: int, kinds: int) -> Tensor:
    """Mark tokens of each kind, -1 where nothing is known, (B, tokens, kinds)."""
    gold = torch.full((len(rows), tokens, kinds), -1.0)
    for index, row in enumerate(rows):
        if row is not None:
            gold[index, : len(row)] = torch.tensor(row, dtype=torch.float)
    return gold


def _answers(rows: Sequence[Sequence[Sequence[int]]], queries: int, tokens: int) -> Tensor:
    """Mark right answers, (B, queries, 2, tokens)."""
    gold = torch.zeros(len(rows), queries, 2, tokens, dtype=torch.bool)
    for index, row in enumerate(rows):
        if row:
            query, side, token = torch.tensor(row).unbind(-1)
            gold[index, query, side, token] = True
    return gold
