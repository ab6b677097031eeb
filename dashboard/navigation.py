"""The pages by name: how they are registered, and how to go from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard import state

START = "failures"
"""The page that the address without a path opens, unless it names a query: then it is Compare."""

PAGES = {
    "overview": ("Overview", ":material/analytics:"),
    "failures": ("Failures", ":material/troubleshoot:"),
    "remedies": ("Remedies", ":material/healing:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "modulation": ("Modulation", ":material/tune:"),
    "map": ("Map", ":material/my_location:"),
    "explain": ("Explain", ":material/search_insights:"),
    "judging": ("Judging", ":material/rule:"),
    "adapters": ("Adapters", ":material/model_training:"),
    "data": ("Data", ":material/database:"),
}
"""Title and icon of each page. Menu, browser tab and heading all show this title."""
_FIRST = "first_page"
CHOSEN = "query_chosen"
"""Key of the session: a query was chosen or typed in the sidebar."""
OF_ALL_QUERIES = ("overview", "failures", "remedies")
"""Pages about all queries: a query that is chosen or typed there opens Compare."""
WITHOUT_QUERY = ("judging", "adapters", "data")
"""Pages that need neither an adapter nor a query."""


def register(draw_functions: Mapping[str, Callable[[], None]]) -> tuple[str, Callable[[], None]]:
    """Register the pages, each with the function that draws it.

    Returns name and draw function of the requested page.
    """
    pages = {
        name: st.Page(
            draw_functions[name],
            title=title,
            icon=icon,
            url_path=name,
        )
        for name, (title, icon) in PAGES.items()
    }
    # the page without a path is none of them: Streamlit would serve the start page there only
    start = st.Page(_placeholder, title="Start", default=True, visibility="hidden")
    requested = st.navigation([start, *pages.values()])
    if requested is start:
        selection = state.current()
        # once: if the browser asks again, the session has a query that its link did not name
        first = state.kept(_FIRST) or ("compare" if selection.query or selection.text else START)
        state.keep(_FIRST, first)
        go(first)
    return next(name for name, page in pages.items() if page is requested), requested.run


def show_title(name: str) -> None:
    """Draw the title of a page, and name the browser tab after it."""
    title = PAGES[name][0]
    st.set_page_config(page_title=f"{title} · IMRNNs Lens")
    st.title(title, anchor=False)


def open_choice(name: str) -> None:
    """Go to Compare if a query was just chosen or typed on the page `name`, which shows none."""
    is_chosen = state.kept(CHOSEN)
    state.keep(CHOSEN, None)
    if is_chosen and name in OF_ALL_QUERIES:
        go("compare")


def go(name: str) -> None:
    """Go to a page and keep the Selection."""
    page = st.Page(_placeholder, url_path=name)
    # without `query_params`, Streamlit removes all parameters from the address
    st.switch_page(page, query_params=state.parameters())


def go_to_query(query_id: str, list_order: Sequence[str] = ()) -> None:
    """Go to Compare with a query.

    `list_order` has the ids of the list that it was opened from: Previous and Next follow them.
    """
    # otherwise the sidebar would still show a question that was typed before
    state.update(query=query_id, text="")
    state.follow(list_order)
    go("compare")


def _placeholder() -> None:
    """Draw nothing: Streamlit identifies a page by its address, not by its function."""
