"""A collection of Milvus: in a file (Milvus Lite), or on a server."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import DataType, MilvusClient

from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.store import Hits, TextFields
from imrnns_core.types import FloatArray, Similarity

PAGE = 1000
"""Entities per answer."""
_SIMILARITIES: dict[str, Similarity] = {"COSINE": "cosine", "IP": "dot"}
_VECTORS = {
    DataType.FLOAT_VECTOR,
    DataType.FLOAT16_VECTOR,
    DataType.BFLOAT16_VECTOR,
    DataType.BINARY_VECTOR,
    DataType.SPARSE_FLOAT_VECTOR,
}


class MilvusStore:
    """A collection of Milvus.

    Raises:
        StoreError: If it cannot be opened, or has several vectors and the address names none.
    """

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        # otherwise the client would make a new, empty store
        if not address.is_remote and not Path(address.place).expanduser().exists():
            raise address.error("the file does not exist", "name the file of a Milvus store")
        # it warns of its own workings
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
        try:
            self._client = _client(address)
            names = self._client.list_collections()
        except Exception as error:  # errors of gRPC, locks and files have many types
            raise address.error(
                error, "check the address, and that no other program uses it"
            ) from None
        if address.collection not in names:
            self.close()
            remedy = f"its collections are: {', '.join(names) or 'none'}"
            raise address.error(f"no collection {address.collection!r}", remedy)
        self._client.load_collection(address.collection)
        fields = self._client.describe_collection(address.collection)["fields"]
        self._key = next(f["name"] for f in fields if f.get("is_primary"))
        self._vector_fields = {f["name"] for f in fields if f["type"] in _VECTORS}
        self._vector = self._chosen(
            [f["name"] for f in fields if f["type"] == DataType.FLOAT_VECTOR]
        )

    @cached_property
    def similarity(self) -> Similarity | None:
        """The metric of the index."""
        return _SIMILARITIES.get(self._metric)

    @cached_property
    def _metric(self) -> str:
        for name in self._client.list_indexes(self._address.collection):
            index = self._client.describe_index(self._address.collection, name)
            if index.get("field_name") == self._vector:
                return str(index.get("metric_type"))
        return ""

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The primary keys; see `VectorStore.ids`."""
        return tuple(self._keys)

    @cached_property
    def _keys(self) -> dict[str, int | str]:
        """Id → primary key, which is a number or a text."""
        keys = dict[str, int | str]()
        pages = self._client.query_iterator(
            self._address.collection, batch_size=PAGE, output_fields=[self._key]
        )
        while page := pages.next():
            keys.update((str(entity[self._key]), entity[self._key]) for entity in page)
        pages.close()
        return keys

    def vectors(self, ids: Sequence[str]) -> FloatArray:
        """Return the vectors; see `VectorStore.vectors`."""
        entities = self._get(ids, [self._vector])
        return np.array([entity[self._vector] for entity in entities], dtype=np.float32)

    def texts(self, ids: Sequence[str]) -> list[TextFields]:
        """Return all fields but the key and the vectors."""
        hidden = {self._key, *self._vector_fields}
        return [
            {name: value for name, value in entity.items() if name not in hidden}
            for entity in self._get(ids, ["*"])
        ]

    def _get(self, ids: Sequence[str], fields: list[str]) -> list[Any]:
        keys = [self._keys[i] for i in ids]
        found = self._client.get(self._address.collection, ids=keys, output_fields=fields)
        by_key = {entity[self._key]: entity for entity in found}
        return [by_key[key] for key in keys]

    def search(self, vector: FloatArray, k: int) -> Hits:
        """Return the k nearest entities."""
        found: Any = self._client.search(
            self._address.collection, data=[vector.tolist()], limit=k, anns_field=self._vector
        )
        sign = 1.0 if self.similarity else -1.0
        return [(str(hit[self._key]), sign * hit["distance"]) for hit in found[0]]

    def close(self) -> None:
        """Close the client."""
        self._client.close()

    def _chosen(self, fields: list[str]) -> str:
        wanted = self._address.vector or (fields[0] if len(fields) == 1 else "")
        if wanted not in fields:
            self.close()
            remedy = f"name a field after a slash, #COLLECTION/FIELD: {', '.join(fields) or 'none'}"
            raise self._address.error(
                "the collection has several vectors, or none so named", remedy
            )
        return wanted


def _client(address: StoreAddress) -> MilvusClient:
    place = address.place if address.is_remote else str(Path(address.place).expanduser())
    return MilvusClient(place, token=os.environ.get("MILVUS_TOKEN", ""))
