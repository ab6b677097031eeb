"""The effective query: a whole adapter as one vector in the space of the base embeddings.

Shapes: Q queries, N documents, n encoder dimensions, m working dimensions.

**Derivation.** LN_d has γ, β and ε. Its input is x = s_q ∘ d_p + b_q, with the mean μ over the
dimensions and σ = √(var(x) + ε). With the unit refined query q̂ and g = γ ∘ q̂,

    q̂ · LN_d(x) = g · (x − μ) / σ + q̂ · β = (g − mean(g)) · x / σ + q̂ · β

because g · μ = mean(g) Σx. With w = s_q ∘ (g − mean(g)), the first product is w · d_p + c, where
c = (g − mean(g)) · b_q does not depend on the document. A stored vector v has the projection
d_p = (P v + p₀) / ρ with ρ = ‖P v + p₀‖. So with q_eff = Pᵀ w and the unit vector v̂ = v / ‖v‖,

    w · d_p = (‖v‖ · (q_eff · v̂) + w · p₀) / ρ

The score is the product above divided by ‖LN_d(x)‖. Both fractions are multiplied by σ:

    score = (w · d_p + c + σ q̂ · β) / M,    M = σ ‖LN_d(x)‖ = ‖γ ∘ (x − μ) + σ β‖

So for an adapter without projector bias and β, q_eff · v̂ gives the order of the modulated scores,
except for two factors of the document: ‖v‖ / ρ, which is the same for all queries, and M. Both are
nearly constant. A projector bias, β and any lengths of the stored vectors are in the equations.
Source: docs/method.md, "The effective query".
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN


class EffectiveQuery(NamedTuple):
    """What the modulated scores of Q queries need besides the factors of the documents."""

    base: Tensor  # (Q, n) q_eff, to compare with base embeddings
    working: Tensor  # (Q, m) w, to compare with projected embeddings
    projector_bias: Tensor  # (Q,) w · p₀
    constant: Tensor  # (Q,) (g − mean(g)) · b_q
    beta: Tensor  # (Q,) q̂ · β


class ProjectionFactors(NamedTuple):
    """The factors of N documents that are the same for all queries."""

    along: Tensor  # (N,) ‖v‖ / ρ
    offset: Tensor  # (N,) 1 / ρ


class ModulationFactors(NamedTuple):
    """The factors of N documents that depend on the modulation by a query."""

    std: Tensor  # (…, N) σ
    norm: Tensor  # (…, N) M = σ ‖LN_d(x)‖


@torch.inference_mode()
def effective_query(model: IMRNN, scale: Tensor, bias: Tensor, refined: Tensor) -> EffectiveQuery:
    """Return the effective queries of Q queries.

    Args:
        model: The adapter.
        scale: (Q, m) s_q, by which each query scales the documents.
        bias: (Q, m) b_q.
        refined: (Q, m) refined queries, unit vectors.
    """
    weighted = refined * model.document_norm.weight  # g
    centred = weighted - weighted.mean(-1, keepdim=True)
    working = scale * centred
    return EffectiveQuery(
        base=working @ model.projector.weight,
        working=working,
        projector_bias=working @ model.projector.bias,
        constant=(centred * bias).sum(-1),
        beta=refined @ model.document_norm.bias,
    )


@torch.inference_mode()
def query_move(
    model: IMRNN, query: Tensor, scale: Tensor, bias: Tensor, refined: Tensor
) -> tuple[Tensor, Tensor]:
    """Return q and q_eff (…, n), both at unit length.

    Args:
        model: The adapter.
        query: (…, n) base embeddings of the queries.
        scale: (…, m) s_q.
        bias: (…, m) b_q.
        refined: (…, m) refined queries, unit vectors.
    """
    moved = effective_query(model, scale, bias, refined).base
    return F.normalize(query, dim=-1), F.normalize(moved, dim=-1)


@torch.inference_mode()
def project_with_factors(model: IMRNN, vectors: Tensor) -> tuple[Tensor, ProjectionFactors]:
    """Return projected documents (N, m) of stored vectors (N, n) of any length, and the factors."""
    projected = model.projector(vectors)
    # the smallest length is that of `IMRNN.project`
    length = torch.linalg.vector_norm(projected, dim=-1).clamp_min(1e-12)
    along = torch.linalg.vector_norm(vectors, dim=-1) / length
    return projected / length[:, None], ProjectionFactors(along, 1 / length)


@torch.inference_mode()
def modulation_factors(
    model: IMRNN, projected: Tensor, scale: Tensor, bias: Tensor
) -> ModulationFactors:
    """Return the factors of projected documents (…, N, m) with scale and bias (…, m)."""
    norm = model.document_norm
    shifted = torch.addcmul(bias.unsqueeze(-2), projected, scale.unsqueeze(-2))
    centred = shifted - shifted.mean(-1, keepdim=True)
    std = (centred.square().mean(-1) + norm.eps).sqrt()
    scaled = centred * norm.weight + std.unsqueeze(-1) * norm.bias
    return ModulationFactors(std, torch.linalg.vector_norm(scaled, dim=-1))


@torch.inference_mode()
def score_with_factors(
    effective: EffectiveQuery,
    products: Tensor,
    projection: ProjectionFactors,
    modulation: ModulationFactors,
) -> Tensor:
    """Return modulated scores (Q, N) from the products (Q, N) of q_eff with unit base vectors.

    `modulation` has the factors (Q, N) for each query.
    """
    along = products * projection.along + effective.projector_bias[:, None] * projection.offset
    numerator = along + effective.constant[:, None] + modulation.std * effective.beta[:, None]
    # a modulated vector of zeros scores 0
    return (numerator / modulation.norm.clamp_min(1e-12)).clamp(-1.0, 1.0)


@torch.inference_mode()
def unit_products(effective: EffectiveQuery, vectors: Tensor) -> Tensor:
    """Return products (Q, N) of q_eff with stored vectors (N, n), scaled to unit length."""
    return effective.base @ F.normalize(vectors, dim=-1).T
