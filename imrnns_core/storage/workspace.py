"""Everything kept on disk: registered data sets, their vectors, maps, and imported adapters.

    WORKSPACE/datasets.json                          name → folder, embeddings, encoder
    WORKSPACE/adapters/NAME.safetensors, NAME.json   imported adapters
    WORKSPACE/vectors/NAME/ENCODER/manifest.json     written last: without it the folder holds
    nothing
                                  documents.npy, document_ids.txt, queries.npy, query_ids.txt
                                  encoding/          finished shards of an encode that was
                                  interrupted
    WORKSPACE/lexical/NAME/manifest.json             the BM25 index, with the hash of the texts it
    was made from WORKSPACE/maps/KEY.npz                           maps, by hash of vectors and
    adapter WORKSPACE/faithfulness/KEY.json                  deletion tests, by the same kind of
    hash

The exact FAISS index is not kept: building it from the vectors takes less time than reading it.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from imrnns_core.config import SAMPLE, EncoderSpec, workspace_root
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import (
    EMBEDDING_FILES,
)
from imrnns_core.data.readers.beir import load_dataset, source_files
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import AdapterError, DataError
from imrnns_core.io import (
    atomic_write,
    file_digests,
    identity,
    read_json,
    unless_damaged,
    write_json,
)
from imrnns_core.model.checkpoint import Adapter, load_adapter, save_adapter
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.layout import ASSETS_FOLDER, SAMPLE_FOLDER, file_name
from imrnns_core.storage.registry import Registration, read_registry, write_registry
from imrnns_core.storage.vectors import encoded_vectors, given_vectors
from imrnns_core.types import LabelledProgress

SCHEMA = 1


class Workspace:
    """A folder that holds what was prepared, trained and imported."""

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root or workspace_root()).expanduser().absolute()

    # Data sets

    def registrations(self) -> dict[str, Registration]:
        """Return the known data sets by name.

        The sample is always there, also where the list cannot be read.
        """
        known = {
            SAMPLE: Registration(SAMPLE, SAMPLE_FOLDER, SAMPLE_FOLDER / "embeddings", EncoderSpec())
        }
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
        return read_registry(self.root / "datasets.json")

    def register(self, registration: Registration) -> None:
        """Remember a data set under its name.

        Raises DataError if the list of data sets is damaged.
        """
        known = {**self._registered(), registration.name: registration}
        known.pop(SAMPLE, None)
        write_registry(self.root / "datasets.json", known.values())

    def resolve(
        self, data: str, embeddings: Path | None = None, encoder: EncoderSpec | None = None
    ) -> Registration:
        """Find a data set by registered name, folder or zip.

        Given options replace the registered ones.

        A name wins over a folder of this name in the working directory: `./NAME` is the folder.
        """
        known = self.registrations()
        if data in known:
            found = known[data]
            return Registration(
                found.name, found.path, embeddings or found.embeddings, encoder or found.encoder
            )
        path = Path(data).expanduser()
        if not path.exists():
            self._registered()  # a damaged list may be why the name is unknown
            raise DataError(
                path,
                "neither a folder, a zip nor a registered name",
                f"registered are: {', '.join(known)}",
            )
        path = path.resolve()
        name = path.stem if path.suffix == ".zip" else path.name
        for parent in path.parents:
            if name not in known or known[name].path == path:
                break
            name = f"{parent.name}-{name}"  # another folder has this name
        before = known.get(name)
        if before and before.path == path:  # prepared earlier: the same folder again
            return Registration(
                name, path, embeddings or before.embeddings, encoder or before.encoder
            )
        return Registration(name, path, embeddings, encoder or EncoderSpec())

    def open(
        self, data: str | Path | Registration, progress: LabelledProgress | None = None
    ) -> Collection:
        """Load a data set with its vectors, encoding what is missing or stale.

        An encode that was interrupted is resumed.

        Args:
            data: A registered name, a folder or a zip, or what `resolve` returns. A name wins over
                a folder of the same name; a `Path` is always a path.
            progress: Called with (what, done, total) while texts are encoded.

        Raises DataError for an unknown name and for files that cannot be read.
        """
        registration = data if isinstance(data, Registration) else self.resolve(_named(data))
        dataset = replace(load_dataset(registration.path), name=registration.name)
        encoder = SentenceTransformerEncoder(registration.encoder)
        if registration.embeddings is not None:
            return Collection(dataset, *given_vectors(registration.embeddings, dataset), encoder)
        folder = self._vectors_folder(registration)
        return Collection(dataset, *encoded_vectors(folder, dataset, encoder, progress), encoder)

    def data_identity(self, registration: Registration) -> str:
        """Return a name for the content of a data set's files, for caches.

        Another content has another name.
        """
        given = (
            []
            if registration.embeddings is None
            else [registration.embeddings / name for name in EMBEDDING_FILES]
        )
        return (
            f"{registration.encoder.to_json()} "
            f"{identity([*source_files(registration.path), *given])}"
        )

    def lexical_index(self, dataset: Dataset) -> BM25Index:
        """Return the BM25 index of a data set's documents, from disk where it was kept."""
        folder = self.root / "lexical" / file_name(dataset.name)
        manifest = {"schema": SCHEMA, "dataset_digest": dataset.digest, "bm25s": version("bm25s")}

        def kept() -> BM25Index | None:
            current = read_json(folder / "manifest.json") == {
                **manifest,
                "files": file_digests(folder),
            }
            return BM25Index(dataset.documents, folder) if current else None

        index = unless_damaged(kept)
        if index is not None:
            return index
        index = BM25Index(dataset.documents)
        # a folder that cannot be written costs time, nothing else
        with suppress(OSError):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(folder) as temporary:
                index.save(temporary)
                write_json(
                    temporary / "manifest.json", {**manifest, "files": file_digests(temporary)}
                )
                shutil.rmtree(folder, ignore_errors=True)
        return index

    def _vectors_folder(self, registration: Registration) -> Path:
        encoder = registration.encoder
        label = "-".join(
            filter(
                None,
                (encoder.name, encoder.revision, encoder.query_prefix, encoder.document_prefix),
            )
        )
        return self.root / "vectors" / file_name(registration.name) / file_name(label)

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
            raise AdapterError(
                f"{name_or_file}: no adapter of this name; there are: "
                f"{', '.join(paths) or 'none'}, or name a file"
            )
        return load_adapter(path)

    def adapters(self) -> tuple[dict[str, Adapter], dict[str, str]]:
        """Return the adapters that can be read, and what is wrong with the others, by name."""
        readable, errors = dict[str, Adapter](), dict[str, str]()
        for name in self.adapter_paths():
            try:
                readable[name] = self.adapter(name)
            except AdapterError as error:
                errors[name] = str(error)
        return readable, errors

    def adapter_identity(self, name: str) -> str:
        """Return a name for the content of an adapter's file, for caches.

        Empty where there is no such adapter.
        """
        path = self.adapter_paths().get(name)
        return identity([path, path.with_suffix(".json")]) if path else ""

    def import_adapter(self, path: Path) -> Path:
        """Copy an adapter, ours or the reference package's, into the workspace.

        Return where it is.
        """
        adapter = load_adapter(path)
        target = self.root / "adapters" / f"{path.stem}.safetensors"
        save_adapter(adapter, target)
        return target

    # Maps and deletion tests

    def map_path(self, key: str) -> Path:
        """Return where the map of this key is written."""
        return self.root / "maps" / f"{key}.npz"

    def map_paths(self, key: str) -> tuple[Path, Path]:
        """Return where the map of this key is looked for.

        Here, and among those that ship with the sample.
        """
        return self.map_path(key), SAMPLE_FOLDER / "maps" / f"{key}.npz"

    def faithfulness_path(self, key: str) -> Path:
        """Return where the record of a deletion test is written."""
        return self.root / "faithfulness" / f"{key}.json"

    def faithfulness_paths(self, key: str) -> tuple[Path, Path]:
        """Return where the record of a deletion test is looked for.

        Here, and among those that ship with the sample.
        """
        return self.faithfulness_path(key), SAMPLE_FOLDER / "faithfulness" / f"{key}.json"


def _named(data: str | Path) -> str:
    """Return what `resolve` is asked for: a name stays a name, a path is never taken for one."""
    return data if isinstance(data, str) else str(data.expanduser().absolute())
