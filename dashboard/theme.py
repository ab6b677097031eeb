"""All colours: one colour has one meaning in every figure and card, on the light and dark page.

The hues follow Okabe and Ito, whose palette people with colour blindness can distinguish. A shape
or a word always repeats what a colour says. Every colour of a mark has a contrast of at least 3:1
to both pages, and text has 4.5:1 (WCAG 2.2, 1.4.3 and 1.4.11; `tests/dashboard/test_contrast.py`
computes both). Streamlit's own colours are in `.streamlit/config.toml`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.formatting import relevance_name

if TYPE_CHECKING:
    from imrnns_core.evaluation.verdicts import Effect

BASE = "#7d8797"
MODULATED = "#0072b2"
RELEVANT = "#009e73"
NOT_RELEVANT = "#d55e00"
UNJUDGED = "#848e9d"
# Okabe and Ito's orange, sky blue and pink are too pale for a white page: the same hues, darker
QUERY = "#b97f00"
PROJECTOR = "#2b94d2"
DOCUMENT = "#a6611a"
REFINEMENT = "#c76a9f"
UP = "#009e73"
DOWN = "#d55e00"
# Without the colour of the query, whose mark is drawn among the groups
CLUSTERS = (
    "#0072b2",
    "#c76a9f",
    "#009e73",
    "#d55e00",
    "#8f6ad1",
    "#8f7d00",
    "#2b94d2",
    "#a6611a",
    "#4d9221",
    "#d6336c",
    "#1494a6",
    "#7a6590",
)
OTHER_GROUPS = UNJUDGED
"""The colour of all groups that have no colour of their own."""
BM25 = "#8f6ad1"
NOTICES = {"error": "#d55e00", "warning": "#b8860b", "info": "#0072b2", "good": "#009e73"}
ON_PRIMARY = "light-dark(#ffffff, #000000)"
"""Text on a primary button, on the light and on the dark page, also while the mouse is on it."""
PANEL = "light-dark(#f3f5f8, #1a212b)"
"""Background of a box: Streamlit's secondary background, which its page has in no variable."""
CLEAR = "rgba(0,0,0,0)"
MARK_EDGE = "rgba(255,255,255,0.6)"
CONTROL, CONTROL_EDGE = "rgba(128,138,152,0.16)", "#7d8797"
"""Buttons and sliders of a figure on either page; Plotly's own stay white on the dark one."""
SYMBOLS = {"relevant": "star", "not relevant": "x", "unjudged": "circle"}


class PageColours(NamedTuple):
    """The colours that differ between the light and the dark page."""

    background: str
    border: str
    chart_text: str
    text: str
    grid: str
    label_background: str
    """Behind a label that lies on marks."""
    negative: str
    zero: str
    """Close to the page, so that a value of zero is hardly seen."""
    positive: str
    moved_least: str
    moved_most: str


_LIGHT = PageColours(
    background="#ffffff",
    border="#d9dee6",
    chart_text="#5a6170",
    text="#1b2430",
    grid="#e6eaf1",
    label_background="rgba(255,255,255,0.85)",
    negative="#b2560a",
    zero="#f7f8fa",
    positive="#1f66a8",
    moved_least="#8f8f9c",
    moved_most="#5b1a8b",
)
_DARK = PageColours(
    background="#11161d",
    border="#2e3947",
    chart_text="#e6eaf1",
    text="#e6ebf2",
    grid="#31333f",
    label_background="rgba(17,22,29,0.85)",
    negative="#e08214",
    zero="#1a212b",
    positive="#5aa9e6",
    moved_least="#6b7585",
    moved_most="#e3b3ff",
)
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def page_colours(dark: bool) -> PageColours:
    """Return the colours of the dark page, or of the light one."""
    return _DARK if dark else _LIGHT


def diverging(dark: bool) -> list[tuple[float, str]]:
    """Return a colour scale from orange (negative) over the page's colour (zero) to blue."""
    colours = page_colours(dark)
    return [(0.0, colours.negative), (0.5, colours.zero), (1.0, colours.positive)]


def relevance_colour(grade: int) -> str:
    """Return the colour of a judged grade; −1 is unjudged."""
    return {"unjudged": UNJUDGED, "not relevant": NOT_RELEVANT, "relevant": RELEVANT}[
        relevance_name(grade)
    ]


def effect_colour(effect: Effect) -> str:
    """Return the colour of what a test shows: grey if it shows nothing."""
    return {"helps": UP, "harms": DOWN}.get(effect, UNJUDGED)


def transparent(colour: str, opacity: float) -> str:
    """Return a colour, written as #rrggbb, with an opacity between 0 and 1."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def movement_colours(movement: NDArray[np.float32], dark: bool) -> list[str]:
    """Return a colour for each movement (R,), from grey (the smallest) to purple (the largest)."""
    from plotly.colors import sample_colorscale  # not needed by the loading screen

    colours = page_colours(dark)
    # the range is zero if all documents moved equally far, or if there is only one
    spread = float(movement.max() - movement.min()) or 1.0
    shares = ((movement - movement.min()) / spread).tolist()
    return list(sample_colorscale([colours.moved_least, colours.moved_most], shares))


def css_variables(selector: str) -> str:
    """Return a CSS rule with the colours that style sheets use, as variables of `selector`."""
    colours = {"raises": UP, "lowers": DOWN, **NOTICES, "on-primary": ON_PRIMARY, "panel": PANEL}
    return f"{selector} {{ {' '.join(f'--lens-{n}: {c};' for n, c in colours.items())} }}\n"


def template(dark: bool) -> dict[str, Any]:
    """Return Plotly's template for the light or dark page: fonts, grids and labels.

    It fills in whatever a figure leaves open.
    """
    colours = page_colours(dark)
    # sizes are multiples of the page's base font of 15 pixels, such as 0.75 and 0.875
    small = {"color": colours.chart_text, "size": 11.25}
    axis = {
        "gridcolor": colours.grid,
        # the zero line separates gain from loss, so it must be seen; the grid need not
        "zerolinecolor": BASE,
        "tickcolor": colours.grid,
        "tickfont": small,
        "automargin": True,
    }
    title = {"font": {"color": colours.chart_text, "size": 13.125}}
    return {
        "layout": {
            "font": {**small, "family": _FONT, "weight": 400},
            "legend": {"borderwidth": 0, "font": {"color": colours.text, "size": 11.25}},
            "xaxis": {
                **axis,
                "title": {**title, "standoff": 18.75},
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {**axis, "title": {**title, "standoff": 22.5}, "ticklabelposition": "outside"},
            "margin": {"pad": 7.5},
            "hoverlabel": {
                "bgcolor": colours.background,
                "bordercolor": colours.border,
                "font": {**small, "family": _FONT},
            },
        },
        "data": {"scatter": [{"marker": {"line": {"width": 0}}}]},
    }
