"""Figures of the page Map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from dashboard.figures import label_placement as placing
from imrnns_core.projection.target_view import TargetView
from imrnns_core.types import STAGES

Array = NDArray[np.float32]
MAX_ARROWS = 50
FRAME_MS = 700
FAR = 1.5
"""A ring beyond so many times the furthest document is not drawn.

It would leave the documents no room.
"""
PLAYED = ("base, projected", "document-modulated", "modulated")
"""Stages on a map of projected embeddings, where base and projected are one place."""
_GLYPHS = {"star": ("★", 22), "x": ("✕", 20), "circle": ("●", 12)}
"""The same marks as letters, with their sizes: Plotly has no star in three dimensions."""


@dataclass(frozen=True)
class Points:
    """How R documents are drawn: ids, hover labels, colours and symbols, all (R,)."""

    ids: Sequence[str]
    labels: Sequence[str]
    colours: Sequence[str]
    symbols: Sequence[str]


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
    """Draw the query in the centre and documents at their true angle, with arrows from base to modulated.

    Args:
        view: Angles (4, R) and directions (R,) of the documents.
        rings: modulated rank → its angle in degrees.
        points: How to draw the documents.
        dark: Whether the page is dark.
    """
    theta, inner = np.radians(view.direction), _inner(view)

    def place(stage: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        radius = view.radius[stage] - inner
        return radius * np.cos(theta), radius * np.sin(theta)

    places = [place(s) for s in range(len(STAGES))]
    start, end = places[0], places[-1]
    reach = max(float(view.radius.max()), *rings.values(), 0.0) - inner
    reach = reach * 1.08 or 1.0
    circle = np.linspace(0, 2 * np.pi, 120)
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": (angle - inner) * np.cos(circle),
            "y": (angle - inner) * np.sin(circle),
            "mode": "lines",
            "line": {"color": theme.UNJUDGED, "width": 1, "dash": "dot"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        for angle in rings.values()
    ]
    hollow = {"size": 6, "color": theme.BASE, "symbol": "circle-open"}
    traces += _arrows(start, end, points)
    traces.append(
        {
            "type": "scatter",
            "x": start[0],
            "y": start[1],
            "mode": "markers",
            "name": "base",
            "marker": hollow,
            "hoverinfo": "skip",
        }
    )
    moving = len(traces)
    traces.append({"type": "scatter", "x": end[0], "y": end[1], **_marks(points)})
    traces.append(_legend_mark())
    traces.append(
        {
            "type": "scatter",
            "x": [0],
            "y": [0],
            "mode": "markers",
            "name": "query",
            "marker": {"size": 15, "color": theme.QUERY, "symbol": "diamond"},
            "hovertemplate": "the query<extra></extra>",
        }
    )
    frames = [
        {"name": stage, "data": [{"x": x.tolist(), "y": y.tolist()}], "traces": [moving]}
        for stage, (x, y) in zip(STAGES, places, strict=True)
    ]
    axis = {"visible": False, "range": [-reach, reach], "constrain": "domain"}
    notes = _ring_names(
        {rank: angle - inner for rank, angle in rings.items()},
        inner,
        reach,
        np.linspace(start, end, 24),
        dark,
    )
    return canvas.figure(
        traces,
        620,
        frames=frames,
        dragmode="pan",
        uirevision="target",
        annotations=notes,
        xaxis=axis,
        yaxis={**axis, "scaleanchor": "x"},
        **_play(STAGES),
    )


def _ring_names(
    radii: Mapping[int, float], inner: float, reach: float, ways: NDArray[np.float64], dark: bool
) -> list[dict[str, Any]]:
    """Return a note on each ring, in the direction where it covers least of the ways (S, 2, R) of the documents."""
    texts = [f"rank {rank}, {radius + inner:.1f}°" for rank, radius in radii.items()]
    turns = np.pi / 2 - np.arange(72) * np.pi / 36  # clockwise from the top
    around = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    pixel = 2 * reach / placing.NARROW
    sizes = [(pixel * width, pixel * height) for width, height in map(placing.size, texts)]
    inside = [
        around[np.abs(radius * around[:, 0]) + width / 2 <= reach]
        for radius, (width, _) in zip(radii.values(), sizes, strict=True)
    ]
    candidates = [
        radius * (near if len(near) else around[:1])
        for radius, near in zip(radii.values(), inside, strict=True)
    ]
    weighed = np.concatenate(
        [ways, *[ways[-1:]] * len(ways)]
    )  # to cover a document is as bad as to cover its whole arrow
    marks = np.concatenate([weighed.transpose(0, 2, 1).reshape(-1, 2), [[0.0, 0.0]]])
    found = placing.places(candidates, sizes, marks)
    return [
        _note(*place, text, dark, theme.UNJUDGED)
        for place, text in zip(found, texts, strict=True)
        if place
    ]


def _note(x: float, y: float, text: str, dark: bool, colour: str = "") -> dict[str, Any]:
    """Return a label on a ground of its own: what lies under it does not cross it."""
    look = theme.on(dark)
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "font": {"size": 11, "color": colour or look.note},
        "bgcolor": look.note_ground,
    }


def _legend_mark(three: bool = False) -> dict[str, Any]:
    """Return the legend's mark of the modulated documents, neither of the colour nor of the sign of one of them."""
    nowhere = {axis: [None] for axis in ("xyz" if three else "xy")}
    return {
        "type": "scatter3d" if three else "scatter",
        **nowhere,
        "mode": "markers",
        "name": "modulated",
        "legendgroup": "modulated",
        "marker": {"size": 7 if three else 11, "color": theme.BASE, "symbol": "circle"},
        "hoverinfo": "skip",
    }


@dataclass(frozen=True)
class Group:
    """Documents of the corpus that are drawn alike.

    One trace of the background, `rows` (R,) of the corpus.
    """

    name: str
    colour: str
    rows: NDArray[np.int64]


def plane(
    background: Array,
    groups: Sequence[Group],
    start: Array,
    end: Array,
    query: tuple[Array, Array],
    points: Points,
    name: str,
    labels: Sequence[str] | None = None,
    dark: bool = False,
) -> go.Figure:
    """Draw a corpus (N, 2 or 3) as a cloud and the move of R documents (R, 2 or 3) from base to modulated over it.

    The traces of the groups come first, in their order, so that a mark of the cloud tells its document. With
    more than one group, each is named at its middle. In three dimensions lines stand for arrows.

    Args:
        background: (N, d) places of the corpus.
        groups: How to draw it; documents of no group are not drawn.
        start: (R, d) base places.
        end: (R, d) modulated places.
        query: The query's base and modulated place, (d,) each.
        points: How to draw the R documents.
        name: Keeps zoom and pan while the figure is of the same name.
        labels: (N,) hover labels of the corpus; without them a mark tells its group, which is far less to send.
        dark: Whether the page is dark.
    """
    three = background.shape[1] == 3
    crowd = sum(len(group.rows) for group in groups)
    traces: list[dict[str, Any]] = [_cloud(background, group, crowd, labels) for group in groups]
    if three:
        lines = np.stack([start, end, np.full_like(start, np.nan)], axis=1).reshape(-1, 3)
        line = {"color": theme.BASE, "width": 4}
        traces.append(
            {
                "type": "scatter3d",
                **_places(lines),
                "mode": "lines",
                "line": line,
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    else:
        traces += _arrows((start[:, 0], start[:, 1]), (end[:, 0], end[:, 1]), points)
    moving = len(traces)
    kind = "scatter3d" if three else "scatter"
    traces += [{"type": kind, **_places(end), **_marks(points, three)}, _legend_mark(three)]
    for place, label, symbol in (
        (query[0], "query, projected", "diamond-open"),
        (query[1], "query, modulated", "diamond"),
    ):
        marker = {"size": 7 if three else 14, "color": theme.QUERY, "symbol": symbol}
        traces.append(
            {
                "type": kind,
                **_places(place[None]),
                "mode": "markers",
                "name": label,
                "hovertemplate": label + "<extra></extra>",
                "marker": marker,
            }
        )
    frames = [
        {
            "name": stage,
            "data": [{"type": kind, **_listed(p)}, {"type": kind, **_listed(q[None])}],
            "traces": [moving, len(traces) - 1],
        }
        for stage, p, q in zip(
            PLAYED, (start, end, end), (query[0], query[0], query[1]), strict=True
        )
    ]
    space: dict[str, Any] = {
        "xaxis": {"visible": False},
        "yaxis": {"visible": False, "scaleanchor": "x"},
        "dragmode": "pan",
    }
    if three:
        hidden = {"showticklabels": False, **canvas.titled(""), "showbackground": False}
        eye = {"eye": {"x": 1.05, "y": 1.05, "z": 0.75}}
        space = {
            "scene": {
                "xaxis": hidden,
                "yaxis": hidden,
                "zaxis": hidden,
                "camera": eye,
                "aspectmode": "cube",
            },
            "dragmode": "orbit",
        }
    elif len(groups) > 1:
        space["annotations"] = _group_names(
            background, groups, np.concatenate([start, end, *(q[None] for q in query)]), dark
        )
    return canvas.figure(
        traces, 620, frames=frames, uirevision=name, **space, **_play(PLAYED, redraw=three)
    )


def _places(places: Array) -> dict[str, Array]:
    return dict(zip(("x", "y", "z"), places.T, strict=False))


def _listed(places: Array) -> dict[str, list[float]]:
    """Return places as plain lists: Plotly decodes no packed arrays in frames."""
    return {axis: values.tolist() for axis, values in _places(places).items()}


def _cloud(
    background: Array, group: Group, crowd: int, labels: Sequence[str] | None
) -> dict[str, Any]:
    """Return one group of the corpus as a trace.

    The more there are, the smaller and the fainter.
    """
    three = background.shape[1] == 3
    size = 2 if three else 4 if crowd <= 20_000 else 2
    told: dict[str, Any] = {"hovertemplate": formatting.short(group.name, 60) + "<extra></extra>"}
    if labels is not None:
        told = {
            "text": [labels[row] for row in group.rows],
            "hovertemplate": "%{text}<extra></extra>",
        }
    return {
        "type": "scatter3d" if three else "scattergl",
        **_places(background[group.rows]),
        "mode": "markers",
        "name": formatting.short(group.name, 40),
        "marker": {
            "size": size,
            "color": group.colour,
            "opacity": 0.45 if crowd <= 20_000 else 0.25,
        },
        "showlegend": False,
        **told,
    }


def _group_names(
    background: Array, groups: Sequence[Group], marks: Array, dark: bool
) -> list[dict[str, Any]]:
    """Return notes with the groups' names, the larger group first, each beside the document nearest to its middle.

    A name steps aside for an earlier one, or is left to the hover label where there is no room on a narrow screen.
    """
    drawn = np.concatenate([background[group.rows] for group in groups])
    pixel = max(float(np.ptp(drawn[:, i])) for i in (0, 1)) / placing.NARROW or 1.0
    named = sorted((g for g in groups if len(g.rows)), key=lambda g: -len(g.rows))
    texts = [formatting.short(group.name, 28) for group in named]
    sizes = [
        (pixel * width, pixel * height)
        for width, height in (placing.size(f"■ {text}") for text in texts)
    ]
    candidates = []
    for group, (width, height) in zip(named, sizes, strict=True):
        places = background[group.rows]
        middle = places[np.abs(places - np.median(places, axis=0)).sum(axis=1).argmin()]
        aside = middle + np.array(
            [(x * width / 2, y * height) for y in (0, 1, -1) for x in (0, 1, -1)]
        )
        edges = (
            drawn[:, 0].min() + width / 2,
            drawn[:, 0].max() - width / 2,
        )  # a name beyond the cloud would make it smaller
        candidates.append(np.stack([np.clip(aside[:, 0], *edges), aside[:, 1]], axis=1))
    found = placing.places(candidates, sizes, np.asarray(marks, np.float64))
    return [
        _note(*place, f'<span style="color:{group.colour}">■</span> {text}', dark)
        for place, text, group in zip(found, texts, named, strict=True)
        if place
    ]


def _marks(points: Points, three: bool = False) -> dict[str, Any]:
    """Return how the modulated documents are drawn, without their places."""
    known = {
        "name": "modulated",
        "legendgroup": "modulated",
        "showlegend": False,
        "customdata": [[i] for i in points.ids],
    }
    if three:
        return {
            **known,
            "mode": "text",
            "text": [_GLYPHS[symbol][0] for symbol in points.symbols],
            "textposition": "middle center",
            "textfont": {
                "size": [_GLYPHS[symbol][1] for symbol in points.symbols],
                "color": list(points.colours),
            },
            "hovertext": list(points.labels),
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    return {
        **known,
        "mode": "markers",
        "text": list(points.labels),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": 11,
            "color": list(points.colours),
            "symbol": list(points.symbols),
            "line": {"width": 1, "color": theme.MARK_EDGE},
        },
    }


def _arrows(
    start: Sequence[NDArray[np.floating]], end: Sequence[NDArray[np.floating]], points: Points
) -> list[dict[str, Any]]:
    """Return at most `MAX_ARROWS` arrows; more would neither be drawn in time nor be read.

    One trace a colour.
    """
    count, traces = min(len(start[0]), MAX_ARROWS), list[dict[str, Any]]()
    for colour in dict.fromkeys(points.colours[:count]):
        chosen = [i for i in range(count) if points.colours[i] == colour]
        x, y = (
            np.stack([s[chosen], e[chosen], np.full(len(chosen), np.nan)], axis=1).ravel()
            for s, e in zip(start, end, strict=True)
        )
        marker = {
            "symbol": "arrow",
            "angleref": "previous",
            "size": [0, 9, 0] * len(chosen),
            "color": colour,
        }
        traces.append(
            {
                "type": "scatter",
                "x": x,
                "y": y,
                "mode": "lines+markers",
                "hoverinfo": "skip",
                "showlegend": False,
                "line": {"color": colour, "width": 1.2},
                "opacity": 0.7,
                "marker": marker,
            }
        )
    return traces


_CONTROL = {
    "bgcolor": theme.CONTROL,
    "bordercolor": theme.CONTROL_EDGE,
    "font": {"size": 12, "color": theme.UNJUDGED},
}
"""Buttons and sliders on either ground; Plotly's own are white in the dark."""


def _play(names: Sequence[str], redraw: bool = False) -> dict[str, Any]:
    """Return a button that plays the move through the named frames, and a slider with them.

    The figure starts at the last.
    """

    def broken(name: str) -> str:  # over two lines: four labels have room on a narrow screen
        return name.replace("-", "-<br>").replace(", ", ",<br>")

    timing = {
        "frame": {"duration": FRAME_MS, "redraw": redraw},
        "transition": {"duration": 0 if redraw else FRAME_MS // 2},
        "mode": "immediate",
    }
    return {
        "updatemenus": [
            {
                "type": "buttons",
                "x": 0,
                "y": 0,
                "xanchor": "left",
                "yanchor": "bottom",
                "showactive": False,
                "pad": {"t": 6},
                **_CONTROL,
                "buttons": [
                    {
                        "label": "▶ play",
                        "method": "animate",
                        "args": [list(names), {**timing, "fromcurrent": False}],
                    }
                ],
            }
        ],
        "sliders": [
            {
                "x": 0.04,
                "len": 0.9,
                "y": -0.02,
                "active": len(names) - 1,
                "currentvalue": {"visible": False},
                "pad": {"t": 6},
                **_CONTROL,
                "activebgcolor": theme.MODULATED,
                "tickcolor": theme.UNJUDGED,
                "steps": [
                    {"label": broken(name), "method": "animate", "args": [[name], timing]}
                    for name in names
                ],
            }
        ],
    }
