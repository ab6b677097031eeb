"""Add BM25 to the base: by ranks, or by a mix of scores."""

from __future__ import annotations

from collections.abc import Iterator

from imrnns_core.evaluation.cross_validation import DEFAULT_WEIGHT, WEIGHTS
from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.retrieval.fusion import min_max_pair, reciprocal_rank_fusion
from imrnns_core.retrieval.hybrid import BASE_LEXICAL, DEPTH, RANK_FUSION
from imrnns_core.types import IntArray

KEYWORD_MISMATCH = "keyword mismatch"
"""Documents share words with the query, and the base counts them too little."""
LEXICAL_BYTES = 500
"""Approximate size of the BM25 postings of a document with 100 words."""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield both ways to add BM25."""
    others = [weight for weight in WEIGHTS.tolist() if weight != DEFAULT_WEIGHT]
    yield Remedy(
        BASE_LEXICAL,
        KEYWORD_MISMATCH,
        "Documents are ranked by a weighted sum of their base and BM25 scores.",
        "Search both indexes, scale the top 100 of each to 0 … 1, and add them with the weight.",
        _mixed,
        (DEFAULT_WEIGHT, *others),
        "weight of BM25",
        LEXICAL_BYTES,
    )

    yield Remedy(
        RANK_FUSION,
        KEYWORD_MISMATCH,
        "Documents are ranked by their ranks in the base ranking and in BM25.",
        "Search both indexes, and add 1 / (60 + rank) for each list that has a document.",
        _fused,
        bytes_per_document=LEXICAL_BYTES,
    )


def _fused(search: Search, _: float) -> list[IntArray]:
    ties = search.collection.tie_ranks
    return [
        reciprocal_rank_fusion([base.rows, match.rows], DEPTH, ties).rows
        for base, match in zip(search.base, search.matches, strict=True)
    ]


def _mixed(search: Search, weight: float) -> list[IntArray]:
    ties = search.collection.tie_ranks
    return [
        min_max_pair(base, match).rank(weight, DEPTH, ties)
        for base, match in zip(search.base, search.matches, strict=True)
    ]
