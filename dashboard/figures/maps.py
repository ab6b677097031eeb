"""Figures of the page Map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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

    figure = go.Figure()
    circle = np.linspace(0, 2 * np.pi, 120)
    for n, (ring, angle) in enumerate(rings.items()):
        radius, turn = angle - inner, np.radians(90 - 28 * n)  # labels of near rings stand apart
        figure.add_scatter(
            x=radius * np.cos(circle), y=radius * np.sin(circle), mode="lines", line={"color": theme.UNJUDGED, "width": 1, "dash": "dot"},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_annotation(
            x=radius * np.cos(turn),
            y=radius * np.sin(turn),
            text=f"rank {ring}, {radius + inner:.1f}°",
            showarrow=False,
            font={"size": 11, "color": theme.UNJUDGED},
            yshift=8,
        )
    start, end = place(0), place(len(STAGES) - 1)
    _arrows(figure, start, end, points)
    figure.add_scatter(
        x=start[0],
        y=start[1],
        mode="markers",
        name="base",
        marker={"size": 6, "color": theme.BASE, "symbol": "circle-open"},
        hoverinfo="skip",
    )
    moving = len(figure.data)
    figure.add_scatter(x=end[0], y=end[1], name="modulated", **_marks(points))
    figure.add_scatter(
        x=[0],
        y=[0],
        mode="markers",
        name="query",
        marker={"size": 15, "color": theme.QUERY, "symbol": "diamond"},
        hovertemplate="the query<extra></extra>",
    )
    places = [place(s) for s in range(len(STAGES))]
    reach = max(float(np.hypot(*p).max()) for p in places) * 1.08 or 1.0
    _play(figure, [(stage, [p]) for stage, p in zip(STAGES, places, strict=True)], [moving])
    figure.update_xaxes(visible=False, range=[-reach, reach], constrain="domain")
    figure.update_yaxes(visible=False, range=[-reach, reach], scaleanchor="x", constrain="domain")
    return theme.layout(figure, 620, dragmode="pan", uirevision="target")


def plane(
    background: Array,
    start: Array,
    end: Array,
    query: tuple[Array, Array] | None,
    points: Points,
    background_labels: Sequence[str],
    background_colours: Sequence[str] | str,
    name: str,
) -> go.Figure:
    """Draw a corpus (N, 2 or 3) in grey and the move of R documents (R, 2 or 3) from base to modulated over it.

    `query` is the query's two places, or None. In three dimensions lines stand for arrows.
    """
    three = background.shape[1] == 3
    figure = go.Figure()
    scatter = go.Scatter3d if three else go.Scatter
    if three:
        figure.add_scatter3d(
            x=background[:, 0], y=background[:, 1], z=background[:, 2], mode="markers", name="corpus", text=background_labels,
            marker={"size": 2, "color": background_colours, "opacity": 0.35}, hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        gaps = np.full((len(start), 3), np.nan, np.float32)
        lines = np.stack([start, end, gaps], axis=1).reshape(-1, 3)
        figure.add_scatter3d(
            x=lines[:, 0],
            y=lines[:, 1],
            z=lines[:, 2],
            mode="lines",
            line={"color": theme.BASE, "width": 4},
            hoverinfo="skip",
            showlegend=False,
        )
    else:
        figure.add_scattergl(
            x=background[:, 0], y=background[:, 1], mode="markers", name="corpus", text=background_labels,
            marker={"size": 4, "color": background_colours, "opacity": 0.35}, hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
        _arrows(figure, (start[:, 0], start[:, 1]), (end[:, 0], end[:, 1]), points)
    axes = ("x", "y", "z")[: background.shape[1]]
    moving = len(figure.data)
    figure.add_trace(scatter(**{a: end[:, i] for i, a in enumerate(axes)}, name="modulated", **_marks(points, three)))
    traces, steps = [moving], [[start], [end]]
    if query is not None:
        for place, label, symbol in ((query[0], "query, base", "diamond-open"), (query[1], "query, modulated", "diamond")):
            figure.add_trace(
                scatter(
                    **{a: [float(place[i])] for i, a in enumerate(axes)}, mode="markers", name=label, hovertemplate=label + "<extra></extra>",
                    marker={"size": 7 if three else 14, "color": theme.QUERY, "symbol": symbol},
                )
            )  # fmt: skip
    if not three:
        frames = [(stage, [(p[:, 0], p[:, 1]) for p in step]) for stage, step in zip(("base", "modulated"), steps, strict=True)]
        _play(figure, frames, traces)
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False, scaleanchor="x")
    else:
        hidden = {"showticklabels": False, "title": "", "showbackground": False}
        figure.update_layout(scene={"xaxis": hidden, "yaxis": hidden, "zaxis": hidden})
    return theme.layout(figure, 620, dragmode="orbit" if three else "pan", uirevision=name)


def _marks(points: Points, three: bool = False) -> dict[str, object]:
    known3d = {"star": "diamond", "x": "x", "circle": "circle"}
    symbols = [known3d[s] for s in points.symbols] if three else list(points.symbols)
    return {
        "mode": "markers", "customdata": [[i] for i in points.ids], "text": list(points.labels), "hovertemplate": "%{text}<extra></extra>",
        "marker": {"size": 5 if three else 11, "color": list(points.colours), "symbol": symbols, "line": {"width": 1, "color": "rgba(255,255,255,0.6)"}},
    }  # fmt: skip


def _arrows(figure: go.Figure, start: tuple[Array, Array], end: tuple[Array, Array], points: Points) -> None:
    """Add at most `MAX_ARROWS` arrows; more would neither be drawn in time nor be read."""
    for i in range(min(len(start[0]), MAX_ARROWS)):
        figure.add_scatter(
            x=[start[0][i], end[0][i]], y=[start[1][i], end[1][i]], mode="lines+markers", hoverinfo="skip", showlegend=False,
            line={"color": points.colours[i], "width": 1.2}, opacity=0.7,
            marker={"symbol": "arrow", "angleref": "previous", "size": [0, 9], "color": points.colours[i]},
        )  # fmt: skip


def _play(figure: go.Figure, steps: Sequence[tuple[str, Sequence[tuple[Array, Array]]]], traces: list[int]) -> None:
    """Add a button that plays the move, and a slider with the stages; the figure starts at the last."""
    figure.frames = [go.Frame(name=name, data=[go.Scatter(x=x, y=y) for x, y in places], traces=traces) for name, places in steps]
    timing = {"frame": {"duration": FRAME_MS, "redraw": False}, "transition": {"duration": FRAME_MS // 2}, "mode": "immediate"}
    names = [name for name, _ in steps]
    figure.update_layout(
        updatemenus=[{
            "type": "buttons", "x": 0, "y": 0, "xanchor": "left", "yanchor": "bottom", "showactive": False, "pad": {"t": 6},
            "buttons": [{"label": "▶ play", "method": "animate", "args": [names, {**timing, "fromcurrent": False}]}],
        }],
        sliders=[{
            "x": 0.04, "len": 0.9, "y": -0.02, "active": len(steps) - 1, "currentvalue": {"visible": False}, "pad": {"t": 6},
            "steps": [{"label": name, "method": "animate", "args": [[name], timing]} for name in names],
        }],
    )  # fmt: skip
