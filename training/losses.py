"""The training objective: one loss a head, each over the examples that have gold for it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from stance.modeling import StanceOutput

IGNORED = -100


def pointer_loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Negative log marginal likelihood of all right answers (Lee et al., 2019, https://arxiv.org/abs/1906.00300).

    Args:
        logits: Start and end logits, (B, Q, 2, T).
        gold: True at every right start and end, (B, Q, 2, T); a query without any is left out.

    Returns:
        The mean over starts and ends that have gold, shape (); 0 if there are none.

    """
    chosen = gold.any(-1)
    likelihood = logits.log_softmax(-1).masked_fill(~gold, -torch.inf)[chosen].logsumexp(-1)
    return -likelihood.sum() / max(int(chosen.sum()), 1)


def label_loss(logits: Tensor, gold: Tensor, weights: Tensor) -> Tensor:
    """Cross-entropy over sentences, weighted by class so that rare labels are learned.

    Args:
        logits: (B, S, 4).
        gold: Indices into ``LABELS``, ``IGNORED`` for padding, (B, S).
        weights: One for each label, (4,).

    Returns:
        The weighted mean, shape (); 0 if there is no gold.

    """
    if not (gold != IGNORED).any():
        return logits.sum() * 0
    return nn.functional.cross_entropy(logits.flatten(0, 1), gold.flatten(), weights, ignore_index=IGNORED)


def tag_loss(logits: Tensor, gold: Tensor) -> Tensor:
    """Binary cross-entropy of each token's tags; tags may overlap, because attributions nest.

    Args:
        logits: (B, T, 3).
        gold: 1 or 0, negative where nothing is known, (B, T, 3).

    Returns:
        The mean over known tags, shape (); 0 if there are none.

    """
    known = gold >= 0
    losses = nn.functional.binary_cross_entropy_with_logits(logits, gold.clamp(min=0), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def total_loss(
    output: StanceOutput, gold: Mapping[str, Tensor], weights: Mapping[str, float], label_weights: Tensor
) -> Tensor:
    """Weighted sum of the heads' losses.

    Args:
        output: What the model computed.
        gold: ``labels`` (B, S), ``mention``, ``name`` and ``target`` (B, S, 2, T), ``tags`` (B, T, 3),
            ``antecedent`` (B, M, 2, T).
        weights: Weight of each head: ``label``, ``mention``, ``name``, ``target``, ``tag``, ``antecedent``.
        label_weights: One for each label, (4,).

    Returns:
        The loss, shape ().

    """
    loss = (
        weights["label"] * label_loss(output.label_logits, gold["labels"], label_weights)
        + weights["mention"] * pointer_loss(output.mention_logits, gold["mention"])
        + weights["name"] * pointer_loss(output.name_logits, gold["name"])
        + weights["target"] * pointer_loss(output.target_logits, gold["target"])
        + weights["tag"] * tag_loss(output.tag_logits, gold["tags"])
    )
    if output.antecedent_logits is not None:
        loss = loss + weights["antecedent"] * pointer_loss(output.antecedent_logits, gold["antecedent"])
    return loss
