"""What all figures have in common. Their colours are in `dashboard/theme.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard import theme

# By default Plotly's toolbar is a dark slab that covers legends and colour bars
_TOOLBAR = {"bgcolor": theme.CLEAR, "color": theme.BASE, "activecolor": theme.MODULATED}


def figure(
    traces: Sequence[Mapping[str, Any]],
    height: int,
    fixed_margins: bool = False,
    frames: Sequence[Mapping[str, Any]] = (),
    **layout: Any,
) -> go.Figure:
    """Return a figure in the common style: tight margins, a transparent background and no title.

    Plotly does not validate it, which would take most of the time; the tests validate every figure.

    Args:
        traces: Traces as plotly.js reads them.
        height: Height in pixels.
        fixed_margins: Whether to keep `margin` as it is. Otherwise Plotly widens the margins to fit
            the labels, and draws every label several times.
        frames: Frames of an animation.
        **layout: Keys of the layout, which override the common style.
    """
    look: dict[str, Any] = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "paper_bgcolor": theme.CLEAR,
        "plot_bgcolor": theme.CLEAR,
        # by default Plotly cuts the names of traces in hover labels after 15 letters
        "hoverlabel": {"align": "left", "namelength": -1},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "font": {"size": 13},
        "dragmode": False,
        "modebar": _TOOLBAR,
        "template": {},  # light or dark is known only when the figure is drawn
    }
    # With "allow" Plotly does not measure every label once more
    axis = {"automargin": not fixed_margins, "zeroline": False, "ticklabeloverflow": "allow"}
    for name, value in layout.items():
        common = axis if name.startswith(("xaxis", "yaxis")) else look.get(name)
        look[name] = {**common, **value} if isinstance(common, dict) else value
    return go.Figure(list(traces), look, list(frames), _validate=False)


def titled(text: str) -> dict[str, Any]:
    """Return an axis with this title."""
    return {"title": {"text": text}}
