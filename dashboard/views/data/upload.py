"""Upload a file or folder in the browser: it is kept in the workspace, its path is filled in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.services.data_sets import uploads
from dashboard.widgets import notices
from imrnns_core.data.readers.files import PAGES, TABLES, TREC_FILES
from imrnns_core.data.readers.unpacked_size import MAX_UNPACKED
from imrnns_core.errors import LensError
from imrnns_core.storage.data_sets.uploads import FOLDER_BYTES, FOLDER_FILES
from imrnns_core.storage.removed import KEPT_DAYS

LIMITS = (
    f"A zip may unpack to at most {MAX_UNPACKED / 1e9:.0f} GB. Uploaded files are kept in the "
    f"workspace. When you delete a data set, uploads older than {KEPT_DAYS} days that no data set "
    "uses are deleted, too. For larger files, name the path instead."
)
DOCUMENTS = "Upload documents: a table or a zip"
FOLDER = "Upload a folder: Markdown, text or HTML files, or BEIR layout"
FOLDER_HELP = (
    f"At most {FOLDER_FILES:,} files, together at most {FOLDER_BYTES / 1e6:.0f} MB. The "
    "id of a document is its path inside the folder. The workspace keeps the folder as a zip."
)
QUERIES = "Upload queries (optional): a table or TREC topics"
DOCUMENT_TYPES = [*TABLES, ".zip", ".gz"]
FOLDER_TYPES = [*dict.fromkeys((*PAGES, *TABLES, *TREC_FILES, ".gz"))]
QUERY_TYPES = [*TABLES, *TREC_FILES, ".gz"]
RUN = "Upload a run: a TREC run or a table"


def show() -> None:
    """Draw the uploads; what is uploaded fills in the boxes of the paths, which come after."""
    _empty_lost("new_path", "new_queries")
    left, right = st.columns(2)
    _upload(left, DOCUMENTS, "new_path", DOCUMENT_TYPES)
    _upload_folder(right, "new_path")
    left, _ = st.columns(2)  # a new row: on a phone, the folder comes before the queries
    _upload(left, QUERIES, "new_queries", QUERY_TYPES)
    st.caption(LIMITS)


def show_run(box: str) -> None:
    """Draw the upload of a run; it fills in the box with this key, which comes after."""
    _empty_lost(box)
    _upload(st.container(), RUN, box, None)  # the name of a run can have any ending


def _empty_lost(*boxes: str) -> None:
    """Empty boxes that name an upload which was deleted with its data set."""
    for box in boxes:
        if uploads.is_lost(state.value(box) or ""):
            state.fill(box, "")


def _upload(place: DeltaGenerator, label: str, box: str, types: list[str] | None) -> None:
    """Draw the upload of a file; `box` is the key of the text box that gets the path."""
    if file := place.file_uploader(label, types, key=state.upload_key(box)):
        _fill(box, "file", lambda: uploads.save(file.name, file, names_data_set=box == "new_path"))


def _upload_folder(place: DeltaGenerator, box: str) -> None:
    """Draw the upload of a folder; `box` is the key of the text box that gets the path."""
    key = f"{state.upload_key(box)}_folder"
    files = place.file_uploader(
        FOLDER, FOLDER_TYPES, accept_multiple_files="directory", key=key, help=FOLDER_HELP
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
