"""The interface of encoders, and the format of the texts that they encode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imrnns_core.config import EncoderSpec
from imrnns_core.data.records import Document
from imrnns_core.types import FloatArray, IntArray, Progress


class Encoder(Protocol):
    """A frozen encoder: turns documents and queries into embeddings."""

    @property
    def spec(self) -> EncoderSpec:
        """Name of the encoder and its prefixes."""
        ...

    @property
    def weights_digest(self) -> str:
        """Changes with the weights where `spec` does not; empty if `spec` identifies them."""
        ...

    @property
    def dimension(self) -> int:
        """Number of dimensions n of an embedding."""
        ...

    @property
    def max_tokens(self) -> int:
        """Number of tokens that the encoder reads, with special tokens; the rest is cut off."""
        ...

    def encode_documents(
        self, documents: Sequence[Document], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (N, n) float32 embeddings: unit vectors, or the encoder's own if not `unit`."""
        ...

    def encode_queries(
        self, texts: Sequence[str], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (B, n) float32 embeddings: unit vectors, or the encoder's own if not `unit`."""
        ...

    def count_tokens(
        self, documents: Sequence[Document], progress: Progress | None = None
    ) -> IntArray:
        """Return (N,) numbers of tokens of the whole documents, with special tokens."""
        ...

    def split_at_limit(self, document: Document) -> tuple[str, str]:
        """Return the part of a formatted document that is read, and the part that is cut off."""
        ...

    def tokens_per_word(self, text: str) -> list[tuple[str, int]]:
        """Return each word of a text with its number of tokens; 0 if one of them is unknown."""
        ...


def format_document(spec: EncoderSpec, document: Document) -> str:
    """Return the text that is encoded for a document: prefix, title, newline and text."""
    body = f"{document.title}\n{document.text}" if document.title else document.text
    return spec.document_prefix + body


def format_query(spec: EncoderSpec, text: str) -> str:
    """Return the text that is encoded for a query: prefix and query."""
    return spec.query_prefix + text
