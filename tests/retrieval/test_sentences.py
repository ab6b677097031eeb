"""The best sentence of a document."""

from __future__ import annotations

import numpy as np

from imrnns_core.data.embeddings import unit
from imrnns_core.retrieval.sentences import SentenceVectors

SENTENCES = SentenceVectors(
    np.array([[1, 0], [0, 1], [0.6, 0.8], [-1, 0]], np.float16), np.array([0, 0, 2, 3])
)


def test_the_best_sentence_counts_and_a_document_without_one_gets_zero():
    best = SENTENCES.max_similarity(np.array([0.0, 1.0], np.float32), np.array([2, 0, 1, 3]))
    np.testing.assert_allclose(best, [0.8, 1, 0, 0], atol=1e-3)
    assert SENTENCES.max_similarity(np.array([1.0, 0.0], np.float32), np.array([3])).tolist() == [
        -1
    ]
    assert SENTENCES.max_similarity(np.array([1.0, 0.0], np.float32), np.array([1])).tolist() == [0]


def test_it_equals_a_loop():
    rng = np.random.default_rng(0)
    rows = np.sort(rng.integers(0, 40, size=200))
    vectors = unit(rng.normal(size=(200, 8)).astype(np.float32))
    query = unit(rng.normal(size=8).astype(np.float32))
    candidates = rng.permutation(40)[:25]
    best = SentenceVectors(vectors, rows).max_similarity(query, candidates)
    expected = [max((vectors[rows == row] @ query).tolist(), default=0.0) for row in candidates]
    np.testing.assert_allclose(best, expected, atol=1e-6)
