"""What all figures have in common. Their colours are in `dashboard/theme.py`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard import theme


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
        "paper_bgcolor": theme.CLEAR,
        "plot_bgcolor": theme.CLEAR,
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
