"""The query box: all queries with the signs of their outcomes, or a question of one's own."""

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
"""Longer lists are cut. Type the id of a query to reach one that is not listed."""
CHECK_SECONDS = 1.0
HELP = (
    "Choose a query, or search with your own question: type it and press Enter. Key: /\n\n"
    "What the adapter did to the query (Failures explains each outcome):\n\n"
    + "\n".join(f"- {sign} {outcome}" for outcome, sign in SIGNS.items())
    + f"\n- {NOT_JUDGED} not judged"
)
NOT_EXCLUDED = (
    "This link excludes documents that cannot be excluded",
    "Only candidates can be excluded from query refinement, and at least one must remain. "
    "All candidates are used instead.",
)


def show() -> bool:
    """Draw the query box, and select a query where the Selection names none.

    Returns whether all outcomes are known. If not, `await_outcomes` draws the page again later.
    """
    # in this order: what can be excluded depends on the query
    _complete_query()
    _complete_dropped()
    queries, selection = catalog.dataset(state.current().data).queries, state.current()
    outcomes = _outcomes()
    options = list(queries)[:MAX_OPTIONS]
    current = selection.text or selection.query
    # in every run, because links, keys and other pages also change the query
    st.session_state["input_query"] = current or None
    st.selectbox(
        "Query",
        # a typed question, or a query beyond MAX_OPTIONS, is not among the options
        options if current in options or not current else [*options, current],
        format_func=lambda value: _label(value, queries, outcomes),
        key="input_query",
        on_change=_on_choice,
        args=(selection.query,),
        accept_new_options=True,
        placeholder="Choose or type a query",
        filter_mode="contains",  # fuzzy search offers queries without any of the typed words
        help=HELP,
    )
    return outcomes is not None


def step(by: int) -> None:
    """Go to a later or an earlier query of the list from Failures, or else of the data set."""
    ids = state.followed_list() or list(catalog.dataset(state.current().data).queries)
    if not ids:
        return
    if state.current().query in ids:
        position = ids.index(state.current().query) + by
    else:  # from a typed question, j goes to the first query and k to the last one
        position = 0 if by > 0 else -1
    state.update(query=ids[position % len(ids)], text="")


def await_outcomes() -> None:
    """Draw the page again once the outcomes of all queries are known."""
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
    """Select the first query if the Selection names none, or one that does not exist."""
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
    # a link may name a document without a query
    first = next(iter(queries), "")
    state.update(query=first, document=selection.document, dropped=selection.dropped)


def _complete_dropped() -> None:
    """Exclude no document if those that the link names cannot be excluded."""
    selection = state.current()
    has_query = selection.query or selection.text
    if selection.dropped and has_query and not comparisons.excluded_ids(selection):
        notices.show("warning", *NOT_EXCLUDED)
        state.update(dropped="")


def _label(value: str, queries: Mapping[str, Query], outcomes: Mapping[str, Outcome] | None) -> str:
    if value not in queries:
        return value
    text = queries[value].text
    if outcomes is None:
        return text
    return f"{SIGNS[outcomes[value]] if value in outcomes else NOT_JUDGED} {text}"


def _on_choice(previous: str) -> None:
    """Select the query that was chosen or typed in place of `previous`.

    When outcome signs arrive after the list was drawn, the browser sends the old label as if it had
    been typed. That label is the current query, and must not undo a key that was pressed meanwhile.
    """
    value = (st.session_state["input_query"] or "").strip()
    queries = catalog.dataset(state.current().data).queries
    sign, _, rest = value.partition(" ")
    signed = sign in {*SIGNS.values(), NOT_JUDGED}
    if previous in queries and queries[previous].text in (value, rest if signed else value):
        return
    is_known = value in queries
    state.update(query=value if is_known else "", text="" if is_known else value)
