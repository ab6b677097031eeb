"""What a ranker computes at its stages: the base alone, or all four stages of an adapter."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from imrnns_core.errors import AdapterError
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.corpus_transform import (
    ComputedTransform,
    CorpusTransform,
    Transform,
    transform_corpus,
)
from imrnns_core.model.modulation import BaseVectors, Modulation
from imrnns_core.model.score_bounds import ScoreBounds, score_bounds
from imrnns_core.model.scoring import (
    score_base,
    score_candidates,
    score_corpus,
)
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import BASE_ONLY, STAGES, FloatArray, IntArray, Stage

TRANSFORM_BYTES = 1_500_000_000
"""Largest size of a transform that is kept in memory: that of 325,000 vectors with m = 384."""
QUERIES_FOR_BOUNDS = 1000
"""Approximate number of queries whose mean modulation is the centre of the bounds."""


class BaseStage:
    """The scores and vectors of the base retriever."""

    stages: tuple[Stage, ...] = BASE_ONLY

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    @property
    def documents(self) -> FloatArray:
        """(N, m) unit vectors of the whole documents, which a map places."""
        return self.collection.unit_documents

    def scores(self, queries: Tensor, rows: Tensor, feedback: Tensor | None) -> Tensor:
        """Return (B, S, K) scores of B queries (B, n) at the S stages.

        Args:
            queries: (B, n) base embeddings.
            rows: (B, K) rows of the candidates in `Collection.ranked`.
            feedback: (B, K) True for the candidates that refine the query; None means all.
        """
        stored, numbers = self._indexed(rows)
        if self.collection.similarity != "cosine":
            return score_base(stored, queries, numbers)
        # rounding can take a cosine just above 1
        return score_base(stored, F.normalize(queries, dim=-1), numbers).clamp(-1.0, 1.0)

    def _indexed(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return the vectors (U, n) of the index, and where those of rows (B, K) are in it."""
        index = self.collection.index
        return torch.from_numpy(index.vectors), torch.from_numpy(index.numbers)[rows]

    def vectors(
        self, vector: FloatArray, rows: IntArray, feedback: NDArray[np.bool_]
    ) -> BaseVectors:
        """Return the vectors of a query (n,) with vector rows (K,) and feedback (K,)."""
        return BaseVectors.of(torch.from_numpy(vector), self.stored(rows))

    def corpus_scores(self, comparison: Comparison) -> dict[Stage, Tensor]:
        """Return (V,) scores of all ranked vectors at each stage for the query of a comparison."""
        vectors = comparison.vectors
        is_cosine = self.collection.similarity == "cosine"
        query = vectors.query if is_cosine else vectors.stored_query
        return {"base": torch.from_numpy(self.collection.index.products(query.numpy()))}

    def stored(self, rows: IntArray) -> Tensor:
        """Return the stored vectors (K, n) of vector rows (K,)."""
        return torch.from_numpy(np.asarray(self.collection.ranked.vectors)[rows])


class AdapterStages(BaseStage):
    """The scores and vectors of an adapter, at all four stages."""

    stages = STAGES

    def __init__(self, collection: Collection, adapter: Adapter) -> None:
        super().__init__(collection)
        self.model = adapter.model

    @cached_property
    def transform(self) -> Transform:
        """The adapter's transform of all ranked vectors, computed on first use.

        That of a large corpus would fill the memory: there, only what is asked for is computed.
        """
        vectors = self.collection.ranked.vectors
        if 3 * 4 * len(vectors) * self.model.config.output_dim > TRANSFORM_BYTES:
            return ComputedTransform(self.model, torch.from_numpy(np.asarray(vectors)))
        return self._transform(vectors, self.collection.ranked.ties)

    @cached_property
    def bounds(self) -> ScoreBounds:
        """The bounds of modulated scores of all ranked vectors, computed on first use.

        They are narrow for queries like those of the collection. Without any, documents stand for
        queries.
        """
        stored = self.collection.queries.vectors
        stored = stored if len(stored) else self.collection.documents.vectors
        sampled = stored[:: max(1, len(stored) // QUERIES_FOR_BOUNDS)]
        return score_bounds(self.model, self.collection.ranked.vectors, sampled)

    @cached_property
    def documents(self) -> FloatArray:
        """(N, m) projected whole documents, computed on first use."""
        if self.collection.passages is None:
            return self.transform.projected.numpy()
        whole = self._transform(self.collection.documents.vectors, self.collection.tie_ranks)
        return whole.projected.numpy()

    def _transform(self, vectors: FloatArray, ties: IntArray) -> CorpusTransform:
        order = torch.from_numpy(np.argsort(ties))
        return transform_corpus(self.model, torch.from_numpy(np.asarray(vectors)), order)

    def scores(self, queries: Tensor, rows: Tensor, feedback: Tensor | None) -> Tensor:
        """Return (B, 4, K) scores, as `BaseStage.scores` does."""
        stored, numbers = self._indexed(rows)
        return score_candidates(
            self.model, self.transform, stored, queries, rows, feedback, numbers
        )

    def vectors(
        self, vector: FloatArray, rows: IntArray, feedback: NDArray[np.bool_]
    ) -> Modulation:
        """Return the stage vectors, as `BaseStage.vectors` does."""
        query, documents = torch.from_numpy(vector), self.stored(rows)
        with torch.inference_mode():
            batch: Modulation = self.model(
                query[None], documents[None], torch.from_numpy(feedback)[None]
            )
        return batch[0]

    def corpus_scores(self, comparison: Comparison) -> dict[Stage, Tensor]:
        """Return (V,) scores of all ranked vectors at each stage for the query of a comparison.

        The query is refined as in the comparison.
        """
        query = comparison.modulation.projected_query[None]
        # the refinement depends on the feedback documents, not on which documents are ranked
        refined = comparison.modulation.modulated_query[None]
        # one pass over the corpus for both
        modulated = score_corpus(
            self.model, self.transform, query.expand(2, -1), torch.cat([query, refined])
        )
        return {
            **super().corpus_scores(comparison),
            "projected": torch.cat([block @ query[0] for _, block in self.transform.blocks()]),
            "document-modulated": modulated[0],
            "modulated": modulated[1],
        }


def finite(scores: FloatArray, adapter_name: str | None) -> FloatArray:
    """Return the scores (…) if all are finite; very large tensors of an adapter give NaN.

    Raises:
        AdapterError: If a score is NaN.
    """
    if not np.isfinite(scores).all():
        raise AdapterError(
            f"{adapter_name}: this adapter gives scores that are not numbers (NaN) for these "
            "embeddings; train it again or use another adapter"
        )
    return scores
