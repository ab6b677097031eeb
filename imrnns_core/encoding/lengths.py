"""How long documents are for an encoder, and how much of them it does not read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.encoding.endpoint import UNKNOWN_LIMIT
from imrnns_core.types import IntArray, Progress


@dataclass(frozen=True)
class Lengths:
    """The lengths of N documents.

    Attributes:
        tokens: (N,) number of tokens of each document, with special tokens; 0 if it is not
            known how many the encoder reads.
        limit: Number of tokens that the encoder reads.
    """

    tokens: IntArray
    limit: int

    @classmethod
    def of(
        cls, encoder: Encoder, documents: Sequence[Document], progress: Progress | None = None
    ) -> Lengths:
        """Count the tokens of documents, if it is known how many the encoder reads.

        Args:
            encoder: The encoder that reads them.
            documents: The N documents.
            progress: Called with (done, total) documents.

        Raises:
            EncoderError: If the encoder cannot be loaded.
        """
        limit = encoder.max_tokens
        if limit == UNKNOWN_LIMIT:
            return cls(np.zeros(len(documents), dtype=np.int64), limit)
        return cls(encoder.count_tokens(documents, progress), limit)

    @property
    def is_known(self) -> bool:
        """Whether it is known how much the encoder reads."""
        return self.limit != UNKNOWN_LIMIT

    @property
    def cut(self) -> IntArray:
        """Rows of the documents that are not read whole."""
        return np.flatnonzero(self.tokens > self.limit)

    @property
    def share_not_read(self) -> float:
        """The share of all tokens that is not read."""
        beyond = (self.tokens - self.limit).clip(0).sum()
        return float(beyond / max(1, self.tokens.sum()))
