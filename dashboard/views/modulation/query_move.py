"""The work of the adapter as one move of the query, and the words that it moves towards."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import modulation as figures
from dashboard.services import catalog, modulations
from dashboard.views.modulation.dimension_words import STRONG
from dashboard.widgets import chart, notices
from imrnns_core.explanation.dimension_words import DimensionWord
from imrnns_core.model.effective_query import query_move
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import ROUNDING, FloatArray

READING = (
    "Seen from the other side, the base embeddings of the documents stay, and "
    "the query moves from q to the effective query, which ranks them nearly as the adapter does "
    "(see the view “Effective query” of the page Map). The chart shows the effective query minus "
    "q, both at unit length{}. Blue is higher, orange lower."
)
FROM_AVERAGE = ", minus the average of this difference over many queries"
NO_MOVE = "The effective query does not differ from {}, so no chart is shown."
WORDS = "Which words does the query move towards?"
WORDS_READING = (
    "+: the base embeddings of the documents with this word lie farther along this move than "
    "those of other documents; −: less far. The distance is in standard errors of a rank test (van "
    "der Waerden), and near copies of a document count once. It must be at least "
    f"{STRONG:.0f}: if the words were assigned to documents at random, at most about one of a "
    "million would reach this. In a "
    "large corpus, most directions are linked to words, because they separate topics."
)
NO_WORD = "No word is linked to this move."


def show(comparison: Comparison) -> None:
    """Draw the move, and the words once they are opened."""
    selection = state.current()
    specific = selection.shift == "query-specific"
    ranges = modulations.ranges(selection.data, selection.adapter)
    model = catalog.ranker(selection.data, selection.adapter).adapter.model
    vectors = comparison.modulation
    query, moved = query_move(
        model, vectors.query, vectors.query_scale, vectors.query_bias, vectors.modulated_query
    )
    move = (moved - query).numpy()
    move = move - ranges.mean_move if specific else move
    st.header("The same as one move of the query", anchor=False)
    if np.abs(move).max() < ROUNDING:
        st.caption(NO_MOVE.format("q by more than the average does" if specific else "q"))
        return
    st.caption(READING.format(FROM_AVERAGE if specific else ""))
    label = "move − mean" if specific else "move"
    strip = figures.Strip(label, move, ranges.move[specific])
    figure = figures.strips([strip], "dimension of the base embeddings", state.dark())
    chart.show(figure, "query_move", "The effective query minus the query on each dimension")
    with st.expander(WORDS, on_change="rerun", key="move_words") as expander:
        if expander.open:
            _words(move)


def _words(move: FloatArray) -> None:
    words = [word for word in _linked(move) if abs(word.z) >= STRONG]
    listing = "\n".join(
        f"{w.word}: {formatting.signed(w.z, 1)} standard errors, in "
        f"{formatting.count(w.documents, 'document', 'documents')}"
        for w in words
    )
    notices.text_block("", listing or NO_WORD, WORDS_READING)


def _linked(move: FloatArray) -> list[DimensionWord]:
    data = state.current().data
    documents = catalog.collection(data).unit_documents
    return modulations.words(data).dimension_words(documents @ move)
