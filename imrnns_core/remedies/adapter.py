"""Let an adapter rank the candidates, more candidates, or the whole corpus."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.retrieval.batch import rank
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import IntArray

NOT_ADAPTED = "encoder not adapted"
"""The encoder was not trained on texts like these."""
POOLS = (200, 500, 1000)


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield what each adapter of the search can rank."""
    for ranker in search.adapters:
        yield from _of_adapter(ranker)


def _of_adapter(ranker: Ranker) -> Iterator[Remedy]:
    name = f"adapter {ranker.adapter_name}"
    yield Remedy(
        name,
        NOT_ADAPTED,
        f"The adapter re-ranks the {DEPTH} candidates of the base.",
        "Score the candidates with imrnns_core, or with /rerank of imrnns-lens serve.",
        partial(_candidates, ranker),
        (1.0, 0.25, 0.5, 0.75),
        "α: the documents are ranked by (1 − α) · base score + α · modulated score",
        card=ranker.card,
    )
    pools = [float(pool) for pool in POOLS if pool < len(ranker.collection.documents)]
    if pools:
        yield Remedy(
            f"{name}, larger pool",
            NOT_ADAPTED,
            "The adapter re-ranks more candidates of the base.",
            "Fetch more candidates, and score them as with the adapter alone.",
            partial(_larger_pool, ranker),
            tuple(pools),
            "number of candidates",
            card=ranker.card,
        )
    yield Remedy(
        f"{name}, whole corpus",
        NOT_ADAPTED,
        "The adapter ranks all documents, by a second search with the effective query.",
        "The page Adapters has lines for your vector store.",
        partial(_corpus, ranker),
        card=ranker.card,
    )


def _candidates(ranker: Ranker, search: Search, alpha: float) -> list[IntArray]:
    assert search.vectors is not None  # a run has no adapter
    batch = ranker.with_scope("candidates").rank_batch(search.vectors, search.ids)
    mixed = (1 - alpha) * batch.score("base") + alpha * batch.score("modulated")
    ties = search.collection.tie_ranks[batch.rows]
    order = np.argsort(rank(mixed, ties), axis=1)
    return list(np.take_along_axis(batch.rows, order, axis=1))


def _larger_pool(ranker: Ranker, search: Search, pool: float) -> list[IntArray]:
    assert search.vectors is not None
    wide = ranker.with_scope("candidates", candidates=int(pool))
    batch = wide.rank_batch(search.vectors, search.ids)
    return [rows[:DEPTH] for rows in batch.ranked_rows("modulated")]


def _corpus(ranker: Ranker, search: Search, _: float) -> list[IntArray]:
    assert search.vectors is not None
    batch = ranker.with_scope("corpus").rank_batch(search.vectors, search.ids)
    return batch.ranked_rows("modulated")
