"""A map of the corpus with the move of documents over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures import canvas, map_marks
from dashboard.figures import cloud as clouds
from dashboard.figures.cloud import Cloud
from dashboard.figures.map_marks import Array, Points

PLAYED = ("base, projected", "document-modulated", "modulated")
"""Stages on a map of projected embeddings, where base and projected are one place."""


@dataclass(frozen=True)
class Move:
    """The move of R documents, and of the query.

    Attributes:
        start: (R, d) base places.
        end: (R, d) modulated places.
        query: The query's base and modulated place, (d,) each.
    """

    start: Array
    end: Array
    query: tuple[Array, Array]


def plane(cloud: Cloud, move: Move, points: Points, name: str, dark: bool = False) -> go.Figure:
    """Draw a corpus as a cloud and the move of documents from base to modulated over it.

    The traces of the groups come first, in their order, so that a mark of the cloud tells its
    document. With more than one group, each is named at its middle. In three dimensions lines stand
    for arrows.

    Args:
        cloud: The corpus.
        move: The R documents that move.
        points: How to draw them.
        name: Keeps zoom and pan while the figure is of the same name.
        dark: Whether the page is dark.
    """
    three = cloud.three
    traces = [*clouds.traces(cloud), *_ways(move, points, three)]
    moving = len(traces)
    kind = "scatter3d" if three else "scatter"
    documents = {"type": kind, **map_marks.places(move.end), **map_marks.marks(points, three)}
    traces += [documents, map_marks.legend_mark(three), *_queries(move, three)]
    frames = [
        {
            "name": stage,
            "data": [
                {"type": kind, **map_marks.listed(p)},
                {"type": kind, **map_marks.listed(q[None])},
            ],
            "traces": [moving, len(traces) - 1],
        }
        for stage, p, q in zip(
            PLAYED,
            (move.start, move.end, move.end),
            (move.query[0], *move.query),
            strict=True,
        )
    ]
    space = _deep_space() if three else _flat_space(cloud, move, dark)
    played = map_marks.play(PLAYED, redraw=three)
    return canvas.figure(traces, 620, frames=frames, uirevision=name, **space, **played)


def _ways(move: Move, points: Points, three: bool) -> list[dict[str, Any]]:
    """Return the ways of the documents: arrows, or lines in three dimensions."""
    start, end = move.start, move.end
    if not three:
        return map_marks.arrows((start[:, 0], start[:, 1]), (end[:, 0], end[:, 1]), points)
    lines = np.stack([start, end, np.full_like(start, np.nan)], axis=1).reshape(-1, 3)
    return [
        {
            "type": "scatter3d",
            **map_marks.places(lines),
            "mode": "lines",
            "line": {"color": theme.BASE, "width": 4},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _queries(move: Move, three: bool) -> list[dict[str, Any]]:
    """Return the query at both of its places."""
    signs = (("query, projected", "diamond-open"), ("query, modulated", "diamond"))
    return [
        {
            "type": "scatter3d" if three else "scatter",
            **map_marks.places(place[None]),
            "mode": "markers",
            "name": label,
            "hovertemplate": label + "<extra></extra>",
            "marker": {"size": 7 if three else 14, "color": theme.QUERY, "symbol": symbol},
        }
        for place, (label, symbol) in zip(move.query, signs, strict=True)
    ]


def _flat_space(cloud: Cloud, move: Move, dark: bool) -> dict[str, Any]:
    space: dict[str, Any] = {
        "xaxis": {"visible": False},
        "yaxis": {"visible": False, "scaleanchor": "x"},
        "dragmode": "pan",
    }
    if len(cloud.groups) > 1:
        marks = np.concatenate([move.start, move.end, *(q[None] for q in move.query)])
        space["annotations"] = clouds.group_names(cloud, marks, dark)
    return space


def _deep_space() -> dict[str, Any]:
    hidden = {"showticklabels": False, **canvas.titled(""), "showbackground": False}
    scene = {
        "xaxis": hidden,
        "yaxis": hidden,
        "zaxis": hidden,
        "camera": {"eye": {"x": 1.05, "y": 1.05, "z": 0.75}},
        "aspectmode": "cube",
    }
    return {"scene": scene, "dragmode": "orbit"}
