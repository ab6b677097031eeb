"""A map of the corpus, with the movement of documents over it."""

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

PLAYED = ("projected", "document-modulated", "modulated")
"""The stages that a map can show. It maps projected embeddings, so it has no base positions."""
_HIDDEN_AXIS = {"visible": False}


@dataclass(frozen=True)
class Move:
    """The movement of R documents, and of the query.

    Attributes:
        start: (R, d) projected positions.
        end: (R, d) modulated positions.
        query: The query's projected and modulated position, (d,) each; one if it does not move.
    """

    start: Array
    end: Array
    query: tuple[Array, ...]


@dataclass(frozen=True)
class Look:
    """What a map shows besides its points.

    Attributes:
        name: Keeps zoom and pan while the figure has the same name.
        dark: Whether the page is dark.
        paths: Whether the way of each document is drawn, and can be played.
        axis_names: The axis titles in three dimensions.
    """

    name: str
    dark: bool = False
    paths: bool = True
    axis_names: tuple[str, str, str] = ("axis 1", "axis 2", "axis 3")


def plane(cloud: Cloud, move: Move, points: Points, look: Look) -> go.Figure:
    """Draw a corpus as a cloud, and over it the movement of documents by modulation.

    The traces of the groups come first, in their order: the number of a trace and of a dot in it
    name the dot's document. Several groups are named. Three dimensions have lines for arrows.

    Args:
        cloud: The corpus.
        move: The R documents that move.
        points: How to draw them.
        look: What else the map shows.
    """
    three = cloud.three
    traces = [*clouds.traces(cloud), *(_paths(move, points, three) if look.paths else [])]
    # frames change only documents and query, which they name by the number of their trace
    moving = len(traces)
    kind = "scatter3d" if three else "scatter"
    marks = {**map_marks.coordinates(move.end), **map_marks.document_marks(points, three)}
    traces.append({"type": kind, **marks})
    traces += _queries(move, three)
    space = _deep_space(look) if three else _flat_space(cloud, move, look.dark)
    frames = []
    if look.paths:
        frames = _frames(move, kind, [moving, len(traces) - 1])
        space |= map_marks.play_controls(PLAYED, look.dark, redraw=three)
    # the page explains all signs below
    return canvas.figure(
        traces, 620, frames=frames, uirevision=look.name, showlegend=False, **space
    )


def _frames(move: Move, kind: str, traces: list[int]) -> list[dict[str, Any]]:
    """Return one frame per stage; `traces` are the numbers of the documents and of the query."""
    return [
        {
            "name": stage,
            "data": [
                {"type": kind, **map_marks.coordinate_lists(documents)},
                {"type": kind, **map_marks.coordinate_lists(query[None])},
            ],
            "traces": traces,
        }
        # documents move first and the query after them, as in the stages
        for stage, documents, query in zip(
            PLAYED,
            (move.start, move.end, move.end),
            (move.query[0], *move.query),
            strict=True,
        )
    ]


def _paths(move: Move, points: Points, three: bool) -> list[dict[str, Any]]:
    """Return the way of each document: an arrow, or a line in three dimensions."""
    start, end = move.start, move.end
    if not three:
        return map_marks.arrows((start[:, 0], start[:, 1]), (end[:, 0], end[:, 1]), points)
    # NaN separates the lines, which are one trace: GL draws many traces slowly
    lines = np.stack([start, end, np.full_like(start, np.nan)], axis=1).reshape(-1, 3)
    return [
        {
            "type": "scatter3d",
            **map_marks.coordinates(lines),
            "mode": "lines",
            "line": {"color": theme.BASE, "width": 4},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _queries(move: Move, three: bool) -> list[dict[str, Any]]:
    """Return the query at its projected and its modulated position."""
    # the open sign is larger: where the query hardly moves, it stays visible around the other
    signs = [("query, projected", "diamond-open", 7, 20), ("query, modulated", "diamond", 7, 14)]
    if len(move.query) == 1:
        signs = [("query", "diamond", 7, 14)]
    return [
        {
            "type": "scatter3d" if three else "scatter",
            **map_marks.coordinates(position[None]),
            "mode": "markers",
            "name": name,
            "hovertemplate": name + "<extra></extra>",
            "marker": {"size": deep if three else flat, "color": theme.QUERY, "symbol": symbol},
        }
        for position, (name, symbol, deep, flat) in zip(move.query, signs, strict=True)
    ]


def _flat_space(cloud: Cloud, move: Move, dark: bool) -> dict[str, Any]:
    space: dict[str, Any] = {
        "xaxis": _HIDDEN_AXIS,
        "yaxis": {**_HIDDEN_AXIS, "scaleanchor": "x"},
        "dragmode": "pan",
    }
    # a single group is the whole corpus and needs no name
    if len(cloud.groups) > 1:
        marks = np.concatenate([move.start, move.end, *(q[None] for q in move.query)])
        space["annotations"] = clouds.group_names(cloud, marks, dark)
    return space


def _deep_space(look: Look) -> dict[str, Any]:
    colours = theme.page_colours(look.dark)
    # Plotly's template does not reach the axes of a scene: their colours are given here
    axis = {
        "showticklabels": False,
        "showbackground": False,
        "showspikes": False,
        "gridcolor": colours.grid,
        "zerolinecolor": colours.grid,
    }
    font = {"color": colours.chart_text, "size": 12}
    scene = {
        f"{axis_id}axis": {**axis, "title": {"text": name, "font": font}}
        for axis_id, name in zip("xyz", look.axis_names, strict=True)
    }
    camera = {"eye": {"x": 1.4, "y": 1.4, "z": 0.9}}
    return {"scene": {**scene, "camera": camera, "aspectmode": "cube"}, "dragmode": "orbit"}
