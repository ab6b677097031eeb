"""Upper bounds of the modulated scores of documents that were not scored.

Shapes: Q queries, V vectors of the corpus, m working dimensions.

Of a document outside the pool, one thing is known: its product with q_eff is at most the smallest
one of the pool. Its score also depends on the factors of the document
(`imrnns_core.model.effective_query`). The factors ‖v‖ / ρ and 1 / ρ are the same for all queries.
σ and M depend on the scale and bias of the query, (s, b). They are computed once per corpus, for
one pair (s₀, b₀). For another query, the input of LayerNorm differs by
y = (s − s₀) ∘ d_p + (b − b₀). σ and M are lengths of vectors, so by the triangle inequality

    |σ − σ₀| ≤ ‖y‖ / √m        |M − M₀| ≤ max|γ| ‖y‖ + ‖β‖ |σ − σ₀|

and ‖y‖ ≤ ‖(s − s₀) ∘ d_p‖ + ‖b − b₀‖. The squares of d_p sum to 1, and none is larger than the
largest one of the corpus in this dimension. So the first length is largest if the dimensions with
the largest (s − s₀)² have their largest squares, until the sum is 1. These bounds hold for every
query. They are narrow if its modulation is close to (s₀, b₀).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imrnns_core.model.effective_query import (
    EffectiveQuery,
    modulation_factors,
    project_with_factors,
)
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.types import DoubleArray, FloatArray

BLOCK = 4096
"""Vectors per step, so that a memory-mapped corpus is never in memory as a whole."""
ROUNDING_OF_SCORES = 2e-6
"""Scores and factors in float32 have errors below this size."""


@dataclass(frozen=True)
class ScoreBounds:
    """The factors of all vectors for one modulation, from which bounds for any query follow.

    Attributes:
        scale: (m,) s₀.
        bias: (m,) b₀.
        along: (V,) ‖v‖ / ρ.
        offset: (V,) 1 / ρ.
        std: (V,) σ₀.
        norm: (V,) M₀.
        largest: (m,) largest square of each dimension of the projected documents.
        gamma: max|γ|.
        beta: ‖β‖.
    """

    scale: DoubleArray
    bias: DoubleArray
    along: DoubleArray
    offset: DoubleArray
    std: DoubleArray
    norm: DoubleArray
    largest: DoubleArray
    gamma: float
    beta: float

    def upper(
        self, effective: EffectiveQuery, scale: Tensor, bias: Tensor, largest_product: DoubleArray
    ) -> DoubleArray:
        """Return upper bounds (Q,) of the modulated scores of all vectors outside the pool.

        Args:
            effective: The Q effective queries.
            scale: (Q, m) s_q.
            bias: (Q, m) b_q.
            largest_product: (Q,) at most so large are their products with q_eff.
        """
        numbers = zip(
            largest_product,
            *(
                x.double().numpy()
                for x in (effective.projector_bias, effective.constant, effective.beta)
            ),
            self.distance(scale, bias),
            strict=True,
        )
        return np.array([self._upper(*own) for own in numbers])

    def distance(self, scale: Tensor, bias: Tensor) -> DoubleArray:
        """Return bounds (Q,) of ‖y‖ for queries with scale and bias (Q, m)."""
        squares = (scale.double().numpy() - self.scale) ** 2  # (Q, m)
        order = np.argsort(-squares, axis=1)
        share = np.diff(
            np.minimum(np.cumsum(self.largest[order], axis=1), 1.0), axis=1, prepend=0.0
        )
        scaled = np.sqrt((np.take_along_axis(squares, order, axis=1) * share).sum(1))
        shift = bias.double().numpy() - self.bias
        return np.asarray(scaled + np.linalg.norm(shift, axis=1))

    def _upper(
        self, product: float, projector_bias: float, constant: float, beta: float, distance: float
    ) -> float:
        std_range = distance / np.sqrt(len(self.scale))
        norm_range = self.gamma * distance + self.beta * std_range
        numerator = product * self.along + projector_bias * self.offset + constant
        numerator += beta * self.std + abs(beta) * std_range
        # a positive numerator is largest with the smallest M, a negative one with the largest
        norm = np.where(numerator > 0, self.norm - norm_range, self.norm + norm_range)
        with np.errstate(divide="ignore"):
            bounds = np.where(norm > 0, numerator / np.maximum(norm, 1e-12), 1.0)
        return float(min(bounds.max() + ROUNDING_OF_SCORES, 1.0))


@torch.inference_mode()
def score_bounds(model: IMRNN, vectors: FloatArray, queries: FloatArray) -> ScoreBounds:
    """Compute the factors of a corpus for the mean modulation of some queries.

    Args:
        model: The adapter.
        vectors: (V, n) stored vectors of the corpus, in memory or memory-mapped.
        queries: (Q, n) base embeddings of queries like those that will be asked.
    """
    own = torch.from_numpy(np.array(queries, dtype=np.float32))
    scale, bias = (x.mean(0) for x in model.query_adapter(model.project(own)))
    # filled in: small tensors that are kept between large ones would fragment the memory
    factors = np.empty((4, len(vectors)))
    largest = torch.zeros(model.config.output_dim)
    for start in range(0, len(vectors), BLOCK):
        block = torch.from_numpy(np.array(vectors[start : start + BLOCK], dtype=np.float32))
        projected, projection = project_with_factors(model, block)
        own_factors = (*projection, *modulation_factors(model, projected, scale, bias))
        factors[:, start : start + BLOCK] = np.stack([x.numpy() for x in own_factors])
        largest = torch.maximum(largest, projected.square().amax(0))
    along, offset, std, norms = factors
    norm = model.document_norm
    return ScoreBounds(
        *(scale.double().numpy(), bias.double().numpy(), along, offset, std, norms),
        largest=largest.double().numpy(),
        gamma=float(norm.weight.abs().max()),
        beta=float(torch.linalg.vector_norm(norm.bias)),
    )
