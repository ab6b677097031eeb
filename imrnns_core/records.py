"""Small named records that travel between the modules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]

Stage = Literal["base", "projected", "document-modulated", "modulated"]
STAGES: tuple[Stage, ...] = get_args(Stage)
UNJUDGED = -1


@dataclass(frozen=True, slots=True)
class Document:
    """One passage of the corpus; `subject` is empty where the collection names none."""

    id: str
    title: str
    text: str
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One query; `id` is empty for a query that was typed in."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One ranked candidate. `rank` counts from 1; `relevance` is -1 where nobody judged the pair."""

    document_id: str
    rank: int
    score: float
    relevance: int


@dataclass(frozen=True)
class Modulation:
    """Every vector behind one forward pass; B queries, K candidates each, n encoder and m working dimensions.

    All embeddings are unit vectors, so that differences between them are true moves: LayerNorm alone
    would leave them at norm √m (METHOD, "Exact accounting"). The lengths are those of the embeddings that came in:
    a projector with a bias sees them.
    """

    query: torch.Tensor  # (B, n) base
    documents: torch.Tensor  # (B, K, n) base
    query_length: torch.Tensor  # (B,)
    document_length: torch.Tensor  # (B, K)
    projected_query: torch.Tensor  # (B, m)
    projected_documents: torch.Tensor  # (B, K, m)
    query_scale: torch.Tensor  # (B, m) in (0, 1): what the query does to every candidate
    query_bias: torch.Tensor  # (B, m) in (-1, 1)
    document_scale: torch.Tensor  # (B, K, m): what each candidate would do to the query
    document_bias: torch.Tensor  # (B, K, m)
    modulated_query: torch.Tensor  # (B, m)
    modulated_documents: torch.Tensor  # (B, K, m)

    @property
    def stored_query(self) -> torch.Tensor:
        """(B, n) the query's embedding as it came in, at its own length."""
        return self.query * self.query_length[..., None]

    @property
    def stored_documents(self) -> torch.Tensor:
        """(B, K, n) the documents' embeddings as they came in."""
        return self.documents * self.document_length[..., None]

    def __getitem__(self, index: int) -> Modulation:
        """Take one query of the batch; the tensors lose their first axis."""
        return Modulation(**{name: tensor[index] for name, tensor in vars(self).items()})

    def take(self, rows: IntArray) -> Modulation:
        """Keep some candidates of a single query, in the given order; rows (R,)."""
        per_document = {"documents", "document_length", "projected_documents", "document_scale", "document_bias", "modulated_documents"}
        return Modulation(**{name: tensor[rows] if name in per_document else tensor for name, tensor in vars(self).items()})


@dataclass(frozen=True)
class Comparison:
    """All that is known about one query: K candidates at the four stages, and the vectors behind them.

    Attributes:
        query: The query.
        document_ids: (K,) candidate ids in base order.
        rows: (K,) rows of the candidates in the corpus.
        scores: (4, K) cosine at each stage of `STAGES`, float32.
        ranks: (4, K) rank at each stage, from 1.
        judgments: All judgments of the query, candidates or not; empty if it has none.
        modulation: The vectors, candidates in the same order.
        feedback: (K,) True for the candidates that refine the query.
    """

    query: Query
    document_ids: tuple[str, ...]
    rows: IntArray
    scores: FloatArray
    ranks: IntArray
    judgments: Mapping[str, int]
    modulation: Modulation
    feedback: NDArray[np.bool_]

    @cached_property
    def relevance(self) -> IntArray:
        """(K,) judged relevance of each candidate, -1 where unjudged."""
        return np.array([self.judgments.get(i, UNJUDGED) for i in self.document_ids], dtype=np.int64)

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each candidate id in the arrays."""
        return {document_id: i for i, document_id in enumerate(self.document_ids)}

    @property
    def relevant_outside(self) -> list[str]:
        """Ids of relevant documents that the base retriever did not put among the candidates."""
        return [i for i, grade in self.judgments.items() if grade > 0 and i not in self.position]

    def order(self, stage: Stage) -> IntArray:
        """Return (K,) positions of the candidates, best first, at a stage."""
        return np.argsort(self.ranks[STAGES.index(stage)]).astype(np.int64)

    def hits(self, stage: Stage, top_k: int | None = None) -> list[Hit]:
        """Return the ranking at a stage, best first."""
        row = STAGES.index(stage)
        return [
            Hit(self.document_ids[i], int(self.ranks[row, i]), float(self.scores[row, i]), int(self.relevance[i]))
            for i in self.order(stage)[:top_k]
        ]

    def best_relevant_rank(self, stage: Stage) -> int | None:
        """Return the rank of the best-ranked relevant candidate, or None if there is none."""
        ranks = self.ranks[STAGES.index(stage)][self.relevance > 0]
        return int(ranks.min()) if ranks.size else None
