"""Upload a file in the browser: it is kept in the workspace, and its path is filled in."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import state
from dashboard.services.data_sets import uploads
from dashboard.widgets import notices
from imrnns_core.data.readers.files import TABLES, TREC_FILES
from imrnns_core.data.readers.unpacked_size import MAX_UNPACKED
from imrnns_core.errors import LensError
from imrnns_core.storage.removed import KEPT_DAYS

LIMITS = (
    f"A zip may unpack to at most {MAX_UNPACKED / 1e9:.0f} GB. Uploaded files are kept in the "
    f"workspace. When you delete a data set, uploads older than {KEPT_DAYS} days that no data set "
    "uses are deleted, too. For larger files, name the path instead."
)
DOCUMENTS = "Upload documents: a table or a zip"
DOCUMENTS_HELP = "For a folder of Markdown, text or HTML files, upload a zip of it."
QUERIES = "Upload queries (optional): a table or TREC topics"
DOCUMENT_TYPES = [*TABLES, ".zip", ".gz"]
QUERY_TYPES = [*TABLES, *TREC_FILES, ".gz"]
RUN = "Upload a run: a TREC run or a table"


def show() -> None:
    """Draw both uploads; what is uploaded fills in the boxes of the paths, which come after."""
    _empty_lost("new_path", "new_queries")
    left, right = st.columns(2)
    _upload(left, DOCUMENTS, "new_path", DOCUMENT_TYPES, DOCUMENTS_HELP)
    _upload(right, QUERIES, "new_queries", QUERY_TYPES)
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


def _upload(
    place: DeltaGenerator,
    label: str,
    box: str,
    types: list[str] | None,
    explanation: str | None = None,
) -> None:
    """Draw one upload; `box` is the key of the text box that gets the path."""
    file = place.file_uploader(label, types, key=state.upload_key(box), help=explanation)
    if file is None:
        return
    try:
        path = uploads.save(file.name, file, names_data_set=box == "new_path")
    except (LensError, OSError) as error:
        notices.show("error", "This file cannot be used", str(error))
        return
    state.fill(box, str(path))
    st.rerun()
