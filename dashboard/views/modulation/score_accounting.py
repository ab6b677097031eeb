"""Where each score change comes from: an account that sums."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import accounting as figures
from dashboard.views.modulation.rows import Rows
from dashboard.widgets import chart, notices
from imrnns_core.explanation.score_accounting import Accounting, account

TITLE = 90
EXACT = (
    "Exact: projector + document modulation + query refinement = modulated − base, for every "
    "document (largest residual {}). It says where the numbers come from, not which words caused "
    "them. Click a bar for its document."
)


def show(rows: Rows) -> bool:
    """Draw the account of every document; say whether one was picked."""
    accounting = account(rows.comparison)
    st.header("Where each score change comes from", anchor=False)
    residual = formatting.minus(f"{np.abs(accounting.residual).max():.1e}")
    st.caption(EXACT.format(residual))
    left, right = st.columns([3, 2])
    with left:
        picked = chart.clicks(
            figures.parts(accounting, rows.order, rows.comparison.document_ids, rows.names),
            "parts",
            "Parts of the score change of each document",
            context=state.current().query or state.current().text,
        ).new[:1]
    for (document_id,) in picked:
        state.update(document=str(document_id))
    with right:
        _document(rows, accounting)
    return bool(picked)


def _document(rows: Rows, accounting: Accounting) -> None:
    """Draw the account of the picked document, else of the first."""
    comparison = rows.comparison
    is_picked = state.current().document in comparison.position
    position = comparison.position.get(state.current().document, int(rows.order[0]))
    st.caption(
        "The picked document" if is_picked else "The first document; click a bar for another"
    )
    document = rows.dataset.document[comparison.document_ids[position]]
    title = document.title or document.id
    cut = title if len(title) <= TITLE else title[: TITLE - 1] + "…"
    notices.text_block(cut, "", document.id)
    chart.show(
        figures.waterfall(accounting, position),
        "waterfall",
        "From the base to the modulated score, part by part",
    )
