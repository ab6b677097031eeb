"""The choice of the query: one of the data set, with the sign of its outcome, or a question."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboard import navigation, state
from dashboard.formatting import SIGNS
from dashboard.services import catalog, comparisons, evaluations
from dashboard.widgets import notices, progress_panel
from imrnns_core.config import LONGEST_TYPED
from imrnns_core.data.records import Query
from imrnns_core.evaluation.outcomes import Outcome

NOT_JUDGED = "·"
MAX_OPTIONS = 5_000
"""Longer lists are cut. The box for questions takes the ids of the queries that are not listed."""
CHECK_SECONDS = 1.0
HELP = (
    "A query of the data set. Type a part of its text to find it. Key: /\n\n"
    "The sign before a query is its outcome: how the adapter changes its ranking. Failures "
    "explains each outcome.\n\n"
    + "\n".join(f"- {sign} {outcome}" for outcome, sign in SIGNS.items())
    + f"\n- {NOT_JUDGED} not judged"
)
QUESTION_HELP = (
    "Type any question and press Enter. It is ranked against the whole corpus and needs no "
    "judgments. The id of a query selects this query."
)
NOT_EXCLUDED = (
    "This link excludes documents that cannot be excluded",
    "Only candidates can be excluded from query refinement, and at least one must remain. "
    "All candidates are used instead.",
)


def show() -> bool:
    """Draw both boxes, and select a query where the Selection names none.

    Returns whether all outcomes are known. If not, `await_outcomes` draws the page again later.
    """
    # in this order: what can be excluded depends on the query
    _complete_query()
    _complete_dropped()
    queries, selection = catalog.dataset(state.current().data).queries, state.current()
    outcomes = _outcomes()
    options = list(queries)[:MAX_OPTIONS]
    # in every run, because links, keys and other pages also change the query
    st.session_state["input_query"] = selection.query or None
    if options:
        st.selectbox(
            "Query",
            # a query beyond MAX_OPTIONS is not among the options
            options if selection.query in ("", *options) else [*options, selection.query],
            format_func=lambda query_id: _label(query_id, queries, outcomes),
            key="input_query",
            on_change=_on_choice,
            placeholder="Choose a query",
            filter_mode="contains",  # fuzzy search offers queries without any of the typed words
            help=HELP,
        )
    st.text_input(
        "Or ask your own question" if options else "Ask your own question",
        placeholder="Type a question, press Enter",
        max_chars=LONGEST_TYPED,
        help=QUESTION_HELP,
        **{**state.bound("text"), "on_change": _on_question},
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
    return evaluations.outcomes(selection.data, selection.system, selection.top_k)


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


def _label(
    query_id: str, queries: Mapping[str, Query], outcomes: Mapping[str, Outcome] | None
) -> str:
    text = queries[query_id].text
    if outcomes is None:
        return text
    return f"{SIGNS[outcomes[query_id]] if query_id in outcomes else NOT_JUDGED} {text}"


def _on_choice() -> None:
    """Select the query that was chosen.

    When outcome signs arrive after the list was drawn, the browser sends the label that it held.
    Then nobody chose: it is no id of a query, which must not undo a key that was pressed meanwhile,
    or it is the query that is shown, which must not leave the page.
    """
    chosen, selection = st.session_state["input_query"], state.current()
    if chosen in catalog.dataset(selection.data).queries and chosen != selection.query:
        state.update(query=chosen, text="")
        state.keep(navigation.CHOSEN, True)


def _on_question() -> None:
    """Select the question that was typed, or the query with this id."""
    typed = st.session_state["input_text"].strip()
    if typed in catalog.dataset(state.current().data).queries:
        state.update(query=typed, text="")
        state.keep(navigation.CHOSEN, True)
    elif typed:
        state.update(query="", text=typed)
        state.keep(navigation.CHOSEN, True)
    else:  # the box was emptied: the first query follows
        state.update(text="")
