"""Everything kept on disk: registered data sets, their vectors, maps, and imported adapters.

    WORKSPACE/datasets.json                          name → folder, embeddings, encoder
    WORKSPACE/adapters/NAME.safetensors, NAME.json   imported adapters
    WORKSPACE/vectors/NAME/ENCODER/manifest.json     written last: without it the folder holds nothing
                                  documents.npy, document_ids.txt, queries.npy, query_ids.txt
                                  encoding/          finished shards of an encode that was interrupted
    WORKSPACE/lexical/NAME/manifest.json             the BM25 index, with the hash of the texts it was made from
    WORKSPACE/maps/KEY.npz                           maps, by hash of vectors and adapter
    WORKSPACE/faithfulness/KEY.json                  deletion tests, by the same kind of hash

The exact FAISS index is not kept: building it from the vectors takes less time than reading it.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from imrnns_core.checkpoint import Adapter, load_adapter, save_adapter
from imrnns_core.config import EncoderSpec, workspace_root
from imrnns_core.dataset import Dataset, load_dataset, source_files
from imrnns_core.embeddings import EMBEDDING_FILES, SHARD, EmbeddingMatrix, Progress, encode_shards, load_embeddings, save_embeddings, unit
from imrnns_core.encoder import Encoder, SentenceTransformerEncoder
from imrnns_core.errors import AdapterError, DataError, EncoderError
from imrnns_core.files import file_digests, identity, read_json, replacing, unless_damaged, write_json
from imrnns_core.index import Index, LexicalIndex
from imrnns_core.records import FloatArray

SCHEMA = 1
FINGERPRINT_ROWS = 4096
LENGTH_CHECKS = 3
"""Texts that are encoded again where the stored vectors are not of length 1."""
SAMPLE = "sample"
SAMPLE_ADAPTER = "sample-adapter"
_REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE_FOLDER = _REPOSITORY / "sample_data"
ASSETS_FOLDER = _REPOSITORY / "assets"


@dataclass(frozen=True)
class Registration:
    """Where a named data set lives, and where its vectors come from (None: encoded into the workspace)."""

    name: str
    path: Path
    embeddings: Path | None
    encoder: EncoderSpec


@dataclass(frozen=True)
class Collection:
    """A data set with the vectors of its documents and queries, in the data set's order."""

    dataset: Dataset
    documents: EmbeddingMatrix
    queries: EmbeddingMatrix
    encoder: Encoder

    @cached_property
    def index(self) -> Index:
        return Index.build(self.documents.vectors)

    @cached_property
    def unit_documents(self) -> FloatArray:
        """(N, n) unit base embeddings."""
        return unit(self.documents.vectors)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 over ids and texts of all documents, and over every value of their vectors."""
        sha = hashlib.sha256(f"{self.dataset.corpus_digest} {self.documents.vectors.shape}".encode())
        for start in range(0, len(self.documents), FINGERPRINT_ROWS):  # a mapped file is not read whole
            sha.update(np.ascontiguousarray(self.documents.vectors[start : start + FINGERPRINT_ROWS]).data)
        return sha.hexdigest()

    def vector(self, query_id: str) -> FloatArray:
        """Return the (n,) base embedding of a known query."""
        return np.asarray(self.queries.vectors[self.queries.row[query_id]])

    def encode(self, text: str) -> FloatArray:
        """Return the (n,) base embedding of a query that was typed in, as long as the stored ones.

        Raises EncoderError if the encoder is not the one that made this collection's vectors.
        """
        self.check_encoder()
        length = self.query_length
        vector = self.encoder.encode_queries([text], unit=length is not None)[0]
        return np.asarray(vector if length in (None, 1.0) else np.float32(length) * vector)

    @cached_property
    def document_length(self) -> float | None:
        """How long an encoded document must be to stand beside the stored ones; None: as long as the encoder makes it.

        Cosines do not see lengths, but a projector with a bias does. Raises EncoderError where the stored vectors are
        neither all of one length nor as long as the encoder makes them: then nobody knows.
        """
        some = self.dataset.documents[:LENGTH_CHECKS]
        return self._length("documents", self.documents, lambda: self.encoder.encode_documents(some, unit=False))

    @cached_property
    def query_length(self) -> float | None:
        """The same for a query; where the collection has none, what holds for its documents."""
        some = [query.text for query in list(self.dataset.queries.values())[:LENGTH_CHECKS]]
        if not some:
            return self.document_length
        return self._length("queries", self.queries, lambda: self.encoder.encode_queries(some, unit=False))

    def _length(self, what: str, stored: EmbeddingMatrix, encode: Callable[[], FloatArray]) -> float | None:
        common = stored.common_length
        if common == 1.0:
            return common
        made = np.linalg.norm(encode(), axis=1)
        if np.allclose(made, np.linalg.norm(stored.vectors[: len(made)], axis=1), rtol=0.02):
            return None
        if common is None:
            raise EncoderError(
                f"the {what} of {self.dataset.name} have vectors of different lengths, and not those that {self.encoder.spec.name} makes: "
                "a new text cannot be put beside them; store unit vectors, or the encoder's own"
            )
        return common

    def check_encoder(self) -> None:
        """Raise EncoderError if the encoder is not the one that made this collection's vectors."""
        if "_encoder_checked" in self.__dict__:
            return
        document = self.dataset.documents[0]
        again = self.encoder.encode_documents([document])[0]
        stored = self.documents.vectors[0]
        name = self.encoder.spec.name
        if again.shape != stored.shape:
            raise EncoderError(
                f"{name} makes {again.shape[0]} dimensions, the embeddings of {self.dataset.name} have {stored.shape[0]}; "
                "name their encoder with --encoder"
            )
        cosine = float(unit(again) @ unit(stored))
        if cosine < 0.98:
            raise EncoderError(
                f"{name} did not make the embeddings of {self.dataset.name} (cosine {cosine:.2f} for document {document.id!r}); "
                "name their encoder and its prefixes with --encoder, --query-prefix and --document-prefix"
            )
        self.__dict__["_encoder_checked"] = True


class Workspace:
    """A folder that holds what was prepared, trained and imported."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or workspace_root()).expanduser().absolute()

    # Data sets

    def registrations(self) -> dict[str, Registration]:
        """Return the known data sets by name; the sample is always there, also where the list cannot be read."""
        known = {SAMPLE: Registration(SAMPLE, SAMPLE_FOLDER, SAMPLE_FOLDER / "embeddings", EncoderSpec())}
        with suppress(DataError):
            known.update(self._registered())
        return known

    def registry_error(self) -> str | None:
        """Return what is wrong with the list of data sets, None if it can be read."""
        try:
            self._registered()
        except DataError as error:
            return str(error)
        return None

    def _registered(self) -> dict[str, Registration]:
        """Read the list of data sets. Raises DataError if it is damaged."""
        path, known = self.root / "datasets.json", {}
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            text = ""
        try:
            for name, r in json.loads(text).items():
                embeddings = Path(r["embeddings"]) if r["embeddings"] else None
                known[name] = Registration(name, Path(r["path"]), embeddings, EncoderSpec(**r["encoder"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise DataError(path, "not a list of data sets", "delete it and prepare your data sets again") from None
        return known

    def register(self, registration: Registration) -> None:
        """Remember a data set under its name. Raises DataError if the list of data sets is damaged."""
        known = {**self._registered(), registration.name: registration}
        known.pop(SAMPLE, None)
        self.root.mkdir(parents=True, exist_ok=True)
        record = {
            r.name: {"path": str(r.path), "embeddings": str(r.embeddings) if r.embeddings else None, "encoder": r.encoder.to_json()}
            for r in known.values()
        }
        with replacing(self.root / "datasets.json") as temporary:
            temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")

    def resolve(self, data: str, embeddings: Path | None = None, encoder: EncoderSpec | None = None) -> Registration:
        """Find a data set by registered name, folder or zip; given options replace the registered ones.

        A name wins over a folder of this name in the working directory: `./NAME` is the folder.
        """
        known = self.registrations()
        if data in known:
            found = known[data]
            return Registration(found.name, found.path, embeddings or found.embeddings, encoder or found.encoder)
        path = Path(data).expanduser()
        if not path.exists():
            self._registered()  # a damaged list may be why the name is unknown
            raise DataError(path, "neither a folder, a zip nor a registered name", f"registered are: {', '.join(known)}")
        path = path.resolve()
        name = path.stem if path.suffix == ".zip" else path.name
        for parent in path.parents:
            if name not in known or known[name].path == path:
                break
            name = f"{parent.name}-{name}"  # another folder has this name
        before = known.get(name)
        if before and before.path == path:  # prepared earlier: the same folder again
            return Registration(name, path, embeddings or before.embeddings, encoder or before.encoder)
        return Registration(name, path, embeddings, encoder or EncoderSpec())

    def open(self, registration: Registration, progress: Progress | None = None) -> Collection:
        """Load a data set with its vectors, encoding what is missing or stale; resumes an interrupted encode."""
        dataset = replace(load_dataset(registration.path), name=registration.name)
        encoder = SentenceTransformerEncoder(registration.encoder)
        if registration.embeddings is not None:
            folder, remedy = registration.embeddings, "make the embeddings again from this data set"
            documents = load_embeddings(folder, "documents", "document").aligned_to(
                dataset.document_ids, folder / "document_ids.txt", remedy
            )
            queries = load_embeddings(folder, "queries", "query").aligned_to(tuple(dataset.queries), folder / "query_ids.txt", remedy)
            if documents.dimension != queries.dimension:
                raise DataError(folder, f"documents have {documents.dimension} dimensions, queries {queries.dimension}", remedy)
            return Collection(dataset, documents, queries, encoder)
        folder = self._vectors_folder(registration)
        kept = unless_damaged(lambda: self._kept_vectors(folder, dataset, registration.encoder))
        documents, queries = kept or self._encode(folder, dataset, encoder, progress)
        return Collection(dataset, documents, queries, encoder)

    def data_identity(self, registration: Registration) -> str:
        """Return a name for the content of a data set's files, for caches: another content has another name."""
        given = [] if registration.embeddings is None else [registration.embeddings / name for name in EMBEDDING_FILES]
        return f"{registration.encoder.to_json()} {identity([*source_files(registration.path), *given])}"

    def lexical_index(self, dataset: Dataset) -> LexicalIndex:
        """Return the BM25 index of a data set's documents, from disk where it was kept."""
        folder = self.root / "lexical" / _slug(dataset.name)
        manifest = {"schema": SCHEMA, "dataset_digest": dataset.digest, "bm25s": version("bm25s")}

        def kept() -> LexicalIndex | None:
            current = read_json(folder / "manifest.json") == {**manifest, "files": file_digests(folder)}
            return LexicalIndex(dataset.documents, folder) if current else None

        index = unless_damaged(kept)
        if index is not None:
            return index
        index = LexicalIndex(dataset.documents)
        # a folder that cannot be written costs time, nothing else
        with suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with replacing(folder) as temporary:
                index.save(temporary)
                write_json(temporary / "manifest.json", {**manifest, "files": file_digests(temporary)})
                shutil.rmtree(folder, ignore_errors=True)
        return index

    def _vectors_folder(self, registration: Registration) -> Path:
        encoder = registration.encoder
        label = "-".join(filter(None, (encoder.name, encoder.revision, encoder.query_prefix, encoder.document_prefix)))
        return self.root / "vectors" / _slug(registration.name) / _slug(label)

    @staticmethod
    def _manifest(dataset: Dataset, encoder: EncoderSpec) -> dict[str, Any]:
        return {"schema": SCHEMA, "dataset_digest": dataset.digest, "encoder": encoder.to_json(), "shard": SHARD}

    def _kept_vectors(self, folder: Path, dataset: Dataset, encoder: EncoderSpec) -> tuple[EmbeddingMatrix, EmbeddingMatrix] | None:
        """Return the vectors of an earlier encode of the same texts, None if there are none; DataError if they are damaged."""
        if read_json(folder / "manifest.json") != self._manifest(dataset, encoder):
            return None
        documents, queries = load_embeddings(folder, "documents", "document"), load_embeddings(folder, "queries", "query")
        if (documents.ids, queries.ids) != (dataset.document_ids, tuple(dataset.queries)):
            raise DataError(folder, "the ids are not those of the data set", "delete it; the texts are encoded again")
        return documents, queries

    def _encode(
        self, folder: Path, dataset: Dataset, encoder: Encoder, progress: Progress | None
    ) -> tuple[EmbeddingMatrix, EmbeddingMatrix]:
        manifest, shards = self._manifest(dataset, encoder.spec), folder / "encoding"
        if read_json(shards / "manifest.json") != manifest:
            shutil.rmtree(folder, ignore_errors=True)
            shards.mkdir(parents=True)
            write_json(shards / "manifest.json", manifest)
        vectors = encode_shards(shards, "documents", dataset.documents, encoder.encode_documents, progress)
        texts = [query.text for query in dataset.queries.values()]
        documents = EmbeddingMatrix(dataset.document_ids, vectors)
        queries = EmbeddingMatrix(tuple(dataset.queries), encode_shards(shards, "queries", texts, encoder.encode_queries, progress))
        save_embeddings(documents, folder, "documents", "document")
        save_embeddings(queries, folder, "queries", "query")
        write_json(folder / "manifest.json", manifest)
        shutil.rmtree(shards)
        return documents, queries

    # Adapters

    def adapter_paths(self) -> dict[str, Path]:
        """Return the adapters by name: the sample's, and all that were imported."""
        paths = {p.stem: p for p in sorted(ASSETS_FOLDER.glob("*.safetensors"))}
        paths.update({p.stem: p for p in sorted((self.root / "adapters").glob("*.safetensors"))})
        return paths

    def adapter(self, name_or_file: str) -> Adapter:
        """Load an adapter by name, or from a file; AdapterError names those there are."""
        paths = self.adapter_paths()
        if name_or_file in paths:
            return load_adapter(paths[name_or_file])
        path = Path(name_or_file).expanduser()
        if not path.exists() and not path.suffix:
            raise AdapterError(f"{name_or_file}: no adapter of this name; there are: {', '.join(paths) or 'none'}, or name a file")
        return load_adapter(path)

    def adapters(self) -> tuple[dict[str, Adapter], dict[str, str]]:
        """Return the adapters that can be read, and what is wrong with each of the others, by name."""
        readable, errors = dict[str, Adapter](), dict[str, str]()
        for name in self.adapter_paths():
            try:
                readable[name] = self.adapter(name)
            except AdapterError as error:
                errors[name] = str(error)
        return readable, errors

    def adapter_identity(self, name: str) -> str:
        """Return a name for the content of an adapter's file, for caches; empty where there is no such adapter."""
        path = self.adapter_paths().get(name)
        return identity([path, path.with_suffix(".json")]) if path else ""

    def import_adapter(self, path: Path) -> Path:
        """Copy an adapter, ours or the reference package's, into the workspace; return where it is."""
        adapter = load_adapter(path)
        target = self.root / "adapters" / f"{path.stem}.safetensors"
        save_adapter(adapter, target)
        return target

    # Maps and deletion tests

    def map_path(self, key: str) -> Path:
        """Return where the map of this key is written."""
        return self.root / "maps" / f"{key}.npz"

    def map_paths(self, key: str) -> tuple[Path, Path]:
        """Return where the map of this key is looked for: here, and among those that ship with the sample."""
        return self.map_path(key), SAMPLE_FOLDER / "maps" / f"{key}.npz"

    def faithfulness_path(self, key: str) -> Path:
        """Return where the record of a deletion test is written."""
        return self.root / "faithfulness" / f"{key}.json"

    def faithfulness_paths(self, key: str) -> tuple[Path, Path]:
        """Return where the record of a deletion test is looked for: here, and among those that ship with the sample."""
        return self.faithfulness_path(key), SAMPLE_FOLDER / "faithfulness" / f"{key}.json"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._") or "data"
