"""The base vectors of a query and its candidates, and all vectors of an adapter's forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imrnns_core.types import IntArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class BaseVectors:
    """The base embeddings of B queries with K candidates each, as unit vectors of n dimensions.

    The lengths of the stored embeddings are separate, because a projector with a bias depends on
    them.
    """

    query: torch.Tensor  # (B, n)
    documents: torch.Tensor  # (B, K, n)
    query_length: torch.Tensor  # (B,)
    document_length: torch.Tensor  # (B, K)

    @classmethod
    def of(cls, query: torch.Tensor, documents: torch.Tensor) -> BaseVectors:
        """Return unit vectors and lengths of a stored query (…, n) and documents (…, K, n)."""
        import torch
        import torch.nn.functional as F

        return BaseVectors(
            F.normalize(query, dim=-1),
            F.normalize(documents, dim=-1),
            torch.linalg.vector_norm(query, dim=-1),
            torch.linalg.vector_norm(documents, dim=-1),
        )

    @property
    def stored_query(self) -> torch.Tensor:
        """(B, n) base embeddings of the queries at their original lengths."""
        return self.query * self.query_length[..., None]

    @property
    def stored_documents(self) -> torch.Tensor:
        """(B, K, n) base embeddings of the documents at their original lengths."""
        return self.documents * self.document_length[..., None]


@dataclass(frozen=True)
class Modulation(BaseVectors):
    """All vectors of one forward pass for B queries with K candidates each.

    n are encoder dimensions and m working dimensions. All embeddings are unit vectors. LayerNorm
    returns vectors of length about √m, so a difference of unnormalised vectors would mostly show
    the vector itself (docs/method.md, "Exact accounting of a score change").
    """

    projected_query: torch.Tensor  # (B, m)
    projected_documents: torch.Tensor  # (B, K, m)
    query_scale: torch.Tensor  # (B, m) in (0, 1): scales every candidate
    query_bias: torch.Tensor  # (B, m) in (−1, 1): shifts every candidate
    document_scale: torch.Tensor  # (B, K, m): scale of the query by each candidate
    document_bias: torch.Tensor  # (B, K, m): shift of the query by each candidate
    modulated_query: torch.Tensor  # (B, m)
    modulated_documents: torch.Tensor  # (B, K, m)

    def __getitem__(self, index: int) -> Modulation:
        """Return the vectors of one query; the tensors lose their first axis."""
        return Modulation(**{name: tensor[index] for name, tensor in vars(self).items()})

    def take(self, rows: IntArray) -> Modulation:
        """Return R candidates of a single query, at positions `rows` (R,), in this order."""
        per_document = {
            "documents",
            "document_length",
            "projected_documents",
            "document_scale",
            "document_bias",
            "modulated_documents",
        }
        return Modulation(
            **{
                name: tensor[rows] if name in per_document else tensor
                for name, tensor in vars(self).items()
            }
        )
