"""Exact accounting of a score change.

Projector, document modulation, query refinement; nothing is left over.

It says where the numbers come from, not which words caused them. docs/method.md, "Exact
accounting of a score change".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import LayerNorm

from imrnns_core.explanation.attention_trace import Trace
from imrnns_core.explanation.pair import Pair
from imrnns_core.model.imrnn import feedback_weights
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import SCORE_PARTS, FloatArray, Side


@dataclass(frozen=True)
class Accounting:
    """The change of K candidates' scores, part by part.

    `base + projector + document_modulation + query_refinement = modulated`, each (K,), to 1e-6.
    """

    base: FloatArray
    projector: FloatArray
    document_modulation: FloatArray
    query_refinement: FloatArray
    modulated: FloatArray
    document_by_dimension: FloatArray  # (K, m) φ_doc, sums to document_modulation
    query_by_dimension: FloatArray  # (K, m) φ_query, sums to query_refinement

    @property
    def parts(self) -> dict[str, FloatArray]:
        """(K,) each part of the change, by its name in `SCORE_PARTS`."""
        return {name: getattr(self, name) for name in SCORE_PARTS}

    @property
    def whole(self) -> dict[str, FloatArray]:
        """(K,) the base score, each part of the change, and the modulated score, by name."""
        return {"base": self.base, **self.parts, "modulated": self.modulated}

    @property
    def residual(self) -> FloatArray:
        """(K,) what the parts fail to explain; rounding only."""
        explained = self.projector + self.document_modulation + self.query_refinement
        return np.asarray(self.modulated - self.base - explained, dtype=np.float32)


def account(comparison: Comparison) -> Accounting:
    """Split modulated − base of every candidate of a comparison.

    φ_doc = ½ (q̂_p + q̂_m)(d̂_m − d̂_p) and φ_query = ½ (d̂_p + d̂_m)(q̂_m − q̂_p), per dimension;
    this is the two-player Shapley split of cos(q_m, d_m) − cos(q_p, d_p).
    """
    modulation = comparison.modulation
    qp, qm = modulation.projected_query.numpy(), modulation.modulated_query.numpy()  # (m,)
    dp, dm = (
        modulation.projected_documents.numpy(),
        modulation.modulated_documents.numpy(),
    )  # (K, m)
    document = 0.5 * (qp + qm) * (dm - dp)
    query = 0.5 * (dp + dm) * (qm - qp)
    stages = ("base", "projected", "modulated")
    base, projected, modulated = (comparison.score(stage) for stage in stages)
    return Accounting(
        base, projected - base, document.sum(axis=1), query.sum(axis=1), modulated, document, query
    )


def shifts(comparison: Comparison) -> FloatArray:
    """Return (K, m) d̂_m − d̂_p: the true shift of each candidate, on unit vectors."""
    modulation = comparison.modulation
    return np.asarray((modulation.modulated_documents - modulation.projected_documents).numpy())


@dataclass(frozen=True)
class WordAccounting:
    """The change of one pair's score as a sum over the words of one of its texts.

    `words.sum() + other + constant = modulated − base` of the text as encoded, to 1e-6. Exact is
    not the same as
    faithful: a word's part is not what the score would lose without it.
    """

    words: FloatArray  # (W,)
    other: float  # special tokens, punctuation, the encoder's prefix
    constant: float  # what the adapter adds whatever the text: its biases


def account_words(
    pair: Pair, side: Side, trace: Trace, owner: Tensor, length: float | None
) -> WordAccounting:
    """Split Δ over the words of a text, every norm and LayerNorm held at its value.

    Held so, base and modulated score are affine in the mean-pooled token outputs (docs/method.md,
    "Exact accounting of a score change"). What the text does to the other side (a query's
    modulation of the document, a document's part of the refined query) is held too.

    Args:
        pair: The pair.
        side: Which text.
        trace: That text in an encoder with mean pooling.
        owner: (T,) the word of each token, -1 for none.
        length: How long an embedding is beside the stored ones; None: as the encoder makes it.
    """
    outputs = trace.outputs.detach().double()  # (T, n)
    pooled = outputs.mean(0)
    stretch = 1.0 if length is None else length / float(pooled.norm())
    linear, constant = _affine(pair, side, pooled, stretch)
    tokens = outputs @ linear / len(outputs)  # (T,)
    count = int(owner.max()) + 1 if len(owner) else 0
    words = torch.zeros(count + 1, dtype=torch.float64).index_add_(
        0, torch.where(owner < 0, count, owner), tokens
    )
    return WordAccounting(words[:count].float().numpy(), float(words[count]), constant)


def _affine(pair: Pair, side: Side, pooled: Tensor, stretch: float) -> tuple[Tensor, float]:
    """Return Δ as an affine function of the pooled outputs (n,).

    Its slope (n,) and its constant.
    """
    scale, bias, norm, base, target = _other_side(pair, side)
    projector = pair.model.projector
    weight, offset = projector.weight.detach().double(), projector.bias.detach().double()
    gamma, beta = norm.weight.detach().double(), norm.bias.detach().double()
    raw = weight @ (pooled * stretch) + offset
    norm_p = raw.norm()
    moved = scale * raw / norm_p + bias
    deviation = (moved.var(correction=0) + norm.eps).sqrt()
    final = (gamma * (moved - moved.mean()) / deviation + beta).norm()
    slope = target * gamma / (deviation * final)
    slope = slope - slope.mean()
    linear = stretch * (weight.T @ (scale * slope)) / norm_p - base / pooled.norm()
    constant = float(slope @ bias + (scale * slope) @ offset / norm_p + target @ beta / final)
    return linear, constant


def _other_side(pair: Pair, side: Side) -> tuple[Tensor, Tensor, LayerNorm, Tensor, Tensor]:
    """Return what acts on a text.

    Scale, bias and LayerNorm, and what its base and modulated vectors are compared with.
    """
    modulation, at = pair.comparison.modulation, pair.position
    if side == "document":
        scale, bias, norm = modulation.query_scale, modulation.query_bias, pair.model.document_norm
        base, target = modulation.query, modulation.modulated_query
        return scale.double(), bias.double(), norm, base.double(), target.double()
    weights = feedback_weights(torch.from_numpy(pair.comparison.feedback).double())
    scale = weights @ modulation.document_scale.double()
    bias = weights @ modulation.document_bias.double()
    base, target = modulation.documents[at].double(), modulation.modulated_documents[at].double()
    return scale, bias, pair.model.query_norm, base, target
