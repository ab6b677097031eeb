"""What the scores would be if a text were another.

The query, one document, or the feedback documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN, feedback_weights
from imrnns_core.model.modulation import Modulation
from imrnns_core.retrieval.comparison import Comparison, stage_rankings
from imrnns_core.retrieval.ranker import rank
from imrnns_core.types import STAGES, FloatArray


@dataclass(frozen=True)
class Pair:
    """A query and one of its candidates, ready to be scored with another text.

    Everything else is kept.

    Another document changes its base, projected and modulated vector and its own part of the
    refined query. Another query changes the modulation of the document and what is refined. The
    candidates stay those that were really ranked (docs/method.md, "Explanations that hold
    up").
    """

    comparison: Comparison
    model: IMRNN
    position: int

    @property
    def document_id(self) -> str:
        """The id of the candidate."""
        return self.comparison.document_ids[self.position]

    @property
    def fell(self) -> bool:
        """True where the modulated rank is worse than the base rank."""
        base, modulated = (self.comparison.rank(stage) for stage in ("base", "modulated"))
        return bool(modulated[self.position] > base[self.position])

    @property
    def scores(self) -> Tensor:
        """(2,) base and modulated score as ranked."""
        stages = ("base", "modulated")
        return torch.tensor([self.comparison.score(stage)[self.position] for stage in stages])

    def document_scores(self, vectors: Tensor) -> Tensor:
        """Return (B, 2) base and modulated scores if the document were each of (B, n) embeddings.

        The embeddings are as long as stored ones; the scores are differentiable.
        """
        kept, model = self._kept, self.model
        projected = model.project(vectors)  # (B, m)
        scale, bias = kept.effect_scale, kept.effect_bias
        if self.comparison.feedback[self.position]:
            own_scale, own_bias = model.document_adapter(projected)
            share = 1.0 / int(self.comparison.feedback.sum())
            scale = scale + share * (own_scale - kept.document_scale[self.position])
            bias = bias + share * (own_bias - kept.document_bias[self.position])
        refined = F.normalize(model.refine_query(kept.projected_query, scale, bias), dim=-1)
        modulated = model.modulate_documents(
            projected[:, None], kept.query_scale[None], kept.query_bias[None]
        )[:, 0]
        return torch.stack(
            [
                F.normalize(vectors, dim=-1) @ kept.query,
                (refined * F.normalize(modulated, dim=-1)).sum(-1),
            ],
            dim=-1,
        )

    def query_scores(self, vectors: Tensor) -> Tensor:
        """Return (B, 2) base and modulated scores if the query were each of (B, n) embeddings.

        The embeddings are as long as stored ones; the scores are differentiable.
        """
        kept, model = self._kept, self.model
        projected = model.project(vectors)  # (B, m)
        document = kept.projected_documents[self.position].expand(len(vectors), 1, -1)
        modulated = model.modulate_documents(document, *model.query_adapter(projected))[:, 0]
        refined = F.normalize(
            model.refine_query(projected, kept.effect_scale, kept.effect_bias), dim=-1
        )
        base = F.normalize(vectors, dim=-1) @ kept.documents[self.position]
        return torch.stack([base, (refined * F.normalize(modulated, dim=-1)).sum(-1)], dim=-1)

    @cached_property
    def _kept(self) -> _Kept:
        # Tensors of an inference cannot stand in an autograd graph: copy them
        tensors = {
            name: tensor.clone() for name, tensor in vars(self.comparison.modulation).items()
        }
        weights = feedback_weights(torch.from_numpy(self.comparison.feedback))
        return _Kept(
            **tensors,
            effect_scale=weights @ tensors["document_scale"],
            effect_bias=weights @ tensors["document_bias"],
        )


@dataclass(frozen=True)
class _Kept(Modulation):
    effect_scale: Tensor  # (m,) s̄
    effect_bias: Tensor  # (m,) b̄


def rescore(
    comparison: Comparison,
    model: IMRNN,
    query: FloatArray | None = None,
    documents: Mapping[str, FloatArray] | None = None,
) -> Comparison:
    """Return the comparison as it would be with other embeddings, or under another model.

    The candidates and the feedback documents stay the same, so that every difference comes from
    what was changed.

    Args:
        comparison: As it was ranked.
        model: The adapter; another one of the same shape asks what that one would do.
        query: (n,) embedding in place of the query's, as long as stored ones: the adapter sees
            lengths.
        documents: (n,) embeddings in place of those of some candidates, by id.
    """
    vectors = comparison.modulation.stored_documents.clone()  # (K, n)
    for document_id, vector in (documents or {}).items():
        vectors[comparison.position[document_id]] = torch.from_numpy(vector)
    asked = comparison.modulation.stored_query if query is None else torch.from_numpy(query)
    with torch.inference_mode():
        modulation = model(asked[None], vectors[None], torch.from_numpy(comparison.feedback)[None])[
            0
        ]
    scores = stage_scores(modulation)
    rankings = stage_rankings(comparison.document_ids, scores, rank(scores, comparison.rows[None]))
    return replace(
        comparison, rankings={**comparison.rankings, **rankings}, stage_vectors=modulation
    )


def stage_scores(modulation: Modulation) -> FloatArray:
    """Return (4, K) scores at each stage of one query's modulation."""
    query, refined = modulation.projected_query, modulation.modulated_query
    scores = [
        modulation.documents @ modulation.query,
        modulation.projected_documents @ query,
        modulation.modulated_documents @ query,
        modulation.modulated_documents @ refined,
    ]
    assert len(scores) == len(STAGES)
    return torch.stack(scores).clamp(-1.0, 1.0).numpy()
