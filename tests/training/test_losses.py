"""The losses, against figures worked out by hand."""

import math

import pytest
import torch

from training.losses import IGNORED, label_loss, pointer_loss, tag_loss


def test_a_pointer_is_paid_for_any_right_answer():
    logits = torch.zeros(1, 1, 2, 4)
    gold = torch.zeros(1, 1, 2, 4, dtype=torch.bool)
    gold[0, 0, :, :2] = True
    assert pointer_loss(logits, gold).item() == pytest.approx(math.log(2))


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
    assert tag_loss(logits, gold).item() == pytest.approx(math.log(2))
