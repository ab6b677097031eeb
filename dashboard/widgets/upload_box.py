"""Upload files in the browser: they are kept in the workspace, their path fills in a text box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.services.data_sets import uploads
from dashboard.widgets import notices
from imrnns_core.errors import LensError


def empty_lost(*boxes: str) -> None:
    """Empty boxes that name an upload which was deleted with its data set."""
    for box in boxes:
        if uploads.is_lost(state.value(state.bound_box(box)["key"]) or ""):
            state.fill(box, "")


def show(
    place: DeltaGenerator,
    label: str,
    box: str,
    types: Sequence[str] | None = None,
    names_data_set: bool = False,
) -> None:
    """Draw the upload of a file.

    Args:
        place: Where.
        label: What to upload.
        box: The text box that gets the path, see `state.bound_box`; it is drawn after this.
        types: The endings that its name can have; None means any.
        names_data_set: Whether the data set is named after the file.
    """
    if file := place.file_uploader(label, types, key=state.upload_key(box)):
        _fill(box, "file", lambda: uploads.save(file.name, file, names_data_set=names_data_set))


def show_folder(
    place: DeltaGenerator, label: str, box: str, types: Sequence[str], reading: str
) -> None:
    """Draw the upload of a folder, with a help text; see `show`."""
    key = f"{state.upload_key(box)}_folder"
    files = place.file_uploader(
        label, types, accept_multiple_files="directory", key=key, help=reading
    )
    if files:
        _fill(box, "folder", lambda: uploads.save_folder(files))


def _fill(box: str, kind: str, save: Callable[[], Path]) -> None:
    """Fill in a text box with the path of what is saved, or say why it cannot be saved."""
    try:
        path = save()
    except (LensError, OSError) as error:
        notices.show("error", f"This {kind} cannot be used", str(error))
        return
    state.fill(box, str(path))
    st.rerun()
