"""The parts of each score change, which add up exactly."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import accounting as figures
from dashboard.views.modulation.document_rows import SIGNS, DocumentRows, Section
from dashboard.widgets import chart, notices
from imrnns_core.explanation.score_accounting import Accounting, account

TITLE_LETTERS = 90
EXACT = (
    "For every document, projector + document modulation + query refinement = modulated − base "
    "score (largest rounding error {}). ◆ is the total change. The parts show which step changes "
    "the score, not which words cause it. {} Click a bar to see its document."
)


def show(rows: DocumentRows) -> Section:
    """Draw the parts of every document's score change, and one document's in detail."""
    accounting = account(rows.comparison)
    st.header("What changes each score", anchor=False)
    residual = formatting.minus(f"{np.abs(accounting.residual).max():.1e}")
    st.caption(EXACT.format(residual, SIGNS))
    left, right = st.columns([3, 2])
    with left:
        clicked = chart.clicks(
            figures.score_parts(
                accounting, rows.order, rows.comparison.document_ids, rows.labels, state.dark()
            ),
            "score_parts",
            "Parts of the score change of each document",
            context=state.current().query or state.current().text,
        ).new[:1]
    for (document_id,) in clicked:
        state.update(document=str(document_id))
    with right:
        _document(rows, accounting)
    return Section(bool(clicked))


def _document(rows: DocumentRows, accounting: Accounting) -> None:
    """Draw the parts of the selected document, or of the first one."""
    comparison = rows.comparison
    is_selected = state.current().document in comparison.position
    # a link can name a document that is not a candidate
    position = comparison.position.get(state.current().document, int(rows.order[0]))
    st.caption(
        ("Selected document" if is_selected else "First document; click a bar to select another")
        + ". Green: gain; orange: loss."
    )
    document = rows.dataset.document[comparison.document_ids[position]]
    title = document.title or document.id
    cut = title if len(title) <= TITLE_LETTERS else title[: TITLE_LETTERS - 1] + "…"
    notices.text_block(cut, "", document.id)
    chart.show(
        figures.waterfall(accounting, position),
        "waterfall",
        "From the base to the modulated score, part by part",
    )
