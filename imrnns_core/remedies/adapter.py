"""Let the adapter of the search rank the candidates, or the whole corpus."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.retrieval.batch import rank
from imrnns_core.types import IntArray

NOT_ADAPTED = "encoder not adapted"
"""The encoder was not trained on texts like these."""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield both remedies, if the search has an adapter."""
    name = search.ranker.adapter_name
    if name is None:
        return
    yield Remedy(
        f"adapter {name}",
        NOT_ADAPTED,
        "The adapter re-ranks the 100 candidates of the base.",
        "Score the candidates with imrnns_core, or with /rerank of imrnns-lens serve.",
        _candidates,
        (1.0, 0.25, 0.5, 0.75),
        "α: the documents are ranked by (1 − α) · base score + α · modulated score",
        is_trained=True,
    )
    yield Remedy(
        f"adapter {name}, whole corpus",
        NOT_ADAPTED,
        "The adapter ranks all documents, by a second search with the effective query.",
        "The page Adapters has lines for your vector store.",
        _corpus,
        is_trained=True,
    )


def _candidates(search: Search, alpha: float) -> list[IntArray]:
    assert search.vectors is not None  # a run has no adapter
    ranker = search.ranker.with_scope("candidates")
    batch = ranker.rank_batch(search.vectors, search.ids)
    mixed = (1 - alpha) * batch.score("base") + alpha * batch.score("modulated")
    ties = search.collection.tie_ranks[batch.rows]
    order = np.argsort(rank(mixed, ties), axis=1)
    return list(np.take_along_axis(batch.rows, order, axis=1))


def _corpus(search: Search, _: float) -> list[IntArray]:
    assert search.vectors is not None
    batch = search.ranker.with_scope("corpus").rank_batch(search.vectors, search.ids)
    return batch.ranked_rows("modulated")
