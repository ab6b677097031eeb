"""Data sets that are read from a vector store."""

from __future__ import annotations

import json
from pathlib import Path

import faiss
import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embeddings import unit
from imrnns_core.errors import LensError, StoreError
from imrnns_core.retrieval.stores.address import parse_address
from imrnns_core.retrieval.stores.opening import open_store
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.store_import import StoreImport, import_store
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray
from tests.retrieval.stores.stored import IDS, TEXTS, VECTORS, write_flat, write_qdrant, write_table


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def imported(space: Workspace, text: str, id_field: str = "", name: str = "wiki") -> StoreImport:
    address = parse_address(text)
    with open_store(address) as store:
        return import_store(space, name, address, store, id_field)


def write_index(folder: Path, vectors: FloatArray, metric: int, texts: list[dict]) -> str:
    index = faiss.IndexFlat(vectors.shape[1], metric)
    index.add(vectors)
    faiss.write_index(index, str(folder / "i.faiss"))
    write_table(folder / "i.jsonl", [f"own {i}" for i in range(len(vectors))], texts)
    return f"faiss:{folder}/i.faiss#{folder}/i.jsonl"


def test_documents_vectors_and_texts_are_read_once(space: Workspace, tmp_path: Path):
    text = write_qdrant(tmp_path, "dot")
    result = imported(space, text)
    assert (result.documents, result.is_distance, result.agreement) == (40, False, 1.0)
    assert result.registration.similarity == "dot"
    space.register(result.registration)
    collection = space.open("wiki")
    assert sorted(collection.documents.ids) == sorted(IDS)
    assert collection.similarity == "dot"
    for i in (0, 17, 39):
        document = collection.dataset.document[IDS[i]]
        assert (document.title, document.text) == (TEXTS[i]["title"], TEXTS[i]["text"])
        row = collection.documents.row[IDS[i]]
        np.testing.assert_array_equal(collection.documents.vectors[row], VECTORS[i])
    manifest = json.loads((space.root / "stores" / "wiki" / "manifest.json").read_text())
    assert set(manifest.pop("files")) >= {"documents/corpus.jsonl", "embeddings/documents.npy"}
    del manifest["#sha256"]
    assert manifest == {"schema": 1, "store": text, "documents": 40, "similarity": "dot"}


def test_a_store_that_changed_is_read_again_and_settings_stay(space: Workspace, tmp_path: Path):
    metric = faiss.METRIC_INNER_PRODUCT
    text = write_index(tmp_path, VECTORS[:3], metric, TEXTS[:3])
    first = imported(space, text).registration
    queries = tmp_path / "queries.csv"
    queries.write_text("query\nwhich?\n")
    kept = Registration(
        "wiki", first.path, first.embeddings, EncoderSpec("mine"), queries, similarity="dot"
    )
    space.register(kept)
    write_index(tmp_path, VECTORS[:5], metric, TEXTS[:5])
    again = imported(space, text)
    assert (again.documents, again.registration) == (5, kept)


@pytest.mark.parametrize(
    ("metric", "length", "similarity", "is_distance"),
    [
        (faiss.METRIC_INNER_PRODUCT, None, "dot", False),
        (faiss.METRIC_INNER_PRODUCT, 1.0, "cosine", False),
        (faiss.METRIC_L2, 1.0, "cosine", False),
        (faiss.METRIC_L2, 3.0, "cosine", False),
        (faiss.METRIC_L2, None, "cosine", True),
    ],
)
def test_vectors_of_one_length_are_ranked_by_cosine(
    space: Workspace,
    tmp_path: Path,
    metric: int,
    length: float | None,
    similarity: str,
    is_distance: bool,
):
    vectors = VECTORS if length is None else unit(VECTORS) * np.float32(length)
    result = imported(space, write_index(tmp_path, vectors, metric, TEXTS))
    assert (result.registration.similarity, result.is_distance) == (similarity, is_distance)


def test_a_field_can_have_the_ids(space: Workspace, tmp_path: Path):
    text = write_qdrant(tmp_path, "cosine")
    space.register(imported(space, text, "title").registration)
    collection = space.open("wiki")
    assert collection.dataset.document["Title 7"].text == TEXTS[7]["text"]
    row = collection.documents.row["Title 7"]
    np.testing.assert_array_equal(collection.documents.vectors[row], VECTORS[7])
    with pytest.raises(StoreError, match=r"3 has no field 'none'; leave out --column id=…$"):
        imported(space, text, "none")


def test_an_id_that_occurs_twice_and_an_empty_store_are_refused(space: Workspace, tmp_path: Path):
    texts = [{"title": "same", "text": "a"}, {"title": "same", "text": "b"}]
    text = write_index(tmp_path, VECTORS[:2], faiss.METRIC_L2, texts)
    with pytest.raises(StoreError, match=r"id 'same' occurs twice; leave out --column id=title$"):
        imported(space, text, "title")
    assert not list(space.root.rglob("*.jsonl"))  # nothing half-read stays


def test_another_data_set_keeps_its_name(space: Workspace, tmp_path: Path):
    space.register(Registration("wiki", tmp_path / "mine", None, EncoderSpec()))
    text = write_flat(tmp_path, "dot")
    with pytest.raises(
        LensError, match=r"^wiki is another data set .*; give this one another name$"
    ):
        imported(space, text)


def test_an_approximate_search_is_measured(space: Workspace, tmp_path: Path):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(400, 8)).astype(np.float32)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(8), 8, 20, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)
    index.add(vectors)
    index.nprobe = 1
    faiss.write_index(index, str(tmp_path / "i.faiss"))
    write_table(tmp_path / "i.jsonl", list(map(str, range(400))), [{"text": "x"}] * 400)
    result = imported(space, f"faiss:{tmp_path}/i.faiss#{tmp_path}/i.jsonl")
    assert result.agreement is not None
    assert 0.2 < result.agreement < 0.9
