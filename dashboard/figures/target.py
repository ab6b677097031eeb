"""The target view: the query in the centre, documents at their true angle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import theme
from dashboard.figures import canvas, label_placement, map_marks
from dashboard.figures.map_marks import Points
from imrnns_core.projection.target_view import TargetView
from imrnns_core.types import STAGES

Position = tuple[NDArray[np.floating], NDArray[np.floating]]
"""x and y (R,) of the documents at one stage."""
FAR = 1.5
"""A ring farther out than FAR times the farthest document is not drawn.

It would leave the documents little room.
"""
MARK = 12.0
"""Size of a mark in pixels."""
MARGIN_DEGREES = 4.0
"""Between the centre and the innermost document, so that it does not cover the query."""


def drawn_rings(view: TargetView, rings: Mapping[int, float]) -> dict[int, float]:
    """Return the rings, modulated rank → angle, for which the target view has room."""
    inner = centre_angle(view)
    return {
        rank: angle
        for rank, angle in rings.items()
        if angle - inner <= FAR * (float(view.radius.max()) - inner)
    }


def centre_angle(view: TargetView) -> float:
    """Return the angle at the centre, close to the innermost document, so that all fill it."""
    return max(0.0, float(view.radius.min()) - MARGIN_DEGREES)


def target(
    view: TargetView, rings: Mapping[int, float], points: Points, dark: bool = False
) -> go.Figure:
    """Draw the query in the centre, documents at their true angle, arrows from base to modulated.

    Args:
        view: Angles (S, R) and directions (R,) of the documents.
        rings: Modulated rank → its angle in degrees.
        points: How to draw the documents.
        dark: Whether the page is dark.
    """
    theta, inner = np.radians(view.direction), centre_angle(view)
    radii = view.radius - inner
    stages = [(radius * np.cos(theta), radius * np.sin(theta)) for radius in radii]
    start, end = stages[0], stages[-1]
    # a little room, so that no mark is cut at the edge
    reach = 1.08 * (max(float(view.radius.max()), *rings.values(), 0.0) - inner) or 1.0
    ring_radii = {rank: angle - inner for rank, angle in rings.items()}
    traces = _rings(ring_radii)
    # without an adapter, nothing moves
    if len(stages) > 1:
        traces += [*map_marks.arrows(start, end, points), _base(*start)]
    moving = len(traces)
    marks = map_marks.document_marks(points)
    traces += [{"type": "scatter", "x": end[0], "y": end[1], **marks}]
    traces.append(_QUERY)
    axis = {"visible": False, "range": [-reach, reach], "constrain": "domain"}
    return canvas.figure(
        traces,
        620,
        showlegend=False,  # the page explains all signs below
        dragmode="pan",
        uirevision="target",
        annotations=_ring_names(ring_radii, inner, reach, np.linspace(start, end, 24), dark),
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
        **(_played(stages, moving, dark) if len(stages) > 1 else {}),
    )


def _played(stages: Sequence[Position], moving: int, dark: bool) -> dict[str, Any]:
    """Return the frames of the four stages, which move trace number `moving`, and their button."""
    frames = [
        {"name": stage, "data": [{"x": x.tolist(), "y": y.tolist()}], "traces": [moving]}
        for stage, (x, y) in zip(STAGES, stages, strict=True)
    ]
    return {"frames": frames, **map_marks.play_controls(STAGES, dark)}


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
    """Return the base positions of the documents."""
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
    radii: Mapping[int, float], inner: float, reach: float, paths: NDArray[np.float64], dark: bool
) -> list[dict[str, Any]]:
    """Return a label on each ring, in the direction where it covers least.

    `paths` (S, 2, R) are points along the way of each document.
    """
    # short labels fit between the arrows; the last one gives the scale: radii start at the
    # innermost angle, the label shows the true one
    last = max(radii, default=0)
    texts = [
        f"rank {rank}" + (f", {radius + inner:.1f}°" if rank == last else "")
        for rank, radius in radii.items()
    ]
    turns = np.pi / 2 - np.arange(72) * np.pi / 36  # clockwise from the top
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    pixel = 2 * reach / label_placement.NARROW
    # a mark has a size: a label must keep away from its edge, not only from its centre
    sizes = [
        (pixel * (width + MARK), pixel * (height + MARK))
        for width, height in map(label_placement.size, texts)
    ]
    # a label that leaves the picture would be cut
    inside = [
        around[np.abs(radius * around[:, 0]) + width / 2 <= reach]
        for radius, (width, _) in zip(radii.values(), sizes, strict=True)
    ]
    candidates = [
        radius * (directions if len(directions) else around[:1])
        for radius, directions in zip(radii.values(), inside, strict=True)
    ]
    # covering a document is as bad as covering its whole arrow, so its mark counts S times more
    weighed = np.concatenate([paths, *[paths[-1:]] * len(paths)])
    marks = np.concatenate([weighed.transpose(0, 2, 1).reshape(-1, 2), [[0.0, 0.0]]])
    centres = label_placement.places(candidates, sizes, marks)
    return [
        map_marks.label_annotation(*centre, text, dark)
        for centre, text in zip(centres, texts, strict=True)
        if centre
    ]
