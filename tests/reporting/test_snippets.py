"""The lines to paste print the ranking of the whole corpus, with real stores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest
from pymilvus import MilvusClient
from qdrant_client import QdrantClient, models

import imrnns_core
from imrnns_core.config import EncoderSpec, SearchConfig
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.reporting import snippets
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray
from tests.conftest import REPOSITORY

QUERIES = ("q128", "q054", "q708")


@pytest.fixture(scope="module")
def ranker(sample: Collection) -> Ranker:
    adapter = Workspace(Path("unused")).adapter("sample-paper")
    return Ranker(sample, adapter, SearchConfig(scope="corpus"))


def run(lines: str, capsys: pytest.CaptureFixture[str], **names: object) -> list[str]:
    """Run lines with these names; return the list that they print."""
    exec(lines, names)
    printed = capsys.readouterr().out
    ids = eval(printed)
    assert isinstance(ids, list)
    return [str(i) for i in ids]


def write_faiss(vectors: FloatArray, ids: tuple[str, ...]) -> None:
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, "docs.faiss")
    Path("ids.txt").write_text("\n".join(ids), encoding="utf-8")


def is_chosen(row: int) -> bool:
    """Return whether a document has the metadata for which a filter asks."""
    return row % 3 == 0


def write_qdrant(vectors: FloatArray, ids: tuple[str, ...]) -> None:
    client = QdrantClient(path="qdrant")
    size = vectors.shape[1]
    client.create_collection(
        "docs", models.VectorParams(size=size, distance=models.Distance.COSINE)
    )
    points = [
        models.PointStruct(id=i, vector=v.tolist(), payload={"chosen": is_chosen(i)})
        for i, v in enumerate(vectors)
    ]
    client.upsert("docs", points)
    client.close()


def write_milvus(vectors: FloatArray, ids: tuple[str, ...]) -> None:
    client = MilvusClient("milvus.db")
    client.create_collection(
        "docs", dimension=vectors.shape[1], metric_type="COSINE", auto_id=False
    )
    rows = [{"id": i, "vector": v.tolist(), "chosen": is_chosen(i)} for i, v in enumerate(vectors)]
    client.insert("docs", rows)
    client.release_collection("docs")  # as in a new process
    client.close()


WRITERS = {"FAISS": write_faiss, "Qdrant": write_qdrant, "Milvus": write_milvus}


@pytest.mark.parametrize("store", list(WRITERS))
def test_the_printed_ranking_is_that_of_the_whole_corpus(
    store: str,
    ranker: Ranker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    collection, ids = ranker.collection, ranker.collection.dataset.document_ids
    WRITERS[store](np.asarray(collection.documents.vectors, np.float32), ids)
    query_id = QUERIES[0]
    query = collection.query_vectors([query_id])[0]
    printed = run(snippets.snippet(store), capsys, query=query, adapter=ranker.adapter)
    # Qdrant and Milvus have the rows as ids: names would not be allowed
    found = printed if store == "FAISS" else [ids[int(i)] for i in printed]
    expected = ranker.compare(query_id).ranking("modulated", 10)
    assert found == [hit.document_id for hit in expected]


@pytest.mark.parametrize("store", list(WRITERS))
def test_a_store_with_few_documents_is_ranked_as_well(
    store: str,
    ranker: Ranker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    whole = ranker.collection
    part = replace(
        whole,
        dataset=replace(whole.dataset, documents=whole.dataset.documents[:60]),
        documents=EmbeddingMatrix(whole.documents.ids[:60], whole.documents.vectors[:60]),
    )
    vectors, ids = np.asarray(part.documents.vectors, np.float32), part.documents.ids
    WRITERS[store](vectors, ids)
    small = Ranker(part, ranker.adapter, ranker.config)
    query_id = "q005"
    query = whole.query_vectors([query_id])[0]
    printed = run(snippets.snippet(store), capsys, query=query, adapter=ranker.adapter)
    found = printed if store == "FAISS" else [ids[int(i)] for i in printed]
    expected = small.compare(query_id).ranking("modulated", 10)
    assert found == [hit.document_id for hit in expected]


FILTERS = {
    "Qdrant": """query_filter=qdrant_client.models.Filter(must=[qdrant_client.models.FieldCondition(
        key="chosen", match=qdrant_client.models.MatchValue(value=True))]), limit=100""",
    "Milvus": """filter="chosen == true", limit=100""",
}


@pytest.mark.parametrize("store", list(FILTERS))
def test_a_filter_on_metadata_applies_to_both_searches(
    store: str,
    ranker: Ranker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    collection = ranker.collection
    vectors, ids = np.asarray(collection.documents.vectors, np.float32), collection.documents.ids
    WRITERS[store](vectors, ids)
    lines = snippets.snippet(store)
    assert lines.count("limit=100") == 1
    lines = lines.replace("limit=100", FILTERS[store])
    query = collection.query_vectors([QUERIES[1]])[0]
    printed = run(lines, capsys, query=query, adapter=ranker.adapter)
    rows = [row for row in range(len(ids)) if is_chosen(row)]
    documents = tuple(collection.dataset.documents[row] for row in rows)
    part = replace(
        collection,
        dataset=replace(collection.dataset, documents=documents),
        documents=EmbeddingMatrix(tuple(ids[row] for row in rows), vectors[rows]),
    )
    expected = Ranker(part, ranker.adapter, ranker.config).compare(QUERIES[1])
    assert [ids[int(i)] for i in printed] == [
        hit.document_id for hit in expected.ranking("modulated", 10)
    ]


def test_the_lines_before_load_the_adapter_and_encode_the_query(ranker: Ranker, tmp_path: Path):
    file = tmp_path / "it's.safetensors"
    imrnns_core.save_adapter(ranker.adapter, file)
    text = "what's a “lake”?\n'''"
    names: dict[str, object] = {}
    exec(snippets.adapter_lines(str(file)), names)
    encoder = ranker.collection.encoder
    # the bundled encoder has the same name as the model of the hub, which tests cannot reach
    lines = snippets.query_lines(EncoderSpec(query_prefix="query: "), text)
    model = encoder.model  # type: ignore[attr-defined]
    names["encoder"] = model
    exec(lines.splitlines()[-1], names)
    expected = model.encode(["query: " + text], normalize_embeddings=True)[0]
    np.testing.assert_allclose(names["query"], expected, atol=1e-6)
    assert names["adapter"].card == ranker.adapter.card  # type: ignore[attr-defined]


def test_each_snippet_has_at_most_eight_lines():
    for store in snippets.STORES:
        assert len(snippets.snippet(store).splitlines()) <= 8


def test_readme_and_docs_show_the_lines_for_faiss():
    for page in ("README.md", "docs/serving.md"):
        text = (REPOSITORY / page).read_text("utf-8")
        lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
        wanted = [line.strip() for line in snippets.snippet("FAISS").splitlines()]
        start = lines.index(wanted[0])
        assert lines[start : start + len(wanted)] == wanted
