"""Precomputed embeddings: a folder of .npy files, an .npz file, or Parquet files."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.embeddings import (
    ARRAY_DAMAGE,
    EMBEDDING_FILES,
    EmbeddingMatrix,
    check_distinct,
    check_header,
    check_shape,
    checked_matrix,
    load_embeddings,
)
from imrnns_core.data.readers.parquet_rows import open_parquet, unreadable
from imrnns_core.data.readers.unpacked_size import check_ratio, zip_members
from imrnns_core.errors import DataError

FORMATS = (
    "embeddings are a folder with documents.npy and document_ids.txt, an .npz file with documents "
    "and document_ids, or Parquet files with the columns id and vector"
)
ARRAYS = {"documents": "document_ids", "queries": "query_ids"}
"""Array of vectors in an .npz file → array of their ids."""
COLUMNS = ("id", "vector")
"""Columns of a Parquet file."""
_QUERIES = "quer"
"""Parquet files with a name, or in a folder, that starts so contain vectors of queries."""

Precomputed = tuple[EmbeddingMatrix, EmbeddingMatrix | None]
"""Embeddings of the documents and of the queries, which may be missing."""


def read_embeddings(path: Path) -> Precomputed:
    """Read the embeddings of documents and, if there are any, of queries.

    Args:
        path: A folder with `documents.npy`, `document_ids.txt`, `queries.npy` and
            `query_ids.txt`; an .npz file with the arrays of `ARRAYS`; a Parquet file; or a folder
            of Parquet files.

    Raises:
        DataError: If there are no embeddings, or a file is faulty.
    """
    if path.suffix.lower() == ".npz":
        return _read_archive(path)
    documents, queries = _parquet_files(path)
    if documents:
        return _read_tables(documents), _read_tables(queries) if queries else None
    if not path.is_dir():
        raise DataError(path, "file not found" if not path.exists() else "no embeddings", FORMATS)
    matrix = load_embeddings(path, "documents", "document")
    if not any((path / name).exists() for name in EMBEDDING_FILES[2:]):
        return matrix, None
    return matrix, load_embeddings(path, "queries", "query")


def embedding_files(path: Path) -> list[Path]:
    """Return the files that `read_embeddings` reads."""
    documents, queries = _parquet_files(path)
    tables = [*documents, *queries]
    return tables or ([path / name for name in EMBEDDING_FILES] if path.is_dir() else [path])


def _parquet_files(path: Path) -> tuple[list[Path], list[Path]]:
    """Return the Parquet files of documents and of queries; empty if there are .npy files."""
    if path.is_file():
        return ([path] if path.suffix.lower() == ".parquet" else []), []
    if (path / EMBEDDING_FILES[0]).exists():
        return [], []
    files = sorted(path.rglob("*.parquet"))
    queries = [f for f in files if _is_of_queries(f.relative_to(path))]
    return [file for file in files if file not in queries], queries


def _is_of_queries(name: Path) -> bool:
    return any(part.lower().startswith(_QUERIES) for part in name.parts)


def _read_archive(path: Path) -> Precomputed:
    """Read an .npz file.

    Raises:
        DataError: If it is not one, or an array is missing or faulty.
    """
    if not path.is_file():
        raise DataError(path, "file not found", FORMATS)
    try:
        _check_members(path)
        # a pickle could run code
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if name in _names()}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):
            raise ValueError("not all of it is arrays")
    # numpy raises ValueError for a pickle, and returns other files as an array without `files`
    except ARRAY_DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        remedy = "write vectors and ids with numpy.savez; save ids as text: numpy.array(ids, str)"
        raise DataError(path, f"not a readable .npz file ({reason})", remedy) from None
    matrices = {name: _of_arrays(name, arrays, path) for name in ARRAYS if name in arrays}
    if "documents" not in matrices:
        raise DataError(path, "contains no array named documents", FORMATS)
    return matrices["documents"], matrices.get("queries")


def _check_members(path: Path) -> None:
    """Check the sizes of the arrays of an .npz file before they take memory."""
    if not zipfile.is_zipfile(path):
        raise ValueError("it is no zip")
    for member in zip_members(path):
        check_ratio(path, member.compress_size, member.file_size)
        with zipfile.ZipFile(path) as archive, archive.open(member) as file:
            if member.filename.removesuffix(".npy") in _names():
                check_header(file, member.file_size)


def _names() -> set[str]:
    return {*ARRAYS, *ARRAYS.values()}


def _of_arrays(name: str, arrays: Mapping[str, NDArray[Any]], path: Path) -> EmbeddingMatrix:
    raw, ids_name = arrays[name], ARRAYS[name]
    check_shape(raw, path, name)
    if ids_name not in arrays:
        raise DataError(path, f"contains no array named {ids_name}", f"add the ids of {name}")
    try:
        ids = _ids(arrays[ids_name].ravel().tolist())
    except (SystemError, ValueError):  # numpy: characters that Unicode does not have
        problem = f"{ids_name} holds characters that do not exist"
        raise DataError(path, problem, "save ids as text: numpy.array(ids, str)") from None
    if len(ids) != len(raw):
        problem = f"{len(ids)} {ids_name} for {len(raw)} rows of {name}"
        raise DataError(path, problem, "give every row one id")
    check_distinct(ids, path)
    return checked_matrix(ids, raw, path)


def _ids(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in values)


def _read_tables(files: Sequence[Path]) -> EmbeddingMatrix:
    """Read Parquet files with the columns id and vector as one matrix."""
    ids, parts = list[str](), list[NDArray[np.floating]]()
    for file in files:
        file_ids, vectors = _read_table(file)
        if parts and vectors.shape[1] != parts[0].shape[1]:
            problem = f"vectors of {vectors.shape[1]} dimensions, {files[0].name} has "
            remedy = "write vectors of one encoder"
            raise DataError(file, f"{problem}{parts[0].shape[1]}", remedy)
        ids += file_ids
        parts.append(vectors)
    path = files[0] if len(files) == 1 else files[0].parent
    check_distinct(ids, path)
    return checked_matrix(tuple(ids), np.concatenate(parts), path)


def _read_table(path: Path) -> tuple[tuple[str, ...], NDArray[np.floating]]:
    """Return the ids and the (N, n) vectors of a Parquet file.

    Raises:
        DataError: If it cannot be read, a column is missing, or vectors differ in length.
    """
    import pyarrow.lib

    try:
        file = open_parquet(path, path.stat().st_size, path)
        columns = file.schema_arrow.names
        absent = [name for name in COLUMNS if name not in columns]
        if absent:
            problem = f"no column {absent[0]} among {', '.join(columns) or 'none'}"
            raise DataError(path, problem, FORMATS)
        table = file.read(columns=list(COLUMNS))
        ids = _ids(table["id"].to_pylist())
        return ids, _vectors(table["vector"], ids, path)
    except (pyarrow.lib.ArrowException, OSError, ValueError, OverflowError) as error:
        raise unreadable(path, error) from None


def _vectors(column: Any, ids: Sequence[str], path: Path) -> NDArray[np.floating]:
    """Return the (N, n) vectors of a column of lists."""
    import pyarrow.compute
    import pyarrow.types

    kind = column.type
    kind = kind.value_type if pyarrow.types.is_dictionary(kind) else kind
    is_list = any(
        test(kind)
        for test in (pyarrow.types.is_list, pyarrow.types.is_large_list,
                     pyarrow.types.is_fixed_size_list)
    )  # fmt: skip
    if not is_list or not pyarrow.types.is_floating(kind.value_type):
        problem = f"the column vector holds {kind}"
        raise DataError(path, problem, "write lists of floating-point numbers")
    lengths = pyarrow.compute.list_value_length(column).fill_null(0).to_numpy()
    if not len(lengths):
        raise DataError(path, "contains no vector", "write one row per text")
    dimension = int(lengths[0])
    other = np.flatnonzero(lengths != dimension)
    if dimension == 0 or len(other):
        row = int(other[0]) if len(other) else 0
        problem = f"row {row} ({ids[row]!r}) has {lengths[row]} numbers, row 0 has {dimension}"
        raise DataError(path, problem, "encode this text again")
    values = pyarrow.compute.list_flatten(column)
    if values.null_count:
        raise DataError(path, "a vector holds an empty number", "encode the texts again")
    vectors: NDArray[np.floating] = values.to_numpy().reshape(-1, dimension)
    return vectors
