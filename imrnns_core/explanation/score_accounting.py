"""Exact accounting of a score change: projector, document modulation, query refinement.

The parts add up exactly. They show where the change arises, not which words cause it
(docs/method.md, "Exact accounting of a score change").
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
    """The score changes of K candidates, part by part.

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
    def total(self) -> dict[str, FloatArray]:
        """(K,) the base score, each part of the change, and the modulated score, by name."""
        return {"base": self.base, **self.parts, "modulated": self.modulated}

    @property
    def residual(self) -> FloatArray:
        """(K,) the difference between the change and the sum of its parts; rounding only."""
        explained = self.projector + self.document_modulation + self.query_refinement
        return np.asarray(self.modulated - self.base - explained, dtype=np.float32)


def account(comparison: Comparison) -> Accounting:
    """Split modulated − base of every candidate of a comparison.

    φ_doc = ½ (q̂_p + q̂_m)(d̂_m − d̂_p) and φ_query = ½ (d̂_p + d̂_m)(q̂_m − q̂_p), per dimension.
    This is the two-player Shapley split of cos(q_m, d_m) − cos(q_p, d_p).
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
    """Return (K, m) d̂_m − d̂_p, the shift of each candidate between unit vectors."""
    modulation = comparison.modulation
    return np.asarray((modulation.modulated_documents - modulation.projected_documents).numpy())


@dataclass(frozen=True)
class WordAccounting:
    """The score change of one pair as a sum over the words of one of its texts.

    `words.sum() + other + constant = modulated − base` of the text as encoded, to 1e-6. The parts
    add up exactly, but a word's part is not how much the score drops when the word is deleted.
    """

    words: FloatArray  # (W,)
    other: float  # special tokens, punctuation, the encoder's prefix
    constant: float  # from the adapter's biases, the same for every text


def account_words(
    pair: Pair, side: Side, trace: Trace, word_of_token: Tensor, length: float | None
) -> WordAccounting:
    """Split the score change over the words of a text.

    Every norm and LayerNorm is held at its value. Then base and modulated score are affine in the
    mean-pooled token outputs (docs/method.md, "Exact accounting of a score change"). The effect
    of the text on the other text is held as well: a query's modulation of the document, or a
    document's part of the refined query.

    Args:
        pair: The pair.
        side: The text to split.
        trace: The text of T tokens, from an encoder with additive pooling.
        word_of_token: (T,) the word of each token, −1 for none.
        length: Length of the stored embeddings; None: as the encoder makes them.
    """
    outputs = trace.outputs.detach().double()  # (T, n)
    pooled = outputs.mean(0)
    factor = 1.0 if length is None else length / float(pooled.norm())
    slope, constant = _affine(pair, side, pooled, factor)
    tokens = outputs @ slope / len(outputs)  # (T,)
    count = int(word_of_token.max()) + 1 if len(word_of_token) else 0
    words = torch.zeros(count + 1, dtype=torch.float64).index_add_(
        0, torch.where(word_of_token < 0, count, word_of_token), tokens
    )
    return WordAccounting(words[:count].float().numpy(), float(words[count]), constant)


def _affine(pair: Pair, side: Side, pooled: Tensor, factor: float) -> tuple[Tensor, float]:
    """Return slope (n,) and constant of the change as an affine function of pooled outputs (n,).

    `factor` scales the pooled outputs to the length of the stored embeddings.
    """
    scale, bias, norm, base, modulated = _other_text(pair, side)
    projector = pair.adapter_model.projector
    weight, offset = projector.weight.detach().double(), projector.bias.detach().double()
    gamma, beta = norm.weight.detach().double(), norm.bias.detach().double()
    raw = weight @ (pooled * factor) + offset
    raw_norm = raw.norm()
    affine = scale * raw / raw_norm + bias
    deviation = (affine.var(correction=0) + norm.eps).sqrt()
    output_norm = (gamma * (affine - affine.mean()) / deviation + beta).norm()
    gradient = modulated * gamma / (deviation * output_norm)
    gradient = gradient - gradient.mean()
    slope = factor * (weight.T @ (scale * gradient)) / raw_norm - base / pooled.norm()
    constant = gradient @ bias + (scale * gradient) @ offset / raw_norm
    return slope, float(constant + modulated @ beta / output_norm)


def _other_text(pair: Pair, side: Side) -> tuple[Tensor, Tensor, LayerNorm, Tensor, Tensor]:
    """Return how the other text acts on a text.

    The scale and bias (m,) and LayerNorm that modulate the text, and the base (n,) and modulated
    (m,) vector of the other text.
    """
    modulation, position = pair.comparison.modulation, pair.position
    if side == "document":
        scale, bias, norm = (
            modulation.query_scale,
            modulation.query_bias,
            pair.adapter_model.document_norm,
        )
        base, modulated = modulation.query, modulation.modulated_query
        return scale.double(), bias.double(), norm, base.double(), modulated.double()
    weights = feedback_weights(torch.from_numpy(pair.comparison.feedback).double())
    scale = weights @ modulation.document_scale.double()
    bias = weights @ modulation.document_bias.double()
    base, modulated = modulation.documents[position], modulation.modulated_documents[position]
    return scale, bias, pair.adapter_model.query_norm, base.double(), modulated.double()
