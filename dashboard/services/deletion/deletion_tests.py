"""Deletion tests of adapters, and the jobs that run them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.selection import Selection
from dashboard.services import caching, catalog, explanations, remedies
from dashboard.services.background import Jobs
from dashboard.services.caching import shared
from dashboard.services.deletion.deletion_job import DeletionJob
from dashboard.services.explanations import PairKey
from imrnns_core.config import CORPUS_PREFIX, NO_ADAPTER
from imrnns_core.explanation.deletion_records import DeletionSummary, DeletionTest
from imrnns_core.explanation.deletion_test import record_key
from imrnns_core.explanation.explain import explain
from imrnns_core.io import first_readable
from imrnns_core.reporting.html import to_html


@shared(32)
def _key(data: str, adapter_name: str) -> str:
    return record_key(catalog.ranker(data, adapter_name))


def summary(data: str, adapter_name: str) -> DeletionSummary | None:
    """Return the summary of the deletion test of this adapter, or None if it has not run."""
    paths = caching.workspace().faithfulness_paths(_key(data, adapter_name))
    caching.note_use(data, paths[0])
    return first_readable(paths, DeletionSummary.read)


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs[DeletionJob]:
    return Jobs(state.is_connected)


def _path(data: str, adapter_name: str) -> Path:
    return caching.workspace().faithfulness_path(_key(data, adapter_name))


def job(data: str, adapter_name: str) -> tuple[DeletionJob | None, bool]:
    """Return the running or failed deletion test, and whether this session waits for it."""
    return _jobs().find(_path(data, adapter_name), state.session())


def wait(data: str, adapter_name: str, split: str, pairs: int) -> None:
    """Let this session wait for the deletion test, which writes its record to the workspace."""
    # it tests pairs of the candidates, whatever the adapter ranks
    name = adapter_name.removeprefix(CORPUS_PREFIX)
    path, explainer = _path(data, name), explanations.explainer(data, name)
    record = DeletionTest(data, split, name)
    _jobs().join(path, state.session(), lambda: DeletionJob.start(explainer, record, pairs, path))


def leave(data: str, adapter_name: str) -> None:
    """Let this session wait for the deletion test no longer."""
    _jobs().leave(_path(data, adapter_name), state.session())


def report(key: PairKey) -> str:
    """Return the explanation of a pair and the deletion test of its adapter as one HTML file."""
    names = (key.data, key.adapter)
    # explain gets functions: for an encoder without words it does not call them, and says so
    explained = explain(
        catalog.ranker(*names),
        explanations.pair(key).comparison,
        key.document,
        True,
        lambda _: explanations.explainer(*names),
        lambda _: explanations.vocabulary(*names),
    )
    tested = None if key.adapter == NO_ADAPTER else summary(*names)
    comparison = explanations.pair(key).comparison
    system = Selection(data=key.data, adapter=key.adapter.removeprefix(CORPUS_PREFIX))
    job = remedies.of_selection(system, comparison)
    return to_html(explained, tested, job.result() if job else None)
