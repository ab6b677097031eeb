"""The shared sidebar: data set, adapter, query."""

from __future__ import annotations

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.formatting import SIGNS
from dashboard.services import catalog, comparisons, evaluations
from dashboard.shell import keyboard
from dashboard.widgets import notices

NOT_JUDGED = "·"
MAX_OPTIONS = 5_000
"""More queries are not listed; they are found by typing their id."""
CHECK_SECONDS = 1.0


def show() -> None:
    """Draw the sidebar and make the Selection complete.

    Stop the run, with a remedy, where that cannot be done.
    """
    with st.sidebar:
        names = catalog.data_names()
        if state.current().data not in names:
            notices.show(
                "error",
                f"No data set is called “{state.current().data}”",
                "Prepare it with: imrnns-lens prepare FOLDER. The sample is shown instead.",
            )
            state.update(data=names[0])
        st.selectbox(
            "Data set",
            names,
            help="Add one with `imrnns-lens prepare FOLDER`.",
            **state.bound("data", names),
        )
        if error := catalog.registry_error():
            notices.show(
                "warning", "Your data sets cannot be listed", f"{error}. The sample works."
            )
        for name, error in catalog.unreadable_adapters().items():
            notices.show(
                "warning",
                f"The adapter “{name}” cannot be read",
                f"{error}. The other adapters work.",
            )
        adapters = catalog.fitting_adapters(state.current().data)
        if not adapters:
            dimension = catalog.collection(state.current().data).documents.dimension
            notices.show(
                "info",
                f"No adapter for {dimension} dimensions",
                "Train one with: imrnns-lens train, then imrnns-lens adapters import.",
            )
            st.stop()
        if state.current().adapter not in adapters:
            wanted = state.current().adapter
            if wanted:
                notices.show(
                    "warning",
                    f"The adapter “{wanted}” is not here, or has other dimensions",
                    f"{adapters[0]} is shown instead.",
                )
            state.update(adapter=adapters[0])
        st.selectbox(
            "Adapter",
            adapters,
            help="Add one with `imrnns-lens adapters import FILE`.",
            **state.bound("adapter", adapters),
        )
        _query()


def step(by: int) -> None:
    """Go to a later or an earlier query."""
    ids = list(catalog.collection(state.current().data).dataset.queries)
    at = ids.index(state.current().query) if state.current().query in ids else -1
    state.update(query=ids[(at + by) % len(ids)], text="")


def _query() -> None:
    selection = state.current()
    queries = catalog.collection(selection.data).dataset.queries
    if selection.query not in queries and not selection.text:
        if selection.query:
            notices.show(
                "warning",
                f"No query has the id “{selection.query}”",
                "The first query is shown instead.",
            )
        if not queries:
            notices.show("info", "This data set has no queries", "Type one below.")
        kept = state.current()  # a link may name a document and no query
        state.update(query=next(iter(queries), ""), document=kept.document, dropped=kept.dropped)
    asked = state.current()
    if asked.dropped and (asked.query or asked.text) and not comparisons.left_out(asked):
        notices.show(
            "warning",
            "What this link leaves out cannot be left out",
            "Only candidates can, and one at least has to refine the query: all do now.",
        )
        state.update(dropped="")
    outcomes = evaluations.outcomes(selection.data, selection.adapter, selection.top_k)

    def label(value: str) -> str:
        if value not in queries or outcomes is None:
            return queries[value].text if value in queries else value
        return (
            f"{SIGNS[outcomes[value]] if value in outcomes else NOT_JUDGED} {queries[value].text}"
        )

    options = list(queries)[:MAX_OPTIONS]
    chosen = state.current().text or state.current().query
    st.session_state["input_query"] = chosen or None
    st.selectbox(
        "Query",
        options if chosen in options or not chosen else [*options, chosen],
        format_func=label,
        key="input_query",
        on_change=_chosen,
        args=(state.current().query,),
        accept_new_options=True,
        placeholder="Choose a query, or type your own",
        help=(
            "Choose one, or type your own question and press Enter. ▲▲ rescued · ▲ improved · = "
            "unchanged · ▼ worsened · ▼▼ broken · ✕ fails in the ranking · ∅ fails in the pool · · "
            "not judged"
        ),
    )
    before, after = st.columns(2)
    before.button(
        "Previous", key="previous_query", on_click=step, args=(-1,), width="stretch", help="Key: k"
    )
    after.button("Next", key="next_query", on_click=step, args=(1,), width="stretch", help="Key: j")
    keyboard.show(step)
    st.segmented_control(
        "Charts are saved as",
        selections.options("picture"),
        format_func=str.upper,
        required=True,
        help="The camera in the toolbar of a chart saves it. Tables have a CSV button of their own.",
        **state.bound("picture"),
    )
    if outcomes is None:
        with st.container(key="measuring"):
            _await_outcomes()
    if not (state.current().query or state.current().text):
        st.stop()


def _chosen(shown: str) -> None:
    """Take what was chosen or typed where `shown` was.

    Where badges came after the list was drawn, the browser sends the label that it held, as if it
    were typed: the query that is shown anyway, which must not undo a key pressed meanwhile.
    """
    value = (st.session_state["input_query"] or "").strip()
    queries = catalog.collection(state.current().data).dataset.queries
    sign, _, rest = value.partition(" ")
    if shown in queries and queries[shown].text in (
        value,
        rest if sign in {*SIGNS.values(), NOT_JUDGED} else value,
    ):
        return
    state.update(query=value if value in queries else "", text="" if value in queries else value)


@st.fragment(run_every=CHECK_SECONDS)
def _await_outcomes() -> None:
    """Draw the page again once every query's outcome is known."""
    selection = state.current()
    if evaluations.outcomes(selection.data, selection.adapter, selection.top_k) is not None:
        st.rerun()
    st.caption("Measuring all judged queries …")
