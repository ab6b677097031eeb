"""Encode the documents with other titles and in passages, so that these remedies are measured."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import remedies
from dashboard.widgets import progress_panel, role_note

TITLE = "Titles and passages"
READING = (
    "Not tried yet: documents without titles, with their titles twice, and long documents in "
    "passages. These remedies need vectors of their own: {} texts are encoded, and the passages. "
    "They are kept, and this page is measured again."
)
FAILED = "The documents could not be encoded"
_ENCODED = "encoded_data"


def show(data: str) -> None:
    """Draw the button, or the progress; nothing if the vectors are there."""
    number = remedies.documents_to_encode(data)
    if not number:
        return
    st.subheader(TITLE, anchor=False)
    st.caption(READING.format(f"{number:,}"))
    if role_note.refuses("Encoding"):
        return
    if state.kept(_ENCODED) == data:
        job = remedies.encode(data)
        progress_panel.await_result(job, FAILED, "encode_job", can_stop=True)
        return
    st.button("Encode and try them", key="encode", on_click=state.keep, args=(_ENCODED, data))
