"""Compare: what moved?"""

from __future__ import annotations

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.figures import compare
from dashboard.services import catalog, comparisons
from dashboard.views.compare import candidate_table, causes, document_lookup, rankings
from dashboard.widgets import chart, document_panel, dropped_choice, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison

READING = (
    "Base ranking on the left, modulated ranking on the right. Hover over a card to highlight the "
    "same document in the other list. Click a card to read the document."
)
DROPPED_HELP = (
    "The adapter refines the query without these documents. They stay in the ranking. At least one "
    "document must remain."
)
STAGES_READING = (
    "One line per document: all that reach the top ranks at any stage, and every relevant "
    "candidate. Lines that cross swap their order. Click a line’s mark to read the document. "
    "Ranks below the chart are drawn at its lower edge; hover over a mark for the exact rank."
)


def show() -> None:
    """Draw the page."""
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    comparison = comparisons.selected(selection)
    notices.heading("What moved?", READING)
    document_panel.query(comparison)
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    left.selectbox(
        "Documents per list",
        selections.options("shown"),
        help="Lower relevant documents are shown below each list, too.",
        **state.bound("shown"),
    )
    with right:
        dropped_choice.show(comparison, dataset, DROPPED_HELP)
    # page.css keeps the second column in view, and puts its causes first on a phone
    with st.container(key="compare_body"):
        main, side = st.columns([2, 1])
    with main:
        rankings.show(comparison, dataset, selection.document)
    with side:
        document_panel.show(comparison, dataset, key="compare_document")
        causes.show(comparison)
        rankings.show_ideal(comparison, dataset, selection)
        document_lookup.show(comparison, dataset)
    _show_stages(comparison, dataset, selection)
    candidate_table.show(comparison, dataset)


def _show_stages(comparison: Comparison, dataset: Dataset, selection: selections.Selection) -> None:
    st.header("Rank at every stage", anchor=False)
    st.caption(STAGES_READING)
    titles = {i: dataset.document[i].title for i in comparison.document_ids}
    figure = compare.bump(comparison, selection.shown, titles, selection.document)
    alt = "Ranks of the top and the relevant documents at the four stages"
    for document_id, *_ in chart.clicks(figure, "bump", alt).new[:1]:
        state.update(document=document_id)
        # the panel of the document was drawn before the click was known
        st.rerun()
