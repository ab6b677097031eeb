"""What a remedy is, and the search that it changes.

Shapes: Q queries, n encoder dimensions, N documents of the corpus.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import imrnns_core.remedies
from imrnns_core.data.records import Query
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.fusion import ScoredRows
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class Search:
    """Queries with their base and BM25 rankings, which are computed once for all remedies.

    Attributes:
        ranker: The collection, with or without an adapter.
        lexical: The BM25 index of the collection.
        queries: The Q queries; the id of a typed one is empty.
        vectors: (Q, n) base embeddings of the queries; None if the base is a run.
        base: The top `DEPTH` documents of each query by the base.
        matches: The top `DEPTH` documents by BM25 that share a word with the query.
    """

    ranker: Ranker
    lexical: BM25Index
    queries: tuple[Query, ...]
    vectors: FloatArray | None
    base: tuple[ScoredRows, ...]
    matches: tuple[ScoredRows, ...]

    @classmethod
    def of(
        cls,
        ranker: Ranker,
        lexical: BM25Index,
        queries: Sequence[Query],
        vectors: FloatArray | None = None,
    ) -> Search:
        """Search base and BM25 for queries.

        Args:
            ranker: The collection, with or without an adapter.
            lexical: The BM25 index of the collection.
            queries: The Q queries; the id of a typed one is empty.
            vectors: (Q, n) their base embeddings; None if all are queries of the data set. They
                have no effect if the base is a run.

        Raises:
            EncoderError: If the base is no run, and the collection has no vectors.
        """
        ids = [query.id for query in queries]
        if ranker.run_name is not None:
            vectors, batch = None, ranker.rank_queries(ids)
        else:
            vectors = ranker.collection.query_vectors(ids) if vectors is None else vectors
            batch = ranker.with_scope("candidates").rank_batch(vectors, ids)
        base = tuple(ranked.top(DEPTH) for ranked in batch.ranked("base"))
        own = ranker.collection.dataset.left_out_rows(ids)
        matches = lexical.scored_matches([query.text for query in queries], DEPTH, own)
        return cls(ranker, lexical, tuple(queries), vectors, base, tuple(matches))

    @property
    def collection(self) -> Collection:
        """The data set with its vectors."""
        return self.ranker.collection

    @property
    def ids(self) -> list[str]:
        """The ids of the queries."""
        return [query.id for query in self.queries]


@dataclass(frozen=True)
class Remedy:
    """A change of a search.

    Attributes:
        name: Its name.
        cause: What is wrong where it helps, such as “keyword mismatch”.
        changes: What it changes, as a sentence.
        how: How to apply it in one's own engine, as a sentence.
        rank: Returns the corpus rows of each query, best first, with one of the settings.
        settings: The values to choose from; the first is the default.
        setting: What a setting is, such as “weight of BM25”; empty if there is only one.
        bytes_per_document: What it stores for each document.
        reencodes: Whether all documents must be encoded again.
        is_trained: Whether it has learned from judgments, as an adapter may have.
    """

    name: str
    cause: str
    changes: str
    how: str
    rank: Callable[[Search, float], list[IntArray]]
    settings: tuple[float, ...] = (0.0,)
    setting: str = ""
    bytes_per_document: int = 0
    reencodes: bool = False
    is_trained: bool = False


def all_remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedies for a search: those of each module of this package that has some.

    Such a module has a function `remedies`, which gets the search and yields its remedies.
    """
    package = imrnns_core.remedies
    for module in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        own = importlib.import_module(f"{package.__name__}.{module}")
        if hasattr(own, "remedies"):
            yield from own.remedies(search)
