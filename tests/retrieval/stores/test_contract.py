"""All vector stores give the same ids, vectors, texts and nearest documents.

Those of PostgreSQL are in `tests/integration/test_postgres.py`, because they need a server.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from imrnns_core.data.embeddings import unit
from tests.retrieval.stores import stored
from tests.retrieval.stores.serving import check_effective_query

WRITERS = {
    "FAISS flat": stored.write_flat,
    "FAISS with numbers, HNSW": stored.write_numbered,
    "FAISS IVF": stored.write_inverted,
    "FAISS IVF with numbers": stored.write_inverted_numbered,
    "Qdrant": stored.write_qdrant,
    "Milvus": stored.write_milvus,
}
CASES = [
    (store, metric)
    for store in WRITERS
    for metric in stored.METRICS
    if not (store.startswith("FAISS") and metric == "cosine")  # FAISS has none
]


@pytest.mark.parametrize(("store", "metric"), CASES)
def test_a_store_keeps_the_contract(tmp_path: Path, store: str, metric: str):
    stored.check_contract(WRITERS[store](tmp_path, metric), metric)


@pytest.mark.parametrize("store", WRITERS)
def test_two_searches_of_a_store_give_the_ranking_of_the_corpus(
    tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch
):
    metric = "cosine"
    if store.startswith("FAISS"):  # its products are cosines only for unit vectors
        metric = "dot"
        monkeypatch.setattr(stored, "VECTORS", unit(stored.VECTORS))
    check_effective_query(WRITERS[store](tmp_path, metric))
