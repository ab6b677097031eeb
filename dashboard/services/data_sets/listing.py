"""The list of data sets and of their runs: delete, undo, add, remove."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import streamlit as st

from dashboard.access import editors_only
from dashboard.services import caching, catalog
from imrnns_core.data.run import Run
from imrnns_core.storage.data_sets.removal import (
    remove_data_set,
    removed_data_sets,
    restore_data_set,
)
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.removed import deleted_at


@editors_only
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


@editors_only
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


@editors_only
def set_keep_own(data: str, keep: bool) -> None:
    """Store whether documents that are the query itself stay in the rankings of their query.

    Raises:
        DataError: If the list of data sets is damaged.
        OSError: If it cannot be written.
    """
    space = caching.workspace()
    space.register(replace(space.resolve(data), keep_own=keep))
    caching.notice_registry()


@editors_only
def add_run(data: str, path: str, name: str) -> Run:
    """Add a run to a data set; an empty name takes that of the file.

    Raises:
        LensError: If the file cannot be read, or the name cannot be used.
    """
    with st.spinner("Reading the run …"):
        return caching.workspace().runs.add(Path(path), catalog.dataset(data), name)


@editors_only
def remove_run(data: str, name: str) -> None:
    """Take a run from a data set; its file stays.

    Raises:
        DataError: If the list of runs is damaged.
    """
    caching.workspace().runs.remove(data, name)


def run_file(data: str, name: str) -> Path:
    """Return the file of a run."""
    return caching.workspace().runs.files(data)[name]
