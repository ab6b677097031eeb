"""The shares of a score change: projector, constant modulation, query-specific modulation.

The constant modulation is the same for all queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrnns_core.model.scoring import QUERY_BATCH
from imrnns_core.retrieval.ranker import RankedBatch, Ranker
from imrnns_core.types import ROUNDING, FloatArray

DoubleArray = NDArray[np.float64]


@dataclass(frozen=True)
class ChangeDecomposition:
    """Shares of the score change within queries (docs/method.md, "Where the gain comes from").

    A share is the covariance of one part of the change with the total change, over the candidates
    of a query, divided by the variance of the total change. A shift that is common to all
    candidates changes no rank and does not count. The shares sum to 1, or are all 0 if nothing
    changes.

    Attributes:
        projector: Share of the projector.
        constant: Share of the mean modulation over all queries.
        query_specific: Share of the difference from that mean.
    """

    projector: float
    constant: float
    query_specific: float


@torch.inference_mode()
def decompose_change(ranker: Ranker, batch: RankedBatch, queries: Tensor) -> ChangeDecomposition:
    """Split the change into projector, constant modulation and query-specific modulation.

    The constant modulation is the mean over these queries.

    Args:
        ranker: The ranker that made `batch`.
        batch: Rankings of B queries.
        queries: (B, n) base embeddings of the queries.
    """
    constant = _constant_scores(ranker, torch.from_numpy(batch.rows), queries)
    base, projected, modulated = (
        batch.score(stage) for stage in ("base", "projected", "modulated")
    )

    def centred(x: NDArray[np.float32]) -> DoubleArray:
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


def _constant_scores(ranker: Ranker, rows: Tensor, queries: Tensor) -> FloatArray:
    """Return (B, K) scores of candidates under the mean modulation of the queries.

    Args:
        ranker: The ranker.
        rows: (B, K) corpus rows of the candidates.
        queries: (B, n) base embeddings of the queries.
    """
    model, corpus = ranker.adapter.model, ranker.transform
    query = model.project(queries)
    scale, bias = (x.mean(0, keepdim=True) for x in model.query_adapter(query))
    # counting the candidates avoids a copy of all B · K effects in memory
    counts = torch.bincount(rows.reshape(-1), minlength=len(corpus.effect)).float()
    mean_effect = (counts[None] @ corpus.effect / counts.sum()).chunk(2, dim=-1)
    refined = torch.nn.functional.normalize(model.refine_query(query, *mean_effect), dim=-1)
    constant = np.empty(tuple(rows.shape), dtype=np.float32)
    # in batches that stay in the processor's cache (see QUERY_BATCH)
    for i in range(0, len(queries), QUERY_BATCH):
        documents = corpus.projected[rows[i : i + QUERY_BATCH]]  # (b, K, m)
        count = len(documents)
        modulated = model.modulate_documents(
            documents, scale.expand(count, -1), bias.expand(count, -1)
        )
        unit = torch.nn.functional.normalize(modulated, dim=-1)
        batch_queries = refined[i : i + QUERY_BATCH].unsqueeze(2)
        constant[i : i + QUERY_BATCH] = torch.bmm(unit, batch_queries).squeeze(2).numpy()
    return constant
