"""The sidebar of all pages: data set, adapter, query."""

from __future__ import annotations

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.services import catalog
from dashboard.shell import keyboard, query_choice
from dashboard.widgets import notices
from imrnns_core.config import ENCODER_BASE, NO_ADAPTER, EncoderSpec

DATA_HELP = "Add a data set on the page Data, or with `imrnns-lens prepare`."
ADAPTER_HELP = (
    "Lists the adapters whose dimensions match the data set. "
    "Train or import one on the page Adapters."
)
PICTURE_HELP = "Format of the file that a chart’s camera icon saves."
BASE_HELP = (
    "The ranking that the pages show and diagnose: by the vectors of the encoder, or a run, the "
    "ranking of another search engine. Add and remove runs on the page Data."
)
ENCODER = "Encoder (vectors)"
RUN_READING = (
    "The base is a run. Adapters need the vectors: to use one, choose “Encoder” as the base."
)
RUN_ALONE_READING = (
    "The base is a run, and this data set has no vectors, which adapters need. Make them with "
    "`imrnns-lens prepare DATA --encoder NAME`."
)
NO_BASE = (
    "This data set has neither vectors nor a run",
    "Add a run on the page Data, or make vectors with: imrnns-lens prepare {} --encoder {}",
)
SCOPES = {"candidates": "Candidates", "corpus": "Whole corpus"}
SCOPE_HELP = (
    "Candidates: the adapter ranks the documents that the base returns. Whole corpus: it ranks all "
    "documents. It finds the best ones by a second search, with the query vector that its changes "
    "amount to (the effective query). The page Compare says whether it is proven that no better "
    "document was missed."
)
NONE = "None (base only)"
NO_ADAPTER_READING = "Base ranking only. The pages show it beside BM25."
NO_QUERIES = (
    "This data set has no queries",
    "Type your own question in the sidebar. Compare, Modulation, Map and Explain work with it.",
)
LIST_ORDER = "Previous and Next go through your list from Failures, in its order."
FILE_ORDER = (
    "Previous and Next go through all queries. If you open a query from Failures, they go through "
    "the list that is shown there."
)


def show(needs_query: bool = True) -> None:
    """Draw the sidebar, and fill in what the Selection leaves open.

    If a page needs a query, and there is none, say what to do on the page itself and end the run:
    a phone hides the sidebar.
    """
    with st.sidebar:
        _choose_data()
        has_base = _choose_base()
        _choose_adapter()
    if not needs_query:
        return
    if not has_base:
        data = state.current().data
        notices.show("warning", NO_BASE[0], NO_BASE[1].format(data, EncoderSpec().name))
        st.stop()
    with st.sidebar:
        is_measured = query_choice.show()
        _step_buttons()
        st.segmented_control(
            "Chart format",
            selections.options("picture"),
            format_func=str.upper,
            required=True,
            # in the sidebar, because it applies to the charts of all pages
            help=PICTURE_HELP,
            **state.bound("picture"),
        )
        if not is_measured:
            query_choice.await_outcomes()
    if not (state.current().query or state.current().text):
        notices.show("info", *NO_QUERIES)
        st.stop()


def _choose_data() -> None:
    names = catalog.data_names()
    if state.current().data not in names:
        notices.show(
            "error",
            f"Data set “{state.current().data}” was not found",
            "Add it on the page Data, or with: imrnns-lens prepare. The sample is shown instead.",
        )
        # the sample is always first in the list, and always there
        state.update(data=names[0])
    st.selectbox("Data set", names, help=DATA_HELP, **state.bound("data", names))
    for warning in catalog.warnings(state.current().data):
        notices.show("warning", "Some vectors are zero", f"{warning}.")
    # the sample needs no list: an unreadable one must not stop the dashboard
    if error := catalog.registry_error():
        notices.show(
            "warning",
            "The list of your data sets cannot be read",
            f"{error}. You can still use the sample.",
        )


def _choose_base() -> bool:
    """Draw the choice of the base, if the data set has a run; return whether there is a base."""
    data, requested = state.current().data, state.current().base
    has_vectors = catalog.collection(data).has_vectors
    bases = [*([ENCODER_BASE] if has_vectors else []), *catalog.run_names(data)]
    if requested not in bases:
        if requested != ENCODER_BASE:
            notices.show(
                "warning",
                f"This data set has no run “{requested}”",
                "Add it on the page Data. The first base is shown instead.",
            )
        state.update(base=bases[0] if bases else ENCODER_BASE)
    if bases and bases != [ENCODER_BASE]:
        st.selectbox(
            "Base",
            bases,
            format_func=lambda name: ENCODER if name == ENCODER_BASE else f"Run: {name}",
            help=BASE_HELP,
            **state.bound("base", bases),
        )
    return bool(bases)


def _choose_adapter() -> None:
    """Draw the choice of an adapter, which needs vectors. The last one is none: the base alone."""
    if state.current().run:
        has_vectors = catalog.collection(state.current().data).has_vectors
        st.caption(RUN_READING if has_vectors else RUN_ALONE_READING)
        return
    for name, error in catalog.unreadable_adapters().items():
        notices.show(
            "warning",
            f"Adapter “{name}” cannot be read",
            f"{error}. You can still use the other adapters.",
        )
    # an adapter works only with vectors of its own dimensions: do not offer the others
    fitting, requested = catalog.fitting_adapters(state.current().data), state.current().adapter
    adapters = [*fitting, NO_ADAPTER]
    # the adapter of another data set is no answer to a question that nobody asked
    first = next(iter(catalog.own_adapters(state.current().data)), NO_ADAPTER)
    if requested not in adapters:
        if requested:
            notices.show(
                "warning",
                f"Adapter “{requested}” was not found, or its dimensions do not match this data "
                "set",
                f"{_adapter_name(first)} is shown instead.",
            )
        state.update(adapter=first)
    st.selectbox(
        "Adapter",
        adapters,
        format_func=_adapter_name,
        help=ADAPTER_HELP,
        **state.bound("adapter", adapters),
    )
    if not state.has_adapter():
        st.caption(NO_ADAPTER_READING)
        return
    _choose_scope()
    st.caption(f"Kind of adapter: {catalog.adapter_kind(state.current().adapter)}")
    for warning in catalog.adapter_warnings(state.current().data, state.current().adapter):
        notices.show("warning", "Some documents are ranked too low", f"{warning}.")


def _choose_scope() -> None:
    st.selectbox(
        "Ranked documents",
        selections.options("scope"),
        format_func=SCOPES.__getitem__,
        help=SCOPE_HELP,
        **state.bound("scope"),
    )


def _adapter_name(name: str) -> str:
    return NONE if name == NO_ADAPTER else name


def _step_buttons() -> None:
    """Draw the buttons for the previous and the next query, and listen to their keys."""
    order = state.followed_list()
    source = LIST_ORDER if order else FILE_ORDER
    left, right = st.columns(2)
    # callbacks run before the page, so the same run already draws the next query
    left.button(
        "Previous",
        key="previous_query",
        on_click=query_choice.step,
        args=(-1,),
        width="stretch",
        help=f"Key: k. {source}",
    )
    right.button(
        "Next",
        key="next_query",
        on_click=query_choice.step,
        args=(1,),
        width="stretch",
        help=f"Key: j. {source}",
    )
    if order:
        position = order.index(state.current().query) + 1
        st.caption(f"Query {position:,} of {len(order):,} in your list from Failures")
    keyboard.show(query_choice.step)
