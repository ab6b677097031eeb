"""Rank by other vectors: of the same texts with other titles, of passages, of another encoder.

If the base is a run: by the vectors, alone or together with the run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from imrnns_core.remedies.remedy import OtherVectors, Remedy, Search
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.fusion import reciprocal_rank_fusion
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.types import IntArray

WITHOUT_TITLES, TITLES_TWICE, PASSAGES = "titles left out", "titles twice", "passages"
ANOTHER_ENCODER = "documents found by another encoder"
"""The cause if the vectors of another encoder, or vectors instead of a run, help."""
_TEXTS = {
    WITHOUT_TITLES: (
        "titles count too much",
        "Documents are encoded without their titles.",
        "Encode the texts alone, and search their vectors.",
    ),
    TITLES_TWICE: (
        "titles count too little",
        "Documents are encoded with their titles twice.",
        "Repeat the title before each text, encode again, and search these vectors.",
    ),
    PASSAGES: (
        "relevant text is not read",
        "A document that the encoder does not read whole is split; its best passage counts.",
        "imrnns-lens prepare DATA --passages, or split the documents before you encode them.",
    ),
}
"""Name of the vectors → cause, what changes, and how to apply it."""


def remedies(search: Search) -> Iterator[Remedy]:
    """Yield a remedy for each set of other vectors, and for the vectors if the base is a run."""
    collection = search.collection
    if search.ranker.run_name is not None and collection.has_vectors:
        yield _remedy(
            "ranking by the vectors",
            ANOTHER_ENCODER,
            "The vectors of the data set rank the documents, instead of the run.",
            "Encode documents and queries with the encoder that the page Data names.",
            collection,
        )
        yield _remedy(
            "run and vectors, rank fusion",
            ANOTHER_ENCODER,
            "Documents are ranked by their ranks in the run and in the ranking by the vectors.",
            "Search both, and add 1 / (60 + rank) for each list that has a document.",
            collection,
            _with_run,
        )
    for other in search.alternatives.vectors:
        is_same = other.collection.encoder.spec == collection.encoder.spec
        if not is_same and not all(search.ids):
            continue  # another encoder may be gone: only stored vectors count
        texts = _TEXTS.get(other.name) or _of_encoder(other)
        yield _remedy(other.name, *texts, other.collection)


def _of_encoder(other: OtherVectors) -> tuple[str, str, str]:
    return (
        ANOTHER_ENCODER,
        f"Documents and queries are encoded by {other.collection.encoder.spec.name}.",
        "imrnns-lens prepare DATA --encoder NAME makes this encoder the base.",
    )


def _remedy(
    name: str,
    cause: str,
    changes: str,
    how: str,
    collection: Collection,
    rank: Callable[[Collection, Search, float], list[IntArray]] | None = None,
) -> Remedy:
    vectors = len(collection.ranked.documents) / max(1, len(collection.documents))
    size = round(vectors * 4 * collection.documents.dimension)
    ranked = partial(rank or _by_vectors, collection)
    return Remedy(name, cause, changes, how, ranked, bytes_per_document=size, reencodes=True)


def _by_vectors(collection: Collection, search: Search, _: float) -> list[IntArray]:
    vectors = search.vectors
    if vectors is None or collection.encoder.spec != search.collection.encoder.spec:
        vectors = np.stack([collection.query_vector(query) for query in search.queries])
    rows = collection.candidates(vectors, DEPTH, search.ids)
    return list(collection.ranked.documents[rows])


def _with_run(collection: Collection, search: Search, setting: float) -> list[IntArray]:
    by_vectors = _by_vectors(collection, search, setting)
    return [
        reciprocal_rank_fusion([base.rows, rows], DEPTH, collection.tie_ranks).rows
        for base, rows in zip(search.base, by_vectors, strict=True)
    ]
