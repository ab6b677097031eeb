"""How much each feedback document contributes to the refined query, and the ranking without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.batch import rank
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import FloatArray, IntArray


@dataclass(frozen=True)
class FeedbackInfluence:
    """Effect of each of K candidates as a feedback document of one query.

    Attributes:
        contributions: (K, m) each document's part of the refined query before LayerNorm, minus the
            mean part: (s_i ∘ q_p + b_i)/k − mean. Before LayerNorm the parts add up exactly. The
            mean is subtracted because it would hide the differences. Zero for documents that are
            excluded from the refinement.
        score_effect: (K, K) change of candidate j's modulated score when document i is excluded.
        rank_effect: (K, K) change of candidate j's rank among the K documents (negative: it rises).
    """

    contributions: FloatArray
    score_effect: FloatArray
    rank_effect: IntArray

    @property
    def rank_changes(self) -> IntArray:
        """(K,) number of candidates that change rank without document i."""
        return np.asarray((self.rank_effect != 0).sum(axis=1))


@torch.inference_mode()
def feedback_influence(comparison: Comparison, model: IMRNN) -> FeedbackInfluence:
    """Measure each feedback document's part of the refinement, and the ranking without it.

    The ranking without a document is exact. If there is only one feedback document, a ranking
    without it does not exist, and its effects are zero.
    """
    modulation = comparison.modulation
    mask = torch.from_numpy(comparison.feedback)
    count = int(mask.sum())
    query = modulation.projected_query
    parts = (
        (modulation.document_scale * query + modulation.document_bias) * mask[:, None] / count
    )  # (K, m)
    contributions = (parts - parts.sum(0) / count) * mask[:, None]
    shape = (len(mask), len(mask))
    if count < 2:
        return FeedbackInfluence(
            contributions.numpy(), np.zeros(shape, np.float32), np.zeros(shape, np.int64)
        )
    without = (parts.sum(0) - parts) * count / (count - 1)  # (K, m) the mean over the others
    refined = torch.nn.functional.normalize(model.query_norm(without), dim=-1)
    scores = (refined @ modulation.modulated_documents.T).numpy()  # (excluded, candidate)
    effect = np.where(
        comparison.feedback[:, None], scores - comparison.score("modulated"), 0.0
    ).astype(np.float32)
    ranks = np.where(
        comparison.feedback[:, None],
        rank(scores, comparison.ties) - rank(comparison.score("modulated"), comparison.ties),
        0,
    )
    return FeedbackInfluence(contributions.numpy(), effect, ranks)
