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


def show() -> None:
    """Draw the page."""
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    comparison = comparisons.selected(selection)
    notices.heading(
        "What moved?",
        "The base ranking beside the modulated one. Point at a card to see its twin, click it to "
        "read the document.",
    )
    document_panel.query(comparison)
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    left.selectbox("Documents a ranking", selections.options("shown"), **state.bound("shown"))
    with right:
        dropped_choice.show(
            comparison,
            dataset,
            "The modulated ranking is computed again without them; they stay ranked. One at least "
            "has to refine the query.",
        )
    main, side = st.columns([2, 1])
    with main:
        rankings.show(comparison, dataset, selection.document)
    with side:
        rankings.show_ideal(comparison, dataset, selection)
        document_panel.show(comparison, dataset, key="compare_document")
        causes.show(comparison)
        document_lookup.show(comparison, dataset)
    _stages(comparison, dataset, selection)
    candidate_table.show(comparison, dataset)


def _stages(comparison: Comparison, dataset: Dataset, selection: selections.Selection) -> None:
    st.header("Rank at every stage", anchor=False)
    st.caption(
        "Documents in the top ranks at any stage. ★ relevant, ✕ judged not relevant, ● "
        "unjudged. Lines that cross changed places."
    )
    titles = {i: dataset.document[i].title for i in comparison.document_ids}
    figure = compare.bump(comparison, selection.shown, titles, selection.document)
    alt = "Rank of each top document at the four stages"
    for document_id, *_ in chart.clicks(figure, "bump", alt).new[:1]:
        state.update(document=document_id)
        st.rerun()
