"""A guided first visit.

One small panel a page, skipped with a click, never in the way of a link.
"""

from __future__ import annotations

import streamlit as st

from dashboard import navigation, state

_STEP = "tour_step"
STEPS = (
    (
        "compare",
        "What moved?",
        (
            "The base ranking stands beside the modulated one. Point at a card and its twin lights "
            "up; click it to read the document. The slider α goes from one ranking to the other."
        ),
    ),
    (
        "failures",
        "Which queries fail, and why?",
        (
            "All judged queries, the worst losses first, each with causes that can be checked. "
            "Tick a row to open the query in Compare."
        ),
    ),
    (
        "modulation",
        "How do query and documents act on each other?",
        (
            "What the adapter computes: how the query shifts each document, how the documents "
            "refine the query, and an account of every score change that sums. Click a cell for "
            "the words behind it."
        ),
    ),
    (
        "map",
        "Where did they go?",
        (
            "The target view is exact: distance from the centre is the angle to the query. The "
            "maps beside it say how far they can be trusted."
        ),
    ),
    (
        "explain",
        "Why this document?",
        (
            "The words of both texts that carry the change, first estimated, then really deleted "
            "and measured beside random words. Edit a text and watch the scores."
        ),
    ),
    (
        "overview",
        "Does this adapter help?",
        (
            "The verdict over all queries, seen and unseen ones apart. Then choose your own query "
            "on the left: / goes there, j and k step through."
        ),
    ),
)


def show(current: str) -> None:
    """Draw the panel of the step that belongs to a page; nothing once it was skipped."""
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
                    st.rerun()
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
        help="Six pages, a sentence or two each.",
    ):
        st.session_state[_STEP] = 0
        navigation.go(STEPS[0][0])
