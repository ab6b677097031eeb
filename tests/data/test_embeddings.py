"""Loading, saving and aligning embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imrnns_core.data.embeddings import EmbeddingMatrix, load_embeddings, save_embeddings, unit
from imrnns_core.errors import DataError

VECTORS = np.array([[1.0, 0.0], [0.5, -0.25]], dtype=np.float32)


def write(folder: Path, vectors: np.ndarray, ids: bytes = b"a\nb\n") -> Path:
    np.save(folder / "documents.npy", vectors)
    (folder / "document_ids.txt").write_bytes(ids)
    return folder


def load(folder: Path) -> EmbeddingMatrix:
    return load_embeddings(folder, "documents", "document")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("ids", [b"a\nb\n", b"a\nb", b"a\r\nb\r\n"])
def test_all_floating_point_types_are_loaded_as_float32(tmp_path: Path, dtype: type, ids: bytes):
    matrix = load(write(tmp_path, VECTORS.astype(dtype), ids))
    assert matrix.ids == ("a", "b")
    assert matrix.vectors.dtype == np.float32
    np.testing.assert_array_equal(matrix.vectors, VECTORS)
    assert (len(matrix), matrix.dimension, matrix.row) == (2, 2, {"a": 0, "b": 1})


def test_large_files_are_memory_mapped_with_the_same_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imrnns_core.data.embeddings.MEMORY_MAP_BYTES", 10)
    matrix = load(write(tmp_path, VECTORS))
    assert isinstance(matrix.vectors, np.memmap)
    np.testing.assert_array_equal(matrix.vectors, VECTORS)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_is_saved_is_loaded(tmp_path: Path, dtype: type):
    save_embeddings(EmbeddingMatrix(("ä", "b c"), VECTORS), tmp_path, "queries", "query", dtype)
    matrix = load_embeddings(tmp_path, "queries", "query")
    assert matrix.ids == ("ä", "b c")
    np.testing.assert_array_equal(matrix.vectors, VECTORS)
    assert np.load(tmp_path / "queries.npy").dtype == dtype


def test_ids_in_another_order_are_aligned():
    matrix = EmbeddingMatrix(("a", "b", "c"), np.array([[1, 0], [2, 0], [3, 0]], np.float32))
    aligned = matrix.aligned_to(("c", "a"), Path("ids.txt"), "make them again")
    assert aligned.ids == ("c", "a")
    np.testing.assert_array_equal(aligned.vectors, [[3, 0], [1, 0]])
    assert matrix.aligned_to(("a", "b", "c"), Path("ids.txt"), "") is matrix
    np.testing.assert_array_equal(matrix.rows(["c", "b"]), [2, 1])


def test_ids_without_a_vector_are_counted_and_the_first_is_named():
    matrix = EmbeddingMatrix(("a", "b"), VECTORS)
    with pytest.raises(DataError) as caught:
        matrix.aligned_to(("a", "x", "y"), Path("v/document_ids.txt"), "make them again")
    assert (
        str(caught.value)
        == "v/document_ids.txt: 2 of 3 ids have no vector, first 'x'; make them again"
    )


LAYOUT = (
    "a folder of embeddings contains documents.npy, document_ids.txt, queries.npy and query_ids.txt"
)
BAD = {
    "too few ids": (
        VECTORS,
        b"a\n",
        (
            "document_ids.txt: 1 ids for 2 rows of documents.npy; write one id per line, in the "
            "order of the rows"
        ),
    ),
    "too many ids": (
        VECTORS,
        b"a\nb\n\n",
        (
            "document_ids.txt: 3 ids for 2 rows of documents.npy; write one id per line, in the "
            "order of the rows"
        ),
    ),
    "duplicate ids": (
        VECTORS,
        b"a\na\n",
        "document_ids.txt:2: id 'a' occurs twice; give every row its own id",
    ),
    "not a number": (
        np.array([[1, 0], [np.nan, 0]], np.float32),
        b"a\nb\n",
        "documents.npy: row 1 ('b') holds NaN or infinity; encode this text again",
    ),
    "opposite infinities": (
        np.array([[np.inf, -np.inf], [1, 0]], np.float16),
        b"a\nb\n",
        "documents.npy: row 0 ('a') holds NaN or infinity; encode this text again",
    ),
    "whole numbers": (
        np.ones((2, 2), np.int64),
        b"a\nb\n",
        (
            "documents.npy: holds int64 of shape (2, 2); expected a matrix of float16, float32 or "
            "float64, one row per text"
        ),
    ),
    "one axis": (
        np.ones(2, np.float32),
        b"a\nb\n",
        (
            "documents.npy: holds float32 of shape (2,); expected a matrix of float16, float32 or "
            "float64, one row per text"
        ),
    ),
}


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("case", BAD)
def test_faulty_vectors_give_a_one_line_error(tmp_path: Path, case: str):
    vectors, ids, expected = BAD[case]
    with pytest.raises(DataError) as caught:
        load(write(tmp_path, vectors, ids))
    assert str(caught.value) == f"{tmp_path}/{expected}"


@pytest.mark.parametrize("name", ["documents.npy", "document_ids.txt"])
def test_a_missing_file_names_the_layout(tmp_path: Path, name: str):
    (write(tmp_path, VECTORS) / name).unlink()
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path}/{name}: file not found; {LAYOUT}"


@pytest.mark.parametrize("raw", [b"", b"junk", b"\x93NUMPY\x01\x00", np.array([{"a": 1}]).dumps()])
def test_a_file_that_is_not_a_matrix_is_refused_and_no_pickle_is_opened(tmp_path: Path, raw: bytes):
    (write(tmp_path, VECTORS) / "documents.npy").write_bytes(raw)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/documents.npy: not a readable .npy file (")
    assert message.endswith("; write it with numpy.save as float16, float32 or float64")
    assert "\n" not in message


def test_ids_that_are_not_utf8_give_a_one_line_error(tmp_path: Path):
    with pytest.raises(DataError, match=r"document_ids\.txt"):
        load(write(tmp_path, VECTORS, b"caf\xe9\nb\n"))


def test_a_byte_order_mark_is_not_part_of_an_id(tmp_path: Path):
    assert load(write(tmp_path, VECTORS, b"\xef\xbb\xbfa\nb\n")).ids == ("a", "b")


def test_an_archive_with_the_name_of_a_matrix_gives_a_one_line_error(tmp_path: Path):
    write(tmp_path, VECTORS)
    with (tmp_path / "documents.npy").open("wb") as handle:
        np.savez(handle, VECTORS)
    with pytest.raises(DataError, match=r"documents\.npy"):
        load(tmp_path)


def test_unit_vectors():
    np.testing.assert_allclose(
        unit(np.array([[3, 4], [0, 0], [-2, 0]], np.float32)),
        [[0.6, 0.8], [0, 0], [-1, 0]],
        atol=1e-7,
    )


def test_zero_vectors_are_named_and_a_file_of_zeros_is_refused(tmp_path: Path):
    matrix = EmbeddingMatrix(("a", "b", "c"), np.array([[0, 1], [0, 0], [0, 0]], np.float32))
    assert matrix.zero_ids == ("b", "c")
    zeros = EmbeddingMatrix(("a", "b"), np.zeros((2, 2), np.float32))
    save_embeddings(zeros, tmp_path, "documents", "document")
    with pytest.raises(DataError, match=r"documents.npy: all 2 vectors are zero; encode the texts"):
        load_embeddings(tmp_path, "documents", "document")
