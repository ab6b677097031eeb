"""What an adapter does on average, and how far it goes.

The fixed ranges against which single queries are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import ROUNDING, FloatArray

SHIFTED = 20
"""First candidates of each query whose shifts are looked at."""
QUANTILE = 0.995


@dataclass(frozen=True)
class ModulationRanges:
    """Means over many queries and, for each quantity, the 99.5th percentile of its size.

    Whole, and less the mean.

    Attributes:
        mean_shift: (m,) mean of d̂_m − d̂_p.
        mean_scale: (m,) mean of the queries' scale.
        mean_bias: (m,) mean of the queries' bias.
        shift: Whole and query-specific range of a shift.
        scale: Whole (about ½) and query-specific range of a scale.
        bias: Whole and query-specific range of a bias.
        contribution: Range of a feedback document's part in the refined query, less the mean part.
    """

    mean_shift: FloatArray
    mean_scale: FloatArray
    mean_bias: FloatArray
    shift: tuple[float, float]
    scale: tuple[float, float]
    bias: tuple[float, float]
    contribution: float


@torch.inference_mode()
def modulation_ranges(ranker: Ranker, queries: FloatArray) -> ModulationRanges:
    """Run the adapter over the candidates of (B, n) queries and measure its ranges."""
    model, corpus = ranker.adapter.model, ranker.transform
    vectors = torch.from_numpy(np.ascontiguousarray(queries, dtype=np.float32))
    rows = torch.from_numpy(
        ranker.collection.index.search(vectors.numpy(), ranker.config.candidates)
    )
    projected = model.project(vectors)  # (B, m)
    scale, bias = model.query_adapter(projected)
    shifts, parts = [], []
    for i, query in enumerate(projected):
        documents = corpus.projected[rows[i, :SHIFTED]]  # (R, m)
        moved = model.modulate_documents(documents[None], scale[i : i + 1], bias[i : i + 1])[0]
        shifts.append(torch.nn.functional.normalize(moved, dim=-1) - documents)
        effect_scale, effect_bias = corpus.effect[rows[i]].chunk(2, dim=-1)  # (K, m) each
        part = (effect_scale * query + effect_bias) / len(rows[i])
        parts.append(part - part.mean(0))
    shift = torch.cat(shifts)
    return ModulationRanges(
        shift.mean(0).numpy(),
        scale.mean(0).numpy(),
        bias.mean(0).numpy(),
        _both(shift),
        _both(scale, 0.5),
        _both(bias),
        _range(torch.cat(parts)),
    )


def _both(values: torch.Tensor, centre: float = 0.0) -> tuple[float, float]:
    """Return the ranges of values about a centre, and less their mean.

    What is below rounding has no range of its own.
    """
    return max(_range(values - centre), ROUNDING), max(_range(values - values.mean(0)), ROUNDING)


def _range(values: torch.Tensor) -> float:
    sizes = values.abs().flatten()
    step = max(1, len(sizes) // 1_000_000)  # torch.quantile takes no more than 16 million
    return float(torch.quantile(sizes[::step], QUANTILE)) or ROUNDING
