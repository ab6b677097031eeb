"""The placebo of a remedy: false rates under random changes, and what it finds."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.remedies.placebo import DRAWS, corrected_p
from imrnns_core.types import IntArray

RELEVANT = np.array([7])
BASE = np.random.default_rng(7).permutation(100)
"""A base ranking of rows 0 to 99; 200 to 299 are other documents."""


def ranked(scores: dict[int, float]) -> IntArray:
    """Return the best 100 rows."""
    return np.array(sorted(scores, key=lambda row: -scores[row])[:100])


def random_change(generator: np.random.Generator, size: float) -> IntArray:
    """Add noise to the base ranking; some other documents come in."""
    scores = {int(row): -np.log(rank) for rank, row in enumerate(BASE, 1)}
    scores |= {row: -np.log(101) for row in range(200, 240)}
    return ranked({row: own + size * generator.normal() for row, own in scores.items()})


@pytest.mark.parametrize("size", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("causes", [1, 8])
@pytest.mark.parametrize("rank", [2, 15, 60])
def test_random_changes_show_a_cause_in_at_most_five_percent(
    size: float, causes: int, rank: int
) -> None:
    generator, false, trials = np.random.default_rng(0), 0, 200
    relevant = BASE[rank - 1 : rank]
    for _ in range(trials):
        changed = [[random_change(generator, size)] for _ in range(causes)]
        false += bool((corrected_p(BASE, changed, relevant, seed=1) <= 0.05).any())
    # 5 % of 200 is 10; more than 18 would come with a chance of 1 %
    assert false <= 18


def test_leaving_out_random_documents_shows_a_cause_in_at_most_five_percent() -> None:
    generator, false = np.random.default_rng(0), 0
    for _ in range(200):
        others = np.setdiff1d(np.arange(100), [14])
        left_out = generator.choice(others, 8, replace=False)
        false += corrected_p(BASE, [[np.delete(BASE, left_out)]], BASE[14:15])[0] <= 0.05
    assert false <= 18


def test_leaving_out_the_documents_above_is_no_chance() -> None:
    relevant, kept = BASE[5:6], np.delete(BASE, np.arange(5))
    assert corrected_p(BASE, [[kept]], relevant)[0] == pytest.approx(1 / (1 + DRAWS))
    # of one left out, a random one is rarely the first; of two above, it is not the only way
    assert corrected_p(BASE, [[np.delete(BASE, [0])]], BASE[1:2])[0] == pytest.approx(
        0.01, abs=0.008
    )
    # the relevant document itself is left out: nothing is better
    assert corrected_p(BASE, [[np.delete(BASE, [5])]], relevant)[0] == 1.0


def test_one_document_that_rises_alone_has_one_percent() -> None:
    """If a remedy lifts one of 100 documents to the top, chance would lift it once in 100."""
    raised = np.concatenate([BASE[40:41], np.delete(BASE, 40)])
    assert corrected_p(BASE, [[raised]], BASE[40:41])[0] == pytest.approx(0.01, abs=0.008)
    assert corrected_p(BASE, [[raised]], BASE[41:42])[0] > 0.2  # another one stays below


def test_without_an_effect_p_is_one() -> None:
    assert corrected_p(BASE, [[BASE]], BASE[20:21])[0] == 1.0
    # leaving out 50 at random would bring it higher if it stays
    assert corrected_p(BASE, [[BASE[:50]]], BASE[20:21])[0] == pytest.approx(0.5, abs=0.06)
    assert corrected_p(BASE, [[BASE]], np.array([500]))[0] == 1.0  # no ranking has it


def test_a_document_outside_the_base_can_enter() -> None:
    others = np.arange(200, 240)
    entered = np.concatenate([others[:1], BASE[:60], others[1:]])
    assert corrected_p(BASE, [[entered]], others[:1])[0] <= 0.05
    # of the 40 that entered, the last one is no surprise
    assert corrected_p(BASE, [[entered]], others[-1:])[0] > 0.5


def test_more_causes_raise_p_but_equal_ones_do_not() -> None:
    """A document in the middle of the list rises a little: other causes have larger gains."""
    raised = np.concatenate([BASE[:30], BASE[40:41], np.delete(BASE[30:], 10)])
    generator = np.random.default_rng(2)
    others = [random_change(generator, 1.0) for _ in range(6)]
    alone = corrected_p(BASE, [[raised]], BASE[40:41])[0]
    equal = corrected_p(BASE, [[raised]] * 7, BASE[40:41])
    assert equal == pytest.approx(np.full(7, alone))
    assert corrected_p(BASE, [[raised], *([own] for own in others)], BASE[40:41])[0] > 2 * alone


def test_an_empty_base_and_an_empty_ranking() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    p = corrected_p(nothing, [[np.arange(5)], [nothing]], RELEVANT)
    assert p.tolist() == [1.0, 1.0]
    assert corrected_p(nothing, [[np.arange(10)]], RELEVANT)[0] > 0.5


def test_the_remedies_of_a_cause_count_together() -> None:
    """Two that agree show what neither shows alone; one that does nothing takes some away."""
    generator = np.random.default_rng(4)
    raised = np.concatenate([BASE[:3], BASE[40:41], np.delete(BASE[3:], 37)])
    noise = [[random_change(generator, 1.0)] for _ in range(3)]
    p = [corrected_p(BASE, [own, *noise], BASE[40:41])[0] for own in ([raised], [raised, BASE])]
    assert p[0] <= p[1] <= 0.1
    # several relevant documents: one of them gains as much by chance more often
    many = corrected_p(BASE, [[raised]], BASE[[40, 50, 60, 70, 80]])[0]
    assert many == pytest.approx(5 * corrected_p(BASE, [[raised]], BASE[40:41])[0], rel=0.5)
