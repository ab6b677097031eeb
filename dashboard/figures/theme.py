"""One visual language.

The same colour means the same thing in every figure and card, light and dark.

The hues are Okabe and Ito's, which people with colour-blindness tell apart; shape or text always
says the same.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

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
STAGE_HEADS = ("base", "proj.", "doc.", "mod.")
"""Heads of the narrow columns of the stages."""
TABLE_ROW = 62
"""Pixels of a table's row of three lines, so that titles and queries can be read.

Streamlit wraps texts in rows above 4 rem.
"""
SYMBOLS = {"relevant": "star", "not relevant": "x", "unjudged": "circle"}

_NEGATIVE, _POSITIVE = "#b2560a", "#1f66a8"


def diverging(dark: bool) -> list[tuple[float, str]]:
    """Return a scale from orange over the page's own neutral to blue.

    Zero disappears into the page.
    """
    return [
        (0.0, "#e08214" if dark else _NEGATIVE),
        (0.5, "#1a212b" if dark else "#f7f8fa"),
        (1.0, "#5aa9e6" if dark else _POSITIVE),
    ]


def relevance_name(grade: int) -> str:
    """Name a judged grade; -1 is unjudged."""
    return "unjudged" if grade < 0 else "not relevant" if grade == 0 else "relevant"


def relevance_colour(grade: int) -> str:
    return {"unjudged": UNJUDGED, "not relevant": NOT_RELEVANT, "relevant": RELEVANT}[
        relevance_name(grade)
    ]


def ramp(values: NDArray[np.float32]) -> list[str]:
    """Return a colour for each value, from dark blue (the least) to yellow (the most)."""
    spread = float(values.max() - values.min()) or 1.0
    return list(sample_colorscale("Cividis", ((values - values.min()) / spread).tolist()))


def plain(text: str, width: int = 60, lines: int = 3) -> str:
    """Return a text for a hover label.

    Escaped, so that Plotly shows it letter by letter, and wrapped.
    """
    wrapped = textwrap.wrap(" ".join(text.split()), width) or [""]
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1] + " …"]
    return "<br>".join(html.escape(line, quote=False) for line in wrapped)


def cut(text: str, length: int) -> str:
    """Return a text cut at the end of a word, or within its first one where that is too long."""
    found = textwrap.shorten(text, length, placeholder="…")
    return text[: length - 1] + "…" if found == "…" != text else found


def short(text: str, length: int = 28) -> str:
    """Return a label for an axis or a legend: escaped and cut."""
    flat = " ".join(text.split())
    return html.escape(flat if len(flat) <= length else flat[: length - 1] + "…", quote=False)


def minus(text: str) -> str:
    """Return a text of numbers with true minus signs."""
    return text.replace("-", "−")


def figure(
    traces: Sequence[Mapping[str, Any]],
    height: int,
    fixed_margins: bool = False,
    frames: Sequence[Mapping[str, Any]] = (),
    **layout: Any,
) -> go.Figure:
    """Return a figure of the common look.

    No title of its own (the page has one), tight margins, transparent ground.

    Made of plain records in one go and not validated, which would take most of its time; the tests
    validate every figure. Margins that fit the labels draw every label several times;
    `fixed_margins` keeps those that are given.

    Args:
        traces: As plotly.js reads them.
        height: In pixels.
        fixed_margins: Whether `margin` holds whatever the labels.
        frames: Of an animation.
        **layout: Keys of the layout, over those of the common look.
    """
    look: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"align": "left", "namelength": -1},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "font": {"size": 13},
        "dragmode": False,
        "template": {},  # the page's look is given when it is drawn
    }
    # Looking for labels that overflow measures every label once more
    axis = {"automargin": not fixed_margins, "zeroline": False, "ticklabeloverflow": "allow"}
    for name, value in layout.items():
        common = axis if name.startswith(("xaxis", "yaxis")) else look.get(name)
        look[name] = {**common, **value} if isinstance(common, dict) else value
    return go.Figure(list(traces), look, list(frames), _validate=False)


def titled(text: str) -> dict[str, Any]:
    """Return an axis of this title."""
    return {"title": {"text": text}}


_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif"


def template(dark: bool) -> dict[str, Any]:
    """Return the look of the page, light or dark, for all that a figure leaves open.

    Letters, grids and labels.
    """
    soft, strong, grid = (
        ("#e6eaf1", "#fafafa", "#31333f") if dark else ("#808495", "#262730", "#e6eaf1")
    )
    ground, border = ("#11161d", "#2e3947") if dark else ("#ffffff", "#d9dee6")
    small = {"color": soft, "size": 11.25}
    axis = {
        "gridcolor": grid,
        "zerolinecolor": grid,
        "tickcolor": grid,
        "tickfont": small,
        "automargin": True,
    }
    title = {"font": {"color": soft, "size": 13.125}}
    return {
        "layout": {
            "font": {**small, "family": _FONT, "weight": 400},
            "legend": {"borderwidth": 0, "font": {"color": strong, "size": 11.25}},
            "xaxis": {
                **axis,
                "title": {**title, "standoff": 18.75},
                "showgrid": False,
                "zeroline": False,
            },
            "yaxis": {**axis, "title": {**title, "standoff": 22.5}, "ticklabelposition": "outside"},
            "margin": {"pad": 7.5},
            "hoverlabel": {
                "bgcolor": ground,
                "bordercolor": border,
                "font": {**small, "family": _FONT},
            },
        },
        "data": {"scatter": [{"marker": {"line": {"width": 0}}}]},
    }


def table_height(rows: int, most: int) -> int:
    """Return the pixels of a table with its head, at most `most` of them."""
    return min(most, 38 + TABLE_ROW * max(1, rows))


def cell(text: str, width: int) -> str:
    """Return a text cut to the three lines that a table's column of `width` pixels has room for."""
    return cut(text, int(0.33 * (width - 16)))
