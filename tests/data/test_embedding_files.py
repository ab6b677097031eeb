"""Precomputed embeddings in .npz and Parquet files, and folders without queries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from imrnns_core.data.embedding_files import FORMATS, embedding_files, read_embeddings
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.errors import DataError

DOCUMENTS = np.array([[1.0, 0.0], [0.5, -0.25], [0.0, 2.0]], dtype=np.float32)
QUERIES = np.array([[0.25, 1.0]], dtype=np.float32)
IDS = ("a", "b", "3")


def parquet(path: Path, ids: Any, vectors: Any, kind: Any = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    column = pa.array(vectors, kind or pa.list_(pa.float64()))
    pq.write_table(pa.table({"id": ids, "vector": column, "text": ["x"] * len(ids)}), path)
    return path


def npy(folder: Path, queries: bool) -> Path:
    folder.mkdir()
    save_embeddings(EmbeddingMatrix(IDS, DOCUMENTS), folder, "documents", "document")
    if queries:
        save_embeddings(EmbeddingMatrix(("q",), QUERIES), folder, "queries", "query")
    return folder


def npz(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


BOTH: dict[str, Callable[[Path], Path]] = {
    "npy": lambda folder: npy(folder / "v", queries=True),
    "npz": lambda folder: npz(
        folder / "v.npz",
        documents=DOCUMENTS.astype(np.float64),
        document_ids=np.array(IDS),
        queries=QUERIES,
        query_ids=np.array([b"q"]),
    ),
    "parquet": lambda folder: parquet(
        parquet(
            parquet(folder / "v" / "part-0.parquet", ["a"], DOCUMENTS[:1].tolist()).parent
            / "part-1.parquet",
            ["b", "3"],
            DOCUMENTS[1:].tolist(),
        ).parent
        / "queries"
        / "0.parquet",
        ["q"],
        QUERIES.tolist(),
    ).parents[1],
}
DOCUMENTS_ONLY: dict[str, Callable[[Path], Path]] = {
    "npy": lambda folder: npy(folder / "v", queries=False),
    "npz": lambda folder: npz(folder / "v.npz", documents=DOCUMENTS, document_ids=np.array(IDS)),
    "parquet": lambda folder: parquet(folder / "v.parquet", IDS, DOCUMENTS.tolist()),
    "parquet of fixed size": lambda folder: parquet(
        folder / "v.parquet", IDS, DOCUMENTS.tolist(), pa.list_(pa.float32(), 2)
    ),
    "parquet of halves": lambda folder: parquet(
        folder / "v.parquet", IDS, DOCUMENTS.tolist(), pa.large_list(pa.float16())
    ),
}


@pytest.mark.parametrize("kind", BOTH)
def test_documents_and_queries_are_read(tmp_path: Path, kind: str):
    documents, queries = read_embeddings(BOTH[kind](tmp_path))
    assert queries is not None
    assert (documents.ids, queries.ids) == (IDS, ("q",))
    assert documents.vectors.dtype == queries.vectors.dtype == np.float32
    np.testing.assert_array_equal(documents.vectors, DOCUMENTS)
    np.testing.assert_array_equal(queries.vectors, QUERIES)


@pytest.mark.parametrize("kind", DOCUMENTS_ONLY)
def test_queries_are_optional(tmp_path: Path, kind: str):
    documents, queries = read_embeddings(DOCUMENTS_ONLY[kind](tmp_path))
    assert (documents.ids, queries) == (IDS, None)
    np.testing.assert_array_equal(documents.vectors, DOCUMENTS)


def test_numbers_are_ids_too(tmp_path: Path):
    documents, _ = read_embeddings(parquet(tmp_path / "v.parquet", [7, 12], [[1.0], [2.0]]))
    assert documents.ids == ("7", "12")
    archive = npz(tmp_path / "v.npz", documents=DOCUMENTS, document_ids=np.arange(3))
    assert read_embeddings(archive)[0].ids == ("0", "1", "2")


@pytest.mark.parametrize("kind", BOTH)
def test_the_files_that_are_read_are_listed(tmp_path: Path, kind: str):
    path = BOTH[kind](tmp_path)
    files = [file for file in embedding_files(path) if file.is_file()]
    on_disk = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    assert sorted(files) == sorted(on_disk)


SAVE_AS_TEXT = "write vectors and ids with numpy.savez; save ids as text: numpy.array(ids, str)"
FAULTY: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no file": (lambda folder: folder / "v.npz", f"v.npz: file not found; {FORMATS}"),
    "nothing": (lambda folder: folder / "v", f"v: file not found; {FORMATS}"),
    "a text file": (
        lambda folder: (folder / "v.txt").write_text("x") and folder / "v.txt",
        f"v.txt: no embeddings; {FORMATS}",
    ),
    "no documents": (
        lambda folder: npz(folder / "v.npz", vectors=DOCUMENTS),
        f"v.npz: contains no array named documents; {FORMATS}",
    ),
    "no ids": (
        lambda folder: npz(folder / "v.npz", documents=DOCUMENTS),
        "v.npz: contains no array named document_ids; add the ids of documents",
    ),
    "too few ids": (
        lambda folder: npz(folder / "v.npz", documents=DOCUMENTS, document_ids=["a"]),
        "v.npz: 1 document_ids for 3 rows of documents; give every row one id",
    ),
    "an id twice": (
        lambda folder: npz(folder / "v.npz", documents=DOCUMENTS, document_ids=["a", "b", "a"]),
        "v.npz:3: id 'a' occurs twice; give every row its own id",
    ),
    "whole numbers": (
        lambda folder: npz(folder / "v.npz", documents=[[1]], document_ids=["a"]),
        "v.npz: documents holds int64 of shape (1, 1); expected a matrix of float16, float32 or "
        "float64, one row per text",
    ),
    "not a number": (
        lambda folder: npz(folder / "v.npz", documents=[[np.nan]], document_ids=["a"]),
        "v.npz: row 0 ('a') holds NaN or infinity; encode this text again",
    ),
    "another column": (
        lambda folder: pq.write_table(pa.table({"id": ["a"], "e": [1]}), folder / "v.parquet")
        or folder / "v.parquet",
        f"v.parquet: no column vector among id, e; {FORMATS}",
    ),
    "a column of texts": (
        lambda folder: parquet(folder / "v.parquet", ["a"], ["x"], pa.string()),
        "v.parquet: the column vector holds string; write lists of floating-point numbers",
    ),
    "another length": (
        lambda folder: parquet(folder / "v.parquet", ["a", "b"], [[1.0, 0.0], [1.0]]),
        "v.parquet: row 1 ('b') has 1 numbers, row 0 has 2; encode this text again",
    ),
    "an empty vector": (
        lambda folder: parquet(folder / "v.parquet", ["a", "b"], [[1.0, 0.0], None]),
        "v.parquet: row 1 ('b') has 0 numbers, row 0 has 2; encode this text again",
    ),
    "an empty number": (
        lambda folder: parquet(folder / "v.parquet", ["a"], [[1.0, None]]),
        "v.parquet: a vector holds an empty number; encode the texts again",
    ),
    "no row": (
        lambda folder: parquet(folder / "v.parquet", pa.array([], pa.string()), []),
        "v.parquet: contains no vector; write one row per text",
    ),
    "other dimensions": (
        lambda folder: parquet(
            parquet(folder / "v" / "0.parquet", ["a"], [[1.0]]).parent / "1.parquet",
            ["b"],
            [[1.0, 2.0]],
        ).parent,
        "v/1.parquet: vectors of 2 dimensions, 0.parquet has 1; write vectors of one encoder",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTY)
def test_faulty_embeddings_give_one_line(tmp_path: Path, case: str):
    write, expected = FAULTY[case]
    path = write(tmp_path)
    with pytest.raises(DataError) as caught:
        read_embeddings(path)
    assert str(caught.value) == f"{tmp_path}/{expected}"


@pytest.mark.parametrize("raw", [b"", b"junk", b"PK\x03\x04", b"\x93NUMPY\x01\x00"])
@pytest.mark.parametrize("name", ["v.npz", "v.parquet"])
def test_a_damaged_file_gives_one_line(tmp_path: Path, name: str, raw: bytes):
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(DataError) as caught:
        read_embeddings(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


def test_no_pickle_is_opened(tmp_path: Path):
    path = npz(tmp_path / "v.npz", documents=DOCUMENTS, document_ids=np.array(IDS, dtype=object))
    with pytest.raises(DataError) as caught:
        read_embeddings(path)
    assert str(caught.value).endswith(SAVE_AS_TEXT)
    array = tmp_path / "array.npz"
    with array.open("wb") as handle:
        np.save(handle, DOCUMENTS)
    with pytest.raises(DataError, match=r"array\.npz: not a readable \.npz file"):
        read_embeddings(array)
