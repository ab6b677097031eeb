"""Groups of failing queries with the same cause, and a to-do list."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.formatting import download_name
from dashboard.services import catalog, remedies
from dashboard.widgets import notices, progress_panel, texts
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.groups import cause_groups
from imrnns_core.reporting.causes import (
    GROUP_HEAD,
    GROUPS,
    NO_GROUPS,
    WHEN_SHOWN,
    group_rows,
    todo,
)


def show(bench: Bench, split: str) -> None:
    """Draw the groups once the remedies of each query are tried."""
    st.header("Groups of failing queries", anchor=False, help=WHEN_SHOWN)
    st.caption(GROUPS)
    selection = state.current()
    job = remedies.causes(selection.data, selection.system, split)
    with st.container(key="trying_remedies"):
        tried = progress_panel.await_result(job, "The remedies could not be tried", "groups_job")
    if tried is None:
        return
    groups = cause_groups(bench, tried)
    if groups:
        texts.table(GROUP_HEAD, group_rows(bench, groups), "cause_groups")
    else:
        notices.show("info", NO_GROUPS)
    st.download_button(
        "Download the to-do list",
        lambda: todo(bench, groups, catalog.dataset(bench.data).queries),
        download_name(f"to-do-{bench.data}-{bench.split}.md"),
        "text/markdown",
        on_click="ignore",
        key="todo",
        help="A Markdown list: each remedy, how to apply it, and the queries that it fixes.",
    )
