"""A data set that was read from a vector store.

    WORKSPACE/stores/NAME/documents/corpus.jsonl      id and text fields of each document
    WORKSPACE/stores/NAME/embeddings/                 documents.npy, document_ids.txt
    WORKSPACE/stores/NAME/manifest.json               the address, without password

The store is read once, so that results stay as they are when it changes. `prepare` reads it again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings, unit
from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.documents import one_line
from imrnns_core.errors import LensError
from imrnns_core.io import atomic_write, locked, recover_folder, write_checked_json
from imrnns_core.printable import file_name
from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.store import VectorStore
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.store_files import store_digests
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray, LabelledProgress, Similarity

SCHEMA = 1
BATCH = 500
"""Documents that are read at a time."""
ROUNDING_SHARE = 1e-3
CHECKS, CHECK_DEPTH = 20, 10
"""Queries whose results in the store are compared with exact ones, and the depth."""


@dataclass(frozen=True)
class StoreImport:
    """What was read from a store.

    Attributes:
        registration: The data set; it is not registered yet.
        documents: Number of documents.
        is_distance: Whether the store ranks by a distance that differs from the cosine.
        agreement: Share of exact results that the store's own search returns, None if unknown.
    """

    registration: Registration
    documents: int
    is_distance: bool
    agreement: float | None


def import_store(
    space: Workspace,
    name: str,
    address: StoreAddress,
    store: VectorStore,
    id_field: str = "",
    progress: LabelledProgress | None = None,
) -> StoreImport:
    """Read all documents of a store into the workspace.

    Args:
        space: The workspace.
        name: The name of the data set.
        address: The address of the store.
        store: The opened store.
        id_field: A field of the store that has the ids; empty means the ids of the store.
        progress: Called with ("documents", done, total).

    Raises:
        StoreError: If there is no document, or an id is missing or occurs twice.
        LensError: If another data set has this name.
    """
    folder = space.root / "stores" / file_name(name)
    previous = space.registrations().get(name)
    if previous is not None and not previous.path.is_relative_to(folder):
        raise LensError(f"{name} is another data set ({previous.path}); give this one another name")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder), atomic_write(folder) as temporary:
        recover_folder(folder)
        (temporary / "documents").mkdir(parents=True)
        matrix = _read(temporary / "documents", address, store, id_field, progress)
        (temporary / "embeddings").mkdir()
        save_embeddings(matrix, temporary / "embeddings", "documents", "document")
        manifest = {"schema": SCHEMA, "store": str(address), "documents": len(matrix)}
        manifest |= {"similarity": store.similarity, "files": store_digests(temporary)}
        write_checked_json(temporary / "manifest.json", manifest)
    # vectors of one length have the same order by cosine, dot product and distance
    equal = matrix.common_length is not None
    similarity: Similarity = "dot" if store.similarity == "dot" and not equal else "cosine"
    encoder = previous.encoder if previous else EncoderSpec()
    registration = Registration(
        name,
        folder / "documents",
        folder / "embeddings",
        encoder,
        previous.queries if previous else None,
        similarity=similarity,
    )
    is_distance = store.similarity is None and not equal
    return StoreImport(registration, len(matrix), is_distance, _agreement(store, matrix.vectors))


def _read(
    folder: Path,
    address: StoreAddress,
    store: VectorStore,
    id_field: str,
    progress: LabelledProgress | None,
) -> EmbeddingMatrix:
    """Write the texts into a folder, and return the vectors."""
    stored, names, parts = store.ids, dict[str, None](), []
    if not stored:
        raise address.error("contains no document with a vector", "name another collection")
    report = FileReport(str(address), "documents")
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as corpus:
        for start in range(0, len(stored), BATCH):
            ids = stored[start : start + BATCH]
            parts.append(store.vectors(ids))
            for own, fields in zip(ids, store.texts(ids), strict=True):
                name = _name(own, fields.get(id_field), id_field, address)
                name = one_line(name, report, 1 + len(names))  # as the reader of the file does
                if name in names:
                    remedy = f"leave out --column id={id_field}" if id_field else "change it"
                    raise address.error(f"id {name!r} occurs twice", remedy)
                names[name] = None
                record = {"_id": name, **{k: v for k, v in fields.items() if k != "_id"}}
                corpus.write(json.dumps(record, ensure_ascii=False, default=str) + "\n")
            if progress:
                progress("documents", len(names), len(stored))
    return EmbeddingMatrix(tuple(names), np.concatenate(parts))


def _name(own: str, value: object, id_field: str, address: StoreAddress) -> str:
    if not id_field:
        return own
    if value in (None, ""):
        raise address.error(f"{own} has no field {id_field!r}", "leave out --column id=…")
    return str(value)


def _agreement(store: VectorStore, vectors: FloatArray) -> float | None:
    """Return the share of exact results that the store's own search returns, too.

    Every so many documents, one is the query. None if the store ranks by another distance.
    """
    if store.similarity is None:
        return None
    vectors = unit(vectors) if store.similarity == "cosine" else vectors
    row = {own: i for i, own in enumerate(store.ids)}
    depth, shares = min(CHECK_DEPTH, len(row)), list[float]()
    for query in vectors[:: max(1, len(row) // CHECKS)][:CHECKS]:
        scores = vectors @ query
        lowest = np.sort(scores)[-depth]
        found = scores[[row[i] for i, _ in store.search(query, depth) if i in row]]
        # documents with the same score can replace each other, and stores round differently
        shares.append(np.count_nonzero(found >= lowest - ROUNDING_SHARE * abs(lowest)) / depth)
    return float(np.mean(shares))
