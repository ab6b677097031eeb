"""Adapter files: import by path, export as a download, delete and undo."""

from __future__ import annotations

import streamlit as st

from dashboard import access, navigation, state
from dashboard.services import catalog
from dashboard.services.adapters import files as adapter_files
from dashboard.widgets import notices, role_note
from imrnns_core.errors import LensError
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.storage.removed import KEPT_DAYS

IMPORT_READING = (
    "Name a file on the machine that runs the dashboard: a .safetensors adapter, or a .pt "
    "checkpoint of the reference package. It is copied into the workspace."
)
EXPORT_HELP = "With the card. Import it elsewhere, or load it with imrnns_core."
REFERENCE_HELP = "For the reference package: imrnns.IMRNNAdapter.from_checkpoint loads it."
DELETE_HELP = f"The file is moved aside, so that you can undo it for {KEPT_DAYS} days."
KEPT = (
    f"A deletion can be undone for {KEPT_DAYS} days. Later, the file is deleted for good when "
    "another adapter or data set is deleted."
)


def show_import() -> None:
    """Draw the section that imports an adapter file."""
    st.header("Import an adapter", anchor=False)
    if role_note.refuses("An import"):
        return
    st.caption(IMPORT_READING)
    path = st.text_input(
        "Adapter file", key="adapter_path", placeholder="such as /data/adapter.pt"
    ).strip()
    if not path:
        return
    try:
        _import(path, adapter_files.read(path))
    except (LensError, OSError) as error:
        notices.show("error", "This file cannot be imported", str(error))


def _import(path: str, adapter: Adapter) -> None:
    name = adapter_files.imported(path, adapter)
    if name is None:
        card = adapter.card
        st.caption("What the file says:")
        notices.text_block(
            card.name,
            f"{card.input_dim} → {card.output_dim} dimensions. Encoder: "
            f"{card.encoder or 'not named'}. Trained on: {card.dataset or 'not named'}.",
        )
        if st.button("Import", key="adapter_import"):
            adapter_files.take(path)
            st.rerun()  # the sidebar lists it
        return
    data, dimension = state.current().data, adapter.card.input_dim
    expected = catalog.collection(data).documents.dimension
    if dimension != expected:
        notices.show(
            "warning",
            f"“{name}” is imported, but does not fit this data set",
            f"It expects {dimension} dimensions, the vectors of {data} have {expected}. Open a "
            "data set with its encoder.",
        )
        return
    notices.show("good", f"“{name}” is imported", "You find it in the sidebar.")
    if st.button("Open Overview with it", key="imported_open"):
        state.update(adapter=name)
        navigation.go("overview")


def show_export(name: str) -> None:
    """Draw the buttons that save an adapter as a file, and the one that deletes it."""
    obstacle = adapter_files.obstacle(name)
    with st.container(horizontal=True, key="adapter_buttons"):
        _download(name, ".safetensors", "Export", EXPORT_HELP)
        if not obstacle:
            _download(name, ".pt", "Export for the reference package", REFERENCE_HELP)
        deletes = not adapter_files.is_shipped(name) and st.button(
            "Delete", key="adapter_delete", help=DELETE_HELP, disabled=not access.may_edit()
        )
    if not adapter_files.is_shipped(name):
        role_note.refuses("Deleting")
    if obstacle:
        st.caption(f"The reference package cannot load this adapter: {obstacle}.")
    if deletes:
        adapter_files.delete(name)
        state.update(adapter="")  # the sidebar chooses another one
        st.rerun()


def _download(name: str, suffix: str, label: str, explanation: str) -> None:
    data = state.current().data
    st.download_button(
        f"{label} ({suffix})",
        lambda: adapter_files.exported(data, name, suffix),
        f"{name}{suffix}",
        "application/octet-stream",
        key=f"export_{suffix.strip('.')}",
        on_click="ignore",  # a download changes nothing on the page
        help=explanation,
    )


def show_deleted() -> None:
    """Draw the deleted adapters, each with a button that brings it back."""
    names = adapter_files.deleted()
    if not names:
        return
    with st.expander(f"Deleted adapters ({len(names)})"):
        st.caption(KEPT)
        locked = role_note.refuses("Undoing a deletion")
        for name in names:
            with st.container(horizontal=True, vertical_alignment="center"):
                undo = st.button("Undo", key=f"undo_{name}", disabled=locked)
                notices.text_block(name, "")
            if undo:
                _undo(name)


def _undo(name: str) -> None:
    try:
        adapter_files.undo(name)
    except LensError as error:
        notices.show("error", "This cannot be undone", str(error))
        return
    state.update(adapter=name)
    st.rerun()
