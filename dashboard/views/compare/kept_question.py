"""A question that was kept as a query of the data set: remove it, and undo that."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard import state
from dashboard.services import judging
from dashboard.widgets import notices, role_note
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import LensError

REMOVE_HELP = (
    "Takes the question out of all lists. Its judgments stay in the database, but they do not "
    "count. You can undo it."
)
REMOVED = "This question was a query of the data set"
REMOVED_READING = "{} removed it on {:%Y-%m-%d %H:%M} UTC. Undo brings it back, with its judgments."


def show(dataset: Dataset) -> None:
    """Draw the button that removes the selected question, or the one that brings it back."""
    selection = state.current()
    if selection.query in dataset.kept:
        locked = role_note.refuses("Removing this question")
        remove = "Remove this question"
        if st.button(remove, key="remove_question", help=REMOVE_HELP, disabled=locked):
            _change(judging.remove_question, selection.query, "", dataset)
        return
    if selection.query or not selection.text:
        return
    removed = judging.removed_question(selection.data, selection.text)
    if removed is None:
        return
    reading = REMOVED_READING.format(removed.who, removed.at)
    notices.show("info", REMOVED, reading)
    locked = role_note.refuses("Undoing this")
    if st.button("Undo", key="restore_question", disabled=locked):
        _change(judging.restore_question, removed.query.id, removed.query.id, dataset)


def _change(
    change: Callable[[str, str, str], None], query_id: str, next_query: str, dataset: Dataset
) -> None:
    """Remove a question or bring it back; then select it as a query, or as a typed question."""
    try:
        change(state.current().data, query_id, state.who())
    except LensError as error:
        notices.show("error", "The question was not changed", str(error))
        return
    text = "" if next_query else dataset.queries[query_id].text
    state.update(query=next_query, text=text)
    st.rerun()
