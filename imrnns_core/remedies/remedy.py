"""What a remedy is, and the search that it changes.

Shapes: Q queries, n encoder dimensions, N documents of the corpus.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import imrnns_core.remedies
from imrnns_core.data.records import Query
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.fusion import ScoredRows
from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class OtherVectors:
    """The data set of a search with other vectors.

    Attributes:
        name: What is different, such as “titles left out” or “encoder NAME”.
        collection: The same documents and queries, with these vectors.
    """

    name: str
    collection: Collection


@dataclass(frozen=True)
class Alternatives:
    """What else can rank the documents of a data set.

    Attributes:
        adapters: A ranker for each adapter that was trained on the data set.
        vectors: The vectors that were made from the same texts in another way.
    """

    adapters: tuple[Ranker, ...] = ()
    vectors: tuple[OtherVectors, ...] = ()


NO_ALTERNATIVES = Alternatives()


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
        alternatives: Other adapters and other vectors of the data set.
    """

    ranker: Ranker
    lexical: BM25Index
    queries: tuple[Query, ...]
    vectors: FloatArray | None
    base: tuple[ScoredRows, ...]
    matches: tuple[ScoredRows, ...]
    alternatives: Alternatives = NO_ALTERNATIVES

    @classmethod
    def of(
        cls,
        ranker: Ranker,
        lexical: BM25Index,
        queries: Sequence[Query],
        vectors: FloatArray | None = None,
        alternatives: Alternatives = NO_ALTERNATIVES,
    ) -> Search:
        """Search base and BM25 for queries.

        Args:
            ranker: The collection, with or without an adapter.
            lexical: The BM25 index of the collection.
            queries: The Q queries; the id of a typed one is empty.
            vectors: (Q, n) their base embeddings; None if all are queries of the data set. They
                have no effect if the base is a run.
            alternatives: Other adapters and other vectors of the data set.

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
        return cls(ranker, lexical, tuple(queries), vectors, base, tuple(matches), alternatives)

    @property
    def collection(self) -> Collection:
        """The data set with its vectors."""
        return self.ranker.collection

    @property
    def adapters(self) -> list[Ranker]:
        """A ranker for each adapter: first that of the search; none if the base is a run."""
        if self.vectors is None:
            return []
        every = (self.ranker, *self.alternatives.adapters)
        named = {own.adapter_name: own for own in every[::-1] if own.adapter_name is not None}
        return list(named.values())[::-1]

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
        card: The card of its adapter, which may have learned from judgments; None without one.
    """

    name: str
    cause: str
    changes: str
    how: str
    rank: Callable[[Search, float], list[IntArray]] = field(compare=False, repr=False)
    settings: tuple[float, ...] = (0.0,)
    setting: str = ""
    bytes_per_document: int = 0
    reencodes: bool = False
    card: AdapterCard | None = None

    @property
    def tested_as(self) -> str:
        """What tells the remedies apart that are tested together: the cause, and the adapter."""
        return f"{self.cause} {self.card.name}" if self.card else self.cause


def all_remedies(search: Search) -> Iterator[Remedy]:
    """Yield the remedies for a search: those of each module of this package that has some.

    Such a module has a function `remedies`, which gets the search and yields its remedies.
    """
    package = imrnns_core.remedies
    for module in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        own = importlib.import_module(f"{package.__name__}.{module}")
        if hasattr(own, "remedies"):
            yield from own.remedies(search)
