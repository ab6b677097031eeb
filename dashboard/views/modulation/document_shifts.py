"""How the query moves the documents: its scale and bias, and the shift of each document."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import state
from dashboard.figures import modulation as figures
from dashboard.services import modulations
from dashboard.views.modulation.rows import Rows
from dashboard.widgets import chart
from imrnns_core.explanation.score_accounting import shifts
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import ROUNDING

STRIPS = (
    "One scale and one bias a dimension, the same for all candidates: each becomes "
    "LayerNorm(s ∘ d + b). Drawn {}; colours mean the same for all queries."
)
ABOUT_NOTHING = "about ½ and 0, where the adapter does nothing"
LESS_MEAN = "less the adapter’s mean over many "
QUERIES, DOCUMENTS = "queries", "documents, taken as queries"
NEUTRAL = {"scale": "½ everywhere", "bias": "zero"}
SHIFTS = (
    "Modulated − projected embedding, both of unit length, of the first {} documents{}. ★ "
    "relevant; the number is the modulated rank. Colours mean the same for all queries (clipped "
    "at ± {}, the 99.5th percentile). Click a cell for its document and dimension."
)
NO_SHIFT = {
    True: "Every document moves by the adapter’s mean shift",
    False: "No document moves",
}


def show(rows: Rows) -> bool:
    """Draw the strips and the heatmap; say whether a cell was picked."""
    _strips(rows.comparison)
    return _heatmap(rows)


def _is_specific() -> bool:
    return state.current().shift == "query-specific"


def _strips(comparison: Comparison) -> None:
    """Draw the query's scale and bias; nothing is picked in them."""
    selection, specific = state.current(), _is_specific()
    found = modulations.ranges(selection.data, selection.adapter)
    scale = comparison.modulation.query_scale.numpy()
    bias = comparison.modulation.query_bias.numpy()
    st.header("What the query does to every document", anchor=False)
    averaged = QUERIES if modulations.has_mean(selection.data) else DOCUMENTS
    st.caption(STRIPS.format(LESS_MEAN + averaged if specific else ABOUT_NOTHING))
    scale = scale - (found.mean_scale if specific else np.float32(0.5))
    bias = bias - found.mean_bias if specific else bias
    drawn = 0
    for name, values in (("scale", scale), ("bias", bias)):
        if np.abs(values).max() < ROUNDING:
            same = "the adapter’s mean" if specific else NEUTRAL[name]
            st.caption(f"This query’s {name} is {same}: no strip is drawn for it.")
        else:
            drawn += 1
    if drawn:
        limits = (found.scale[specific], found.bias[specific])
        figure = figures.strips(scale, bias, limits, state.dark(), specific)
        chart.show(figure, "strips", "The query’s scale and bias in each dimension")


def _heatmap(rows: Rows) -> bool:
    selection, specific = state.current(), _is_specific()
    found = modulations.ranges(selection.data, selection.adapter)
    values = shifts(rows.comparison)[rows.order] - (found.mean_shift if specific else 0)
    st.header("How each document moved", anchor=False)
    if np.abs(values).max() < ROUNDING:
        st.caption(f"{NO_SHIFT[specific]}: what is left is rounding, and is not drawn.")
        return False
    limit = found.shift[specific]
    less = ", less the adapter’s mean shift" if specific else ""
    st.caption(SHIFTS.format(len(rows.order), less, figures.written(limit)))
    return rows.pick_cell(values, limit, "shift", "shift_heatmap")
