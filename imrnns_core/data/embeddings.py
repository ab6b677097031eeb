"""Matrices of embeddings with one id per row, in memory or memory-mapped."""

from __future__ import annotations

import hashlib
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.errors import DataError
from imrnns_core.types import FloatArray, IntArray

EMBEDDING_FILES = ("documents.npy", "document_ids.txt", "queries.npy", "query_ids.txt")
"""Files in a folder of precomputed embeddings."""
MEMORY_MAP_BYTES = 512 * 2**20
"""Larger float32 files are memory-mapped instead of read."""
ARRAY_DAMAGE = (
    *(OSError, ValueError, TypeError, EOFError, SyntaxError, RecursionError, MemoryError),
    *(AttributeError, KeyError, OverflowError, zipfile.BadZipFile, zlib.error, tokenize.TokenError),
    *(NotImplementedError, RuntimeError, struct.error),
)
"""What numpy raises for a damaged .npy or .npz file."""
LENGTH_SAMPLE = 1000
"""Approximate number of vectors whose lengths are compared."""
LENGTH_TOLERANCE = 0.005
"""Relative difference up to which two lengths count as equal; float16 rounds to about 0.0005."""


@dataclass(frozen=True)
class EmbeddingMatrix:
    """Embeddings of N texts: `ids` and `vectors` (N, n) float32, one row per id."""

    ids: tuple[str, ...]
    vectors: FloatArray

    @property
    def dimension(self) -> int:
        """Number of dimensions n."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def empty(cls, ids: Iterable[str]) -> EmbeddingMatrix:
        """Return N vectors of 0 dimensions, for texts that have no embeddings."""
        own = tuple(ids)
        return cls(own, np.zeros((len(own), 0), dtype=np.float32))

    @cached_property
    def row(self) -> dict[str, int]:
        """Id → row."""
        return {i: row for row, i in enumerate(self.ids)}

    @cached_property
    def common_length(self) -> float | None:
        """The length of all vectors, exactly 1 for unit vectors; None if their lengths differ.

        It is also None for a single vector whose length is not 1.
        """
        sampled = self.vectors[:: max(1, len(self) // LENGTH_SAMPLE)]
        lengths = np.linalg.norm(np.asarray(sampled, dtype=np.float32), axis=1)
        lengths = lengths[lengths > 0]  # an empty text may have a zero vector
        if not len(lengths):
            return None
        length = float(np.median(lengths))
        if np.abs(lengths - length).max() > LENGTH_TOLERANCE * length:
            return None
        if abs(length - 1.0) <= LENGTH_TOLERANCE:
            return 1.0
        # a single vector does not show that all have this length
        return length if len(lengths) > 1 else None

    @cached_property
    def zero_ids(self) -> tuple[str, ...]:
        """The ids whose vectors are zero. They have no direction, so their rank has no meaning."""
        zero = np.flatnonzero(~self.vectors.any(axis=1))
        return tuple(self.ids[row] for row in zero)

    def rows(self, ids: Sequence[str]) -> IntArray:
        """Return (R,) rows of R ids.

        Raises:
            KeyError: If an id is unknown; it names the first one.
        """
        return np.array([self.row[i] for i in ids], dtype=np.int64)

    def aligned_to(self, ids: Sequence[str], path: Path, remedy: str) -> EmbeddingMatrix:
        """Return the matrix with its rows in the order of `ids`.

        Args:
            ids: The ids that are needed.
            path: The file that the error names.
            remedy: The remedy that the error names.

        Raises:
            DataError: If an id has no vector.
        """
        if tuple(ids) == self.ids:
            return self
        missing = [i for i in ids if i not in self.row]
        if missing:
            raise DataError(
                path,
                f"{len(missing)} of {len(ids)} ids have no vector, first {missing[0]!r}",
                remedy,
            )
        return EmbeddingMatrix(tuple(ids), self.vectors[self.rows(ids)])


BLOCK = 65_536
"""Vectors of a large corpus that are changed at once."""


def unit(vectors: FloatArray) -> FloatArray:
    """Return (…, n) vectors, L2-normalised; a zero vector stays zero."""
    if vectors.ndim == 2 and len(vectors) > BLOCK:  # otherwise with copies of a large corpus
        scaled = np.empty(vectors.shape, dtype=np.float32)
        for start in range(0, len(vectors), BLOCK):
            scaled[start : start + BLOCK] = unit(vectors[start : start + BLOCK])
        return scaled
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def tie_ranks(ids: Sequence[str]) -> IntArray:
    """Return the order (N,) of documents with equal scores, counted from 0, by their N ids.

    It is the order of a hash of the ids. So it does not depend on the order of the corpus, and no
    judgment can depend on it, as one could on the ids or on the lines of the file.
    """
    # JSON can contain half of a surrogate pair, which is not UTF-8
    hashes = [hashlib.sha256(i.encode(errors="surrogatepass")).digest() for i in ids]
    ranks = np.empty(len(ids), dtype=np.int64)
    ranks[sorted(range(len(ids)), key=hashes.__getitem__)] = np.arange(len(ids))
    return ranks


def load_embeddings(folder: Path, stem: str, id_stem: str) -> EmbeddingMatrix:
    """Read `STEM.npy` (floating point) and `ID_STEM_ids.txt`, which has one id per line.

    Raises:
        DataError: If a file is missing or unreadable, the number of ids differs from the number of
            rows, an id occurs twice, a value is not finite, or all vectors are zero.
    """
    path, ids_path = folder / f"{stem}.npy", folder / f"{id_stem}_ids.txt"
    for required in (path, ids_path):
        if not required.is_file():
            *others, last = EMBEDDING_FILES
            remedy = f"a folder of embeddings contains {', '.join(others)} and {last}"
            raise DataError(required, "file not found", remedy)
    raw, ids = _load_matrix(path), _load_ids(ids_path)
    if len(ids) != len(raw):
        raise DataError(
            ids_path,
            f"{len(ids)} ids for {len(raw)} rows of {path.name}",
            "write one id per line, in the order of the rows",
        )
    return checked_matrix(ids, raw, path)


def checked_matrix(ids: tuple[str, ...], raw: NDArray[np.floating], path: Path) -> EmbeddingMatrix:
    """Return the matrix of N ids and their (N, n) vectors, which were read from a file.

    Raises:
        DataError: If a value is not finite, or all vectors are zero.
    """
    # a memory-mapped matrix must not be copied, so float32 is passed through
    with np.errstate(over="ignore"):  # a float64 beyond float32 is infinite, which is refused
        vectors = raw if raw.dtype == np.float32 else raw.astype(np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(
            path, f"row {row} ({ids[row]!r}) holds NaN or infinity", "encode this text again"
        )
    if len(vectors) and not vectors.any():
        raise DataError(path, f"all {len(vectors)} vectors are zero", "encode the texts again")
    return EmbeddingMatrix(ids, vectors)


def _load_matrix(path: Path) -> NDArray[np.floating]:
    """Return a (N, n) floating-point matrix; a large one is memory-mapped.

    Raises:
        DataError: If the file is not such a matrix.
    """
    remedy = "write it with numpy.save as float16, float32 or float64"
    mapped: Literal["r"] | None = "r" if path.stat().st_size > MEMORY_MAP_BYTES else None
    try:
        with path.open("rb") as file:
            check_header(file, path.stat().st_size)
        # a pickle could run code
        raw = np.load(path, allow_pickle=False, mmap_mode=mapped)
    except ARRAY_DAMAGE as error:
        raise DataError(path, f"not a readable .npy file ({_first_line(error)})", remedy) from None
    if not isinstance(raw, np.ndarray):
        raise DataError(path, "contains an archive of arrays instead of one array", remedy)
    check_shape(raw, path)
    return raw


def check_header(file: IO[bytes], size: int) -> None:
    """Check that an array in the .npy format is not larger than its file says.

    Args:
        file: The file at its start.
        size: Its bytes.

    Raises:
        ValueError: If the array is larger, or its header is damaged.
    """
    version = np.lib.format.read_magic(file)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(file)
    needed = math.prod(shape) * dtype.itemsize
    if needed > size:
        raise ValueError(f"its header names {needed:,} bytes, the file has {size:,}")


def check_shape(raw: NDArray[Any], path: Path, name: str = "") -> None:
    """Check that an array is a matrix of floating-point numbers.

    Args:
        raw: The array.
        path: Its file.
        name: Its name in the file, if that has several.

    Raises:
        DataError: If it is not.
    """
    if raw.ndim != 2 or raw.dtype not in (np.float16, np.float32, np.float64):
        raise DataError(
            path,
            f"{name}{' ' if name else ''}holds {raw.dtype} of shape {raw.shape}",
            "expected a matrix of float16, float32 or float64, one row per text",
        )


def _load_ids(path: Path) -> tuple[str, ...]:
    """Read the ids of a file, one per line.

    Raises:
        DataError: If an id occurs twice or the file is not UTF-8.
    """
    try:
        # a byte order mark is not part of the first id; `splitlines` would split at more characters
        ids = tuple(path.read_text(encoding="utf-8-sig").split("\n"))
    except UnicodeDecodeError as error:
        raise DataError(
            path, f"not UTF-8 at byte {error.start}", "save the file as UTF-8"
        ) from None
    ids = ids[:-1] if ids and ids[-1] == "" else ids
    check_distinct(ids, path)
    return ids


def check_distinct(ids: Sequence[str], path: Path) -> None:
    """Check that no id occurs twice.

    Raises:
        DataError: If one does; it names the line, or the row from 1.
    """
    first_line: dict[str, int] = {}
    for line, text_id in enumerate(ids, start=1):
        if first_line.setdefault(text_id, line) != line:
            raise DataError(path, f"id {text_id!r} occurs twice", "give every row its own id", line)


def save_embeddings(
    matrix: EmbeddingMatrix, folder: Path, stem: str, id_stem: str, dtype: type = np.float32
) -> None:
    """Write the two files that `load_embeddings` reads into an existing folder."""
    np.save(folder / f"{stem}.npy", matrix.vectors.astype(dtype, copy=False))
    (folder / f"{id_stem}_ids.txt").write_text(
        "".join(f"{i}\n" for i in matrix.ids), encoding="utf-8"
    )


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
