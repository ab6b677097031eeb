"""The pages, by name: how they are registered, and how to go from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from dashboard import state

START = "compare"
"""The page at the bare address."""

PAGES = {
    "overview": ("Overview", ":material/analytics:"),
    "failures": ("Failures", ":material/troubleshoot:"),
    "compare": ("Compare", ":material/compare_arrows:"),
    "modulation": ("Modulation", ":material/tune:"),
    "map": ("Map", ":material/my_location:"),
    "explain": ("Explain", ":material/search_insights:"),
}
"""Title and icon of each page, in their order."""


def register(shows: Mapping[str, Callable[[], None]]) -> tuple[str, Callable[[], None]]:
    """Register the pages, each with the function that draws it.

    Returns name and function of the page that is asked for.
    """
    pages = {
        name: st.Page(
            shows[name],
            title=title,
            icon=icon,
            url_path="" if name == START else name,
            default=name == START,
        )
        for name, (title, icon) in PAGES.items()
    }
    # Streamlit serves the first page at / only, and a link to it by its name would end at "Page not
    # found"
    address = st.Page(_stand_in, title="Compare by its name", url_path=START, visibility="hidden")
    asked = st.navigation([*pages.values(), address])
    if asked is address:
        go(START)
    return next(name for name, page in pages.items() if page is asked), asked.run


def go(name: str) -> None:
    """Go to a page, with the Selection."""
    page = st.Page(_stand_in, url_path="" if name == START else name, default=name == START)
    st.switch_page(page, query_params=state.parameters())


def go_to_query(query_id: str) -> None:
    """Go to Compare with a query."""
    state.update(query=query_id, text="")
    go("compare")


def _stand_in() -> None:
    """Stand in for a page: Streamlit knows pages by their address."""
