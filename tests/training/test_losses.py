"""The losses, against figures worked out by hand."""

import math

import pytest
import torch

from stance.modeling import StanceOutput
from training.losses import IGNORED, count_gold, label_loss, pointer_loss, token_loss, total_loss

HEADS = {"name": 3.0, "target": 4.0}
LABELS = torch.tensor([1.0, 2.0, 3.0, 1.0])


def test_a_pointer_is_paid_for_any_right_answer():
    logits = torch.zeros(1, 1, 2, 4)
    gold = torch.zeros(1, 1, 2, 4, dtype=torch.bool)
    gold[0, 0, :, :2] = True
    assert pointer_loss(logits, gold).item() == pytest.approx(2 * math.log(2))


def test_a_query_without_gold_costs_nothing():
    logits = torch.randn(1, 2, 2, 4, requires_grad=True)
    gold = torch.zeros(1, 2, 2, 4, dtype=torch.bool)
    loss = pointer_loss(logits, gold)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.abs().sum() == 0


def test_the_gradient_is_finite_beside_queries_without_gold():
    logits = torch.randn(1, 2, 2, 4, requires_grad=True)
    gold = torch.zeros(1, 2, 2, 4, dtype=torch.bool)
    gold[0, 0, :, 1] = True
    pointer_loss(logits, gold).backward()
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0, 1].abs().sum() == 0


def test_label_loss_ignores_padding():
    logits = torch.zeros(1, 2, 4)
    assert label_loss(logits, torch.tensor([[1, IGNORED]]), torch.ones(4)).item() == pytest.approx(math.log(4))
    assert label_loss(logits, torch.full((1, 2), IGNORED), torch.ones(4)).item() == 0


def test_tags_that_are_not_known_cost_nothing():
    logits = torch.zeros(1, 2, 3)
    gold = torch.tensor([[[1.0, 0.0, 1.0], [-1.0, -1.0, -1.0]]])
    assert token_loss(logits, gold).item() == pytest.approx(3 * math.log(2))


def batch(windows, golden):
    """A batch with logits of all heads, and gold for so many of its windows."""

    def pointer(queries):
        gold = torch.zeros(windows, queries, 2, 5, dtype=torch.bool)
        gold[:golden, 0, :, 1:3] = True
        return gold

    labels = torch.full((windows, 3), IGNORED)
    labels[:golden, 0], labels[:golden, 1] = 1, 2
    tags = torch.full((windows, 5, 3), -1.0)
    tags[:golden] = 1.0
    evidence = torch.full((windows, 5, 2), -1.0)
    evidence[:golden], evidence[:golden, :3] = 0.0, 1.0
    gold = {"labels": labels, "tags": tags, "evidence": evidence}
    gold |= {head: pointer(3) for head in ("mention", "name", "target")}
    gold["antecedent"] = pointer(2)
    shapes = [(3, 4), (3, 2, 5), (3, 2, 5), (3, 2, 5), (5, 3), (5, 2), (2, 2, 5)]
    return StanceOutput(*(torch.randn(windows, *shape, requires_grad=True) for shape in shapes)), gold


def part(output, gold, rows):
    own = StanceOutput(*(logits[rows] for logits in vars(output).values()))
    return own, {head: value[rows] for head, value in gold.items()}


def test_it_is_the_weighted_sum_of_means():
    output, gold = batch(2, golden=1)
    logits = StanceOutput(*(torch.zeros_like(value) for value in vars(output).values()))
    loss = total_loss(logits, gold, HEADS, torch.ones(4), count_gold(gold, torch.ones(4)))
    pointers = 1 + HEADS["name"] + HEADS["target"] + 0.5
    # Of five tokens three are evidence: each of these pays for its share of the others.
    tokens = math.log(2) + 0.3 * math.log(2) * 5 / 3
    assert loss.item() == pytest.approx(math.log(4) + tokens + pointers * math.log(5 / 2), rel=1e-6)


def test_a_batch_without_gold_costs_nothing():
    output, gold = batch(2, golden=0)
    loss = total_loss(output, gold, HEADS, LABELS, count_gold(gold, LABELS))
    loss.backward()
    assert loss.item() == 0
    assert all(value.grad.abs().sum() == 0 for value in vars(output).values())


def test_where_no_word_is_evidence_nothing_is_learned_of_it():
    output, gold = batch(2, golden=2)
    gold["evidence"].clamp_(max=0.0)
    total_loss(output, gold, HEADS, LABELS, count_gold(gold, LABELS)).backward()
    assert output.evidence_logits.grad.abs().sum() == 0
    assert output.label_logits.grad.abs().sum() > 0


def test_the_mean_of_unequal_parts_is_the_loss_of_the_batch():
    output, gold = batch(6, golden=4)
    # A single word is evidence, so that one part has none.
    gold["evidence"][gold["evidence"] > 0] = 0.0
    gold["evidence"][0, 0, 0] = 1.0
    whole = total_loss(output, gold, HEADS, LABELS, count_gold(gold, LABELS))
    parts = [part(output, gold, rows) for rows in (slice(0, 3), slice(3, 6))]
    counts = torch.stack([count_gold(own, LABELS) for _, own in parts]).mean(0)
    losses = [total_loss(logits, own, HEADS, LABELS, counts) for logits, own in parts]
    assert torch.stack(losses).mean().item() == pytest.approx(whole.item(), rel=1e-6)
