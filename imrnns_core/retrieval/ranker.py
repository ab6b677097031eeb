"""Rank a query's candidates by the base and, with an adapter, at all its stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from imrnns_core.config import Scope, SearchConfig
from imrnns_core.data.records import Query, check_typed
from imrnns_core.errors import AdapterError
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter, check_dimensions
from imrnns_core.model.corpus_transform import Transform
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.batch import Certainty, RankedBatch, rank
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison, blend, stage_rankings
from imrnns_core.retrieval.corpus_ranks import (
    CorpusScores,
    blend_corpus,
    ranks_of,
    score_all,
    with_corpus_ranks,
)
from imrnns_core.retrieval.corpus_search import CorpusSearch
from imrnns_core.retrieval.stages import AdapterStages, BaseStage, finite
from imrnns_core.types import FloatArray, IntArray, Stage


class Ranker:
    """Rank the queries of one collection with one adapter, or with the base alone.

    Args:
        collection: The collection.
        adapter: The adapter; without one, "base" is the only stage.
        config: Sizes of the lists, and whether the adapter ranks the candidates or the corpus.

    Raises:
        AdapterError: If the adapter does not fit the embeddings, they are ranked by dot product,
            or the scope is the corpus and there is no adapter.
    """

    def __init__(
        self,
        collection: Collection,
        adapter: Adapter | None = None,
        config: SearchConfig | None = None,
    ) -> None:
        if adapter is not None:
            collection.require_cosine()
            check_dimensions(adapter, collection.documents.dimension)
        self.collection, self.optional_adapter = collection, adapter
        self.config = config or SearchConfig()
        self._scorer = AdapterStages(collection, adapter) if adapter else BaseStage(collection)
        self._corpus_scores: tuple[Comparison, CorpusScores] | None = None
        if self.config.scope == "corpus":
            _ = self.adapter  # the base ranking always has the whole corpus

    def with_collection(self, collection: Collection) -> Ranker:
        """Return this ranker over a collection of the same documents; nothing is computed again."""
        changed = copy(self)
        changed.collection = collection
        return changed

    def with_scope(
        self, scope: Scope, top_k: int | None = None, candidates: int | None = None
    ) -> Ranker:
        """Return this ranker with another scope; nothing is computed again.

        Args:
            scope: The scope.
            top_k: Number of top documents to prove; at most the number of candidates.
            candidates: Number of candidates, if it changes.

        Raises:
            AdapterError: If the scope is the corpus and there is no adapter.
        """
        changed = copy(self)
        candidates = candidates or self.config.candidates
        top_k = min(top_k or self.config.top_k, candidates)
        changed.config = SearchConfig(candidates, top_k, scope, self.config.exact_pass)
        if scope == "corpus":
            _ = self.adapter  # the base ranking always has the whole corpus
        return changed

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of every ranking: "base", or all four with an adapter."""
        return self._scorer.stages

    @property
    def adapter(self) -> Adapter:
        """The adapter.

        Raises:
            AdapterError: If there is none.
        """
        if self.optional_adapter is None:
            raise AdapterError(NO_ADAPTER)
        return self.optional_adapter

    @property
    def run_name(self) -> str | None:
        """The name of the run that is the base; None if the embeddings are ranked."""
        return None

    @property
    def adapter_name(self) -> str | None:
        """The name of the adapter, None if there is none."""
        return None if self.optional_adapter is None else self.optional_adapter.card.name

    @property
    def card(self) -> AdapterCard | None:
        """The card of the adapter, None if there is none."""
        return None if self.optional_adapter is None else self.optional_adapter.card

    @property
    def model(self) -> IMRNN | None:
        """The model of the adapter, None if there is none."""
        return None if self.optional_adapter is None else self.optional_adapter.model

    @property
    def transform(self) -> Transform:
        """The adapter's transform of all ranked vectors, on first use; of a large corpus, no copy.

        Raises:
            AdapterError: If there is no adapter.
        """
        if not isinstance(self._scorer, AdapterStages):
            raise AdapterError(NO_ADAPTER)
        return self._scorer.transform

    @property
    def mapped_documents(self) -> FloatArray:
        """(N, m) unit vectors of the corpus that a map places: projected, or base embeddings."""
        return self._scorer.documents

    def rank_queries(self, query_ids: Sequence[str]) -> RankedBatch:
        """Rank the candidates of B queries of the data set at all stages.

        Raises:
            KeyError: If an id is unknown; it names the first one.
            AdapterError: If a score is NaN.
            EncoderError: If the collection has no vectors.
        """
        return self.rank_batch(self.collection.query_vectors(query_ids), query_ids)

    def rank_batch(
        self, vectors: FloatArray, query_ids: Sequence[str] | None = None
    ) -> RankedBatch:
        """Retrieve the candidates of queries and rank them at all stages.

        Args:
            vectors: (B, n) base embeddings of the queries.
            query_ids: (B,) their ids, empty for a typed one; None if all are typed.

        Raises:
            AdapterError: If a score is NaN.
        """
        ids = [""] * len(vectors) if query_ids is None else query_ids
        return self._rank_rows(vectors, ids, self._candidates(vectors, ids))

    def _candidates(self, vectors: FloatArray, ids: Sequence[str]) -> IntArray:
        rows = self.collection.candidates(vectors, self.config.candidates, ids)
        return self.collection.ranked.in_tie_order(rows)

    def _rank_rows(
        self,
        vectors: FloatArray,
        ids: Sequence[str],
        rows: IntArray,
        feedback: NDArray[np.bool_] | None = None,
    ) -> RankedBatch:
        """Rank candidates (B, K) and, with the scope "corpus", the best further documents."""
        ties, width, certainty = self.collection.ranked.ties, rows.shape[1], tuple[Certainty, ...]()
        if self.config.scope == "corpus" and isinstance(self._scorer, AdapterStages):
            search = CorpusSearch(self.collection, self._scorer, self.config)
            further, certainty = search.further(vectors, ids, rows, feedback)
            feedback = np.ones(rows.shape, dtype=bool) if feedback is None else feedback
            feedback = np.pad(feedback, ((0, 0), (0, further.shape[1])))
            rows = np.concatenate([rows, self.collection.ranked.in_tie_order(further)], axis=1)
        scores = self._scores(vectors, rows, feedback)
        # the search rounds differently: the base order must follow the scores that are shown
        is_further = np.broadcast_to(np.arange(rows.shape[1]) >= width, rows.shape)
        order = np.lexsort((rank(scores[:, 0], ties[rows]), is_further), axis=-1)
        rows = np.take_along_axis(rows, order, axis=1)
        scores = np.take_along_axis(scores, order[:, None, :], axis=2)
        ranks = rank(scores, ties[rows][:, None, :])
        ranks[:, 0] = np.arange(1, rows.shape[1] + 1)
        return RankedBatch(
            *(self.collection.ranked.documents[rows], scores, ranks, rows, self.stages),
            candidates=width if certainty else None,
            certainty=certainty,
        )

    def compare(
        self,
        query: str | Query,
        dropped: frozenset[str] = frozenset(),
        *,
        vector: FloatArray | None = None,
    ) -> Comparison:
        """Rank one query at all stages, and return the vectors of the stages.

        Args:
            query: A query, the id of a query of the collection, or any text.
            dropped: Ids of candidates that do not refine the query but are still ranked. At least
                one candidate must remain.
            vector: (n,) base embedding of the query, if it is already known.

        Raises:
            LensError: If the text is empty.
            EncoderError: If the encoder of a new text did not make the collection's embeddings.
            AdapterError: If a score is NaN.
            ValueError: If no candidate remains to refine the query.
        """
        dataset = self.collection.dataset
        query = dataset.find_query(query) if isinstance(query, str) else query
        if not query.id:
            check_typed(query.text)
        vector = self.collection.query_vector(query) if vector is None else vector
        candidates = self._candidates(vector[None], [query.id])
        feedback = np.array([[i not in dropped for i in self._ids(candidates[0])]])
        if not feedback.any():
            raise ValueError("at least one candidate must refine the query")
        mask = None if feedback.all() else feedback
        batch = self._rank_rows(vector[None], [query.id], candidates, mask)
        rows = batch.vector_rows[0]
        ids = self._ids(rows)
        feedback = np.array([i not in dropped for i in ids])
        feedback[candidates.shape[1] :] = False
        judgments = dataset.judgments.get(query.id, {})
        rankings = stage_rankings(ids, batch.scores[0], batch.ranks[0])
        best = map(self.collection.ranked.best_passage, rows.tolist())
        compared = Comparison(
            *(query, rankings, batch.rows[0], judgments, feedback),
            stage_vectors=self._scorer.vectors(vector, rows, feedback),
            vector_rows=rows,
            passages={i: passage for i, passage in zip(ids, best, strict=True) if passage},
            certainty=batch.certainty[0] if batch.certainty else None,
            candidates=batch.candidates,
        )
        return self.with_ranks(compared)

    def with_ranks(self, comparison: Comparison) -> Comparison:
        """Return a comparison with the ranks in the whole corpus, if the adapter ranks it.

        Raises:
            AdapterError: If a score is NaN.
        """
        if comparison.candidates is None:
            return comparison
        ties = self.collection.tie_ranks
        return with_corpus_ranks(comparison, self.corpus_scores(comparison), ties)

    def blending(self, comparison: Comparison) -> Callable[[float], tuple[FloatArray, IntArray]]:
        """Return α → scores (K,) and ranks (K,) of (1 − α) · base + α · modulated.

        If the adapter ranks the whole corpus, the ranks are those among all documents.

        Raises:
            AdapterError: If a score is NaN.
        """
        if comparison.candidates is None:
            return partial(blend, comparison)
        scores = self.corpus_scores(comparison)
        return partial(blend_corpus, comparison, scores, self.collection.tie_ranks)

    def _ids(self, rows: IntArray) -> tuple[str, ...]:
        """Return the ids of the documents of vector rows (K,)."""
        ids = self.collection.dataset.document_ids
        return tuple(ids[row] for row in self.collection.ranked.documents[rows].tolist())

    def corpus_ranks(self, comparison: Comparison, document_id: str) -> dict[Stage, int]:
        """Return a document's rank at each stage if all documents of the corpus were ranked.

        A document that is the query itself has no rank: the result is empty.

        Raises:
            KeyError: If the document is not in the corpus.
            AdapterError: If a score is NaN.
        """
        row, ties = self.collection.documents.row[document_id], self.collection.tie_ranks
        if comparison.candidates is not None and document_id in comparison.position:
            at = comparison.position[document_id]
            return {stage: int(comparison.rank(stage)[at]) for stage in comparison.stages}
        by_stage = self.corpus_scores(comparison).stages
        if by_stage["base"][row] == -np.inf:
            return {}
        rows = np.array([row])
        return {stage: int(ranks_of(rows, s, ties)[0]) for stage, s in by_stage.items()}

    def corpus_scores(self, comparison: Comparison) -> CorpusScores:
        """Score all documents of the corpus, with the query and the texts of the comparison.

        The scores of the last comparison are kept.

        Raises:
            AdapterError: If a score is NaN.
        """
        known = self._corpus_scores
        if known is None or known[0] is not comparison:
            found = score_all(self.collection, self._scorer, comparison, self.adapter_name)
            # a page asks for the ranks of several documents, one after the other
            self._corpus_scores = known = comparison, found
        return known[1]

    def _scores(
        self, vectors: FloatArray, rows: IntArray, feedback: NDArray[np.bool_] | None = None
    ) -> FloatArray:
        mask = None if feedback is None else torch.from_numpy(feedback)
        queries = torch.from_numpy(np.ascontiguousarray(vectors))
        scores = self._scorer.scores(queries, torch.from_numpy(rows), mask)
        return self.collection.index.equalized(finite(scores.numpy(), self.adapter_name), rows)


NO_ADAPTER = (
    "this needs an adapter; name one with --adapter, or train one with: imrnns-lens train DATA"
)
