"""All colours: the same one means the same thing in every figure and card, light and dark.

The hues are Okabe and Ito's, which people with colour-blindness tell apart; shape or text always
says the same. Grounds and texts of the pages are Streamlit's, set in `.streamlit/config.toml`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.formatting import relevance_name

BASE = "#7d8797"
MODULATED = "#0072b2"
RELEVANT = "#009e73"
NOT_RELEVANT = "#d55e00"
UNJUDGED = "#8f99a8"
QUERY = "#e69f00"
PROJECTOR = "#56b4e9"
DOCUMENT = "#0072b2"
REFINEMENT = "#cc79a7"
UP = "#009e73"
DOWN = "#d55e00"
CLUSTERS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#b8a30a",
    "#8f6ad1",
    "#7d8797",
    "#4d9221",
    "#a6611a",
    "#1b9e9e",
)
BM25 = "#8f6ad1"
NOTICES = {"error": "#d55e00", "warning": "#b8860b", "info": "#0072b2", "good": "#009e73"}
CLEAR = "rgba(0,0,0,0)"
MARK_EDGE = "rgba(255,255,255,0.6)"
CONTROL, CONTROL_EDGE = "rgba(128,138,152,0.16)", "rgba(128,138,152,0.7)"
"""Buttons and sliders of a figure on either ground; Plotly's own are white in the dark."""
SYMBOLS = {"relevant": "star", "not relevant": "x", "unjudged": "circle"}


class Ground(NamedTuple):
    """The colours that differ between the light and the dark page."""

    ground: str
    border: str
    soft: str
    strong: str
    grid: str
    note: str
    """Letters of a note in a figure."""
    note_ground: str
    low: str
    """The ends of the diverging scale, and its middle: zero disappears into the page."""
    zero: str
    high: str


_LIGHT = Ground(
    ground="#ffffff",
    border="#d9dee6",
    soft="#808495",
    strong="#262730",
    grid="#e6eaf1",
    note="#1b2430",
    note_ground="rgba(255,255,255,0.85)",
    low="#b2560a",
    zero="#f7f8fa",
    high="#1f66a8",
)
_DARK = Ground(
    ground="#11161d",
    border="#2e3947",
    soft="#e6eaf1",
    strong="#fafafa",
    grid="#31333f",
    note="#e6ebf2",
    note_ground="rgba(17,22,29,0.85)",
    low="#e08214",
    zero="#1a212b",
    high="#5aa9e6",
)
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def on(dark: bool) -> Ground:
    """Return the colours of the dark page, or of the light one."""
    return _DARK if dark else _LIGHT


def diverging(dark: bool) -> list[tuple[float, str]]:
    """Return a scale from orange over the page's own neutral to blue.

    Zero disappears into the page.
    """
    look = on(dark)
    return [(0.0, look.low), (0.5, look.zero), (1.0, look.high)]


def relevance_colour(grade: int) -> str:
    """Return the colour of a judged grade; -1 is unjudged."""
    return {"unjudged": UNJUDGED, "not relevant": NOT_RELEVANT, "relevant": RELEVANT}[
        relevance_name(grade)
    ]


def ramp(values: NDArray[np.float32]) -> list[str]:
    """Return a colour for each value, from dark blue (the least) to yellow (the most)."""
    from plotly.colors import sample_colorscale  # not needed by the loading screen

    spread = float(values.max() - values.min()) or 1.0
    return list(sample_colorscale("Cividis", ((values - values.min()) / spread).tolist()))


def css_variables(selector: str) -> str:
    """Return a CSS rule with the colours that style sheets use, as variables of `selector`."""
    colours = {"raises": UP, "lowers": DOWN, **NOTICES}
    return f"{selector} {{ {' '.join(f'--lens-{n}: {c};' for n, c in colours.items())} }}\n"


def template(dark: bool) -> dict[str, Any]:
    """Return the look of the page, light or dark, for all that a figure leaves open.

    Letters, grids and labels.
    """
    look = on(dark)
    small = {"color": look.soft, "size": 11.25}
    axis = {
        "gridcolor": look.grid,
        "zerolinecolor": look.grid,
        "tickcolor": look.grid,
        "tickfont": small,
        "automargin": True,
    }
    title = {"font": {"color": look.soft, "size": 13.125}}
    return {
        "layout": {
            "font": {**small, "family": _FONT, "weight": 400},
            "legend": {"borderwidth": 0, "font": {"color": look.strong, "size": 11.25}},
            "xaxis": {
                **axis,
                "title": {**title, "standoff": 18.75},
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {**axis, "title": {**title, "standoff": 22.5}, "ticklabelposition": "outside"},
            "margin": {"pad": 7.5},
            "hoverlabel": {
                "bgcolor": look.ground,
                "bordercolor": look.border,
                "font": {**small, "family": _FONT},
            },
        },
        "data": {"scatter": [{"marker": {"line": {"width": 0}}}]},
    }
