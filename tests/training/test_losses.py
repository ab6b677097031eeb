"""Each loss function against a value computed by hand."""

from __future__ import annotations

import math

import pytest
import torch

from imrnns_core.training.losses import (
    hinge_margin,
    improvement_margin,
    listwise,
    neutrality_penalty,
)


def test_improvement_margin():
    scores, base = torch.tensor([[0.9, 0.5, 0.8]]), torch.tensor([[0.7, 0.6, 0.5]])
    # 0.05 + (0.7 − 0.6) − (0.9 − 0.5) < 0; 0.05 + (0.7 − 0.5) − (0.9 − 0.8) = 0.15
    assert improvement_margin(scores, base, 0.05).item() == pytest.approx((0 + 0.15) / 2)


def test_hinge_margin():
    scores = torch.tensor([[0.9, 0.5, 0.8], [0.2, 0.3, -0.5]])
    # 0.3 − 0.9 + 0.5 < 0; 0.3 − 0.9 + 0.8 = 0.2; 0.3 − 0.2 + 0.3 = 0.4; 0.3 − 0.2 − 0.5 < 0
    assert hinge_margin(scores, 0.3).item() == pytest.approx((0 + 0.2 + 0.4 + 0) / 4)


def test_listwise_gives_all_positives_the_same_target_probability():
    scores = torch.tensor([[1.0, 0.0, 0.5]])
    positive = torch.tensor([[True, False, True]])
    total = math.log(math.exp(2) + 1 + math.exp(1))  # temperature 0.5 doubles the scores
    expected = -((2 - total) + (1 - total)) / 2
    assert listwise(scores, positive, 0.5).item() == pytest.approx(expected, abs=1e-6)


def test_the_neutrality_penalty_is_that_of_the_mean():
    scale = torch.tensor([[0.7, 0.5], [0.5, 0.3]])  # mean (0.6, 0.4)
    bias = torch.tensor([[0.2, 0.0], [0.0, -0.4]])  # mean (0.1, −0.2)
    expected = 4 * (0.1**2 + 0.1**2) + 0.1**2 + 0.2**2
    assert neutrality_penalty(scale, bias).item() == pytest.approx(expected)
    still = neutrality_penalty(torch.full((3, 2), 0.5), torch.tensor([[1.0, 0], [-1.0, 0], [0, 0]]))
    assert still.item() == pytest.approx(0.0)
