"""Maps of a corpus, and the jobs that make them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.selection import Selection
from dashboard.services import caching, catalog, comparisons
from dashboard.services.background import Jobs
from dashboard.services.caching import shared
from dashboard.services.map_job import MapJob
from imrnns_core.config import CORPUS_PREFIX, NO_ADAPTER
from imrnns_core.io import first_readable, identity
from imrnns_core.projection.corpus_map import CorpusMap, load_map, map_key
from imrnns_core.projection.effective_view import EffectiveView, effective_view
from imrnns_core.types import FloatArray


# cached by the identity of the files, so that a map that was made again replaces the old one
@st.cache_resource(show_spinner=False, max_entries=4)
def _stored(paths: tuple[Path, ...], content: str) -> CorpusMap | None:
    return first_readable(paths, load_map)


def corpus_map(data: str, adapter_name: str) -> CorpusMap | None:
    """Return the map, or None if it has not been made or cannot be read."""
    paths = caching.workspace().map_paths(_key(data, adapter_name))
    caching.note_use(data, paths[0])
    return _stored(paths, identity(paths))


@shared(8, judged=False)
def pca_places(data: str, adapter_name: str, dimensions: int) -> FloatArray:
    """Return the (N, dimensions) PCA positions of the corpus. Its map must exist."""
    stored_map = corpus_map(data, adapter_name)
    assert stored_map is not None
    documents = catalog.ranker(data, adapter_name).mapped_documents
    return stored_map.pca_project(documents, dimensions)


def of_effective_query(selection: Selection, k: int) -> EffectiveView:
    """Return the documents of the corpus with the selected query and its effective query."""
    excluded = comparisons.excluded_ids(selection)
    return _effective_view(
        selection.data, selection.system, selection.query, selection.text, excluded, k
    )


@shared(4, judged=False)
def _effective_view(
    data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str], k: int
) -> EffectiveView:
    comparison = comparisons.comparison(data, adapter_name, query_id, text, dropped)
    return effective_view(catalog.ranker(data, adapter_name), comparison, k)


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs[MapJob]:
    return Jobs(state.is_connected)


def job(data: str, adapter_name: str) -> tuple[MapJob | None, bool]:
    """Return the running or failed job of this map, and whether this session waits for it."""
    return _jobs().find(_path(data, adapter_name), state.session())


def wait(data: str, adapter_name: str) -> None:
    """Let this session wait for the map, which a job makes in the background."""
    path, documents = _path(data, adapter_name), len(catalog.dataset(data).documents)
    # a map does not depend on what the adapter ranks
    root, adapter = caching.workspace().root, adapter_name.removeprefix(CORPUS_PREFIX)
    _jobs().join(path, state.session(), lambda: MapJob.start(data, adapter, root, path, documents))


def leave(data: str, adapter_name: str) -> None:
    """Let this session wait for the map no longer."""
    _jobs().leave(_path(data, adapter_name), state.session())


@shared(32, judged=False)
def _key(data: str, adapter_name: str) -> str:
    name = adapter_name.removeprefix(CORPUS_PREFIX)
    adapter = None if name == NO_ADAPTER else catalog.load_adapter(name)
    return map_key(adapter, catalog.collection(data).fingerprint)


def _path(data: str, adapter_name: str) -> Path:
    return caching.workspace().map_path(_key(data, adapter_name))
