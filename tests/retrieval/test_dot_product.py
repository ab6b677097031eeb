"""Data sets that are ranked by dot product, without an adapter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imrnns_core.errors import AdapterError, ExplanationError
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import collection

DOCUMENTS = [[1.0, 0.0], [3.0, 4.0], [0.0, 0.5]]
QUERY = [[2.0, 1.0]]


@pytest.fixture
def ranker() -> Ranker:
    world = collection(DOCUMENTS, QUERY, {"q0": {"d1": 1}})
    return Ranker(replace(world, similarity="dot"))


def test_scores_and_ranks_are_those_of_the_dot_product(ranker: Ranker) -> None:
    comparison = ranker.compare("q0")
    scores = dict(zip(comparison.document_ids, comparison.score("base").tolist(), strict=True))
    assert scores == pytest.approx({"d0": 2.0, "d1": 10.0, "d2": 0.5})
    assert comparison.document_ids == ("d1", "d0", "d2")
    # by cosine, d0 would be first
    cosine = Ranker(replace(ranker.collection, similarity="cosine")).compare("q0")
    assert cosine.document_ids[0] == "d0"


def test_the_rank_in_the_corpus_is_that_of_the_dot_product(ranker: Ranker) -> None:
    comparison = ranker.compare("q0")
    assert [ranker.corpus_ranks(comparison, d)["base"] for d in ("d0", "d1", "d2")] == [2, 1, 3]
    np.testing.assert_allclose(
        ranker.rank_batch(np.array(QUERY, np.float32)).ranks[0, 0], [1, 2, 3]
    )


def test_what_needs_cosines_says_so(ranker: Ranker) -> None:
    with pytest.raises(ExplanationError, match="ranked by dot product, and words can be explained"):
        WordExplainer(ranker)
    with pytest.raises(
        AdapterError, match="ranked by dot product, but maps work only with cosines"
    ):
        ranker.collection.require_cosine("maps work")
