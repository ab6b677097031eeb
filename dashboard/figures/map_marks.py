"""What both kinds of maps draw: documents that move, notes, and the button that plays the move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard import theme

Array = NDArray[np.float32]

MAX_ARROWS = 50

FRAME_MS = 700

_GLYPHS = {"star": ("★", 22), "x": ("✕", 20), "circle": ("●", 12)}
"""The same marks as letters, with their sizes: Plotly has no star in three dimensions."""

_CONTROL = {
    "bgcolor": theme.CONTROL,
    "bordercolor": theme.CONTROL_EDGE,
    "font": {"size": 12, "color": theme.UNJUDGED},
}
"""Buttons and sliders on either ground; Plotly's own are white in the dark."""


@dataclass(frozen=True)
class Points:
    """How R documents are drawn: ids, hover labels, colours and symbols, all (R,)."""

    ids: Sequence[str]
    labels: Sequence[str]
    colours: Sequence[str]
    symbols: Sequence[str]


def note(x: float, y: float, text: str, dark: bool, colour: str = "") -> dict[str, Any]:
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


def legend_mark(three: bool = False) -> dict[str, Any]:
    """Return the legend's mark of the modulated documents.

    It has neither the colour nor the sign of one of them.
    """
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


def marks(points: Points, three: bool = False) -> dict[str, Any]:
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


def arrows(
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


def places(places: Array) -> dict[str, Array]:
    """Return places (R, 2 or 3) by their axes."""
    return dict(zip(("x", "y", "z"), places.T, strict=False))


def listed(points: Array) -> dict[str, list[float]]:
    """Return places as plain lists: Plotly decodes no packed arrays in frames."""
    return {axis: values.tolist() for axis, values in places(points).items()}


def play(names: Sequence[str], redraw: bool = False) -> dict[str, Any]:
    """Return a button that plays the move through the named frames, and a slider with them.

    The figure starts at the last.
    """
    timing = {
        "frame": {"duration": FRAME_MS, "redraw": redraw},
        "transition": {"duration": 0 if redraw else FRAME_MS // 2},
        "mode": "immediate",
    }
    return {"updatemenus": [_button(names, timing)], "sliders": [_slider(names, timing)]}


def _button(names: Sequence[str], timing: Mapping[str, Any]) -> dict[str, Any]:
    return {
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


def _slider(names: Sequence[str], timing: Mapping[str, Any]) -> dict[str, Any]:
    def broken(name: str) -> str:  # over two lines: four labels have room on a narrow screen
        return name.replace("-", "-<br>").replace(", ", ",<br>")

    return {
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
            {"label": broken(name), "method": "animate", "args": [[name], timing]} for name in names
        ],
    }
