"""The choice of a query, each with a sign of what became of it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import state
from dashboard.formatting import SIGNS
from dashboard.services import catalog, comparisons, evaluations
from dashboard.widgets import notices, progress_panel
from imrnns_core.data.records import Query
from imrnns_core.evaluation.outcomes import Outcome

NOT_JUDGED = "·"
MAX_OPTIONS = 5_000
"""More queries are not listed; they are found by typing their id."""
CHECK_SECONDS = 1.0
HELP = (
    "Choose one, or type your own question and press Enter. ▲▲ rescued · ▲ improved · = unchanged "
    "· ▼ worsened · ▼▼ broken · ✕ fails in the ranking · ∅ fails in the pool · · not judged"
)
NO_QUERIES = ("This data set has no queries", "Type one below.")
NOT_LEFT_OUT = (
    "What this link leaves out cannot be left out",
    "Only candidates can, and one at least has to refine the query: all do now.",
)


def show() -> bool:
    """Draw the choice, and make the Selection's query complete.

    Say whether all signs are there: else `await_outcomes` has to draw them later.
    """
    _complete_query()
    _complete_dropped()
    queries, selection = catalog.dataset(state.current().data).queries, state.current()
    outcomes = _outcomes()
    options = list(queries)[:MAX_OPTIONS]
    chosen = selection.text or selection.query
    st.session_state["input_query"] = chosen or None
    st.selectbox(
        "Query",
        options if chosen in options or not chosen else [*options, chosen],
        format_func=lambda value: _label(value, queries, outcomes),
        key="input_query",
        on_change=_chosen,
        args=(selection.query,),
        accept_new_options=True,
        placeholder="Choose a query, or type your own",
        help=HELP,
    )
    return outcomes is not None


def step(by: int) -> None:
    """Go to a later or an earlier query."""
    ids = list(catalog.dataset(state.current().data).queries)
    at = ids.index(state.current().query) if state.current().query in ids else -1
    state.update(query=ids[(at + by) % len(ids)], text="")


def await_outcomes() -> None:
    """Draw the page again once every query's outcome is known."""
    with st.container(key="measuring"):
        progress_panel.poll(
            lambda: st.caption("Measuring all judged queries …"),
            lambda: _outcomes() is not None,
            CHECK_SECONDS,
        )


def _outcomes() -> dict[str, Outcome] | None:
    selection = state.current()
    return evaluations.outcomes(selection.data, selection.adapter, selection.top_k)


def _complete_query() -> None:
    """Select the first query where none is, or one that is not here."""
    selection = state.current()
    queries = catalog.dataset(selection.data).queries
    if selection.query in queries or selection.text:
        return
    if selection.query:
        notices.show(
            "warning",
            f"No query has the id “{selection.query}”",
            "The first query is shown instead.",
        )
    if not queries:
        notices.show("info", *NO_QUERIES)
    # a link may name a document and no query
    first = next(iter(queries), "")
    state.update(query=first, document=selection.document, dropped=selection.dropped)


def _complete_dropped() -> None:
    """Leave nothing out where what the link names cannot be left out."""
    asked = state.current()
    if asked.dropped and (asked.query or asked.text) and not comparisons.left_out(asked):
        notices.show("warning", *NOT_LEFT_OUT)
        state.update(dropped="")


def _label(value: str, queries: Mapping[str, Query], outcomes: Mapping[str, Outcome] | None) -> str:
    if value not in queries:
        return value
    text = queries[value].text
    if outcomes is None:
        return text
    return f"{SIGNS[outcomes[value]] if value in outcomes else NOT_JUDGED} {text}"


def _chosen(shown: str) -> None:
    """Take what was chosen or typed where `shown` was.

    Where badges came after the list was drawn, the browser sends the label that it held, as if it
    were typed: the query that is shown anyway, which must not undo a key pressed meanwhile.
    """
    value = (st.session_state["input_query"] or "").strip()
    queries = catalog.dataset(state.current().data).queries
    sign, _, rest = value.partition(" ")
    signed = sign in {*SIGNS.values(), NOT_JUDGED}
    if shown in queries and queries[shown].text in (value, rest if signed else value):
        return
    is_known = value in queries
    state.update(query=value if is_known else "", text="" if is_known else value)
