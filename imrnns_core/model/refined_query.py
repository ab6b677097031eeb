"""One query with an adapter's refinement, for a search engine that has its own vectors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.effective_query import effective_query
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.types import FloatArray


@dataclass(frozen=True)
class RefinedQuery:
    """A query that the adapter has refined with its base candidates.

    Attributes:
        vector: (n,) the effective query at unit length. A search for it on the base embeddings
            finds the documents that the adapter ranks high, also beyond the candidates.
    """

    vector: FloatArray
    _model: IMRNN
    _refined: Tensor  # (1, m)
    _scale: Tensor  # (1, m)
    _bias: Tensor  # (1, m)

    @classmethod
    @torch.inference_mode()
    def of(cls, model: IMRNN, query: FloatArray, candidates: FloatArray) -> RefinedQuery:
        """Refine a query (n,) with the base embeddings (K, n) of its candidates."""
        projected = model.project(_tensor(query)[None])
        scale, bias = model.document_adapter(model.project(_tensor(candidates)))
        means = scale.mean(0, keepdim=True), bias.mean(0, keepdim=True)
        refined = F.normalize(model.refine_query(projected, *means), dim=-1)
        scale, bias = model.query_adapter(projected)
        moved = F.normalize(effective_query(model, scale, bias, refined).base[0], dim=-1)
        return cls(moved.numpy(), model, refined, scale, bias)

    @torch.inference_mode()
    def score(self, vectors: FloatArray) -> FloatArray:
        """Return the modulated scores (R,) of documents with base embeddings (R, n)."""
        projected = self._model.project(_tensor(vectors))
        modulated = self._model.modulate_documents(projected[None], self._scale, self._bias)[0]
        scores = F.normalize(modulated, dim=-1) @ self._refined[0]
        return np.asarray(scores.clamp(-1.0, 1.0).numpy())


def _tensor(vectors: FloatArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))
