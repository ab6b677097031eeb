"""The average modulation of an adapter, and the usual size of its values.

Charts use these fixed ranges, so that colours mean the same for every query.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.effective_query import query_move
from imrnns_core.model.scoring import refine
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import ROUNDING, FloatArray

SHIFT_CANDIDATES = 20
"""Shifts are measured on this many top candidates of each query."""
QUANTILE = 0.995
"""A range is this quantile of the absolute values, so that outliers do not set it."""


@dataclass(frozen=True)
class ModulationRanges:
    """Means over many queries, and the range of each quantity.

    A pair of ranges has the range of the quantity itself, and that of its difference from the mean,
    which is query-specific.

    Attributes:
        mean_shift: (m,) mean of d̂_m − d̂_p.
        mean_scale: (m,) mean of the queries' scale.
        mean_bias: (m,) mean of the queries' bias.
        mean_move: (n,) mean of q_eff − q, both at unit length.
        shift: Both ranges of a shift.
        scale: Both ranges of a scale; the first one is measured from ½.
        bias: Both ranges of a bias.
        move: Both ranges of q_eff − q.
        contribution: Range of a feedback document's part of the refined query minus the mean part.
    """

    mean_shift: FloatArray
    mean_scale: FloatArray
    mean_bias: FloatArray
    mean_move: FloatArray
    shift: tuple[float, float]
    scale: tuple[float, float]
    bias: tuple[float, float]
    move: tuple[float, float]
    contribution: float


@torch.inference_mode()
def modulation_ranges(ranker: Ranker, queries: FloatArray) -> ModulationRanges:
    """Measure the means and ranges over the candidates of (B, n) queries."""
    model, corpus = ranker.adapter.model, ranker.transform
    vectors = torch.from_numpy(np.ascontiguousarray(queries, dtype=np.float32))
    rows = torch.from_numpy(
        ranker.collection.index.search(vectors.numpy(), ranker.config.candidates)
    )
    projected = model.project(vectors)  # (B, m)
    scale, bias = model.query_adapter(projected)
    shifts, parts = [], []
    for i, query in enumerate(projected):
        documents = corpus.projected[rows[i, :SHIFT_CANDIDATES]]  # (R, m)
        modulated = model.modulate_documents(documents[None], scale[i : i + 1], bias[i : i + 1])[0]
        shifts.append(F.normalize(modulated, dim=-1) - documents)
        effect_scale, effect_bias = corpus.effect[rows[i]].chunk(2, dim=-1)  # (K, m) each
        part = (effect_scale * query + effect_bias) / len(rows[i])
        parts.append(part - part.mean(0))
    shift = torch.cat(shifts)
    refined = refine(model, corpus, projected, rows)
    query, moved = query_move(model, vectors, scale, bias, refined)
    return ModulationRanges(
        shift.mean(0).numpy(),
        scale.mean(0).numpy(),
        bias.mean(0).numpy(),
        (moved - query).mean(0).numpy(),
        _ranges(shift),
        _ranges(scale, 0.5),
        _ranges(bias),
        _ranges(moved - query),
        _range(torch.cat(parts)),
    )


def _ranges(values: Tensor, centre: float = 0.0) -> tuple[float, float]:
    """Return the range of values (R, m) from a centre, and that of their difference from the mean.

    A range is at least `ROUNDING`, because smaller values come from rounding alone.
    """
    return max(_range(values - centre), ROUNDING), max(_range(values - values.mean(0)), ROUNDING)


def _range(values: Tensor) -> float:
    sizes = values.abs().flatten()
    step = max(1, len(sizes) // 1_000_000)  # torch.quantile accepts up to 16 million values
    return float(torch.quantile(sizes[::step], QUANTILE)) or ROUNDING
