"""The embeddings of a data set that the workspace encodes and keeps.

    documents.npy, document_ids.txt, queries.npy, query_ids.txt    vectors and ids
    documents-texts.npy, queries-texts.npy    (N, 32) SHA-256 of the text behind each vector
    encoding/                                 shards of an unfinished encode
    manifest.json                             what the vectors were made from, and a SHA-256 of each
                                              of these files

If the texts change, only those that have no vector yet are encoded.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix, load_embeddings, save_embeddings
from imrnns_core.encoding.encoder import Encoder, format_document, format_query
from imrnns_core.encoding.endpoint import announce
from imrnns_core.encoding.sharded import SHARD, Cluster, encode_shards
from imrnns_core.errors import DataError
from imrnns_core.io import (
    file_digests,
    locked,
    named_errors,
    none_if_damaged,
    read_json,
    recover_folder,
    replace_folder,
    write_json,
)
from imrnns_core.types import FloatArray, LabelledProgress

_LOG = logging.getLogger(__name__)
SCHEMA = 1
ID_STEMS = {"documents": "document", "queries": "query"}
Vectors = tuple[EmbeddingMatrix, EmbeddingMatrix]
"""Embeddings of the documents and of the queries, in the order of the data set."""


def stored_or_encoded_vectors(
    folder: Path,
    dataset: Dataset,
    encoder: Encoder,
    progress: LabelledProgress | None = None,
    unit: bool = True,
    cluster: Cluster | None = None,
) -> Vectors:
    """Return the stored embeddings of a data set; encode the texts that have none.

    An interrupted encode resumes after its last finished shard.

    Args:
        folder: Where they are stored.
        dataset: The data set.
        encoder: Its encoder.
        progress: Called with (label, done, total) while texts are encoded.
        unit: Whether the vectors have length 1, or the lengths that the encoder gives them.
        cluster: Encodes the texts; None encodes them in this process.
    """
    if stored := stored_vectors(folder, dataset, encoder, unit):
        return stored
    # of several processes that open a new data set, one encodes it, and the others wait for it
    with locked(folder):
        recover_folder(folder)
        stored = stored_vectors(folder, dataset, encoder, unit)
        return stored or encode_vectors(folder, dataset, encoder, progress, unit, cluster)


def stored_vectors(folder: Path, dataset: Dataset, encoder: Encoder, unit: bool) -> Vectors | None:
    """Return the stored embeddings of the same texts and encoder, or None if there are none."""
    return none_if_damaged(lambda: _stored(folder, dataset, _manifest(dataset, encoder, unit)))


def _manifest(dataset: Dataset, encoder: Encoder, unit: bool) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "dataset_digest": dataset.digest,
        "encoder": encoder.spec.to_json(),
        "shard": SHARD,
        # vectors of a model without one need no new encode when the package is updated
        **({"weights": encoder.weights_digest} if encoder.weights_digest else {}),
        **({} if unit else {"unit": False}),
    }


def _stored(folder: Path, dataset: Dataset, manifest: Mapping[str, Any]) -> Vectors | None:
    """Return the stored embeddings with this manifest.

    Raises:
        DataError: If they are damaged.
    """
    if _written(folder) != manifest:
        return None
    documents, queries = (load_embeddings(folder, *stems) for stems in ID_STEMS.items())
    if (documents.ids, queries.ids) != (dataset.document_ids, tuple(dataset.queries)):
        remedy = "delete it; the texts are encoded again"
        raise DataError(folder, "the ids differ from those of the data set", remedy)
    return documents, queries


def _written(folder: Path) -> Any:
    """Return the manifest in a folder; None if there is none, or a file has changed since.

    A changed bit of a vector would change rankings, and nobody would see it.
    """
    manifest = read_json(folder / "manifest.json")
    if not isinstance(manifest, dict):
        return None
    files = manifest.pop("files", None)  # older versions wrote no digests
    if files is not None and files != file_digests(folder):
        _LOG.warning("%s: a file is damaged, so its texts are encoded again", folder)
        return None
    return manifest


@dataclass(frozen=True)
class KnownVectors:
    """Vectors (N, n) by the hash of their text."""

    rows: Mapping[bytes, int]
    vectors: FloatArray

    @classmethod
    def of(cls, hashes: NDArray[np.uint8], vectors: FloatArray) -> KnownVectors:
        """Return the vectors (N, n) by the hashes (N, 32) of their texts."""
        return cls({row.tobytes(): i for i, row in enumerate(hashes)}, vectors)


@dataclass(frozen=True)
class Texts:
    """The texts of the documents, or of the queries.

    Attributes:
        ids: Ids of the N documents or queries.
        texts: Their N texts, as the encoder reads them.
        items: What `encode` takes for each of them.
        encode: Encodes R items to (R, n) vectors.
    """

    ids: tuple[str, ...]
    texts: Sequence[str]
    items: Sequence[Any]
    encode: Callable[[Sequence[Any]], FloatArray]

    @cached_property
    def hashes(self) -> list[bytes]:
        """SHA-256 of each text."""
        return [hashlib.sha256(t.encode(errors="surrogatepass")).digest() for t in self.texts]

    @property
    def hash_rows(self) -> NDArray[np.uint8]:
        """(N, 32) SHA-256 of each text."""
        return np.frombuffer(b"".join(self.hashes), dtype=np.uint8).reshape(-1, 32)

    def digest(self, rows: Sequence[int]) -> str:
        """Return a SHA-256 of the texts of some rows."""
        return hashlib.sha256(b"".join(self.hashes[row] for row in rows)).hexdigest()

    def missing(self, known: KnownVectors | None) -> list[int]:
        """Return one row for each text that has no known vector.

        Encoders round a text differently in another batch: with each text once, in an order of its
        own, the vectors do not depend on the order of the corpus.
        """
        row_of = dict(zip(self.texts, range(len(self.texts)), strict=True))
        rows = known.rows if known else {}
        return [row for _, row in sorted(row_of.items()) if self.hashes[row] not in rows]

    def matrix(
        self, known: KnownVectors | None, missing: list[int], new: FloatArray
    ) -> EmbeddingMatrix:
        """Return one vector per text, from the known ones and the new ones (R, n)."""
        rows = {self.hashes[row]: number for number, row in enumerate(missing)}
        vectors = new
        if known and known.rows:  # without vectors it has no dimensions either
            rows |= {text: len(missing) + row for text, row in known.rows.items()}
            vectors = np.concatenate([new, known.vectors]) if missing else known.vectors
        return EmbeddingMatrix(self.ids, vectors[[rows[text] for text in self.hashes]])

    def save(self, matrix: EmbeddingMatrix, folder: Path, stem: str) -> None:
        """Write the vectors, the ids and the hashes of the texts."""
        save_embeddings(matrix, folder, stem, ID_STEMS[stem])
        np.save(folder / f"{stem}-texts.npy", self.hash_rows)


def _texts(dataset: Dataset, encoder: Encoder, unit: bool) -> dict[str, Texts]:
    documents, queries = dataset.documents, [query.text for query in dataset.queries.values()]
    return {
        "documents": Texts(
            dataset.document_ids,
            [format_document(encoder.spec, document) for document in documents],
            documents,
            partial(encoder.encode_documents, unit=unit),
        ),
        "queries": Texts(
            tuple(dataset.queries),
            [format_query(encoder.spec, text) for text in queries],
            queries,
            partial(encoder.encode_queries, unit=unit),
        ),
    }


def _known(folder: Path, manifest: Mapping[str, Any]) -> dict[str, KnownVectors]:
    """Return the stored vectors of other texts of the same encoder; empty if there are none."""
    previous = _written(folder)
    if not isinstance(previous, dict) or {**previous, "dataset_digest": ""} != {
        **manifest,
        "dataset_digest": "",
    }:
        return {}

    def load(stem: str) -> KnownVectors:
        matrix = load_embeddings(folder, stem, ID_STEMS[stem])
        hashes = np.load(folder / f"{stem}-texts.npy", allow_pickle=False)
        if hashes.shape != (len(matrix), 32):
            raise DataError(folder, "not one hash per vector", "delete it")
        return KnownVectors.of(hashes, matrix.vectors)

    # if one file is damaged, the others may be, too; vectors of older versions have no hashes
    return none_if_damaged(lambda: {stem: load(stem) for stem in ID_STEMS}) or {}


def encode_vectors(
    folder: Path,
    dataset: Dataset,
    encoder: Encoder,
    progress: LabelledProgress | None,
    unit: bool,
    cluster: Cluster | None = None,
) -> Vectors:
    """Encode the texts that have no stored vector, and store all.

    The arguments are those of `stored_or_encoded_vectors`.
    """
    manifest, shards = _manifest(dataset, encoder, unit), folder / "encoding"
    known, kinds = _known(folder, manifest), _texts(dataset, encoder, unit)
    missing = {stem: texts.missing(known.get(stem)) for stem, texts in kinds.items()}
    sha = hashlib.sha256()
    for stem, texts in kinds.items():
        sha.update(b"".join(texts.hashes[row] for row in missing[stem]))
    unfinished = {**manifest, "texts": sha.hexdigest()}
    if read_json(shards / "manifest.json") != unfinished:
        # shards of other texts or of another encoder must not be used
        shutil.rmtree(shards if known else folder, ignore_errors=True)
        shards.mkdir(parents=True)
        write_json(shards / "manifest.json", unfinished)
    announce(encoder, [t.texts[row] for stem, t in kinds.items() for row in missing[stem]])
    matrices = []
    for stem, texts in kinds.items():
        items = [texts.items[row] for row in missing[stem]]
        new = encode_shards(shards, stem, items, texts.encode, progress, cluster)
        matrices.append(texts.matrix(known.get(stem), missing[stem], new))
    finished = shards / "finished"
    finished.mkdir(exist_ok=True)
    for (stem, texts), matrix in zip(kinds.items(), matrices, strict=True):
        with named_errors(finished / f"{stem}.npy"):
            texts.save(matrix, finished, stem)
    files = file_digests(finished)
    write_json(finished / "manifest.json", {**manifest, "files": files})
    replace_folder(finished, folder)
    return matrices[0], matrices[1]
