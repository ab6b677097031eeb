"""The shared sidebar: data set, adapter, query."""

from __future__ import annotations

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.services import catalog
from dashboard.shell import keyboard, query_choice
from dashboard.widgets import notices

DATA_HELP = "Add one with `imrnns-lens prepare FOLDER`."
ADAPTER_HELP = "Add one with `imrnns-lens adapters import FILE`."
PICTURE_HELP = (
    "The camera in the toolbar of a chart saves it. Tables have a CSV button of their own."
)
TRAIN = "Train one with: imrnns-lens train, then imrnns-lens adapters import."


def show() -> None:
    """Draw the sidebar and make the Selection complete.

    Stop the run, with a remedy, where that cannot be done.
    """
    with st.sidebar:
        _data()
        _adapter()
        is_measured = query_choice.show()
        _steps()
        st.segmented_control(
            "Charts are saved as",
            selections.options("picture"),
            format_func=str.upper,
            required=True,
            help=PICTURE_HELP,
            **state.bound("picture"),
        )
        if not is_measured:
            query_choice.await_outcomes()
        if not (state.current().query or state.current().text):
            st.stop()


def _data() -> None:
    names = catalog.data_names()
    if state.current().data not in names:
        notices.show(
            "error",
            f"No data set is called “{state.current().data}”",
            "Prepare it with: imrnns-lens prepare FOLDER. The sample is shown instead.",
        )
        state.update(data=names[0])
    st.selectbox("Data set", names, help=DATA_HELP, **state.bound("data", names))
    if error := catalog.registry_error():
        notices.show("warning", "Your data sets cannot be listed", f"{error}. The sample works.")


def _adapter() -> None:
    for name, error in catalog.unreadable_adapters().items():
        notices.show(
            "warning",
            f"The adapter “{name}” cannot be read",
            f"{error}. The other adapters work.",
        )
    adapters, wanted = catalog.fitting_adapters(state.current().data), state.current().adapter
    if not adapters:
        dimension = catalog.collection(state.current().data).documents.dimension
        notices.show("info", f"No adapter for {dimension} dimensions", TRAIN)
        st.stop()
    if wanted not in adapters:
        if wanted:
            notices.show(
                "warning",
                f"The adapter “{wanted}” is not here, or has other dimensions",
                f"{adapters[0]} is shown instead.",
            )
        state.update(adapter=adapters[0])
    st.selectbox("Adapter", adapters, help=ADAPTER_HELP, **state.bound("adapter", adapters))


def _steps() -> None:
    """Draw the buttons that go to the query before and after, and listen to their keys."""
    before, after = st.columns(2)
    before.button(
        "Previous",
        key="previous_query",
        on_click=query_choice.step,
        args=(-1,),
        width="stretch",
        help="Key: k",
    )
    after.button(
        "Next",
        key="next_query",
        on_click=query_choice.step,
        args=(1,),
        width="stretch",
        help="Key: j",
    )
    keyboard.show(query_choice.step)
