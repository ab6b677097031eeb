"""Deletion tests of adapters, and the jobs that run them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.services import caching, catalog, explanations
from dashboard.services.background import Jobs
from dashboard.services.caching import shared
from dashboard.services.deletion_job import DeletionJob
from dashboard.services.explanations import PairKey
from imrnns_core.explanation.deletion_records import DeletionSummary, DeletionTest
from imrnns_core.explanation.deletion_test import record_key
from imrnns_core.explanation.explain import explain
from imrnns_core.io import first_readable
from imrnns_core.reporting.html import to_html


@shared(32)
def _key(data: str, adapter_name: str) -> str:
    return record_key(catalog.ranker(data, adapter_name))


def summary(data: str, adapter_name: str) -> DeletionSummary | None:
    """Return the deletion test of this adapter, None where it was not run."""
    paths = caching.workspace().faithfulness_paths(_key(data, adapter_name))
    return first_readable(paths, DeletionSummary.read)


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs[DeletionJob]:
    return Jobs(state.is_connected)


def _path(data: str, adapter_name: str) -> Path:
    return caching.workspace().faithfulness_path(_key(data, adapter_name))


def job(data: str, adapter_name: str) -> tuple[DeletionJob | None, bool]:
    """Return the deletion test that runs for this adapter, or failed.

    And whether this session waits for it.
    """
    return _jobs().find(_path(data, adapter_name), state.session())


def wait(data: str, adapter_name: str, split: str, pairs: int) -> None:
    """Let this session wait for the deletion test, which leaves its record in the workspace."""
    path, words_of = _path(data, adapter_name), explanations.explainer(data, adapter_name)
    record = DeletionTest(data, split, adapter_name)
    _jobs().join(path, state.session(), lambda: DeletionJob.start(words_of, record, pairs, path))


def leave(data: str, adapter_name: str) -> None:
    """Let this session wait for the deletion test no longer."""
    _jobs().leave(_path(data, adapter_name), state.session())


def report(key: PairKey) -> str:
    """Return the explanation of a pair, with the deletion test of its adapter, as one HTML file."""
    which = (key.data, key.adapter)
    # asked for by explain, which says so in the report where there is none
    explained = explain(
        catalog.ranker(*which),
        explanations.pair(key).comparison,
        key.document,
        True,
        lambda _: explanations.explainer(*which),
        lambda _: explanations.vocabulary(*which),
    )
    return to_html(explained, summary(*which))
