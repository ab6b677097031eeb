"""A collection of Qdrant: in a folder (its local mode), or on a server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient
from qdrant_client.models import Distance

from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.store import Hits, TextFields
from imrnns_core.types import FloatArray, Similarity

PAGE = 1000
"""Points per answer."""
_SIMILARITIES: dict[Any, Similarity] = {Distance.COSINE: "cosine", Distance.DOT: "dot"}


class QdrantStore:
    """A collection of Qdrant.

    Raises:
        StoreError: If it cannot be opened, or has several vectors and the address names none.
    """

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        # otherwise the client would make a new, empty store
        if not address.is_remote and not Path(address.place).expanduser().is_dir():
            raise address.error("the folder does not exist", "name the folder of a Qdrant store")
        try:
            self._client = _client(address)
            names = [c.name for c in self._client.get_collections().collections]
        except Exception as error:  # errors of HTTP, gRPC, locks and files have many types
            raise address.error(
                error, "check the address, and that no other program uses it"
            ) from None
        if address.collection not in names:
            self.close()
            remedy = f"its collections are: {', '.join(names) or 'none'}"
            raise address.error(f"no collection {address.collection!r}", remedy)
        self._name, self._distance = self._vector()

    @property
    def similarity(self) -> Similarity | None:
        """The distance that the collection was made with."""
        return _SIMILARITIES.get(self._distance)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the points; see `VectorStore.ids`."""
        return tuple(self._points)

    @cached_property
    def _points(self) -> dict[str, int | str | UUID]:
        """Id → id of the point, which is a number or a UUID."""
        points, offset = dict[str, int | str | UUID](), None
        while True:
            page, offset = self._client.scroll(
                self._address.collection, limit=PAGE, offset=offset, with_payload=False
            )
            points.update((str(point.id), point.id) for point in page)
            if offset is None:
                return points

    def vectors(self, ids: Sequence[str]) -> FloatArray:
        """Return the vectors; a server keeps those of a collection with cosines at length 1."""
        points = self._retrieve(ids, with_vectors=True, with_payload=False)
        found = [point.vector for point in points]
        return np.array([v[self._name] if self._name else v for v in found], dtype=np.float32)

    def texts(self, ids: Sequence[str]) -> list[TextFields]:
        """Return the payloads."""
        points = self._retrieve(ids, with_vectors=False, with_payload=True)
        return [point.payload or {} for point in points]

    def _retrieve(self, ids: Sequence[str], **parts: bool) -> list[Any]:
        points = [self._points[i] for i in ids]
        found = self._client.retrieve(self._address.collection, points, **parts)
        by_id = {point.id: point for point in found}
        return [by_id[point] for point in points]

    def search(self, vector: FloatArray, k: int) -> Hits:
        """Return the k nearest points."""
        found = self._client.query_points(
            self._address.collection, query=vector.tolist(), using=self._name or None, limit=k
        )
        sign = 1.0 if self.similarity else -1.0
        return [(str(point.id), sign * point.score) for point in found.points]

    def close(self) -> None:
        """Close the client, which frees the folder for others."""
        self._client.close()

    def _vector(self) -> tuple[str, Any]:
        """Return the name of the vector, empty if it has none, and its distance."""
        vectors: Any = self._client.get_collection(self._address.collection).config.params.vectors
        named = vectors if isinstance(vectors, dict) else {"": vectors}
        wanted = self._address.vector
        if not wanted and len(named) == 1:
            wanted = next(iter(named))
        if wanted not in named:
            self.close()
            remedy = f"name a vector after a slash, #COLLECTION/NAME: {', '.join(named)}"
            raise self._address.error(
                "the collection has several vectors, or none so named", remedy
            )
        return wanted, named[wanted].distance


def _client(address: StoreAddress) -> QdrantClient:
    if address.is_remote:
        key = os.environ.get("QDRANT_API_KEY")
        return QdrantClient(url=address.place, api_key=key, check_compatibility=False)
    return QdrantClient(path=str(Path(address.place).expanduser()))
