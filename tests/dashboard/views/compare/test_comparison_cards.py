"""Which documents are on which card, and what the card says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import formatting
from dashboard.views.compare.comparison_cards import (
    LOWER_RELEVANT,
    contents,
    ideal,
    modulated,
    rankings,
)
from imrnns_core.config import SearchConfig
from imrnns_core.retrieval.comparison import Comparison, Ranking, blend
from tests import toys
from tests.toys import stage_ranks, stage_scores


def cards_of(comparison: Comparison, alpha: float) -> tuple[str, Ranking]:
    return modulated(comparison, alpha, blend(comparison, alpha))


@settings(max_examples=40, deadline=None)
@given(toys.worlds(), st.sampled_from([0.0, 0.35, 1.0]), st.integers(1, 12), st.data())
def test_both_rankings_stand_as_ranked(
    world: toys.World, alpha: float, top_k: int, data: st.DataObject
) -> None:
    ranker = world.ranker()
    comparison = ranker.compare("q0")
    picked = data.draw(st.sampled_from(["", *comparison.document_ids]))
    scores, ranks = blend(comparison, alpha)
    for column, own, values in zip(
        rankings(comparison, cards_of(comparison, alpha), top_k, picked),
        (stage_ranks(comparison)[0], ranks),
        (stage_scores(comparison)[0], scores),
        strict=True,
    ):
        at = [comparison.position[card.document_id] for card in column.cards]
        assert (
            [int(card.rank) for card in column.cards]
            == sorted(int(own[i]) for i in at)
            == [int(own[i]) for i in at]
        )
        assert [card.score for card in column.cards] == [formatting.decimal(values[i]) for i in at]
        assert [card.further for card in column.cards] == [own[i] > top_k for i in at]
        assert [int(card.rank) for card in column.cards if not card.further] == list(
            range(1, min(top_k, len(own)) + 1)
        )
        # every candidate has its card, or is counted
        assert len(column.cards) + sum(card.skipped for card in column.cards) + column.rest == len(
            own
        )
        relevant = sorted(
            (i for i in range(len(own)) if own[i] > top_k and comparison.relevance[i] > 0),
            key=lambda i: own[i],
        )
        below = {
            i for i in range(len(own)) if own[i] > top_k and comparison.document_ids[i] == picked
        } | set(relevant[:LOWER_RELEVANT])
        assert {i for i in at if own[i] > top_k} == below


def test_the_picked_document_has_its_card_however_many_relevant_ones_stand_above_it() -> None:
    vectors = np.eye(8) + np.linspace(1, 0, 8)[:, None] * np.eye(8)[0]
    space = toys.collection(vectors, [vectors[0]], {"q0": {f"d{i}": 1 for i in range(8)}})
    comparison = toys.Ranker(space, toys.adapter(toys.still_model(8))).compare("q0")
    last = comparison.document_ids[int(stage_ranks(comparison)[0].argmax())]
    base = rankings(comparison, cards_of(comparison, 1.0), 1, last)[0]
    assert [int(card.rank) for card in base.cards] == [1, 2, 3, 4, 8]
    assert (base.cards[-1].document_id, base.cards[-1].skipped, base.rest) == (last, 3, 0)


def test_a_card_says_where_its_document_came_from_and_what_the_judges_said() -> None:
    angles = np.radians([0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 110.0, 120.0, 130.0, 140.0])
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    space = toys.collection(vectors, [vectors[0]], {"q0": {"d3": 2, "d9": 1, "d1": 0}})
    adapter = toys.adapter(toys.still_model(2))
    ranker = toys.Ranker(space, adapter, SearchConfig(candidates=5))
    comparison = ranker.compare("q0")
    base, modulated = rankings(comparison, cards_of(comparison, 1.0), 2, "d4")
    assert [(card.document_id, card.rank, card.skipped) for card in base.cards] == [
        ("d0", "1", 0),
        ("d1", "2", 0),
        ("d3", "4", 1),
        ("d4", "5", 0),
    ]
    now = {i: int(stage_ranks(comparison)[3, n]) for i, n in comparison.position.items()}
    arrow = {True: "↗", False: "↘"}
    for card in base.cards:
        before = int(card.rank)
        sign = "→" if now[card.document_id] == before else arrow[now[card.document_id] < before]
        assert card.move.startswith(f"{before} {sign} {now[card.document_id]}")
        assert ("not in the other top 2" in card.move) == (before <= 2 < now[card.document_id])
    assert modulated.title == "Modulated"
    shown = contents([base], comparison, space.dataset)
    assert [shown[i].relevance for i in ("d0", "d1", "d3")] == [
        "unjudged",
        "not relevant",
        "relevant (grade 2)",
    ]
    best = ideal(comparison, "modulated", 5)
    assert [(card.document_id, card.move) for card in best.cards] == [
        ("d3", f"base 4, modulated {now['d3']}"),
        ("d9", "not retrieved"),
    ]
    assert ideal(comparison, "modulated", 1).rest == 1


@pytest.mark.parametrize(("alpha", "title"), [(1.0, "Modulated"), (0.5, "α = 0.50")])
def test_the_second_ranking_is_named(alpha: float, title: str) -> None:
    comparison = toys.World(1, 8, 8, 6, 1, 6).ranker().compare("q0")
    assert [
        column.title for column in rankings(comparison, cards_of(comparison, alpha), 5, "")
    ] == ["Base", title]


def test_a_ranking_names_the_rank_of_its_divider_and_the_ideal_order_its_score() -> None:
    comparison = toys.World(1, 8, 8, 6, 1, 6).ranker().compare("q0")
    assert {
        column.divider for column in rankings(comparison, cards_of(comparison, 1.0), 5, "")
    } == {"Relevant or selected documents below rank 5"}
    number = sum(grade > 0 for grade in comparison.judgments.values())
    counted = formatting.count(number, "relevant document", "relevant documents")
    assert ideal(comparison, "modulated", 5).caption == (
        f"{counted}, highest grade first. Number on the right: modulated score."
    )
