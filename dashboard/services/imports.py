"""Data sets that are added on the page Data: their preview, and the jobs that read and encode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.services import caching, catalog
from dashboard.services.background import Jobs, ThreadJob
from dashboard.services.caching import shared
from imrnns_core.data.near_copies import copies
from imrnns_core.data.readers.load import DataSource, TablePreview, preview
from imrnns_core.data.recognition import COPY_SHARE
from imrnns_core.data.run import Run
from imrnns_core.encoding.lengths import Lengths
from imrnns_core.encoding.sentence_transformers import encoder_spec
from imrnns_core.errors import DataError
from imrnns_core.io import identity
from imrnns_core.storage.data_sets import uploads
from imrnns_core.storage.data_sets.removal import (
    remove_data_set,
    removed_data_sets,
    restore_data_set,
)
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.removed import deleted_at
from imrnns_core.types import IntArray


@dataclass(frozen=True)
class Wanted:
    """The data set that a reader wants to add, as typed.

    Attributes:
        path: Its folder, zip or file.
        queries: A file of queries; empty if there is none.
        encoder: A folder or hub name; empty for the bundled encoder.
        run: A run file; empty if there is none.
        encoded: Whether the texts are encoded; if not, only the run ranks the documents.
        columns: Role → column, where the reader changed the guess; empty means no column.
        passages: Whether long documents are split into passages.
    """

    path: str
    queries: str = ""
    encoder: str = ""
    run: str = ""
    encoded: bool = True
    columns: Mapping[str, str] = field(default_factory=dict)
    passages: bool = False

    @property
    def source(self) -> DataSource:
        """The files to read.

        Raises:
            DataError: If the file of queries does not exist.
        """
        queries = Path(self.queries).expanduser() if self.queries else None
        if queries is not None and not queries.is_file():
            raise DataError(queries, "not found", "name a file of queries, or leave it empty")
        return DataSource(Path(self.path).expanduser(), queries, self.columns)

    @property
    def registration(self) -> Registration:
        """The data set as it is registered.

        Raises:
            DataError: If a path does not exist.
        """
        source = self.source
        spec = encoder_spec(self.encoder) if self.encoder else None
        found = caching.workspace().resolve(str(source.path.absolute()), encoder=spec)
        if spec:  # vectors that are registered may be those of another encoder
            found = replace(found, embeddings=None)
        queries = source.queries.resolve() if source.queries else None
        return replace(
            found,
            queries=queries,
            columns=dict(self.columns),
            passages=self.passages and self.encoded,
            embeddings=found.embeddings if self.encoded else None,
            without_vectors=not self.encoded,
        )


@dataclass
class ImportJob(ThreadJob):
    """A data set that is read and encoded. Its progress counts texts of one kind.

    Attributes:
        name: Name of the data set.
        label: What is encoded now; empty while files are read.
    """

    name: str = ""
    label: str = ""

    @classmethod
    def start(cls, registration: Registration, run: str = "") -> ImportJob:
        """Read and encode a data set, then add it to the list, with a run if one is named."""
        job = cls(name=registration.name)
        job.run(lambda: job._import(registration, run))
        return job

    def _import(self, registration: Registration, run: str) -> None:
        space = caching.workspace()
        # the page asks for the progress again and again, and Streamlit collects garbage each time:
        # loading the encoder would wait for it thousands of times
        catalog.settle_memory()
        collection = space.open(registration, self._progress)
        if run:
            space.runs.add(Path(run), collection.dataset)
        # after it opened, so that a faulty data set does not enter the list
        space.register(registration)
        caching.notice_registry()

    def _progress(self, label: str, done: int, total: int) -> None:
        self.label, self.done, self.total = label, done, total
        self.check()


def tables(wanted: Wanted) -> list[TablePreview]:
    """Return the first records of the tables of a data set.

    Raises:
        DataError: If a file cannot be read.
    """
    source = wanted.source
    paths = (source.path, *((source.queries,) if source.queries else ()))
    return _tables(wanted.path, wanted.queries, identity(paths))


@st.cache_resource(show_spinner="Reading the first rows …", max_entries=8)
def _tables(path: str, queries: str, content: str) -> list[TablePreview]:
    return preview(Wanted(path, queries).source)


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs[ImportJob]:
    return Jobs(state.is_connected)


def job(wanted: Wanted) -> tuple[ImportJob | None, bool]:
    """Return the running or failed job of this data set, and whether this session waits for it."""
    return _jobs().find(_key(wanted), state.session())


def wait(wanted: Wanted) -> None:
    """Let this session wait for the data set, which a job reads in the background.

    Raises:
        DataError: If a path does not exist.
    """
    registration = wanted.registration
    start = partial(ImportJob.start, registration, wanted.run)
    _jobs().join(_key(wanted), state.session(), start)


def leave(wanted: Wanted) -> None:
    """Let this session wait for the data set no longer."""
    _jobs().leave(_key(wanted), state.session())


def registered(wanted: Wanted) -> str | None:
    """Return the name under which exactly this data set is registered, or None."""
    try:
        registration = wanted.registration
    except DataError:
        return None
    name, space = registration.name, caching.workspace()
    known = space.registrations().get(name)
    has_run = (
        not wanted.run
        or Path(wanted.run).expanduser().absolute() in space.runs.files(name).values()
    )
    return name if known == registration and has_run else None


def save_upload(name: str, content: BytesIO, *, names_data_set: bool) -> Path:
    """Keep an uploaded file in the workspace, and return its path.

    A file that names a data set gets a name that no data set has.

    Raises:
        DataError: If it unpacks to too much.
        OSError: If it cannot be written.
    """
    space = caching.workspace()
    taken = space.registrations() if names_data_set else ()
    with st.spinner("Keeping the file …"):
        return uploads.save_upload(space.root, name, content, taken)


def is_lost_upload(path: str) -> bool:
    """Return whether a path is that of an uploaded file that was deleted with its data set."""
    folder = caching.workspace().root / uploads.FOLDER
    return Path(path).parent == folder and not Path(path).exists()


def delete(data: str) -> None:
    """Take a data set from the list, and move its files in the workspace aside.

    Raises:
        LensError: If it is the sample, or no longer in the list.
        OSError: If a file cannot be moved.
    """
    remove_data_set(caching.workspace().root, data)
    caching.notice_registry()


def deleted() -> dict[str, datetime]:
    """Return name → when it was deleted (UTC) of the deleted data sets, the last deleted first.

    Raises:
        DataError: If the entry of one is damaged.
    """
    folders = removed_data_sets(caching.workspace().root)
    return {name: deleted_at(folder) for name, folder in folders.items()}


def undo(data: str) -> None:
    """Bring a deleted data set back.

    Raises:
        LensError: If another data set has got its name since.
        OSError: If a file cannot be moved.
    """
    restore_data_set(caching.workspace().root, data)
    caching.notice_registry()


def listed() -> list[Registration]:
    """Return all data sets of the list; the sample comes first."""
    return list(caching.workspace().registrations().values())


def set_keep_own(data: str, keep: bool) -> None:
    """Store whether documents that are the query itself stay in the rankings of their query.

    Raises:
        DataError: If the list of data sets is damaged.
        OSError: If it cannot be written.
    """
    space = caching.workspace()
    space.register(replace(space.resolve(data), keep_own=keep))
    caching.notice_registry()


def _key(wanted: Wanted) -> Path:
    return Path(wanted.path).expanduser().absolute()


def add_run(data: str, path: str, name: str) -> Run:
    """Add a run to a data set; an empty name takes that of the file.

    Raises:
        LensError: If the file cannot be read, or the name cannot be used.
    """
    with st.spinner("Reading the run …"):
        return caching.workspace().runs.add(Path(path), catalog.dataset(data), name)


def remove_run(data: str, name: str) -> None:
    """Take a run from a data set; its file stays.

    Raises:
        DataError: If the list of runs is damaged.
    """
    caching.workspace().runs.remove(data, name)


def run_file(data: str, name: str) -> Path:
    """Return the file of a run."""
    return caching.workspace().runs.files(data)[name]


@shared(4, "Counting the tokens of all documents …", judged=False)
def lengths(data: str) -> Lengths:
    """Return the lengths of the documents of a data set.

    Raises:
        EncoderError: If the encoder cannot be loaded.
    """
    collection = catalog.collection(data)
    return Lengths.of(collection.encoder, collection.dataset.documents)


@shared(4, "Comparing the documents …", judged=False)
def near_copies(data: str) -> IntArray:
    """Return the group (N,) of each document; near copies are in one group."""
    return copies(catalog.dataset(data).documents, COPY_SHARE)
