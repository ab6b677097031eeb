"""Scores with another text equal those of a ranking with that text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from tests import toys
from tests.toys import stage_ranks, stage_scores


def world(seed: int, dropped: frozenset[str] = frozenset()) -> tuple[Ranker, Comparison]:
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(9, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ranker = Ranker(
        toys.collection(vectors[:8], vectors[8:]), toys.adapter(toys.random_model(seed, 6, 5))
    )
    return ranker, ranker.compare("q0", dropped)


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=6).astype(np.float32)
    return vector / np.linalg.norm(vector)


@given(seed=st.integers(0, 30), position=st.integers(0, 7), drop=st.booleans())
def test_a_pair_scores_as_the_edited_comparison(seed: int, position: int, drop: bool):
    ranker, comparison = world(seed, frozenset({"d3"}) if drop else frozenset())
    pair, model = Pair(comparison, ranker.adapter.model, position), ranker.adapter.model
    for vector in (unit(seed + 100), unit(seed + 200)):
        as_document = rescore(comparison, model, documents={pair.document_id: vector})
        as_query = rescore(comparison, model, query=vector)
        with torch.no_grad():
            one = torch.from_numpy(vector)[None]
            assert pair.document_scores(one)[0].numpy() == pytest.approx(
                stage_scores(as_document)[[0, 3], position], abs=2e-6
            )
            assert pair.query_scores(one)[0].numpy() == pytest.approx(
                stage_scores(as_query)[[0, 3], position], abs=2e-6
            )


def test_the_same_text_changes_nothing():
    ranker, comparison = world(1)
    same = rescore(comparison, ranker.adapter.model)
    assert np.abs(stage_scores(same) - stage_scores(comparison)).max() < 2e-6
    assert (stage_ranks(same) == stage_ranks(comparison)).all()
    pair = Pair(comparison, ranker.adapter.model, 2)
    with torch.no_grad():
        assert pair.document_scores(comparison.modulation.documents[2:3])[
            0
        ].numpy() == pytest.approx(pair.scores.numpy(), abs=2e-6)


def test_an_edited_query_ranks_as_that_query_would_over_the_same_candidates():
    ranker, comparison = world(2)
    other = unit(7)
    whole = ranker.compare(replace(comparison.query, id=""), vector=other)
    mine = rescore(comparison, ranker.adapter.model, query=other)
    by_id = {i: stage_scores(whole)[:, at] for i, at in whole.position.items()}
    for i, at in mine.position.items():
        assert stage_scores(mine)[:, at] == pytest.approx(by_id[i], abs=2e-6)


def test_an_edited_document_moves_the_others_through_the_refinement():
    ranker, comparison = world(3)
    after = rescore(comparison, ranker.adapter.model, documents={"d0": unit(5)})
    others = [at for i, at in comparison.position.items() if i != "d0"]
    assert (
        np.abs(stage_scores(after)[:3, others] - stage_scores(comparison)[:3, others]).max() < 1e-6
    )
    assert np.abs(stage_scores(after)[3, others] - stage_scores(comparison)[3, others]).max() > 1e-6
