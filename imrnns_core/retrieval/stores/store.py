"""What all vector stores can do. Nothing is ever written to a store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from imrnns_core.types import FloatArray, Similarity

Hits = list[tuple[str, float]]
"""Ids and scores of documents, best first. A higher score is better, also if it is −distance."""
TextFields = Mapping[str, Any]
"""Name → value of what a store keeps beside a vector: texts, titles, addresses …"""


class VectorStore(Protocol):
    """Reads one collection of a vector store."""

    @property
    def similarity(self) -> Similarity | None:
        """How the store ranks; None if it ranks by a distance, such as the Euclidean one."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all N documents that have a vector."""
        ...

    def vectors(self, ids: Sequence[str]) -> FloatArray:
        """Return the (R, n) vectors of R ids, as the store keeps them.

        Raises:
            KeyError: If an id is unknown.
        """
        ...

    def texts(self, ids: Sequence[str]) -> list[TextFields]:
        """Return what the store keeps beside the vectors of R ids.

        Raises:
            KeyError: If an id is unknown.
        """
        ...

    def search(self, vector: FloatArray, k: int) -> Hits:
        """Return the k documents that the store finds for a query (n,), best first."""
        ...

    def close(self) -> None:
        """Close the connection or the file."""
        ...
