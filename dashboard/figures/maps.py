"""Figures of the page Map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import theme
from imrnns_core.mapping import TargetView
from imrnns_core.records import STAGES

Array = NDArray[np.float32]
MAX_ARROWS = 50
FRAME_MS = 700


@dataclass(frozen=True)
class Points:
    """How R documents are drawn: ids, hover labels, colours and symbols, all (R,)."""

    ids: Sequence[str]
    labels: Sequence[str]
    colours: Sequence[str]
    symbols: Sequence[str]


def target(view: TargetView, rings: dict[int, float], points: Points) -> go.Figure:
    """Draw the query in the centre and documents at their true angle, with arrows from base to modulated.

    Args:
        view: Angles (4, R) and directions (R,) of the documents.
        rings: modulated rank → its angle in degrees.
        points: How to draw the documents.
    """
    theta = np.radians(view.direction)
    inner = max(0.0, float(view.radius.min()) - 4.0)

    def place(stage: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        radius = view.radius[stage] - inner
        return radius * np.cos(theta), radius * np.sin(theta)

    traces, notes = list[dict[str, Any]](), list[dict[str, Any]]()
    circle = np.linspace(0, 2 * np.pi, 120)
    for n, (ring, angle) in enumerate(rings.items()):
        radius, turn = angle - inner, np.radians(90 - 28 * n)  # labels of near rings stand apart
        traces.append({
            "type": "scatter", "x": radius * np.cos(circle), "y": radius * np.sin(circle), "mode": "lines",
            "line": {"color": theme.UNJUDGED, "width": 1, "dash": "dot"}, "hoverinfo": "skip", "showlegend": False,
        })  # fmt: skip
        notes.append({
            "x": radius * np.cos(turn), "y": radius * np.sin(turn), "text": f"rank {ring}, {radius + inner:.1f}°", "showarrow": False,
            "font": {"size": 11, "color": theme.UNJUDGED}, "yshift": 8,
        })  # fmt: skip
    start, end = place(0), place(len(STAGES) - 1)
    hollow = {"size": 6, "color": theme.BASE, "symbol": "circle-open"}
    traces += _arrows(start, end, points)
    traces.append(
        {"type": "scatter", "x": start[0], "y": start[1], "mode": "markers", "name": "base", "marker": hollow, "hoverinfo": "skip"}
    )
    moving = len(traces)
    traces.append({"type": "scatter", "x": end[0], "y": end[1], "name": "modulated", **_marks(points)})
    traces.append({
        "type": "scatter", "x": [0], "y": [0], "mode": "markers", "name": "query",
        "marker": {"size": 15, "color": theme.QUERY, "symbol": "diamond"}, "hovertemplate": "the query<extra></extra>",
    })  # fmt: skip
    places = [place(s) for s in range(len(STAGES))]
    reach = max(float(np.hypot(*p).max()) for p in places) * 1.08 or 1.0
    frames = [
        {"name": stage, "data": [{"x": x.tolist(), "y": y.tolist()}], "traces": [moving]}
        for stage, (x, y) in zip(STAGES, places, strict=True)
    ]
    axis = {"visible": False, "range": [-reach, reach], "constrain": "domain"}
    return theme.figure(
        traces, 620, frames=frames, dragmode="pan", uirevision="target", annotations=notes, xaxis=axis, yaxis={**axis, "scaleanchor": "x"},
        **_play(list(STAGES)),
    )  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Documents of the corpus that are drawn alike: one trace of the background, `rows` (R,) of the corpus."""

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
        traces.append({"type": "scatter3d", **_places(lines), "mode": "lines", "line": line, "hoverinfo": "skip", "showlegend": False})
    else:
        traces += _arrows((start[:, 0], start[:, 1]), (end[:, 0], end[:, 1]), points)
    moving = len(traces)
    kind = "scatter3d" if three else "scatter"
    traces.append({"type": kind, **_places(end), "name": "modulated", **_marks(points, three)})
    for place, label, symbol in ((query[0], "query, base", "diamond-open"), (query[1], "query, modulated", "diamond")):
        marker = {"size": 7 if three else 14, "color": theme.QUERY, "symbol": symbol}
        traces.append(
            {"type": kind, **_places(place[None]), "mode": "markers", "name": label, "hovertemplate": label + "<extra></extra>", "marker": marker}
        )  # fmt: skip
    frames = [
        {"name": stage, "data": [{"type": kind, **_listed(p)}], "traces": [moving]} for stage, p in (("base", start), ("modulated", end))
    ]
    space: dict[str, Any] = {"xaxis": {"visible": False}, "yaxis": {"visible": False, "scaleanchor": "x"}, "dragmode": "pan"}
    if three:
        hidden = {"showticklabels": False, **theme.titled(""), "showbackground": False}
        eye = {"eye": {"x": 1.05, "y": 1.05, "z": 0.75}}
        space = {"scene": {"xaxis": hidden, "yaxis": hidden, "zaxis": hidden, "camera": eye, "aspectmode": "cube"}, "dragmode": "orbit"}
    elif len(groups) > 1:
        space["annotations"] = _group_names(background, groups, dark)
    return theme.figure(traces, 620, frames=frames, uirevision=name, **space, **_play(["base", "modulated"], redraw=three))


def _places(places: Array) -> dict[str, Array]:
    return dict(zip(("x", "y", "z"), places.T, strict=False))


def _listed(places: Array) -> dict[str, list[float]]:
    """Return places as plain lists: Plotly decodes no packed arrays in frames."""
    return {axis: values.tolist() for axis, values in _places(places).items()}


def _cloud(background: Array, group: Group, crowd: int, labels: Sequence[str] | None) -> dict[str, Any]:
    """Return one group of the corpus as a trace; the more there are, the smaller and the fainter."""
    three = background.shape[1] == 3
    size = 2 if three else 4 if crowd <= 20_000 else 2
    told = {"hovertemplate": theme.short(group.name, 60) + "<extra></extra>"}
    if labels is not None:
        told = {"text": [labels[row] for row in group.rows], "hovertemplate": "%{text}<extra></extra>"}  # type: ignore[dict-item]
    return {
        "type": "scatter3d" if three else "scattergl", **_places(background[group.rows]), "mode": "markers", "name": theme.short(group.name, 40),
        "marker": {"size": size, "color": group.colour, "opacity": 0.45 if crowd <= 20_000 else 0.25}, "showlegend": False, **told,
    }  # fmt: skip


def _group_names(background: Array, groups: Sequence[Group], dark: bool) -> list[dict[str, Any]]:
    """Return notes with each group's name at the document nearest to its middle; names that would lie on a larger group's are left to the hover label."""
    width, height = (float(np.ptp(background[:, i])) or 1.0 for i in (0, 1))
    ink, ground = ("#e6ebf2", "rgba(17,22,29,0.75)") if dark else ("#1b2430", "rgba(255,255,255,0.8)")
    notes: list[dict[str, Any]] = []
    for group in groups:
        places = background[group.rows]
        if not len(places):
            continue
        x, y = map(float, places[np.abs(places - np.median(places, axis=0)).sum(axis=1).argmin()])
        if any(abs(n["x"] - x) < 0.2 * width and abs(n["y"] - y) < 0.035 * height for n in notes):
            continue
        text = theme.short(group.name, 30)
        notes.append({"x": x, "y": y, "text": text, "showarrow": False, "font": {"size": 11, "color": ink}, "bgcolor": ground})
    return notes


def _marks(points: Points, three: bool = False) -> dict[str, Any]:
    known3d = {"star": "diamond", "x": "x", "circle": "circle"}
    symbols = [known3d[s] for s in points.symbols] if three else list(points.symbols)
    return {
        "mode": "markers", "customdata": [[i] for i in points.ids], "text": list(points.labels), "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 5 if three else 11, "color": list(points.colours), "symbol": symbols, "line": {"width": 1, "color": "rgba(255,255,255,0.6)"}},
    }  # fmt: skip


def _arrows(start: tuple[Array, Array], end: tuple[Array, Array], points: Points) -> list[dict[str, Any]]:
    """Return at most `MAX_ARROWS` arrows; more would neither be drawn in time nor be read. One trace a colour."""
    count, traces = min(len(start[0]), MAX_ARROWS), list[dict[str, Any]]()
    for colour in dict.fromkeys(points.colours[:count]):
        chosen = [i for i in range(count) if points.colours[i] == colour]
        x, y = (np.stack([s[chosen], e[chosen], np.full(len(chosen), np.nan)], axis=1).ravel() for s, e in zip(start, end, strict=True))
        marker = {"symbol": "arrow", "angleref": "previous", "size": [0, 9, 0] * len(chosen), "color": colour}
        traces.append({
            "type": "scatter", "x": x, "y": y, "mode": "lines+markers", "hoverinfo": "skip", "showlegend": False,
            "line": {"color": colour, "width": 1.2}, "opacity": 0.7, "marker": marker,
        })  # fmt: skip
    return traces


_CONTROL = {"bgcolor": "rgba(128,138,152,0.16)", "bordercolor": "rgba(128,138,152,0.7)", "font": {"size": 12, "color": theme.UNJUDGED}}
"""Buttons and sliders on either ground; Plotly's own are white in the dark."""


def _play(names: Sequence[str], redraw: bool = False) -> dict[str, Any]:
    """Return a button that plays the move through the named frames, and a slider with them; the figure starts at the last."""
    timing = {
        "frame": {"duration": FRAME_MS, "redraw": redraw},
        "transition": {"duration": 0 if redraw else FRAME_MS // 2},
        "mode": "immediate",
    }
    return {
        "updatemenus": [{
            "type": "buttons", "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom", "showactive": False, "pad": {"t": 6}, **_CONTROL,
            "buttons": [{"label": "▶ play", "method": "animate", "args": [list(names), {**timing, "fromcurrent": False}]}],
        }],
        "sliders": [{
            "x": 0.04, "len": 0.9, "y": -0.02, "active": len(names) - 1, "currentvalue": {"visible": False}, "pad": {"t": 6}, **_CONTROL,
            "activebgcolor": theme.MODULATED, "tickcolor": theme.UNJUDGED,
            "steps": [{"label": name, "method": "animate", "args": [[name], timing]} for name in names],
        }],
    }  # fmt: skip
