"""The parts of a forward pass that depend only on the documents.

Shapes: N documents in the corpus, B queries, K candidates, n encoder and m working dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN

DOCUMENT_BATCH = 512  # documents per step of `transform_corpus`
CORPUS_BLOCK = 8192  # documents per block of a pass over the corpus


@dataclass(frozen=True)
class CorpusTransform:
    """The transform of all documents, computed once per corpus and kept in memory."""

    projected: Tensor  # (N, m) projected documents d_p, unit vectors
    effect: Tensor  # (N, 2m) scale and bias A_d(d_p) by which each document refines a query

    def __len__(self) -> int:
        """Return the number of documents N."""
        return len(self.projected)

    def documents(self, rows: Tensor) -> Tensor:
        """Return projected documents (B, K, m) of rows (B, K)."""
        return take(self.projected, rows)

    def mean_effect(self, rows: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return mean scale and bias (B, 2m) of rows (B, K).

        `weights` (B, K) sum to 1; None means equal weights.
        """
        return _mean(self.effect, rows, weights)

    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield the rows of blocks of the corpus with their projected documents (b, m), float32."""
        for start in range(0, len(self), CORPUS_BLOCK):
            block = slice(start, start + CORPUS_BLOCK)
            yield block, self.projected[block].float()


class ComputedTransform:
    """The transform of only those documents that are asked for, computed each time.

    The transform of a whole corpus has three times the size of the embeddings (for m = n), which
    a large corpus has no memory for. The methods are those of `CorpusTransform`.

    Args:
        model: The adapter.
        vectors: (N, n) base embeddings, in memory or memory-mapped.
    """

    def __init__(self, model: IMRNN, vectors: Tensor) -> None:
        self._model, self._vectors = model, vectors

    def __len__(self) -> int:
        """Return the number of documents N."""
        return len(self._vectors)

    @cached_property
    def _whole(self) -> CorpusTransform:
        return transform_corpus(self._model, self._vectors)

    @property
    def projected(self) -> Tensor:
        """(N, m) all projected documents, computed on first use: a map needs them."""
        return self._whole.projected

    @property
    def effect(self) -> Tensor:
        """(N, 2m) the effects of all documents, computed on first use."""
        return self._whole.effect

    @torch.inference_mode()
    def documents(self, rows: Tensor) -> Tensor:
        """Return projected documents (B, K, m) of rows (B, K)."""
        projected, numbers = self._projected(rows)
        return take(projected, numbers)

    @torch.inference_mode()
    def mean_effect(self, rows: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return mean scale and bias (B, 2m); see `CorpusTransform.mean_effect`."""
        projected, numbers = self._projected(rows)
        effect = torch.cat(self._model.document_adapter(projected), dim=-1)
        return _mean(effect, numbers, weights)

    @torch.inference_mode()
    def blocks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield the rows of blocks of the corpus with their projected documents (b, m)."""
        for start in range(0, len(self), CORPUS_BLOCK):
            block = slice(start, start + CORPUS_BLOCK)
            yield block, self._model.project(self._vectors[block].float())

    def _projected(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return projected documents (U, m), each once, and the number of each (B, K)."""
        unique, numbers = torch.unique(rows, return_inverse=True)
        return self._model.project(self._vectors[unique].float()), numbers


Transform = CorpusTransform | ComputedTransform


@torch.inference_mode()
def transform_corpus(
    model: IMRNN, documents: Tensor, order: Tensor | None = None
) -> CorpusTransform:
    """Project (N, n) base embeddings and apply the document adapter to them.

    Args:
        model: The adapter.
        documents: (N, n) base embeddings.
        order: (N,) order in which they are computed, as rounding depends on the position in a
            batch; None means that of the rows.
    """
    count, m = len(documents), model.config.output_dim
    projected, effect = torch.empty(count, m), torch.empty(count, 2 * m)
    order = torch.arange(count) if order is None else order
    for start in range(0, count, DOCUMENT_BATCH):
        rows = order[start : start + DOCUMENT_BATCH]
        projected[rows] = model.project(documents[rows])
        effect[rows, :m], effect[rows, m:] = model.document_adapter(projected[rows])
    return CorpusTransform(projected, effect)


def take(matrix: Tensor, rows: Tensor) -> Tensor:
    """Return matrix[rows] (B, K, m) through index_select, which is three times faster."""
    return matrix.index_select(0, rows.reshape(-1)).view(*rows.shape, -1)


def _mean(effect: Tensor, rows: Tensor, weights: Tensor | None) -> Tensor:
    mode = "mean" if weights is None else "sum"
    return F.embedding_bag(rows, effect, mode=mode, per_sample_weights=weights)
