"""The workspace: registered data sets, their embeddings and indexes, adapters, and maps.

docs/architecture.md, "On disk", lists its files. The exact index is not stored: building it
from the vectors is faster than reading it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from imrnns_core.config import NO_ADAPTER, RUN_PREFIX, SAMPLE, EncoderSpec, workspace_root
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embedding_files import embedding_files
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.readers.files import containing_zip
from imrnns_core.data.readers.load import load_dataset, source_files
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.encoding.endpoint import Agree, EndpointEncoder, is_endpoint
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.encoding.sharded import Cluster
from imrnns_core.errors import AdapterError, DataError, EncoderError, TrainingError
from imrnns_core.io import identity, locked
from imrnns_core.model.checkpoint import Adapter, check_dimensions, load_adapter, save_adapter
from imrnns_core.printable import file_name
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import RunRanker
from imrnns_core.storage.extensions import extended_adapter
from imrnns_core.storage.judged import with_judgments
from imrnns_core.storage.layout import ASSETS_FOLDER, SAMPLE_FOLDER
from imrnns_core.storage.leftovers import sweep_workspace
from imrnns_core.storage.lexical import stored_or_built_index
from imrnns_core.storage.passages import with_passages
from imrnns_core.storage.precomputed import precomputed_vectors
from imrnns_core.storage.registry import (
    Registration,
    read_registry,
    registration_of,
    write_registry,
)
from imrnns_core.storage.runs import RunRegistry
from imrnns_core.storage.store_files import check_store_files
from imrnns_core.storage.vectors import stored_or_encoded_vectors
from imrnns_core.storage.version import check_version, note_version
from imrnns_core.types import LabelledProgress


class Workspace:
    """A folder with prepared data sets, imported adapters and computed results.

    `agree` asks before texts are sent to an endpoint; None sends none. `cluster` encodes documents,
    passages and queries; None encodes them in this process.

    Raises:
        LensError: A newer version of imrnns-lens wrote the folder.
    """

    def __init__(
        self,
        root: Path | str | None = None,
        agree: Agree | None = None,
        cluster: Cluster | None = None,
    ) -> None:
        self.root, self.agree = Path(root or workspace_root()).expanduser().absolute(), agree
        self.cluster = cluster
        check_version(self.root)
        self.runs = RunRegistry(self.root)

    # Data sets

    def registrations(self) -> dict[str, Registration]:
        """Return name → registration; the sample is included even if the list is damaged."""
        registrations = {
            SAMPLE: Registration(SAMPLE, SAMPLE_FOLDER, SAMPLE_FOLDER / "embeddings", EncoderSpec())
        }
        with suppress(DataError):
            registrations.update(self._registered())
        return registrations

    def registry_error(self) -> str | None:
        """Return the error of the list of data sets, or None if it can be read."""
        try:
            self._registered()
        except DataError as error:
            return str(error)
        return None

    def _registered(self) -> dict[str, Registration]:
        return read_registry(self.root / "datasets.json")

    def register(self, registration: Registration) -> None:
        """Add a data set to the list, or replace the one of the same name.

        Raises:
            DataError: If the list of data sets is damaged.
        """
        registered = self._registered()
        if registration.name == SAMPLE or registered.get(registration.name) == registration:
            return  # so that nothing is written that is there
        with locked(self.root / "datasets.json"):
            registrations = {**self._registered(), registration.name: registration}
            # a stored path would hide the sample of a later installation
            registrations.pop(SAMPLE, None)
            note_version(self.root)
            write_registry(self.root / "datasets.json", registrations.values())

    def resolve(
        self, data: str, embeddings: Path | None = None, encoder: EncoderSpec | None = None
    ) -> Registration:
        """Return the registration of a registered name, a folder, a zip or a file.

        Args:
            data: A name or a path; a path may continue into a zip. A name has priority over a
                folder with this name; write `./NAME` for the folder.
            embeddings: Replaces the registered folder of embeddings.
            encoder: Replaces the registered encoder.

        Raises:
            DataError: If there is no such name or path.
        """
        registrations = self.registrations()
        if data in registrations:
            return registrations[data].updated(embeddings, encoder)
        path = Path(data).expanduser()
        if not path.exists() and containing_zip(path) is None:
            self._registered()  # raises the error of a damaged list, which may contain the name
            raise DataError(
                path,
                "neither a folder, a file nor a registered name",
                f"registered names: {', '.join(registrations)}",
            )
        return registration_of(path.resolve(), registrations, embeddings, encoder)

    def open(
        self, data: str | Path | Registration, progress: LabelledProgress | None = None
    ) -> Collection:
        """Load a data set as `open_files` does, with the judgments of people."""
        return with_judgments(self.root, self.open_files(data, progress))

    def open_files(
        self, data: str | Path | Registration, progress: LabelledProgress | None = None
    ) -> Collection:
        """Load a data set with its embeddings; missing or stale embeddings are encoded.

        An interrupted encode resumes after its last finished shard.

        Args:
            data: A registered name, a path or a registration. A name has priority over a
                folder with this name; a `Path` is always a path.
            progress: Called with (label, done, total) while texts are encoded.

        Raises:
            DataError: If the name is unknown or a file cannot be read.
            EncoderError: If texts must be encoded and the encoder cannot be loaded.
        """
        registration = data if isinstance(data, Registration) else self.resolve(_name_or_path(data))
        sweep_workspace(self.root)
        check_store_files(self.root, registration)
        dataset = load_dataset(registration.source)
        dataset = replace(dataset, name=registration.name, keep_own=registration.keep_own)
        encoder = self._encoder(registration)
        folder = self.vectors_folder(registration)
        if registration.without_vectors:
            ids = dataset.document_ids, dataset.queries
            vectors = EmbeddingMatrix.empty(ids[0]), EmbeddingMatrix.empty(ids[1])
        elif registration.embeddings is not None:
            vectors = precomputed_vectors(
                registration.embeddings, dataset, encoder, folder, progress
            )
        else:
            unit = registration.similarity == "cosine"  # others need the encoder's lengths
            vectors = stored_or_encoded_vectors(
                folder, dataset, encoder, progress, unit, self.cluster
            )
        opened = Collection(dataset, *vectors, encoder, registration.similarity)
        if not registration.passages:
            return opened
        return with_passages(self.root, opened, progress, self.cluster)

    def _encoder(self, registration: Registration) -> Encoder:
        spec, known = registration.encoder, self.registrations().get(registration.name)
        if is_endpoint(spec.name):
            return EndpointEncoder(spec, self.agree, known is not None and known.encoder == spec)
        return SentenceTransformerEncoder(spec)

    def made_by_encoder(self, registration: Registration) -> bool:
        """Return whether the encoder made the registered embeddings; True if there are none.

        The first document is encoded again for that.

        Raises:
            DataError: If a file cannot be read.
            EncoderError: If the encoder cannot be loaded.
        """
        if registration.embeddings is None:
            return True
        collection = self.open(registration)
        _ = collection.encoder.dimension  # raises the error of an encoder that cannot be loaded
        try:
            collection.check_encoder()
        except EncoderError:
            return False
        return True

    def data_identity(self, registration: Registration) -> str:
        """Return a cache key that changes when a file of the data set changes."""
        vectors = registration.embeddings
        files = source_files(registration.source) + (embedding_files(vectors) if vectors else [])
        # its names and paths are in the key as well, which does no harm
        return f"{registration} {identity(files)}"

    def lexical_index(self, dataset: Dataset) -> BM25Index:
        """Return the BM25 index of a data set, from disk if it is stored and not stale."""
        return stored_or_built_index(self.root / "lexical" / file_name(dataset.name), dataset)

    def vectors_folder(self, registration: Registration) -> Path:
        """Return the folder of the vectors that the workspace encodes for a data set."""
        names = (registration.name, registration.vectors_name)
        return (self.root / "vectors").joinpath(*map(file_name, names))

    # Adapters

    def adapter_paths(self) -> dict[str, Path]:
        """Return name → path of the sample's adapter and of all imported adapters."""
        paths = {p.stem: p for p in sorted(ASSETS_FOLDER.glob("*.safetensors"))}
        paths.update({p.stem: p for p in sorted((self.root / "adapters").glob("*.safetensors"))})
        return paths

    def adapter(self, name_or_file: str) -> Adapter:
        """Load an adapter by its name or from a file.

        Raises:
            AdapterError: If the name is unknown or the file cannot be read.
        """
        paths = self.adapter_paths()
        if name_or_file in paths:
            return load_adapter(paths[name_or_file])
        path = Path(name_or_file).expanduser()
        if not path.exists() and not path.suffix:
            raise AdapterError(
                f"{name_or_file}: no adapter has this name; name a file or an available adapter: "
                f"{', '.join(paths) or 'none'}"
            )
        return load_adapter(path)

    def ranker(
        self, collection: Collection, adapter: str, progress: LabelledProgress | None = None
    ) -> Ranker:
        """Return a ranker for a collection and an adapter, by its name or from a file.

        A sentence memory is extended by the documents that the collection has got since; if that is
        not possible, `memory_warnings` says so.

        Args:
            collection: The collection.
            adapter: The name or file of the adapter; "none" for the base alone; "run:NAME" for a
                run of the data set as the base.
            progress: Called with (label, done, total) while sentences of new documents are encoded.

        Raises:
            AdapterError: If the name is unknown, the file cannot be read, or the adapter does not
                fit the embeddings.
            LensError: If the data set has no such run, or neither a run is named nor vectors exist.
        """
        if adapter.startswith(RUN_PREFIX):
            run = self.runs.load(adapter.removeprefix(RUN_PREFIX), collection.dataset)
            return RunRanker(collection, run)
        collection.require_vectors()
        if adapter == NO_ADAPTER:
            return Ranker(collection)
        loaded = self.adapter(adapter)
        check_dimensions(loaded, collection.documents.dimension)
        with suppress(TrainingError):
            loaded = extended_adapter(self.root, loaded, collection, progress)
        return Ranker(collection, loaded)

    def adapters(self) -> tuple[dict[str, Adapter], dict[str, str]]:
        """Return name → adapter for readable files, and name → error for the others."""
        readable, errors = dict[str, Adapter](), dict[str, str]()
        for name in self.adapter_paths():
            try:
                readable[name] = self.adapter(name)
            except AdapterError as error:
                errors[name] = str(error)
        return readable, errors

    def adapter_identity(self, name: str) -> str:
        """Return a cache key that changes with the adapter's file; empty if there is none."""
        path = self.adapter_paths().get(name)
        # older adapters have their card in a file of its own
        return identity([path, path.with_suffix(".json")]) if path else ""

    def import_adapter(self, path: Path) -> Path:
        """Import an adapter file, also one of the reference package, and return its new path.

        Raises:
            AdapterError: If the file is not an adapter.
        """
        adapter = load_adapter(path)
        target = self.root / "adapters" / f"{path.stem}.safetensors"
        save_adapter(adapter, target)
        return target

    # Maps and deletion tests

    def map_path(self, key: str) -> Path:
        """Return the path at which a map is written."""
        return self.root / "maps" / f"{key}.npz"

    def map_paths(self, key: str) -> tuple[Path, Path]:
        """Return the paths at which a map may be: in the workspace and in the sample."""
        return self.map_path(key), SAMPLE_FOLDER / "maps" / f"{key}.npz"

    def faithfulness_path(self, key: str) -> Path:
        """Return the path at which the record of a deletion test is written."""
        return self.root / "faithfulness" / f"{key}.json"

    def faithfulness_paths(self, key: str) -> tuple[Path, Path]:
        """Return the paths at which a record may be: in the workspace and in the sample."""
        return self.faithfulness_path(key), SAMPLE_FOLDER / "faithfulness" / f"{key}.json"


def _name_or_path(data: str | Path) -> str:
    """Return the argument for `resolve`; a `Path` becomes absolute, so it is never a name."""
    return data if isinstance(data, str) else str(data.expanduser().absolute())
