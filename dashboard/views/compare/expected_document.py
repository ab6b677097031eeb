"""The document that should answer a typed question: choose it, and keep the question."""

from __future__ import annotations

import html

import streamlit as st

from dashboard import state
from dashboard.widgets import grade_control, notices, role_note
from dashboard.widgets.document_finder import component as document_finder
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import LensError

LABEL = "Which document should answer this?"
PLACEHOLDER = "Type its id, its address, or words of its title"
READING = (
    "If you name the expected document, your question has an outcome and likely causes, like the "
    "other queries."
)
RUN_READING = "It is judged relevant if you keep the question. The run has no rank for it."
KEEP_HELP = (
    "Your question becomes a query of this data set, with this document as its judgment. "
    "It gets an id and is in all lists."
)


def show(dataset: Dataset) -> None:
    """Draw the choice, if the selected query was typed."""
    selection = state.current()
    if selection.query or not selection.text:
        return
    expected = dataset.document.get(selection.expected)
    if expected is None:
        _find(dataset)
        return
    with st.container(key="expected"):
        name = expected.title or expected.id
        st.html(f"<div>Expected document: <strong>{html.escape(name)}</strong></div>")
        locked = role_note.refuses("Keeping the question")
        with st.container(horizontal=True):
            kept = st.button(
                "Keep this question", key="keep_question", help=KEEP_HELP, disabled=locked
            )
            st.button(
                "Choose another document",
                key="other_expected",
                on_click=lambda: state.update(expected=""),
            )
    if kept:
        _keep()


def _keep() -> None:
    try:
        grade_control.kept_query()
    except LensError as error:
        notices.show("error", "The question was not kept", str(error))
        return
    st.rerun()


@st.fragment
def _find(dataset: Dataset) -> None:
    """Draw the box. Only this part runs while the reader types."""

    def choose(document_id: str) -> None:
        state.update(expected=document_id)

    document_finder.show(dataset, LABEL, PLACEHOLDER, choose, key="expected_finder")
    st.caption(RUN_READING if state.current().run else READING)
    if state.current().expected in dataset.document:  # the rest of the page shows its ranks
        st.rerun()
