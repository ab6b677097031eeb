"""The target view: the query in the centre, documents at their true angle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import theme
from dashboard.figures import canvas, label_placement, map_marks
from dashboard.figures.map_marks import Points
from imrnns_core.projection.target_view import TargetView
from imrnns_core.types import STAGES

FAR = 1.5
"""A ring beyond so many times the furthest document is not drawn.

It would leave the documents no room.
"""


def drawn_rings(view: TargetView, rings: Mapping[int, float]) -> dict[int, float]:
    """Return the rings, modulated rank → angle, that a target view has room for."""
    inner = _inner(view)
    return {
        rank: angle
        for rank, angle in rings.items()
        if angle - inner <= FAR * (float(view.radius.max()) - inner)
    }


def _inner(view: TargetView) -> float:
    """Return the angle at the centre of the picture.

    The documents fill it, however far from the query they are.
    """
    return max(0.0, float(view.radius.min()) - 4.0)


def target(
    view: TargetView, rings: Mapping[int, float], points: Points, dark: bool = False
) -> go.Figure:
    """Draw the query in the centre and documents at their true angle.

    Arrows run from base to modulated.

    Args:
        view: Angles (4, R) and directions (R,) of the documents.
        rings: modulated rank → its angle in degrees.
        points: How to draw the documents.
        dark: Whether the page is dark.
    """
    theta, inner = np.radians(view.direction), _inner(view)
    radii = view.radius - inner
    places = [(radius * np.cos(theta), radius * np.sin(theta)) for radius in radii]
    start, end = places[0], places[-1]
    reach = max(float(view.radius.max()), *rings.values(), 0.0) - inner
    reach = reach * 1.08 or 1.0
    shown = {rank: angle - inner for rank, angle in rings.items()}
    traces = [*_rings(shown), *map_marks.arrows(start, end, points), _base(*start)]
    moving = len(traces)
    documents = {"type": "scatter", "x": end[0], "y": end[1], **map_marks.marks(points)}
    traces += [documents, map_marks.legend_mark(), _QUERY]
    frames = [
        {"name": stage, "data": [{"x": x.tolist(), "y": y.tolist()}], "traces": [moving]}
        for stage, (x, y) in zip(STAGES, places, strict=True)
    ]
    axis = {"visible": False, "range": [-reach, reach], "constrain": "domain"}
    return canvas.figure(
        traces,
        620,
        frames=frames,
        dragmode="pan",
        uirevision="target",
        annotations=_ring_names(shown, inner, reach, np.linspace(start, end, 24), dark),
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
        **map_marks.play(STAGES),
    )


_QUERY: dict[str, Any] = {
    "type": "scatter",
    "x": [0],
    "y": [0],
    "mode": "markers",
    "name": "query",
    "marker": {"size": 15, "color": theme.QUERY, "symbol": "diamond"},
    "hovertemplate": "the query<extra></extra>",
}


def _rings(radii: Mapping[int, float]) -> list[dict[str, Any]]:
    circle = np.linspace(0, 2 * np.pi, 120)
    return [
        {
            "type": "scatter",
            "x": radius * np.cos(circle),
            "y": radius * np.sin(circle),
            "mode": "lines",
            "line": {"color": theme.UNJUDGED, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for radius in radii.values()
    ]


def _base(x: NDArray[np.floating], y: NDArray[np.floating]) -> dict[str, Any]:
    """Return the base places of the documents."""
    return {
        "type": "scatter",
        "x": x,
        "y": y,
        "mode": "markers",
        "name": "base",
        "marker": {"size": 6, "color": theme.BASE, "symbol": "circle-open"},
        "hoverinfo": "skip",
    }


def _ring_names(
    radii: Mapping[int, float], inner: float, reach: float, ways: NDArray[np.float64], dark: bool
) -> list[dict[str, Any]]:
    """Return a note on each ring, in the direction where it covers least.

    `ways` are those of the documents, (S, 2, R).
    """
    texts = [f"rank {rank}, {radius + inner:.1f}°" for rank, radius in radii.items()]
    turns = np.pi / 2 - np.arange(72) * np.pi / 36  # clockwise from the top
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    pixel = 2 * reach / label_placement.NARROW
    sizes = [(pixel * width, pixel * height) for width, height in map(label_placement.size, texts)]
    inside = [
        around[np.abs(radius * around[:, 0]) + width / 2 <= reach]
        for radius, (width, _) in zip(radii.values(), sizes, strict=True)
    ]
    candidates = [
        radius * (near if len(near) else around[:1])
        for radius, near in zip(radii.values(), inside, strict=True)
    ]
    # to cover a document is as bad as to cover its whole arrow
    weighed = np.concatenate([ways, *[ways[-1:]] * len(ways)])
    marks = np.concatenate([weighed.transpose(0, 2, 1).reshape(-1, 2), [[0.0, 0.0]]])
    found = label_placement.places(candidates, sizes, marks)
    return [
        map_marks.note(*place, text, dark, theme.UNJUDGED)
        for place, text in zip(found, texts, strict=True)
        if place
    ]
