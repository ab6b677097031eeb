"""Every vector behind one forward pass of an adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imrnns_core.types import IntArray

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Modulation:
    """Every vector behind one forward pass.

    B queries, K candidates each, n encoder and m working dimensions.

    All embeddings are unit vectors, so that differences between them are true moves: LayerNorm
    alone would leave them at norm √m (docs/method.md, "Exact accounting of a score change"). The
    lengths are those of the
    embeddings that came in: a projector with a bias sees them.
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
