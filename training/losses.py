"""The training objective: one loss a head, each the mean over what has gold for it, in whichever process that lies."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stance.modeling import StanceOutput

IGNORED = -100
_POINTERS = ("mention", "name", "target", "antecedent")
# Antecedents teach the same pointer as names do.
_WEIGHTS = {"mention": 1.0, "antecedent": 0.5}
_EVIDENCE_WEIGHT = 0.3


def pointer_loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Negative log marginal likelihood of all right answers (Lee et al., 2019, https://arxiv.org/abs/1906.00300).

    Args:
        logits: Start and end logits, (B, Q, 2, T).
        gold: True at every right start and end, (B, Q, 2, T); a query without any is left out.

    Returns:
        The sum over starts and ends that have gold, shape ().

    """
    chosen = gold.any(-1)
    return -logits.log_softmax(-1).masked_fill(~gold, -torch.inf)[chosen].logsumexp(-1).sum()


def label_loss(logits: Tensor, gold: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy over sentences, weighted by class so that rare labels are learned.

    Args:
        logits: (B, S, 4).
        gold: Indices into ``LABELS``, ``IGNORED`` for padding, (B, S).
        weights: One for each label, (4,).

    Returns:
        The weighted sum, shape ().

    """
    flat = logits.flatten(0, 1)
    return nn.functional.cross_entropy(flat, gold.flatten(), weights, ignore_index=IGNORED, reduction="sum")


def token_loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Binary cross-entropy of each token's tags or evidence; they may overlap, because attributions nest.

    Args:
        logits: For K kinds, (B, T, K).
        gold: 1 or 0, negative where nothing is known, (B, T, K).

    Returns:
        The sum over all that is known, shape ().

    """
    losses = nn.functional.binary_cross_entropy_with_logits(logits, gold.clamp(min=0), reduction="none")
    return (losses * (gold >= 0)).sum()


def count_gold(gold: Mapping[str, Tensor], label_weights: Tensor) -> Tensor:
    """Count what each head has to learn from; a label counts by its weight.

    Args:
        gold: As for ``total_loss``.
        label_weights: One for each label, (4,).

    Returns:
        The counts for labels, tags, evidence and the pointers ``mention``, ``name``, ``target`` and ``antecedent``,
        (7,). Of evidence, only the words that are some are counted: all others are many, and soon learned.

    """
    labels = gold["labels"]
    pointers = [gold[head].any(-1).sum() for head in _POINTERS]
    tokens = [(gold["tags"] >= 0).sum(), (gold["evidence"] > 0).sum()]
    counts = [label_weights[labels[labels != IGNORED]].sum(), *tokens, *pointers]
    return torch.stack([count.to(label_weights.dtype) for count in counts])


def total_loss(
    output: StanceOutput,
    gold: Mapping[str, Tensor],
    weights: Mapping[str, float],
    label_weights: Tensor,
    counts: Tensor,
) -> Tensor:
    """Weighted sum of the heads' mean losses; a head without gold costs nothing.

    Args:
        output: What the model computed.
        gold: ``labels`` (B, S), ``mention``, ``name`` and ``target`` (B, S, 2, T), ``tags`` (B, T, 3),
            ``evidence`` (B, T, 2), ``antecedent`` (B, M, 2, T).
        weights: Weight of the heads ``name`` and ``target``.
        label_weights: One for each label, (4,).
        counts: What ``count_gold`` counted, (7,). Where several processes share a batch, the mean of their counts:
            the mean of their losses is then the loss of the whole batch, however unequally gold lies.

    Returns:
        The loss, shape ().

    """
    label, tag, evidence, *pointers = counts.clamp(min=1e-6)
    # A set whose evidence nobody has marked must not teach that no word ever is any.
    is_marked = counts[2] > 0
    weights = {**_WEIGHTS, **weights}
    loss: Tensor = label_loss(output.label_logits, gold["labels"], label_weights) / label
    loss = loss + token_loss(output.tag_logits, gold["tags"]) / tag
    shown = token_loss(output.evidence_logits, gold["evidence"]) / evidence
    loss = loss + _EVIDENCE_WEIGHT * shown.where(is_marked, 0.0)
    for head, count in zip(_POINTERS, pointers, strict=True):
        logits: Tensor | None = getattr(output, f"{head}_logits")
        if logits is not None:
            loss = loss + weights[head] * pointer_loss(logits, gold[head]) / count
    return loss
