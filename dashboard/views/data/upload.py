"""Upload a data set in the browser: its documents, or a folder, and its queries."""

from __future__ import annotations

import streamlit as st

from dashboard.widgets import upload_box
from imrnns_core.data.readers.files import PAGES, TABLES, TREC_FILES
from imrnns_core.data.readers.unpacked_size import MAX_UNPACKED
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


def show() -> None:
    """Draw the uploads; what is uploaded fills in the boxes of the paths, which come after."""
    upload_box.empty_lost("new_path", "new_queries")
    left, right = st.columns(2)
    upload_box.show(left, DOCUMENTS, "new_path", DOCUMENT_TYPES, names_data_set=True)
    upload_box.show_folder(right, FOLDER, "new_path", FOLDER_TYPES, FOLDER_HELP)
    left, _ = st.columns(2)  # a new row: on a phone, the folder comes before the queries
    upload_box.show(left, QUERIES, "new_queries", QUERY_TYPES)
    st.caption(LIMITS)
