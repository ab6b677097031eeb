"""The words whose documents have high or low values on a dimension of the working space."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures.modulation import written_value
from dashboard.services import catalog, modulations
from dashboard.views.modulation.document_rows import DocumentRows, Heatmap
from dashboard.widgets import notices
from imrnns_core.explanation.dimension_words import DimensionWord
from imrnns_core.explanation.score_accounting import shifts
from imrnns_core.retrieval.comparison import Comparison

STRONG = 5.0
"""Standard errors that a word must pass.

Of a million pairs of word and dimension about one does so by chance.
"""
NO_WORD = "No word is linked to this dimension."
READING = (
    "A word is linked to a dimension if the documents with this word are far above (+) or below "
    "(−) the others in the order of their values on the dimension. The distance is in standard "
    "errors of a rank test (van der Waerden); near copies of a document count once. It must be at "
    "least {:.0f}: of a million pairs of a word and a dimension, at most about one would reach "
    "this if the words were assigned to documents at random."
)


def show(rows: DocumentRows, heatmap: Heatmap | None) -> None:
    """Draw the words of the selected dimension, and the value of the selected cell."""
    selection, comparison = state.current(), rows.comparison
    count = catalog.ranker(selection.data, selection.adapter).adapter.card.output_dim
    # a link can come from an adapter with more dimensions
    if selection.dimension >= count:
        notices.show(
            "info",
            f"This adapter has no dimension {selection.dimension}",
            f"Its dimensions are 0 to {count - 1}.",
        )
        return
    words = _strong_words(selection.dimension)
    listing = "\n".join(
        f"{w.word}: {formatting.signed(w.z, 1)} standard errors, in "
        f"{formatting.count(w.documents, 'document', 'documents')}"
        for w in words
    )
    with st.container(border=True, key="dimension"):
        notices.text_block(
            f"Dimension {selection.dimension}: which words is it linked to?",
            listing or NO_WORD,
            READING.format(STRONG),
        )
        for line in _values(rows, comparison, heatmap):
            st.caption(line)
        if not words and heatmap is not None:
            _offer_nearest(heatmap)


def _strong_words(dimension: int) -> list[DimensionWord]:
    selection = state.current()
    projected = catalog.ranker(selection.data, selection.adapter).mapped_documents
    words = modulations.words(selection.data).dimension_words(projected[:, dimension])
    return [word for word in words if abs(word.z) >= STRONG]


def _values(rows: DocumentRows, comparison: Comparison, heatmap: Heatmap | None) -> list[str]:
    """Return the value of the cell as the heat map shows it, and the full shift behind it."""
    selection = state.current()
    position = comparison.position.get(selection.document)
    if position is None:
        return []
    full = float(shifts(comparison)[position, selection.dimension])
    lines = [f"{selection.document}: full shift {formatting.signed(full)}"]
    # the document of a link may have no row
    row = np.flatnonzero(rows.order == position)
    if heatmap is not None and len(row):
        value = float(heatmap.values[int(row[0]), selection.dimension])
        shown = written_value(value, heatmap.colour_limit)
        is_drawn = selection.dimension in heatmap.dimensions
        where = "as in the heat map" if is_drawn else "this dimension is not drawn in the heat map"
        lines.insert(0, f"{selection.document}: {heatmap.value_name} {shown} ({where})")
    # in full values the cell is the full shift: once is enough
    return lines[:1] if heatmap is not None and heatmap.value_name == "full shift" else lines


def _offer_nearest(heatmap: Heatmap) -> None:
    """Offer the nearest column of the heat map whose dimension has words."""
    nearest = _nearest_with_words(heatmap.dimensions.tolist(), state.current().dimension)
    if nearest is None:
        st.caption("No dimension in this chart is linked to a word.")
        return
    st.button(
        f"Show dimension {nearest}, a column of the chart with linked words",
        key="nearest_dimension",
        on_click=lambda: state.update(dimension=nearest),
    )


def _nearest_with_words(drawn: list[int], dimension: int) -> int | None:
    column = drawn.index(dimension) if dimension in drawn else 0
    # from the clicked column outwards: it stops at the first, and most dimensions need no look
    for other in sorted(range(len(drawn)), key=lambda i: abs(i - column)):
        if drawn[other] != dimension and _strong_words(drawn[other]):
            return drawn[other]
    return None
