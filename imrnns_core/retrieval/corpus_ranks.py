"""Ranks among all documents of a corpus, for the documents of a comparison.

Shapes: N documents of the corpus, K documents of the comparison.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison, blend
from imrnns_core.retrieval.stages import BaseStage, finite
from imrnns_core.types import FloatArray, IntArray, Stage


class CorpusScores(NamedTuple):
    """The scores of all N documents of a corpus for one query."""

    rows: IntArray  # (N,) row in `Collection.ranked` of the vector by which each one is ranked
    stages: dict[Stage, FloatArray]  # (N,) scores; −∞ for a document that is the query itself


@torch.inference_mode()
def score_all(
    collection: Collection, stages: BaseStage, comparison: Comparison, adapter_name: str | None
) -> CorpusScores:
    """Score all N documents with the query, the refinement and the texts of a comparison.

    Args:
        collection: The documents.
        stages: Those of the base or of the adapter.
        comparison: The query; some of its documents can have edited texts.
        adapter_name: Name of the adapter, None without one.

    Raises:
        AdapterError: If a score is NaN.
    """
    by_stage = stages.corpus_scores(comparison)
    ranked, own = collection.ranked, collection.dataset.left_out
    rows = ranked.best_rows(by_stage["base"].numpy())
    # where two passages are equally good, rounding must not choose the other one here
    rows[comparison.rows] = comparison.vector_rows
    same = ranked.index.representatives[rows]  # equal vectors have equal scores
    scores = {
        stage: finite(tensor.numpy(), adapter_name)[same] for stage, tensor in by_stage.items()
    }
    stored = stages.stored(comparison.vector_rows).float()
    # unit vectors times lengths: they differ by rounding from the stored ones
    is_same = torch.isclose(comparison.vectors.stored_documents, stored, rtol=1e-5, atol=1e-6)
    edited = np.flatnonzero(~is_same.all(dim=1).numpy())
    for stage, values in scores.items():
        values[comparison.rows[edited]] = comparison.score(stage)[edited]
    if (row := own.get(comparison.query.id)) is not None:
        for values in scores.values():
            values[row] = -np.inf
    return CorpusScores(rows, scores)


def with_corpus_ranks(compared: Comparison, scores: CorpusScores, ties: IntArray) -> Comparison:
    """Return a comparison whose ranks are those among all N documents, at each stage.

    Args:
        compared: The base candidates, and the best further documents.
        scores: The scores of all documents for its query.
        ties: (N,) order of the documents where scores are equal.
    """
    rows = compared.rows
    rankings = dict(compared.rankings)
    for stage, every in scores.stages.items():
        among_all, shown = ranks_of(rows, every, ties), compared.rank(stage)
        # rounding must not change the order that is shown
        ranks = np.empty_like(among_all)
        ranks[np.argsort(shown)] = np.sort(among_all)
        rankings[stage] = replace(rankings[stage], ranks=ranks)
    return replace(compared, rankings=rankings)


def blend_corpus(
    compared: Comparison, scores: CorpusScores, ties: IntArray, alpha: float
) -> tuple[FloatArray, IntArray]:
    """Return scores (K,) and ranks (K,) of (1 − α) · base + α · modulated among all N documents.

    Args:
        compared: The documents whose scores and ranks are returned.
        scores: The scores of all documents for its query.
        ties: (N,) order of the documents where scores are equal.
        alpha: α, from 0 to 1.
    """
    own, ranks = blend(compared, alpha)
    if alpha in (0.0, 1.0):
        return own, ranks
    base, modulated = scores.stages["base"], scores.stages["modulated"]
    mixed = ((1.0 - alpha) * base + alpha * modulated).astype(np.float32)
    return own, ranks_of(compared.rows, mixed, ties)


def ranks_of(rows: IntArray, scores: FloatArray, ties: IntArray) -> IntArray:
    """Return the ranks (K,) of some rows (K,) among scores (N,); faster than ranking all."""
    ordered, own = np.sort(scores), scores[rows]
    above = len(ordered) - np.searchsorted(ordered, own, side="right")
    for i in np.flatnonzero(np.searchsorted(ordered, own, side="left") + above + 1 < len(ordered)):
        above[i] += int(((scores == own[i]) & (ties < ties[rows[i]])).sum())
    return above + 1
