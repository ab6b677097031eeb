"""What an encoder is, and how a text is formatted for it: the only place that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imrnns_core.config import EncoderSpec
from imrnns_core.data.records import Document
from imrnns_core.types import FloatArray, IntArray, Progress


class Encoder(Protocol):
    """Turn texts into vectors."""

    @property
    def spec(self) -> EncoderSpec:
        """Name the encoder and how texts are given to it."""
        ...

    @property
    def dimension(self) -> int:
        """Number of dimensions n of an embedding."""
        ...

    @property
    def max_tokens(self) -> int:
        """Word pieces that the encoder reads, special tokens included.

        The rest of a text is cut off.
        """
        ...

    def encode_documents(
        self, documents: Sequence[Document], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (N, n) float32, of length 1 or (`unit` False) as the encoder makes them."""
        ...

    def encode_queries(
        self, texts: Sequence[str], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (B, n) float32, likewise."""
        ...

    def count_tokens(self, documents: Sequence[Document]) -> IntArray:
        """Return (N,) word pieces of each whole document, special tokens included."""
        ...

    def read_part(self, document: Document) -> tuple[str, str]:
        """Return what is read of a formatted document, and what is cut off.

        Together they are the whole.
        """
        ...

    def word_pieces(self, text: str) -> list[tuple[str, int]]:
        """Return each word of a text with the number of its word pieces."""
        ...


def format_document(spec: EncoderSpec, document: Document) -> str:
    """Return the text that is encoded for a document: prefix, title, newline, text."""
    body = f"{document.title}\n{document.text}" if document.title else document.text
    return spec.document_prefix + body


def format_query(spec: EncoderSpec, text: str) -> str:
    """Return the text that is encoded for a query: prefix and query."""
    return spec.query_prefix + text
