"""Files that are uploaded in the browser: they are kept in the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from dashboard.access import editors_only
from dashboard.services import caching
from imrnns_core.storage.data_sets import uploads


@editors_only
def save(name: str, content: BytesIO, *, names_data_set: bool) -> Path:
    """Keep an uploaded file in the workspace, and return its path.

    A file that names a data set gets a name that no data set has.

    Raises:
        DataError: If it unpacks to too much.
        OSError: If it cannot be written.
    """
    space = caching.workspace()
    taken = space.registrations() if names_data_set else ()
    with st.spinner("Keeping the file …"):
        return uploads.save_upload(space.root, name, content, taken)


@editors_only
def save_folder(files: Sequence[UploadedFile]) -> Path:
    """Keep the files of an uploaded folder as a zip in the workspace, and return its path.

    Raises:
        DataError: If they are too many or too large.
        OSError: If the zip cannot be written.
    """
    space = caching.workspace()
    named = [(file.name, file) for file in files]
    with st.spinner("Keeping the folder …"):
        return uploads.save_uploaded_folder(space.root, named, space.registrations())


def is_lost(path: str) -> bool:
    """Return whether a path is that of an uploaded file that was deleted with its data set."""
    folder = caching.workspace().root / uploads.FOLDER
    return Path(path).parent == folder and not Path(path).exists()
