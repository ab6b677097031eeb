"""A query and one candidate, scored again with another text.

The text can be that of the query, of the document, or of feedback documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.errors import AdapterError
from imrnns_core.model.imrnn import IMRNN, feedback_weights
from imrnns_core.model.modulation import BaseVectors, Modulation
from imrnns_core.retrieval.batch import rank
from imrnns_core.retrieval.comparison import Comparison, stage_rankings
from imrnns_core.types import FloatArray, Target

TARGETS: tuple[Target, ...] = ("change", "score")
"""What a word can affect with an adapter."""


@dataclass(frozen=True)
class Pair:
    """A query and one of its candidates, ready to be scored with another text.

    Another document changes its own base, projected and modulated vector. If it is a feedback
    document, it also changes its part of the refined query. Another query changes the modulation
    of the document and the query that is refined. Everything else stays the same, and so do the
    candidates (docs/method.md, "Explanations that hold up"). Without an adapter, the last stage is
    the base: both scores are base scores.

    Attributes:
        comparison: The query with its candidates.
        model: The adapter that ranked them, None without one.
        position: The position of the candidate in the comparison.
    """

    comparison: Comparison
    model: IMRNN | None
    position: int

    @property
    def document_id(self) -> str:
        """The id of the candidate."""
        return self.comparison.document_ids[self.position]

    @property
    def adapter_model(self) -> IMRNN:
        """The adapter.

        Raises:
            AdapterError: If the query was ranked without one.
        """
        if self.model is None:
            raise AdapterError("this explanation needs an adapter; choose one")
        return self.model

    @property
    def targets(self) -> tuple[Target, ...]:
        """What a word can affect; without an adapter, the score alone."""
        return ("score",) if self.model is None else TARGETS

    @property
    def demoted(self) -> bool:
        """True where the modulated rank is worse than the base rank."""
        base, final = (self.comparison.rank(stage) for stage in ("base", self.comparison.final))
        return bool(final[self.position] > base[self.position])

    @property
    def scores(self) -> Tensor:
        """(2,) score at the base and at the last stage, as ranked."""
        stages = ("base", self.comparison.final)
        return torch.tensor([self.comparison.score(stage)[self.position] for stage in stages])

    def document_scores(self, vectors: Tensor) -> Tensor:
        """Return (B, 2) base and last scores with B other embeddings of the document.

        Args:
            vectors: (B, n) embeddings of the same length as the stored ones. The scores are
                differentiable with respect to them.
        """
        base = F.normalize(vectors, dim=-1) @ self._base.query
        if self.model is None:
            return torch.stack([base, base], dim=-1)
        modulation, model = self._modulation, self.model
        projected = model.project(vectors)  # (B, m)
        scale, bias = modulation.mean_scale, modulation.mean_bias
        if self.comparison.feedback[self.position]:
            own_scale, own_bias = model.document_adapter(projected)
            share = 1.0 / int(self.comparison.feedback.sum())
            scale = scale + share * (own_scale - modulation.document_scale[self.position])
            bias = bias + share * (own_bias - modulation.document_bias[self.position])
        refined = F.normalize(model.refine_query(modulation.projected_query, scale, bias), dim=-1)
        modulated = model.modulate_documents(
            projected[:, None], modulation.query_scale[None], modulation.query_bias[None]
        )[:, 0]
        return torch.stack([base, (refined * F.normalize(modulated, dim=-1)).sum(-1)], dim=-1)

    def query_scores(self, vectors: Tensor) -> Tensor:
        """Return (B, 2) base and last scores with B other embeddings of the query.

        Args:
            vectors: (B, n) embeddings of the same length as the stored ones. The scores are
                differentiable with respect to them.
        """
        base = F.normalize(vectors, dim=-1) @ self._base.documents[self.position]
        if self.model is None:
            return torch.stack([base, base], dim=-1)
        modulation, model = self._modulation, self.model
        projected = model.project(vectors)  # (B, m)
        document = modulation.projected_documents[self.position].expand(len(vectors), 1, -1)
        modulated = model.modulate_documents(document, *model.query_adapter(projected))[:, 0]
        refined = F.normalize(
            model.refine_query(projected, modulation.mean_scale, modulation.mean_bias), dim=-1
        )
        return torch.stack([base, (refined * F.normalize(modulated, dim=-1)).sum(-1)], dim=-1)

    @cached_property
    def _base(self) -> BaseVectors:
        # autograd rejects tensors that were made in inference mode, so they are copied
        vectors = self.comparison.vectors
        return BaseVectors(
            vectors.query.clone(),
            vectors.documents.clone(),
            vectors.query_length.clone(),
            vectors.document_length.clone(),
        )

    @cached_property
    def _modulation(self) -> _MeanEffectModulation:
        # autograd rejects tensors that were made in inference mode, so they are copied
        tensors = {
            name: tensor.clone() for name, tensor in vars(self.comparison.modulation).items()
        }
        weights = feedback_weights(torch.from_numpy(self.comparison.feedback))
        return _MeanEffectModulation(
            **tensors,
            mean_scale=weights @ tensors["document_scale"],
            mean_bias=weights @ tensors["document_bias"],
        )


@dataclass(frozen=True)
class _MeanEffectModulation(Modulation):
    """A modulation with the mean scale and bias of its feedback documents."""

    mean_scale: Tensor  # (m,) s̄
    mean_bias: Tensor  # (m,) b̄


def rescore(
    comparison: Comparison,
    model: IMRNN | None,
    query: FloatArray | None = None,
    documents: Mapping[str, FloatArray] | None = None,
) -> Comparison:
    """Rank the same candidates with other embeddings, or with another adapter.

    The candidates and the feedback documents stay the same, so every difference comes from what
    was replaced.

    Args:
        comparison: The query as it was ranked.
        model: The adapter: that of the comparison, or another one of the same shape; None for a
            comparison without one.
        query: (n,) embedding that replaces the query's. It must have the length of the stored
            ones, because the adapter is sensitive to length.
        documents: (n,) embeddings that replace those of some candidates, by document id.
    """
    vectors = comparison.vectors.stored_documents.clone()  # (K, n)
    for document_id, vector in (documents or {}).items():
        vectors[comparison.position[document_id]] = torch.from_numpy(vector)
    query_vector = comparison.vectors.stored_query if query is None else torch.from_numpy(query)
    feedback = torch.from_numpy(comparison.feedback)
    stage_vectors = BaseVectors.of(query_vector, vectors)
    if model is not None:
        with torch.inference_mode():
            stage_vectors = model(query_vector[None], vectors[None], feedback[None])[0]
    scores = stage_scores(stage_vectors)
    # matrix products can round the same vector differently at another position: copies stay equal
    _, first, group = np.unique(vectors.numpy(), axis=0, return_index=True, return_inverse=True)
    scores = scores[:, first[group.ravel()]]
    rankings = stage_rankings(comparison.document_ids, scores, rank(scores, comparison.ties))
    return replace(
        comparison, rankings={**comparison.rankings, **rankings}, stage_vectors=stage_vectors
    )


def stage_scores(vectors: BaseVectors) -> FloatArray:
    """Return (S, K) scores of one query's candidates at the base, or at all stages."""
    scores = [vectors.documents @ vectors.query]
    if isinstance(vectors, Modulation):
        query, refined = vectors.projected_query, vectors.modulated_query
        scores += [
            vectors.projected_documents @ query,
            vectors.modulated_documents @ query,
            vectors.modulated_documents @ refined,
        ]
    return torch.stack(scores).clamp(-1.0, 1.0).numpy()


def reference_scores(pair: Pair) -> FloatArray:
    """Return (2,) the pair's modulated score and change."""
    base, modulated = pair.scores.tolist()
    return np.array([modulated, modulated - base], dtype=np.float32)
