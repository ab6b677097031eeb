"""What the query does to the documents: its scale and bias, and the shift of each document."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.figures import modulation as figures
from dashboard.services import modulations
from dashboard.views.modulation import query_move
from dashboard.views.modulation.document_rows import (
    CLICK,
    CLIPPED,
    SIGNS,
    DocumentRows,
    Heatmap,
    Section,
)
from dashboard.widgets import chart
from imrnns_core.explanation.score_accounting import shifts
from imrnns_core.retrieval.comparison import Comparison

STRIPS = (
    "From the query, the adapter computes two numbers for each dimension: a scale s and a bias b. "
    "It changes every candidate d to LayerNorm(s ∘ d + b)."
)
NEUTRAL = (
    "The chart shows {}. The neutral values are s = ½ and b = 0: with them on all dimensions, the "
    "query would have no influence on the documents."
)
SPECIFIC = "The chart shows {}."
FROM_AVERAGE = "{} minus its average over many {}"
QUERIES, DOCUMENTS = "queries", "documents used as queries"
NOT_DRAWN = {
    "s": "s is ½ on every dimension, so the chart has no row for s.",
    "b": "b is 0 on every dimension, so the chart has no row for b.",
}
NOT_DRAWN_SPECIFIC = (
    "With this adapter, {0} is the same for every query, so the chart has no row for {0}."
)
COLOURS = "Blue is higher, orange lower; the colour scale is the same for all queries."
SHIFTS = (
    "The rows are {}. {} Each cell is the shift of the document on one dimension, from the "
    f"projected to the modulated embedding{{}}. Blue is higher, orange lower. {CLICK}"
)
SHIFTS_HELP = (
    f"Both embeddings have unit length. The colour scale is the same for all queries. {CLIPPED}"
)
INVISIBLE = 1e-5
"""Smaller shifts are rounding: the values of a unit vector are near 1/√m, in single precision."""
NO_SHIFT = {
    True: "Every document moves by the adapter’s average shift, so no heat map is shown.",
    False: "No document moves, so no heat map is shown.",
}


def show(rows: DocumentRows) -> Section:
    """Draw scale and bias of the query, its move, and the heat map of the documents' shifts."""
    _strips(rows.comparison)
    query_move.show(rows.comparison)
    return _heatmap(rows)


def _is_specific() -> bool:
    return state.current().shift == "query-specific"


def _strips(comparison: Comparison) -> None:
    """Draw the query's scale and bias."""
    selection, specific = state.current(), _is_specific()
    ranges = modulations.ranges(selection.data, selection.adapter)
    scale = comparison.modulation.query_scale.numpy()
    bias = comparison.modulation.query_bias.numpy()
    st.header("What the query does to every document", anchor=False)
    averaged = QUERIES if modulations.has_mean(selection.data) else DOCUMENTS
    # ½ and 0 are where sigmoid and tanh start: an adapter without effect has these
    scale = scale - (ranges.mean_scale if specific else np.float32(0.5))
    bias = bias - ranges.mean_bias if specific else bias
    # colours of rounding errors would look like an effect
    drawn = {
        symbol: bool(np.abs(values).max() >= INVISIBLE)
        for symbol, values in (("s", scale), ("b", bias))
    }
    st.caption(_reading(drawn, averaged, specific))
    names = ("scale s − mean s", "bias b − mean b") if specific else ("scale s − ½", "bias b")
    if any(drawn.values()):
        # False and True are the positions of the full and the query-specific range
        rows = [
            figures.Strip(names[0], scale, ranges.scale[specific]),
            figures.Strip(names[1], bias, ranges.bias[specific]),
        ]
        figure = figures.strips(rows, "dimension", state.dark())
        chart.show(figure, "strips", "The query’s scale and bias on each dimension")


def _reading(drawn: Mapping[str, bool], averaged: str, specific: bool) -> str:
    """Return how to read the strips, and why one is not drawn."""
    symbols = [symbol for symbol, is_drawn in drawn.items() if is_drawn]
    shown = " and ".join(
        FROM_AVERAGE.format(symbol, averaged) if specific else {"s": "s − ½", "b": "b"}[symbol]
        for symbol in symbols
    )
    sentences = [STRIPS]
    if shown:
        sentences.append((SPECIFIC if specific else NEUTRAL).format(shown))
    sentences += [
        NOT_DRAWN_SPECIFIC.format(symbol) if specific else NOT_DRAWN[symbol]
        for symbol, is_drawn in drawn.items()
        if not is_drawn
    ]
    return " ".join([*sentences, COLOURS] if shown else sentences)


def _heatmap(rows: DocumentRows) -> Section:
    selection, specific = state.current(), _is_specific()
    ranges = modulations.ranges(selection.data, selection.adapter)
    # most of a shift is the same for all queries: without the mean, all heat maps look alike
    values = shifts(rows.comparison)[rows.order] - (ranges.mean_shift if specific else 0)
    st.header("How each document moved", anchor=False)
    if np.abs(values).max() < INVISIBLE:
        st.caption(NO_SHIFT[specific])
        return Section(False)
    limit = ranges.shift[specific]
    subtracted = (
        ". The average shift over the candidates of many queries is subtracted" if specific else ""
    )
    st.caption(
        SHIFTS.format(rows.description, SIGNS, subtracted),
        help=SHIFTS_HELP.format(figures.written_limit(limit)),
    )
    name = "shift relative to the average" if specific else "full shift"
    alt = f"Shift of {len(rows.order)} documents on the dimensions of the adapter"
    return rows.clickable_heatmap(Heatmap(values, limit, name, "shift_heatmap", alt))
