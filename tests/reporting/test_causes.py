"""Causes and remedies in words."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.remedies.causes import Diagnosis, RemedyOutcome, TriedRemedies
from imrnns_core.remedies.remedy import Remedy
from imrnns_core.reporting.causes import WHEN_SHOWN, cause_lines, rank_change, remedy_line


def outcome(name: str, cause: str, rank: int, p: float) -> RemedyOutcome:
    remedy = Remedy(name, cause, "It changes.", "Change it.", lambda *_: [])
    return RemedyOutcome(remedy, rank, "d", p, np.zeros(0, dtype=np.int64))


def diagnosis(ranks: tuple[int, ...], *outcomes: RemedyOutcome) -> Diagnosis:
    tried = TriedRemedies(ranks[0], outcomes)
    return Diagnosis("q", "ranked too low", 0.0, ranks, 0, tried)


@pytest.mark.parametrize(
    ("base", "rank", "expected"),
    [
        (15, 1, "rank 15 → 1"),
        (15, 0, "rank 15 → not in the top 100"),
        (0, 7, "not in the top 100 → rank 7"),
        (0, 0, "not in the top 100 → still not"),
    ],
)
def test_rank_changes(base: int, rank: int, expected: str) -> None:
    assert rank_change(base, rank) == expected


def test_causes_with_their_remedies_the_best_first() -> None:
    found = diagnosis(
        (15,),
        outcome("fusion", "keyword mismatch", 3, 0.002),
        outcome("adapter", "encoder not adapted", 2, 0.01),
        outcome("lucky", "chance", 1, 0.06),
        outcome("worse", "wrong", 20, 0.01),
        outcome("mix", "keyword mismatch", 1, 0.002),
    )
    assert found.tried is not None
    assert cause_lines(found.tried) == [
        ("keyword mismatch (p = 0.0020)", "mix: rank 15 → 1\nfusion: rank 15 → 3"),
        ("encoder not adapted (p = 0.0100)", "adapter: rank 15 → 2"),
    ]
    assert found.causes == "keyword mismatch, encoder not adapted"
    assert remedy_line(found) == "mix: rank 15 → 1"


def test_without_a_shown_cause_nothing_is_recommended() -> None:
    found = diagnosis((15,), outcome("lucky", "chance", 1, 0.06))
    assert (found.causes, remedy_line(found)) == ("none shown", "")


def test_an_adapter_that_moves_the_document_down_is_the_cause() -> None:
    found = diagnosis((1, 2, 3, 4))
    assert (found.causes, remedy_line(found)) == ("the adapter", "no adapter: rank 4 → 1")
    assert diagnosis((1, 2, 3, 1)).causes == ""


def test_the_reading_names_the_level() -> None:
    assert "larger than in 95 % of random changes" in WHEN_SHOWN
