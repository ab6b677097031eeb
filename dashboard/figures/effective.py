"""The effective-query view: documents in the plane of the query and its effective query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures import canvas, label_placement, map_marks
from dashboard.figures import cloud as clouds
from dashboard.figures.cloud import Cloud
from dashboard.figures.map_marks import Array, Points

ROOM = 0.04
"""Room around the outermost mark, in cosines."""
AXIS = "base score: cosine with the query q"
LABEL_ROOM = 0.06
"""More room on the left, where the line of q_eff leaves the documents and has its name."""


@dataclass(frozen=True)
class Boundary:
    """A line through the last document of the top k of one query.

    Attributes:
        direction: (2,) unit vector of the query; the line is perpendicular to it.
        distance: The product of the query with the last document of its top k.
        name: The label.
        colour: The colour of the line.
    """

    direction: Array
    distance: float
    name: str
    colour: str


def effective(
    cloud: Cloud,
    documents: Array,
    points: Points,
    boundaries: Sequence[Boundary],
    dark: bool = False,
) -> go.Figure:
    """Draw the documents, which stay, the query q at (1, 0), and its way to q_eff.

    The traces of the cloud come first, as in `plane`.

    Args:
        cloud: The documents of the corpus that are drawn as dots.
        documents: (R, 2) coordinates of the candidates that have a mark.
        points: How to draw these.
        boundaries: The ends of the top k of q and of q_eff, in this order.
        dark: Whether the page is dark.
    """
    moved = boundaries[1].direction
    drawn = np.concatenate([cloud.points[group.rows] for group in cloud.groups])
    corners = np.concatenate([drawn, documents, moved[None], [[1.0, 0.0]]])
    low, high = corners.min(axis=0) - ROOM, corners.max(axis=0) + ROOM
    low[0] -= LABEL_ROOM
    marks = {**map_marks.coordinates(documents), **map_marks.document_marks(points)}
    traces = [
        *clouds.traces(cloud),
        *(_line(boundary) for boundary in boundaries),
        {"type": "scatter", **marks},
        *_way(moved),
    ]
    return canvas.figure(
        traces,
        560,
        uirevision="effective",
        showlegend=False,  # the page explains all signs below
        dragmode="pan",
        xaxis={**canvas.titled(AXIS), "range": [low[0], high[0]], "constrain": "domain"},
        yaxis={"visible": False, "range": [low[1], high[1]], "scaleanchor": "x"},
        annotations=_labels(boundaries, low, high, np.concatenate([drawn, documents]), dark),
    )


def _line(boundary: Boundary) -> dict[str, Any]:
    across = np.array([-boundary.direction[1], boundary.direction[0]])
    ends = boundary.distance * boundary.direction + np.outer([-2.0, 2.0], across)
    return {
        "type": "scatter",
        **map_marks.coordinates(ends),
        "mode": "lines",
        "line": {"color": boundary.colour, "width": 1.5, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _labels(
    boundaries: Sequence[Boundary], low: Array, high: Array, marks: Array, dark: bool
) -> list[dict[str, Any]]:
    """Return the names of the lines, each on its line, where it covers the fewest marks."""
    extent = np.asarray(high - low, np.float64)
    pixel = float(extent[0]) / label_placement.NARROW
    candidates, sizes = [], []
    for boundary in boundaries:
        width, height = (pixel * side for side in label_placement.size(boundary.name))
        x, y = boundary.direction
        along = np.linspace(-2.0, 2.0, 400)[:, None] * np.array([-y, x])
        line = boundary.distance * boundary.direction + along
        half = np.array([width, height]) / 2
        inside = line[((line > low + half) & (line < high - half)).all(axis=1)]
        # the highest one first; a line that leaves no room has no name
        candidates.append(np.asarray(inside[np.argsort(-inside[:, 1], kind="stable")], np.float64))
        sizes.append((width, height))
    centres = label_placement.places(candidates, sizes, np.asarray(marks, np.float64))
    return [
        map_marks.label_annotation(*centre, boundary.name, dark)
        for centre, boundary in zip(centres, boundaries, strict=True)
        if centre
    ]


def _way(moved: Array) -> list[dict[str, Any]]:
    """Return q, q_eff and the arrow between them, along the circle of all unit vectors."""
    angles = np.linspace(0.0, float(np.arctan2(moved[1], moved[0])), 24)
    ends = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    marker = {
        "symbol": "arrow",
        "angleref": "previous",
        # the head is in the middle, where no mark covers it
        "size": [14 if i == len(angles) // 2 else 0 for i in range(len(angles))],
        "color": theme.QUERY,
    }
    way = {
        "type": "scatter",
        **map_marks.coordinates(ends),
        "mode": "lines+markers",
        "line": {"color": theme.QUERY, "width": 2},
        "marker": marker,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        way,
        _query("query q", np.array([1.0, 0.0]), "diamond-open"),
        _query("effective query", moved, "diamond"),
    ]


def _query(name: str, position: Array, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        **map_marks.coordinates(position[None]),
        "mode": "markers",
        "name": name,
        "hovertemplate": name + "<extra></extra>",
        "marker": {"size": 16, "color": theme.QUERY, "symbol": symbol},
    }
