"""The control with which a reader judges one document for the selected query."""

from __future__ import annotations

import html

import streamlit as st

from dashboard import access, formatting, state
from dashboard.services import caching, judging
from dashboard.services.judging import Pair
from dashboard.widgets import notices, role_note
from imrnns_core.errors import LensError
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.storage.judged import Placed
from imrnns_core.storage.judgments import GRADE_NAMES, GRADES

LABEL = "Judge: how relevant is this document?"
HELP = (
    ", ".join(f"{grade} {name}" for grade, name in zip(GRADES, GRADE_NAMES, strict=True))
    + ". Grades 1 to 3 count as relevant. All pages use your judgment at once. Your own question "
    "is kept as a query of the data set when you judge its documents."
)
_ERROR = "judging_error"


def show(comparison: Comparison, document_id: str, key: str) -> None:
    """Draw the grades, who gave the current one, and a button that takes it back."""
    selection = state.current()
    placed = judging.given(selection.data).get((comparison.query.id, document_id))
    grade = comparison.judgments.get(document_id, -1)
    # a key for each pair: the browser must not show the grade of another document
    name = f"{key}_grade_{selection.query}_{selection.text}_{document_id}"
    st.session_state[name] = grade if grade in GRADES else None
    with st.container(key=f"{key}_judge"):
        st.segmented_control(
            LABEL,
            GRADES,
            key=name,
            help=HELP,
            disabled=not access.may_edit(),
            on_change=lambda: _judge(st.session_state[name], document_id),
        )
        st.html(f'<div class="judged-by">{html.escape(_origin(grade, placed, selection.query))}')
        if not role_note.refuses("Judging") and placed is not None:
            number = placed.judgment.id
            st.button("Undo", key=f"{key}_undo", on_click=lambda: _undo(number))
    if error := st.session_state.pop(_ERROR, ""):
        notices.show("error", "The judgment was not stored", error)


def _origin(grade: int, placed: Placed | None, query: str) -> str:
    """Return the current grade and who gave it."""
    if grade < 0:
        return "Not judged yet." + (f" You judge as {state.who()}." if access.may_edit() else "")
    if placed is None:
        source = "from the files of the data set" if query else "the document that you expect"
        return f"{formatting.graded(grade).capitalize()}: {source}."
    given = placed.judgment
    changed = " The document’s text changed since." if placed.changed else ""
    return (
        f"{formatting.graded(grade).capitalize()}: judged by {given.who} on "
        f"{given.at:%Y-%m-%d %H:%M} UTC.{changed}"
    )


def _judge(grade: int | None, document_id: str) -> None:
    """Store the grade; a question that was typed becomes a query of the data set."""
    if grade is None:  # a click on the current grade
        return
    try:
        _store((kept_query(), document_id), grade)
    except LensError as error:
        st.session_state[_ERROR] = str(error)


def _store(pair: Pair, grade: int) -> None:
    judging.writer(state.current().data, state.who()).store(pair, grade)
    caching.notice_judgments()


def _undo(number: int) -> None:
    try:
        judging.writer(state.current().data, state.who()).undo(number)
    except LensError as error:
        st.session_state[_ERROR] = str(error)
    caching.notice_judgments()


def kept_query() -> str:
    """Return the id of the selected query; a typed question is kept, with its expected document.

    Raises:
        LensError: If the database cannot be written.
    """
    selection = state.current()
    if selection.query:
        return selection.query
    query_id = judging.keep(selection.data, selection.text, state.who())
    if selection.expected:
        _store((query_id, selection.expected), GRADES[-1])
    state.update(query=query_id, text="", document=selection.document, dropped=selection.dropped)
    return query_id
