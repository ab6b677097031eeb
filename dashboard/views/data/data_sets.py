"""The list of data sets: delete one, and undo that."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import state
from dashboard.services.data_sets import listing
from dashboard.views.data.report import height
from dashboard.widgets import notices, role_note
from imrnns_core.config import SAMPLE
from imrnns_core.errors import LensError
from imrnns_core.storage.removed import KEPT_DAYS

READING = "All data sets of the workspace. Choose one in the sidebar to open it."
SHIPPED = "shipped with the dashboard"
DELETE_HELP = (
    "Takes the data set from the list. Its uploaded files, and all that was computed for it, are "
    f"moved aside, so that you can undo it for {KEPT_DAYS} days. Judgments are kept. Files outside "
    "the workspace stay as they are."
)
KEPT = (
    f"A deletion can be undone for {KEPT_DAYS} days. Later, the files are deleted for good when "
    "another data set or adapter is deleted."
)


def show() -> None:
    """Draw the section."""
    st.header("Data sets", anchor=False)
    st.caption(READING)
    listed = listing.listed()
    with st.container(key="data_sets"):
        frame = pd.DataFrame(
            {
                "data set": one.name,
                # where it is installed is of no use
                "files": SHIPPED if one.name == SAMPLE else str(one.path),
                "separate file of queries": str(one.queries or ""),
                "encoder": "none" if one.without_vectors else one.encoder.name,
            }
            for one in listed
        )
        st.dataframe(frame, hide_index=True, height=height(len(frame)))
    own = [one.name for one in listed if one.name != SAMPLE]
    if own and not role_note.refuses("Deleting a data set"):
        _delete(own)
    _deleted()


def _delete(names: list[str]) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    opened = state.current().data
    first = names.index(opened) if opened in names else None
    name = left.selectbox(
        "Delete a data set", names, index=first, key="deleted_data", placeholder="Choose one"
    )
    if not right.button("Delete", key="delete_data", help=DELETE_HELP) or name is None:
        return
    try:
        listing.delete(name)
    except (LensError, OSError) as error:
        notices.show("error", "This data set cannot be deleted", str(error))
        return
    _show_next(SAMPLE if state.current().data == name else state.current().data)


def _deleted() -> None:
    """Draw the deleted data sets, each with a button that brings it back."""
    try:
        deleted = listing.deleted()
    except LensError as error:
        notices.show("error", "The deleted data sets cannot be listed", str(error))
        return
    if not deleted:
        return
    with st.expander(f"Deleted data sets ({len(deleted)})", expanded=True):
        st.caption(KEPT)
        locked = role_note.refuses("Undoing a deletion")
        for name, at in deleted.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                undo = st.button("Undo", key=f"undo_data_{name}", disabled=locked)
                notices.text_block(name, "", f"deleted on {at:%Y-%m-%d}")
            if undo:
                _undo(name)


def _undo(name: str) -> None:
    try:
        listing.undo(name)
    except (LensError, OSError) as error:
        notices.show("error", "This cannot be undone", str(error))
        return
    _show_next(name)


def _show_next(name: str) -> None:
    """Draw the page again with a data set open: the sidebar has another list now."""
    if name != state.current().data:
        # another data set has other queries, and may need another adapter
        state.update(data=name, query="", text="", document="")
        state.write_url()
    st.rerun()
