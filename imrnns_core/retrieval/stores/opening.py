"""Open a vector store by its address. The library of a store is imported when it is needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from imrnns_core.errors import MissingExtraError
from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.store import VectorStore

NAMES = {"qdrant": "Qdrant", "milvus": "Milvus", "postgresql": "PostgreSQL"}
EXTRAS = {"qdrant": "qdrant", "milvus": "milvus", "postgresql": "pgvector"}
"""Kind of store → extra of the installation with its library."""
_LIBRARIES = ("psycopg", "qdrant_client", "pymilvus", "grpc", "httpx", "httpcore")
"""Packages whose errors say that a store cannot be read."""


@contextmanager
def open_store(address: StoreAddress) -> Iterator[VectorStore]:
    """Open the store at an address, and close it at the end.

    Raises:
        StoreError: If it cannot be opened, or has no such collection.
        MissingExtraError: If its library is not installed.
    """
    try:
        store = _opened(address)
    except ModuleNotFoundError:
        kind = address.kind
        raise MissingExtraError(f"reading from {NAMES[kind]}", EXTRAS[kind]) from None
    try:
        yield store
    except Exception as error:
        if type(error).__module__.split(".")[0] not in _LIBRARIES:
            raise
        raise address.error(error, "check the store, and run the command again") from None
    finally:
        store.close()


def _opened(address: StoreAddress) -> VectorStore:
    if address.kind == "faiss":
        from imrnns_core.retrieval.stores.faiss_index import FaissStore

        return FaissStore(address)
    if address.kind == "qdrant":
        from imrnns_core.retrieval.stores.qdrant import QdrantStore

        return QdrantStore(address)
    if address.kind == "milvus":
        from imrnns_core.retrieval.stores.milvus import MilvusStore

        return MilvusStore(address)
    from imrnns_core.retrieval.stores.pgvector import PostgresStore

    return PostgresStore(address)
