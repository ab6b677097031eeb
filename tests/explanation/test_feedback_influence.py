"""The effect of one feedback document, and the words of a dimension."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtri

from imrnns_core.data.records import Document
from imrnns_core.explanation.dimension_words import DimensionWordIndex
from imrnns_core.explanation.feedback_influence import feedback_influence
from tests.toys import World, stage_ranks, stage_scores, worlds


@settings(max_examples=12)
@given(worlds(min_documents=2), st.booleans())
def test_the_effect_of_a_document_equals_a_ranking_without_it(world: World, some_dropped: bool):
    ranker = world.ranker()
    everyone = ranker.compare("q0")
    dropped = (
        frozenset(everyone.document_ids[:1])
        if some_dropped and world.candidates > 2
        else frozenset()
    )
    comparison = ranker.compare("q0", dropped)
    influence = feedback_influence(comparison, ranker.adapter.model)
    for i, document_id in enumerate(comparison.document_ids):
        if document_id in dropped:
            np.testing.assert_array_equal(influence.score_effect[i], 0)
            np.testing.assert_array_equal(influence.rank_effect[i], 0)
            continue
        without = ranker.compare("q0", dropped | {document_id})
        np.testing.assert_allclose(
            influence.score_effect[i],
            stage_scores(without)[3] - stage_scores(comparison)[3],
            atol=2e-6,
        )
        np.testing.assert_array_equal(
            influence.rank_effect[i], stage_ranks(without)[3] - stage_ranks(comparison)[3]
        )
    np.testing.assert_array_equal(influence.rank_changes, (influence.rank_effect != 0).sum(1))


@settings(max_examples=12)
@given(worlds(min_documents=6))
def test_in_the_whole_corpus_ranks_change_among_the_listed_documents(world: World):
    ranker = world.ranker().with_scope("corpus", 3)
    comparison = ranker.compare("q0")
    influence = feedback_influence(comparison, ranker.adapter.model)
    scores = comparison.score("modulated") + influence.score_effect
    for i in np.flatnonzero(comparison.feedback):
        swapped = np.sign(np.subtract.outer(scores[i], scores[i])) != np.sign(
            np.subtract.outer(comparison.score("modulated"), comparison.score("modulated"))
        )
        if not swapped.any():
            assert influence.rank_changes[i] == 0


@given(worlds(), st.booleans())
def test_contributions_are_parts_of_the_refinement_minus_their_mean(
    world: World, some_dropped: bool
):
    ranker = world.ranker()
    dropped = (
        frozenset(ranker.compare("q0").document_ids[:1])
        if some_dropped and world.candidates > 1
        else frozenset()
    )
    comparison = ranker.compare("q0", dropped)
    contributions = feedback_influence(comparison, ranker.adapter.model).contributions
    np.testing.assert_allclose(contributions.sum(0), 0, atol=1e-6)
    vectors, chosen = comparison.modulation, comparison.feedback
    parts = (vectors.document_scale * vectors.projected_query + vectors.document_bias).numpy()[
        chosen
    ] / chosen.sum()
    np.testing.assert_allclose(contributions[chosen], parts - parts.mean(0), atol=1e-6)
    np.testing.assert_array_equal(contributions[~chosen], 0)


def test_a_single_feedback_document_has_no_effect_to_measure():
    ranker = World(seed=1, n=8, m=8, documents=3, queries=1, candidates=3).ranker()
    ids = ranker.compare("q0").document_ids
    influence = feedback_influence(ranker.compare("q0", frozenset(ids[1:])), ranker.adapter.model)
    np.testing.assert_array_equal(influence.score_effect, np.zeros((3, 3)))
    np.testing.assert_array_equal(influence.rank_effect, np.zeros((3, 3)))


def test_the_words_of_a_dimension():
    texts = [
        "peso mexico",
        "peso money",
        "peso bank",
        "krone money",
        "krone bank",
        "krone the",
        "rare",
    ]
    values = np.array([1, 1, 1, -1, -1, -1, 0], np.float32)
    words = DimensionWordIndex(
        [Document(str(i), "", t) for i, t in enumerate(texts)]
    ).dimension_words(values, 2)
    # the documents with “peso” have the three highest normal scores of seven
    scores = ndtri((np.arange(7) + 0.5) / 7)
    z = scores[4:].mean() * 3**0.5 / scores.std()
    assert [(w.word, w.documents) for w in words] == [("krone", 3), ("peso", 3)]
    np.testing.assert_allclose([w.z for w in words], [-z, z], rtol=1e-5)


@pytest.mark.parametrize("texts", [["the of"], ["a", "b", "c", "d"]])
def test_without_frequent_words_a_dimension_has_no_words(texts: list[str]):
    index = DimensionWordIndex([Document(str(i), "", t) for i, t in enumerate(texts)])
    assert index.dimension_words(np.arange(len(texts), dtype=np.float32)) == []


def test_one_extreme_document_does_not_link_its_words_to_a_dimension():
    rng = np.random.default_rng(0)
    # documents of unlike words, so that none is a near copy
    texts = [" ".join(f"w{i}x{j}" for j in range(12)) for i in range(300)]
    for i in range(3):
        texts[i] += " rare"
    for i in range(6):
        texts[10 + i] += " linked"
    values = rng.normal(size=300).astype(np.float32)
    values[0], values[10:16] = 50, 9
    index = DimensionWordIndex([Document(str(i), "", text) for i, text in enumerate(texts)])
    found = {word.word: word.z for word in index.dimension_words(values)}
    # with the values instead of their ranks, “rare” would have z = 9
    assert abs(found["rare"]) < 5 < found["linked"]


@pytest.mark.parametrize("kind", ["outliers", "zeros"])
def test_unusual_values_link_no_words_by_chance(kind: str):
    """Values assigned to documents at random: |z| ≥ 5 for at most one of a million pairs."""
    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(4000)]
    texts = [" ".join(rng.choice(words, 40, replace=False)) for _ in range(400)]
    index = DimensionWordIndex([Document(str(i), "", text) for i, text in enumerate(texts)])
    usual = rng.normal(size=380) if kind == "outliers" else np.zeros(380)
    values = np.r_[usual, rng.normal(8, 1, size=20)].astype(np.float32)
    draws = [index.dimension_words(rng.permutation(values), 1)[0] for _ in range(300)]
    # 300 draws of about 2,800 frequent words
    assert sum(abs(word.z) >= 5 for word in draws) <= 2
