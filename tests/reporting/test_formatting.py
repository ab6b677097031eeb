"""Numbers as people read them: true minus signs, no sign on zero, counts with their noun."""

from __future__ import annotations

import pytest

from imrnns_core.evaluation.change_decomposition import ChangeDecomposition
from imrnns_core.reporting import formatting
from imrnns_core.reporting.change_lines import share_line


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.25, "+0.2500"), (-0.25, "−0.2500"), (-0.00001, "+0.0000"), (0.0, "+0.0000")],
)
def test_a_change_has_a_sign_and_four_decimals(value: float, expected: str):
    assert formatting.signed(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.5, "0.5000"), (-0.5, "−0.5000"), (-0.00001, "0.0000")]
)
def test_a_score_has_four_decimals(value: float, expected: str):
    assert formatting.decimal(value) == expected


@pytest.mark.parametrize(
    ("share", "expected"), [(0.284, "28 %"), (-0.004, "0 %"), (-0.012, "−1 %"), (0.0, "0 %")]
)
def test_no_percentage_is_minus_zero(share: float, expected: str):
    assert formatting.percent(share) == expected


def test_the_shares_of_a_change_are_never_minus_zero():
    line = share_line(ChangeDecomposition(1.002, -0.001, -0.001))
    assert "-0" not in line
    assert "−0" not in line


@pytest.mark.parametrize(
    ("p", "expected"),
    [(1 / 10_001, "p < 0.0001"), (2 / 10_001, "p = 0.0002"), (0.0123, "p = 0.0123")],
)
def test_p_values(p: float, expected: str):
    assert formatting.p_equals(p) == expected


def test_counts_agree_with_their_noun():
    assert formatting.counted(1, "query", "queries") == "1 query"
    assert formatting.counted(2, "query", "queries") == "2 queries"
    assert formatting.counted(0, "document") == "0 documents"
    assert formatting.counted(5183, "document") == "5,183 documents"


def test_an_interval_has_signs():
    assert formatting.interval((-0.5, 0.25)) == "−0.5000 to +0.2500"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("five5", "five5"), ("long text", "long…"), ("unbroken", "unbr…"), ("", "")],
)
def test_a_cut_text_says_that_it_was_longer(text: str, expected: str):
    assert formatting.cut(text, 5) == expected
