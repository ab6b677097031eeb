"""Data sets, adapters, collections and rankers, loaded once for all sessions."""

from __future__ import annotations

import gc
from contextvars import ContextVar

from dashboard.services import caching
from dashboard.services.caching import shared
from imrnns_core.config import CORPUS_PREFIX, RUN_PREFIX
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.run import Run
from imrnns_core.errors import AdapterError
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import RunRanker
from imrnns_core.storage.extensions import memory_warnings
from imrnns_core.storage.judged import with_judgments

_opened: ContextVar[Collection | None] = ContextVar("opened", default=None)
"""A data set of which `_files` need not read the files."""


def settle_memory() -> None:
    """Exclude the loaded objects from Python's garbage collection."""
    # Streamlit collects after each run of a page. With torch and a corpus in memory that takes a
    # third of a second, during which the browser gets nothing
    gc.freeze()


def data_names() -> list[str]:
    """Return the names of the registered data sets."""
    return list(caching.workspace().registrations())


def registry_error() -> str | None:
    """Return the error of the list of data sets, or None if it can be read."""
    return caching.workspace().registry_error()


@shared(3, "Loading the data set …", judged=False)
def _files(data: str) -> Collection:
    """Return a data set as its files have it."""
    space = caching.workspace()
    loaded = _opened.get() or space.open_files(space.resolve(data))
    if loaded.has_vectors:
        _ = loaded.index  # now: with other judgments, the same index is used
    settle_memory()
    return loaded


def keep(data: str, opened: Collection) -> None:
    """Keep a data set that was just opened and registered, so that no page reads it again."""
    token = _opened.set(opened)
    _files(data)
    _opened.reset(token)


@shared(3)
def collection(data: str) -> Collection:
    """Return a data set with its vectors, and with the judgments of people."""
    return with_judgments(caching.workspace().root, _files(data))


def run_names(data: str) -> list[str]:
    """Return the names of the runs of a data set.

    Raises:
        DataError: If the list of runs is damaged.
    """
    return list(caching.workspace().runs.files(data))


def run(data: str, adapter_name: str) -> Run:
    """Return a run of a data set; `adapter_name` is `run:NAME`.

    Raises:
        LensError: If there is no such run, or its file cannot be read.
    """
    # a run can rank kept questions, too; other judgments do not change it
    return _run(data, adapter_name, dataset(data).kept)


@shared(8, "Reading the run …", judged=False)
def _run(data: str, adapter_name: str, kept: tuple[str, ...]) -> Run:
    name = adapter_name.removeprefix(RUN_PREFIX)
    return caching.workspace().runs.load(name, dataset(data))


def warnings(data: str) -> list[str]:
    """Return what a reader must know about the embeddings of a data set."""
    return collection(data).warnings


@shared(16, judged=False)
def adapter_warnings(data: str, adapter_name: str) -> list[str]:
    """Return what a reader must know about an adapter over a data set."""
    opened = collection(data)
    # the adapter over the corpus takes a moment, so only if its memory may lack documents
    if not memory_warnings(load_adapter(adapter_name), opened):
        return []
    return memory_warnings(ranker(data, adapter_name).adapter, opened)


def adapter_kind(adapter_name: str) -> str:
    """Return how an adapter was made, in a few words."""
    card = load_adapter(adapter_name).card
    shipped = card.outcome.shipped if card.outcome else None
    if shipped == "identity":
        return "the identity, which ranks as the base does"
    if card.has_memory:
        trained = "" if shipped == "initialization" else ", trained further"
        return f"sentence memory{trained}"
    if card.outcome and shipped == "initialization":
        titles = ", trained on titles" if "titles" in card.outcome.initialization else ""
        return f"whitening{titles}"
    return "trained on judgments" if shipped else "unknown"


def dataset(data: str) -> Dataset:
    """Return a data set."""
    return collection(data).dataset


@shared(16)
def load_adapter(adapter_name: str) -> Adapter:
    """Return an adapter by its name."""
    return caching.workspace().adapter(adapter_name)


def fitting_adapters(data: str) -> list[str]:
    """Return the names of the adapters with the dimensions of this data set.

    Adapters that were trained on it come first. None fits a data set that is ranked by dot product,
    or that has no vectors.
    """
    opened, cards = collection(data), adapter_cards()
    if opened.similarity != "cosine" or not opened.has_vectors:
        return []
    dimension = opened.documents.dimension
    fitting = [name for name, card in cards.items() if card.input_dim == dimension]
    return sorted(fitting, key=lambda name: (cards[name].dataset != data, name))


def own_adapters(data: str) -> list[str]:
    """Return the names of the adapters that fit a data set and were trained on it."""
    cards = adapter_cards()
    return [name for name in fitting_adapters(data) if cards[name].dataset == data]


def adapter_cards() -> dict[str, AdapterCard]:
    """Return the cards of all adapters that can be read, by name."""
    return {
        # an adapter that cannot be read must not disable the others
        name: load_adapter(name).card
        for name in caching.workspace().adapter_paths()
        if adapter_error(name) is None
    }


def unreadable_adapters() -> dict[str, str]:
    """Return the error of each adapter that cannot be read, by name."""
    errors = {name: adapter_error(name) for name in caching.workspace().adapter_paths()}
    return {name: error for name, error in errors.items() if error is not None}


@shared(64)
def adapter_error(adapter_name: str) -> str | None:
    """Return the error of an adapter's file, or None if it can be read."""
    try:
        load_adapter(adapter_name)
    except AdapterError as error:
        return str(error)
    return None


@shared(3, judged=False)
def lexical(data: str) -> BM25Index:
    """Return the BM25 index of a data set."""
    return caching.workspace().lexical_index(dataset(data))


@shared(4, "Running the adapter over the corpus …", judged=False)
def _ranker_of_files(data: str, adapter_name: str) -> Ranker:
    # documents that were added to the collection are added to a sentence memory, too
    new = caching.workspace().ranker(_files(data), adapter_name)
    # all are computed at first use: do it here, where the page shows the spinner
    _ = new.mapped_documents, new.collection.index
    settle_memory()
    return new


@shared(4)
def ranker(data: str, adapter_name: str) -> Ranker:
    """Return what ranks a data set.

    `adapter_name` is an adapter, `corpus:NAME` for an adapter that ranks the whole corpus, `none`
    for the vectors alone, or `run:NAME`.
    """
    if adapter_name.startswith(RUN_PREFIX):
        return RunRanker(collection(data), run(data, adapter_name))
    name = adapter_name.removeprefix(CORPUS_PREFIX)
    opened = _ranker_of_files(data, name).with_collection(collection(data))
    return opened if name == adapter_name else opened.with_scope("corpus")
