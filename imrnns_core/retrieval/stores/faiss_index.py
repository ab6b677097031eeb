"""A FAISS index in a file, and a table of its documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.columns import document_columns
from imrnns_core.data.readers.files import list_files
from imrnns_core.data.readers.rows import read_rows
from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.store import Hits, TextFields
from imrnns_core.types import FloatArray, IntArray, Similarity


class FaissStore:
    """A FAISS index, which holds vectors alone, and the table that has ids and texts.

    The rows of the table are in the order of the index. If the index has numbers of its own
    (IndexIDMap), they are the ids in the table, and its order is free.

    Raises:
        StoreError: If a file cannot be read, or they do not belong together.
        DataError: If the table cannot be read.
    """

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        self._index, labels = self._read(Path(address.place).expanduser())
        records = self._records(Path(address.collection).expanduser())
        if labels is None and len(records) != self._index.ntotal:
            raise address.error(
                f"the index has {self._index.ntotal} vectors, the table {len(records)} documents",
                "name the table whose rows were indexed, in their order",
            )
        self.ids: tuple[str, ...] = tuple(records) if labels is None else labels
        unknown = [i for i in self.ids if i not in records]
        if unknown:
            raise address.error(
                f"{len(unknown)} numbers of the index are no id of the table, first {unknown[0]}",
                "name the table whose ids are the numbers of the index",
            )
        self._fields = records
        # an IVF index finds its vectors by its own numbers, all others by their position
        numbers = map(int, self.ids) if self._by_number else range(len(self.ids))
        self._numbers = dict(zip(self.ids, numbers, strict=True))
        self._ids = {number: i for i, number in self._numbers.items()}

    @property
    def similarity(self) -> Similarity | None:
        """Dot product for an index of inner products."""
        return "dot" if self._index.metric_type == faiss.METRIC_INNER_PRODUCT else None

    def vectors(self, ids: Sequence[str]) -> FloatArray:
        """Return the vectors, which an index with compression keeps only roughly."""
        try:
            return np.stack([self._index.reconstruct(self._numbers[i]) for i in ids])
        except RuntimeError:
            raise self._address.error(
                "an index of this type does not return its vectors",
                "use a flat, HNSW or IVF index, or give the vectors with --embeddings",
            ) from None

    def texts(self, ids: Sequence[str]) -> list[TextFields]:
        """Return the records of the table."""
        return [self._fields[i] for i in ids]

    def search(self, vector: FloatArray, k: int) -> Hits:
        """Return the k nearest documents."""
        scores, numbers = self._index.search(vector[None], min(k, len(self.ids)))
        sign = 1.0 if self.similarity == "dot" else -1.0
        return [
            (self._ids[number], sign * float(score))
            for number, score in zip(numbers[0].tolist(), scores[0].tolist(), strict=True)
            if number >= 0  # an approximate index may find fewer
        ]

    def close(self) -> None:
        """Do nothing: the index is in memory."""

    def _read(self, path: Path) -> tuple[Any, tuple[str, ...] | None]:
        """Return the index without its numbers, and those as ids, if it has any."""
        limit = faiss.get_deserialization_vector_byte_limit()
        try:
            # no vector in the file can be larger than the file
            faiss.set_deserialization_vector_byte_limit(max(path.stat().st_size, 1))
            self._owner = faiss.read_index(str(path))  # it frees the index and inner ones
            index = faiss.downcast_index(self._owner)
            labels, self._by_number = None, False
            if isinstance(index, faiss.IndexIDMap):
                labels = tuple(map(str, faiss.vector_to_array(index.id_map).tolist()))
                index = faiss.downcast_index(index.index)
            if isinstance(index, faiss.IndexIVF):
                numbers = _inverted_numbers(index)
                if np.array_equal(numbers, np.arange(index.ntotal)):
                    index.make_direct_map()
                else:
                    index.set_direct_map_type(faiss.DirectMap.Hashtable)  # type: ignore[attr-defined]
                    labels, self._by_number = tuple(map(str, numbers.tolist())), True
        except (RuntimeError, OSError, MemoryError):
            problem = "not a FAISS index" if path.is_file() else "the file does not exist"
            remedy = "write it with faiss.write_index"
            raise self._address.error(problem, remedy) from None
        finally:  # it is that of the whole process
            faiss.set_deserialization_vector_byte_limit(limit)
        return index, labels

    def _records(self, path: Path) -> dict[str, TextFields]:
        """Return id → record of the table, in its order."""
        report = FileReport(str(path), "documents")
        rows = [record for _, record in read_rows(list_files(path).files[0], report)]
        column = document_columns(rows[:20], {}, path).get("id") if rows else None
        if column is None:
            raise self._address.error("the table has no column of ids", "name the column id")
        records: dict[str, TextFields] = {}
        for row in rows:
            identifier = str(row.get(column))
            if identifier in records:
                remedy = "give every document its own id"
                raise self._address.error(f"id {identifier!r} occurs twice in the table", remedy)
            records[identifier] = {k: v for k, v in row.items() if k != column}
        return records


def _inverted_numbers(index: Any) -> IntArray:
    """Return the numbers (N,) of the vectors of an IVF index, ascending."""
    lists = index.invlists
    sizes = [lists.list_size(i) for i in range(index.nlist)]
    own = [
        faiss.rev_swig_ptr(lists.get_ids(i), size).copy() for i, size in enumerate(sizes) if size
    ]
    return np.sort(np.concatenate([np.zeros(0, np.int64), *own]))
