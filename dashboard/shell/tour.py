"""A guided tour on the first visit: one small panel per page, which a click ends."""

from __future__ import annotations

import streamlit as st

from dashboard import navigation, state

_STEP = "tour_step"
# in the order of the menu, from the start page
STEPS = (
    (
        "failures",
        "Click a row to open its query in Compare, or choose a query in the sidebar. Key / goes to "
        "the list of queries; j and k go to the next and the previous query.",
    ),
    (
        "remedies",
        "Read what to change first, and click a row to see which queries this fixes and breaks.",
    ),
    (
        "compare",
        "Move the slider α between 0 (base ranking) and 1 (modulated ranking). Then click a card "
        "to read its document. “Edit the texts” shows the ranks of other texts.",
    ),
    (
        "modulation",
        "Click a cell of the chart to see the words behind it. The choice “Chart” has two more "
        "charts.",
    ),
    (
        "map",
        "Start with the target view. Click a mark to read its document, then choose another view.",
    ),
    (
        "explain",
        "See which words of both texts are behind the score change, and what the change is made "
        "of.",
    ),
    (
        "judging",
        "Judge documents one after another: press 0, 1, 2 or 3. All pages use your judgments.",
    ),
    (
        "adapters",
        "Train an adapter and watch its curves, import one, or compare two of them.",
    ),
    (
        "data",
        "Add your own documents and questions: name a table or a folder, and see how it is read.",
    ),
    (
        "overview",
        "Read the three answers. The table at the end has all measures, for seen and unseen "
        "queries separately.",
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
    _, text = STEPS[step]
    with st.container(border=True, key="tour"):
        st.markdown(f"**Step {step + 1} of {len(STEPS)}.** {text}")
        with st.container(horizontal=True, vertical_alignment="center"):
            last = step == len(STEPS) - 1
            if st.button("Done" if last else "Continue", key="tour_next"):
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
        help="A tour of the pages, with a short text for each.",
    ):
        st.session_state[_STEP] = 0
        navigation.go(STEPS[0][0])
