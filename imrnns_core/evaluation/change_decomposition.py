"""The shares of a score change: projector, constant modulation, query-specific modulation.

The constant modulation is the same for all queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrnns_core.model.corpus_transform import take
from imrnns_core.model.scoring import QUERY_BATCH
from imrnns_core.retrieval.batch import RankedBatch
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import ROUNDING, DoubleArray, FloatArray

MIN_QUERIES = 2
"""With one query, its own modulation is the mean: nothing tells constant from query-specific."""
Part = Literal["projector", "constant", "query_specific"]


@dataclass(frozen=True)
class ChangeDecomposition:
    """Shares of the score change within queries (docs/method.md, "Where the gain comes from").

    A share is the covariance of one part of the change with the total change, over the candidates
    of a query, divided by the variance of the total change. A shift that is common to all
    candidates changes no rank and does not count. The shares sum to 1, or are all 0 if nothing
    changes.

    Attributes:
        projector: Share of the projector.
        constant: Share of the mean modulation over all queries, with the LayerNorms.
        query_specific: Share of the difference from that mean.
    """

    projector: float
    constant: float
    query_specific: float


def decompose_change(
    ranker: Ranker, batch: RankedBatch, queries: Tensor
) -> ChangeDecomposition | None:
    """Split the change into projector, constant modulation and query-specific modulation.

    The constant modulation is the mean over these queries.

    Args:
        ranker: The ranker that made `batch`.
        batch: Rankings of B queries.
        queries: (B, n) base embeddings of the queries.

    Returns:
        The shares, None for fewer than two queries.
    """
    if len(queries) < MIN_QUERIES:
        return None
    constant = PartScorer(ranker, batch, queries).scores({"projector", "constant"})
    base, projected, modulated = (
        batch.score(stage) for stage in ("base", "projected", "modulated")
    )

    def centred(x: FloatArray) -> DoubleArray:
        # a shift that all candidates of a query share changes no rank
        return np.asarray(x - x.mean(axis=1, keepdims=True), dtype=np.float64)

    total = centred(modulated - base)
    variance = float((total**2).sum())
    # an adapter without effect: shares of rounding errors mean nothing
    if (total**2).mean() < ROUNDING**2:
        return ChangeDecomposition(0.0, 0.0, 0.0)
    # neighbouring terms cancel, so the parts add up to modulated − base
    parts = (projected - base, constant - projected, modulated - constant)
    return ChangeDecomposition(*(float((centred(part) * total).sum() / variance) for part in parts))


class PartScorer:
    """Score the candidates of B queries with some parts of an adapter.

    Every query has scale and bias for its documents, and a mean scale and bias from its candidates
    for itself. The complete adapter computes these values once.

    - The constant part is the mean of the values over the queries, followed by the LayerNorms,
      which are the same for all queries, too. Without it, scale ½ and bias 0 are in the place of
      the mean, and no LayerNorm is applied.
    - The query-specific part adds the difference between a query's values and the mean.
    - The projector maps the embeddings. Without it, the same values modulate the base embeddings,
      scaled to length 1. This needs a projector that keeps the number of dimensions.

    So no part gives the base scores, the projector alone gives the projected scores, and all parts
    give the modulated scores. An adapter that modulates all queries equally has no query-specific
    part: it changes no score, whatever the other parts are.
    """

    @torch.inference_mode()
    def __init__(self, ranker: Ranker, batch: RankedBatch, queries: Tensor) -> None:
        """Compute the modulation of all queries.

        Args:
            ranker: The ranker that made `batch`.
            batch: Rankings of B queries.
            queries: (B, n) base embeddings of the queries.
        """
        self.ranker, self.queries, self.rows = ranker, queries, torch.from_numpy(batch.vector_rows)
        self.projected = ranker.adapter.model.project(queries)
        # (B, 2m) scale and bias of the documents, and of the query
        self.for_documents = torch.cat(ranker.adapter.model.query_adapter(self.projected), dim=-1)
        feedback = torch.from_numpy(batch.feedback_rows)
        self.for_query = ranker.transform.mean_effect(feedback)

    @torch.inference_mode()
    def scores(self, parts: set[Part] | frozenset[Part]) -> FloatArray:
        """Return (B, K) scores of the candidates with these parts of the adapter."""
        model = self.ranker.adapter.model
        if "projector" in parts:
            query, vectors, own = self.projected, self.ranker.transform.projected, self.rows
        else:
            index = self.ranker.collection.index
            query, vectors = F.normalize(self.queries, dim=-1), torch.from_numpy(index.vectors)
            own = torch.from_numpy(index.numbers)[self.rows]
        query_norm: nn.Module = nn.Identity()
        document_norm: nn.Module = nn.Identity()
        if "constant" in parts:
            query_norm, document_norm = model.query_norm, model.document_norm
        scale, bias = _select(self.for_query, parts)
        refined = F.normalize(query_norm(scale * query + bias), dim=-1)
        scale, bias = _select(self.for_documents, parts)
        scores = torch.empty(self.rows.shape)
        # in batches that stay in the processor's cache (see QUERY_BATCH)
        for i in range(0, len(query), QUERY_BATCH):
            span = slice(i, i + QUERY_BATCH)
            documents = take(vectors, own[span])  # (b, K, m)
            shifted = torch.addcmul(bias[span].unsqueeze(1), documents, scale[span].unsqueeze(1))
            modulated = document_norm(shifted)
            dot = torch.bmm(refined[span].unsqueeze(1), modulated.transpose(1, 2)).squeeze(1)
            # a vector of zeros scores 0
            scores[span] = dot / torch.linalg.vector_norm(modulated, dim=-1).clamp_min(1e-12)
        return scores.numpy()


def _select(values: Tensor, parts: set[Part] | frozenset[Part]) -> tuple[Tensor, Tensor]:
    """Return scale and bias (B, m) with these parts of the values (B, 2m) of all queries."""
    mean = values.mean(0, keepdim=True)
    m = values.shape[1] // 2
    neutral = torch.cat([torch.full((1, m), 0.5), torch.zeros(1, m)], dim=-1)
    selected = (mean if "constant" in parts else neutral).expand_as(values)
    if "query_specific" in parts:
        selected = selected + (values - mean)
    scale, bias = selected.chunk(2, dim=-1)
    return scale, bias
