"""Exact accounting of a score change: projector, document modulation, query refinement; nothing is left over.

It says where the numbers come from, not which words caused them. METHOD, "Exact accounting of a score change".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.records import Comparison, FloatArray


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
    def residual(self) -> FloatArray:
        """(K,) what the parts fail to explain; rounding only."""
        parts = self.projector + self.document_modulation + self.query_refinement
        return np.asarray(self.modulated - self.base - parts, dtype=np.float32)


def account(comparison: Comparison) -> Accounting:
    """Split modulated − base of every candidate of a comparison.

    φ_doc = ½ (q̂_p + q̂_m)(d̂_m − d̂_p) and φ_query = ½ (d̂_p + d̂_m)(q̂_m − q̂_p), per dimension; this is the
    two-player Shapley split of cos(q_m, d_m) − cos(q_p, d_p).
    """
    modulation = comparison.modulation
    qp, qm = modulation.projected_query.numpy(), modulation.modulated_query.numpy()  # (m,)
    dp, dm = modulation.projected_documents.numpy(), modulation.modulated_documents.numpy()  # (K, m)
    document = 0.5 * (qp + qm) * (dm - dp)
    query = 0.5 * (dp + dm) * (qm - qp)
    base, projected, modulated = comparison.scores[0], comparison.scores[1], comparison.scores[3]
    return Accounting(base, projected - base, document.sum(axis=1), query.sum(axis=1), modulated, document, query)


def shifts(comparison: Comparison) -> FloatArray:
    """Return (K, m) d̂_m − d̂_p: the true shift of each candidate, on unit vectors."""
    modulation = comparison.modulation
    return np.asarray((modulation.modulated_documents - modulation.projected_documents).numpy())
