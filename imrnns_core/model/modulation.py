"""All vectors of one forward pass of an adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imrnns_core.types import IntArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Modulation:
    """All vectors of one forward pass for B queries with K candidates each.

    n are encoder dimensions and m working dimensions. All embeddings are unit vectors. LayerNorm
    returns vectors of length about √m, so a difference of unnormalised vectors would mostly show
    the vector itself (docs/method.md, "Exact accounting of a score change"). The lengths of the
    input embeddings are stored separately, because a projector with a bias depends on them.
    """

    query: torch.Tensor  # (B, n) base
    documents: torch.Tensor  # (B, K, n) base
    query_length: torch.Tensor  # (B,)
    document_length: torch.Tensor  # (B, K)
    projected_query: torch.Tensor  # (B, m)
    projected_documents: torch.Tensor  # (B, K, m)
    query_scale: torch.Tensor  # (B, m) in (0, 1): scales every candidate
    query_bias: torch.Tensor  # (B, m) in (−1, 1): shifts every candidate
    document_scale: torch.Tensor  # (B, K, m): scale of the query by each candidate
    document_bias: torch.Tensor  # (B, K, m): shift of the query by each candidate
    modulated_query: torch.Tensor  # (B, m)
    modulated_documents: torch.Tensor  # (B, K, m)

    @property
    def stored_query(self) -> torch.Tensor:
        """(B, n) base embeddings of the queries at their original lengths."""
        return self.query * self.query_length[..., None]

    @property
    def stored_documents(self) -> torch.Tensor:
        """(B, K, n) base embeddings of the documents at their original lengths."""
        return self.documents * self.document_length[..., None]

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
