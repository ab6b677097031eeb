"""Rank by the vectors of the data set instead of by a run."""

from __future__ import annotations

from collections.abc import Iterator

from imrnns_core.remedies.remedy import Remedy, Search
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.types import IntArray


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedy, if the base is a run and the data set has vectors."""
    collection = search.collection
    if search.ranker.run_name is not None and collection.has_vectors:
        yield Remedy(
            "ranking by the vectors",
            "documents found by another encoder",
            "The vectors of the data set rank the documents, instead of the run.",
            "Encode documents and queries with the encoder that the page Data names.",
            _by_vectors,
            bytes_per_document=4 * collection.documents.dimension,
            reencodes=True,
        )


def _by_vectors(search: Search, _: float) -> list[IntArray]:
    collection = search.collection
    vectors = collection.query_vectors(search.ids)
    rows = collection.candidates(vectors, DEPTH, search.ids)
    return list(collection.ranked.documents[rows])
