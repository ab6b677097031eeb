"""What is loaded once and shared by all sessions: read-only for everyone. The only home of `st.cache_*`."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st
import torch

import imrnns_core
from dashboard.state import Selection
from imrnns_core.checkpoint import Adapter
from imrnns_core.diagnosis import Diagnosis, diagnose
from imrnns_core.evaluation import ChangeShares, Evaluation, change_shares, evaluate
from imrnns_core.explain.influence import Influence, WordIndex, feedback_influence
from imrnns_core.index import LexicalIndex
from imrnns_core.mapping import CorpusMap, load_map, map_key
from imrnns_core.ranges import ModulationRanges, modulation_ranges
from imrnns_core.ranking import Ranker
from imrnns_core.records import Comparison, FloatArray, Query
from imrnns_core.workspace import Collection, Workspace

PACKAGE = Path(imrnns_core.__file__).parent
RANGE_QUERIES = 100


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    return Workspace()


def settle_memory() -> None:
    """Tell Python's garbage collector that what is loaded stays.

    Streamlit has it look at everything after each run of a page; with torch and a corpus in memory that takes
    a third of a second, in which nothing is sent to the browser.
    """
    gc.collect()
    gc.freeze()


def data_names() -> list[str]:
    """Return the names of the registered data sets."""
    return list(workspace().registrations())


@st.cache_resource(show_spinner="Loading the data set …", max_entries=3)
def collection(data: str) -> Collection:
    space = workspace()
    return space.open(space.resolve(data))


@st.cache_resource(show_spinner=False, max_entries=16)
def adapter(name: str, modified: float) -> Adapter:
    """Load an adapter; `modified` makes a rewritten file load again."""
    return workspace().adapter(name)


def adapter_files() -> dict[str, Path]:
    return workspace().adapter_paths()


def load_adapter(name: str) -> Adapter:
    path = adapter_files().get(name)
    return adapter(name, path.stat().st_mtime if path else 0.0)


def fitting_adapters(data: str) -> list[str]:
    """Return the names of the adapters with this data set's dimensions, those trained on it first."""
    dimension = collection(data).documents.dimension
    cards = {name: load_adapter(name).card for name in adapter_files()}
    fitting = [name for name, card in cards.items() if card.input_dim == dimension]
    return sorted(fitting, key=lambda name: (cards[name].dataset != data, name))


@st.cache_resource(show_spinner="Running the adapter over the corpus …", max_entries=4)
def ranker(data: str, adapter_name: str) -> Ranker:
    made = Ranker(collection(data), load_adapter(adapter_name))
    _ = made.transform, made.collection.index
    settle_memory()
    return made


@st.cache_resource(show_spinner="Measuring all judged queries …", max_entries=24)
def evaluation(data: str, adapter_name: str, split: str, top_k: int) -> Evaluation:
    return evaluate(ranker(data, adapter_name), split, top_k=top_k)


@st.cache_resource(show_spinner=False, max_entries=24)
def shares(data: str, adapter_name: str, split: str) -> ChangeShares:
    measured = evaluation(data, adapter_name, split, 10)
    queries = collection(data).queries
    return change_shares(ranker(data, adapter_name), measured.batch, torch.from_numpy(queries.vectors[queries.rows(measured.query_ids)]))


@st.cache_resource(show_spinner="Building the BM25 index …", max_entries=3)
def lexical_index(data: str) -> LexicalIndex:
    return LexicalIndex(collection(data).dataset.documents)


@st.cache_resource(show_spinner="Looking for causes …", max_entries=24)
def diagnoses(data: str, adapter_name: str, split: str, top_k: int) -> list[Diagnosis]:
    return diagnose(ranker(data, adapter_name), evaluation(data, adapter_name, split, top_k), lexical_index(data))


@st.cache_resource(show_spinner=False, max_entries=256)
def typed_vector(data: str, text: str) -> FloatArray:
    return collection(data).encode(text)


@st.cache_resource(show_spinner=False, max_entries=64)
def comparison(data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str]) -> Comparison:
    """Return the Comparison of a known query (by id) or of a typed one (by text)."""

    if query_id:
        return ranker(data, adapter_name).compare_id(query_id, dropped)
    return ranker(data, adapter_name).compare(Query("", text), typed_vector(data, text), dropped)


@st.cache_resource(show_spinner=False, max_entries=64)
def influence(data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str]) -> Influence:
    return feedback_influence(comparison(data, adapter_name, query_id, text, dropped), load_adapter(adapter_name).model)


@st.cache_resource(show_spinner="Measuring the adapter’s ranges …", max_entries=8)
def ranges(data: str, adapter_name: str) -> ModulationRanges:
    vectors = collection(data).queries.vectors
    step = max(1, len(vectors) // RANGE_QUERIES)
    return modulation_ranges(ranker(data, adapter_name), vectors[::step][:RANGE_QUERIES])


@st.cache_resource(show_spinner="Counting the words of the corpus …", max_entries=3)
def words(data: str) -> WordIndex:
    index = WordIndex(collection(data).dataset.documents)
    return index


@dataclass
class MapJob:
    """A map that is being made by a process of its own: it can be stopped, and pages stay quick."""

    process: subprocess.Popen[str]
    started: float = field(default_factory=time.monotonic)

    @property
    def error(self) -> str:
        """What went wrong, once the process has ended; empty while it runs or if all went well."""
        if not self.process.poll():
            return ""
        return (self.process.communicate()[1] or "").strip()[-500:] or f"the process ended with code {self.process.returncode}"


@st.cache_resource(show_spinner=False)
def _map_jobs() -> dict[Path, MapJob]:
    return {}


@st.cache_resource(show_spinner=False, max_entries=4)
def _stored_map(path: Path) -> CorpusMap:
    return load_map(path)


@st.cache_resource(show_spinner=False, max_entries=8)
def linear_places(data: str, adapter_name: str, dimensions: int) -> FloatArray:
    """Return the (N, dimensions) PCA places of the corpus; its map must have been made."""
    made = corpus_map(data, adapter_name)
    assert made is not None
    return made.linear(ranker(data, adapter_name).transform.projected.numpy(), dimensions)


def corpus_map(data: str, adapter_name: str) -> CorpusMap | None:
    """Return the map if it was made, else None."""
    path = _map_path(data, adapter_name)
    return _stored_map(path) if path.is_file() else None


def map_job(data: str, adapter_name: str) -> MapJob | None:
    """Return the job that makes this map, if one runs or failed."""
    return _map_jobs().get(_map_path(data, adapter_name))


def start_map(data: str, adapter_name: str) -> None:
    """Make the map in the background, as `imrnns-lens prepare` does."""
    root = workspace().root
    command = [sys.executable, "-m", "imrnns_core.cli", "prepare", data, "--adapter", adapter_name, "--workspace", str(root)]
    root.mkdir(parents=True, exist_ok=True)
    paths = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "PYTHONPATH": paths}
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    _map_jobs()[_map_path(data, adapter_name)] = MapJob(process)


def stop_map(data: str, adapter_name: str) -> None:
    """Stop making the map; nothing half-made is kept."""
    job = _map_jobs().pop(_map_path(data, adapter_name), None)
    if job:
        job.process.terminate()
        job.process.wait(10)


@st.cache_resource(show_spinner=False, max_entries=32)
def _map_key(data: str, adapter_name: str, modified: float) -> str:
    return map_key(load_adapter(adapter_name), collection(data).documents.vectors)


def _map_path(data: str, adapter_name: str) -> Path:
    return workspace().map_path(_map_key(data, adapter_name, adapter_files()[adapter_name].stat().st_mtime))


@st.cache_resource(show_spinner=False)
def warm_encoder(data: str) -> threading.Thread:
    """Load the encoder in the background, so that the first typed query does not wait for it."""
    loaded = collection(data)

    def work() -> None:
        time.sleep(1.5)  # the first page comes first
        try:
            loaded.encode("warm-up")
            settle_memory()
        except Exception:  # the page that needs the encoder shows the error
            return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def selected_comparison(selection: Selection) -> Comparison:
    """Return the Comparison of the selected query. A typed query that the data set has is taken from there."""
    dropped = frozenset(filter(None, selection.dropped.split(",")))
    return comparison(selection.data, selection.adapter, selection.query, selection.text, dropped)
