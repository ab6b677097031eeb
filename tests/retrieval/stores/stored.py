"""The same documents in every kind of vector store, and what all stores must return for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import pytest
from pymilvus import MilvusClient
from qdrant_client import QdrantClient, models

from imrnns_core.data.embeddings import unit
from imrnns_core.retrieval.stores.address import parse_address
from imrnns_core.retrieval.stores.opening import open_store
from imrnns_core.types import FloatArray

COUNT, DIMENSION = 40, 6
METRICS = ("cosine", "dot", "L2")
IDS = [str(7 * i + 3) for i in range(COUNT)]
_RNG = np.random.default_rng(5)
VECTORS: FloatArray = (
    _RNG.normal(size=(COUNT, DIMENSION)) * _RNG.uniform(0.5, 2, size=(COUNT, 1))
).astype(np.float32)
TEXTS = [
    {"title": f"Title {i}", "text": f"“Text” no. {i} <b>ä</b>\nwith a second line", "page": i}
    for i in range(COUNT)
]
Writer = Callable[[Path, str], str]
"""Writes the documents into a store with a metric, and returns its address."""


def write_table(path: Path, ids: list[str], texts: list[dict[str, object]]) -> Path:
    records = (json.dumps({"id": i, **fields}) for i, fields in zip(ids, texts, strict=True))
    path.write_text("".join(f"{record}\n" for record in records), encoding="utf-8")
    return path


def _faiss_address(folder: Path, index: faiss.Index, order: list[int]) -> str:
    faiss.write_index(index, str(folder / "docs.faiss"))
    table = write_table(folder / "docs.jsonl", [IDS[i] for i in order], [TEXTS[i] for i in order])
    return f"faiss:{folder}/docs.faiss#{table}"


def _faiss_metric(metric: str) -> int:
    return faiss.METRIC_L2 if metric == "L2" else faiss.METRIC_INNER_PRODUCT


def write_flat(folder: Path, metric: str) -> str:
    index = faiss.IndexFlat(DIMENSION, _faiss_metric(metric))
    index.add(VECTORS)
    return _faiss_address(folder, index, list(range(COUNT)))


def write_numbered(folder: Path, metric: str) -> str:
    index = faiss.IndexIDMap(faiss.IndexHNSWFlat(DIMENSION, 16, _faiss_metric(metric)))
    index.add_with_ids(VECTORS, np.array(IDS, dtype=np.int64))
    return _faiss_address(folder, index, list(range(COUNT))[::-1])  # the order is free


def write_inverted(folder: Path, metric: str) -> str:
    quantizer = faiss.IndexFlat(DIMENSION, _faiss_metric(metric))
    index = faiss.IndexIVFFlat(quantizer, DIMENSION, 1, _faiss_metric(metric))
    index.train(VECTORS)
    index.add(VECTORS)
    return _faiss_address(folder, index, list(range(COUNT)))


def write_inverted_numbered(folder: Path, metric: str) -> str:
    quantizer = faiss.IndexFlat(DIMENSION, _faiss_metric(metric))
    index = faiss.IndexIVFFlat(quantizer, DIMENSION, 2, _faiss_metric(metric))
    index.nprobe = 2
    index.train(VECTORS)
    index.add_with_ids(VECTORS, np.array(IDS, dtype=np.int64))
    return _faiss_address(folder, index, list(range(COUNT))[::-1])


def write_qdrant(folder: Path, metric: str) -> str:
    distance = {"cosine": "Cosine", "dot": "Dot", "L2": "Euclid"}[metric]
    client = QdrantClient(path=str(folder / "qdrant"))
    params = models.VectorParams(size=DIMENSION, distance=models.Distance(distance))
    # a second vector makes it necessary to name one
    client.create_collection("docs", vectors_config={"body": params, "title": params})
    client.upsert(
        "docs",
        [
            models.PointStruct(
                id=int(i), vector={"body": v.tolist(), "title": (-v).tolist()}, payload=fields
            )
            for i, v, fields in zip(IDS, VECTORS, TEXTS, strict=True)
        ],
    )
    client.close()
    return f"qdrant:{folder}/qdrant#docs/body"


def write_milvus(folder: Path, metric: str) -> str:
    kind = {"cosine": "COSINE", "dot": "IP", "L2": "L2"}[metric]
    client = MilvusClient(str(folder / "milvus.db"))
    client.create_collection("docs", dimension=DIMENSION, metric_type=kind, auto_id=False)
    client.insert(
        "docs",
        [
            {"id": int(i), "vector": v.tolist(), **fields}
            for i, v, fields in zip(IDS, VECTORS, TEXTS, strict=True)
        ],
    )
    client.close()
    return f"milvus:{folder}/milvus.db#docs"


def exact(query: FloatArray, metric: str, k: int) -> list[tuple[str, float]]:
    """Return the k nearest ids with their scores, by brute force."""
    if metric == "L2":
        scores = -np.linalg.norm(VECTORS - query, axis=1)
    elif metric == "cosine":
        scores = unit(VECTORS) @ unit(query)
    else:
        scores = VECTORS @ query
    order = np.argsort(-scores)[:k]
    return [(IDS[row], float(scores[row])) for row in order]


def check_contract(address: str, metric: str, tolerance: float = 1e-6) -> None:
    """Compare ids, vectors, texts and search of a store with what was written."""
    with open_store(parse_address(address)) as opened:
        assert opened.similarity == (None if metric == "L2" else metric)
        assert sorted(opened.ids) == sorted(IDS)
        wanted = [IDS[7], IDS[0], IDS[39]]
        rows = [7, 0, 39]
        vectors = opened.vectors(wanted)
        assert (vectors.dtype, vectors.shape) == (np.float32, (3, DIMENSION))
        np.testing.assert_allclose(vectors, VECTORS[rows], rtol=tolerance, atol=tolerance)
        assert [dict(fields) for fields in opened.texts(wanted)] == [TEXTS[row] for row in rows]
        with pytest.raises(KeyError):
            opened.vectors(["123456"])
        for query in np.random.default_rng(1).normal(size=(5, DIMENSION)).astype(np.float32):
            expected = exact(query, metric, 10)
            found = opened.search(query, 10)
            assert [i for i, _ in found] == [i for i, _ in expected]
            scores = [score for _, score in found]
            assert scores == sorted(scores, reverse=True)
            if metric != "L2":
                np.testing.assert_allclose(scores, [s for _, s in expected], atol=3e-3)
