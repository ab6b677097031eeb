"""Pseudo-relevance feedback: the top documents change the query, without judgments.

Sources: Rocchio, "Relevance feedback in information retrieval", 1971, for vectors; Lavrenko and
Croft, "Relevance-based language models", SIGIR 2001, for RM3 on BM25.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from imrnns_core.data.embeddings import unit
from imrnns_core.remedies.hybrid import KEYWORD_MISMATCH
from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.text.stop_words import tokenize
from imrnns_core.types import FloatArray, IntArray

VECTOR_DOCUMENTS = 5
"""Documents whose mean vector is added to the query."""
TERM_DOCUMENTS, TERMS = 10, 10
"""Documents from which RM3 takes words, and the number of words that it adds."""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield Rocchio, if vectors are ranked by cosine, and RM3."""
    if search.vectors is not None and search.collection.similarity == "cosine":
        yield Remedy(
            "Rocchio",
            "query unlike its documents",
            f"The mean vector of the top {VECTOR_DOCUMENTS} documents is added to the query.",
            "Search, add the mean of the top vectors times the weight to the query, search again.",
            _rocchio,
            (0.5, 0.0, 0.25, 1.0, 2.0),
            "weight of the documents",
        )
    yield Remedy(
        "RM3",
        KEYWORD_MISMATCH,
        f"BM25 ranks, with {TERMS} words of its top {TERM_DOCUMENTS} documents added to the query.",
        "Add the words with their weights to the query of your lexical engine; Anserini has RM3.",
        _rm3,
        (0.5, 0.0, 0.25, 0.75),
        "weight of the added words",
        500,
    )


def _rocchio(search: Search, weight: float) -> list[IntArray]:
    assert search.vectors is not None
    ranked = search.collection.ranked
    vectors = unit(search.vectors)
    top = [base.rows[:VECTOR_DOCUMENTS] for base in search.base]
    documents = search.collection.unit_documents
    means = np.stack([documents[rows].mean(axis=0) for rows in top])
    changed = (vectors + weight * means).astype(np.float32)
    rows = search.collection.candidates(changed, DEPTH, search.ids)
    return list(ranked.documents[rows])


def _rm3(search: Search, weight: float) -> list[IntArray]:
    own = search.collection.dataset.left_out_rows(search.ids)
    texts = [query.text for query in search.queries]
    added = [_words(search, match.rows[:TERM_DOCUMENTS], match.scores) for match in search.matches]
    matches = search.lexical.weighted_matches(texts, added, weight, DEPTH, own)
    return [match.rows for match in matches]


def _words(search: Search, rows: IntArray, scores: FloatArray) -> dict[str, float]:
    """Return the words with the highest probability in the top documents, which sum to 1."""
    weights = np.asarray(scores, dtype=np.float64)[: len(rows)]
    documents = search.collection.dataset.documents
    total = defaultdict[str, float](float)
    shares = (weights / max(weights.sum(), 1e-12)).tolist()
    for row, weight in zip(rows.tolist(), shares, strict=True):
        words = Counter(*tokenize([f"{documents[row].title}\n{documents[row].text}"]))
        length = max(1, sum(words.values()))
        for word, number in words.items():
            total[word] += weight * number / length
    best = dict(sorted(total.items(), key=lambda item: (-item[1], item[0]))[:TERMS])
    mass = sum(best.values()) or 1.0
    return {word: value / mass for word, value in best.items()}
