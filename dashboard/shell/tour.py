"""A guided tour on the first visit: one small panel per page, which a click ends."""

from __future__ import annotations

import streamlit as st

from dashboard import navigation, state

_STEP = "tour_step"
STEPS = (
    (
        "compare",
        "What moved?",
        (
            "The base ranking is on the left, the modulated ranking on the right. Hover over a "
            "card to highlight the same document in the other list. Click a card to read the "
            "document. The slider α moves from one ranking to the other."
        ),
    ),
    (
        "failures",
        "Which queries fail, and why?",
        (
            "All judged queries, largest losses first, each with its likely causes. "
            "Click a row to open the query in Compare."
        ),
    ),
    (
        "modulation",
        "How do query and documents act on each other?",
        (
            "This page shows what the adapter computes: how the query shifts each document, how "
            "the documents refine the query, and a breakdown of every score change that adds up "
            "exactly. Click a cell to see the words behind it."
        ),
    ),
    (
        "map",
        "Where did they go?",
        (
            "In the target view, the distance from the centre is the exact angle to the query. "
            "The other views are maps of the corpus; each is shown with its noise level."
        ),
    ),
    (
        "explain",
        "Why this document?",
        (
            "The words of both texts behind the score change: first estimated, then measured by "
            "deleting them and compared with random words. Edit a text to see the new scores."
        ),
    ),
    (
        "overview",
        "Does this adapter help?",
        (
            "The verdict over all queries, with seen and unseen queries apart. Then choose your "
            "own query in the sidebar. Key / opens the query box, j and k go to the next and the "
            "previous query."
        ),
    ),
)


def show(current: str) -> None:
    """Draw the panel that belongs to a page, or nothing once the tour has ended."""
    # decided once per session: a later page without parameters must not start the tour again
    if _STEP not in st.session_state:
        st.session_state[_STEP] = 0 if state.is_first_visit() else None
    step = st.session_state[_STEP]
    if step is None or STEPS[step][0] != current:
        return
    _, question, text = STEPS[step]
    with st.container(border=True, key="tour"):
        st.markdown(f"**{question}** {text}")
        with st.container(horizontal=True, vertical_alignment="center"):
            last = step == len(STEPS) - 1
            if st.button(
                "Done" if last else "Continue",
                key="tour_next",
                help=f"Page {step + 1} of {len(STEPS)}",
            ):
                st.session_state[_STEP] = None if last else step + 1
                if last:
                    st.rerun()  # draws the page without the panel
                navigation.go(STEPS[step + 1][0])
            if not last:
                st.button("Skip the tour", key="tour_skip", on_click=skip)


def skip() -> None:
    """End the tour."""
    st.session_state[_STEP] = None


def offer() -> None:
    """Draw the button that starts the tour."""
    if st.button(
        "Show me around",
        key="tour_start",
        type="tertiary",
        icon=":material/explore:",
        help="A tour of the six pages, with a short text for each.",
    ):
        st.session_state[_STEP] = 0
        navigation.go(STEPS[0][0])
