"""Data sets that are added on the page Data: their preview, and the jobs that read and encode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.access import editors_only
from dashboard.services import caching, catalog
from dashboard.services.background import Jobs, ThreadJob
from imrnns_core.data.readers.load import DataSource, TablePreview, preview
from imrnns_core.encoding.sentence_transformers import encoder_spec
from imrnns_core.errors import DataError
from imrnns_core.io import identity
from imrnns_core.storage.judged import with_judgments
from imrnns_core.storage.registry import Registration


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
        read = space.data_identity(registration)
        opened = space.open_files(registration, self._progress)
        if run:  # it can rank questions that people kept, too
            space.runs.add(Path(run), with_judgments(space.root, opened).dataset)
        # after it opened, so that a faulty data set does not enter the list
        space.register(registration)
        caching.notice_registry()
        if space.data_identity(registration) == read:  # no file has changed meanwhile
            catalog.keep(registration.name, opened)

    def _progress(self, label: str, done: int, total: int) -> None:
        self.label, self.done, self.total = label, done, total
        self.check()


@editors_only
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


@editors_only
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


def replaced(wanted: Wanted) -> str | None:
    """Return the name of the data set that this one would replace, or None."""
    registration = wanted.registration
    known = caching.workspace().registrations().get(registration.name)
    return None if known in (None, registration) else registration.name


def _key(wanted: Wanted) -> Path:
    return Path(wanted.path).expanduser().absolute()
