"""Where a change of scores comes from.

The projector, a modulation that is the same for all queries, or one that is the query's own.
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
    """Shares of the score change within queries.

    They sum to 1, or are 0 where nothing changes (docs/method.md, "Where the gain comes
    from").

    Each is the covariance of one part of the change with the whole change, over the candidates of a
    query (a shift common to all of them moves no rank and does not count), divided by the whole's
    variance.
    """

    projector: float
    constant: float
    query_specific: float


@torch.inference_mode()
def decompose_change(ranker: Ranker, batch: RankedBatch, queries: Tensor) -> ChangeDecomposition:
    """Split the change into projector, constant modulation and query-specific modulation.

    The constant part is the mean over these queries.

    Args:
        ranker: The ranker that made `batch`.
        batch: Rankings of B queries.
        queries: (B, n) their base embeddings.
    """
    constant = _constant_scores(ranker, torch.from_numpy(batch.rows), queries)
    base, projected, modulated = (
        batch.score(stage) for stage in ("base", "projected", "modulated")
    )

    def within(x: NDArray[np.float32]) -> DoubleArray:
        return np.asarray(x - x.mean(axis=1, keepdims=True), dtype=np.float64)

    whole = within(modulated - base)
    variance = float((whole**2).sum())
    if (whole**2).mean() < ROUNDING**2:
        return ChangeDecomposition(0.0, 0.0, 0.0)
    parts = (projected - base, constant - projected, modulated - constant)
    return ChangeDecomposition(*(float((within(part) * whole).sum() / variance) for part in parts))


def _constant_scores(ranker: Ranker, rows: Tensor, queries: Tensor) -> FloatArray:
    """Return (B, K) scores of candidates, rows (B, K), under the queries' mean modulation."""
    model, corpus = ranker.adapter.model, ranker.transform
    query = model.project(queries)
    scale, bias = (x.mean(0, keepdim=True) for x in model.query_adapter(query))
    # gathering B · K effects would fill the memory
    times = torch.bincount(rows.reshape(-1), minlength=len(corpus.effect)).float()
    mean_effect = (times[None] @ corpus.effect / times.sum()).chunk(2, dim=-1)
    refined = torch.nn.functional.normalize(model.refine_query(query, *mean_effect), dim=-1)
    constant = np.empty(tuple(rows.shape), dtype=np.float32)
    for i in range(0, len(queries), QUERY_BATCH):
        documents = corpus.projected[rows[i : i + QUERY_BATCH]]  # (b, K, m)
        count = len(documents)
        moved = model.modulate_documents(documents, scale.expand(count, -1), bias.expand(count, -1))
        unit = torch.nn.functional.normalize(moved, dim=-1)
        target = refined[i : i + QUERY_BATCH].unsqueeze(2)
        constant[i : i + QUERY_BATCH] = torch.bmm(unit, target).squeeze(2).numpy()
    return constant
