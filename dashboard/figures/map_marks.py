"""What every map draws: documents that move, labels, and the button that plays the movement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard import theme

Array = NDArray[np.float32]

MAX_ARROWS = 50
"""More arrows take too long to draw, and cannot be read."""

FRAME_MS = 700

_GLYPHS = {"star": ("★", 22), "x": ("✕", 20), "circle": ("●", 12)}
"""The same marks as letters, with their sizes: Plotly has no star in three dimensions."""


@dataclass(frozen=True)
class Points:
    """How R documents are drawn: ids, hover labels, colours and symbols, all (R,)."""

    ids: Sequence[str]
    labels: Sequence[str]
    colours: Sequence[str]
    symbols: Sequence[str]


def label_annotation(x: float, y: float, text: str, dark: bool) -> dict[str, Any]:
    """Return a label with a background, so that marks below it do not cross its letters."""
    colours = theme.page_colours(dark)
    return {
        "x": x,
        "y": y,
        "text": text,
        "showarrow": False,
        "font": {"size": 11, "color": colours.text},
        "bgcolor": colours.label_background,
    }


def document_marks(points: Points, three: bool = False) -> dict[str, Any]:
    """Return how the modulated documents are drawn, without their coordinates."""
    common = {
        "name": "modulated",
        "customdata": [[i] for i in points.ids],
    }
    if three:
        return {
            **common,
            "mode": "text",
            "text": [_GLYPHS[symbol][0] for symbol in points.symbols],
            "textposition": "middle center",
            "textfont": {
                "size": [_GLYPHS[symbol][1] for symbol in points.symbols],
                "color": list(points.colours),
            },
            # "text" is the glyph here, so the label needs a field of its own
            "hovertext": list(points.labels),
            "hovertemplate": "%{hovertext}<extra></extra>",
        }
    return {
        **common,
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
    """Return at most `MAX_ARROWS` arrows, one trace per colour.

    Args:
        start: x and y (R,) where each arrow starts.
        end: x and y (R,) where it ends.
        points: Their colours.
    """
    count, traces = min(len(start[0]), MAX_ARROWS), list[dict[str, Any]]()
    for colour in dict.fromkeys(points.colours[:count]):
        rows = [i for i in range(count) if points.colours[i] == colour]
        # the NaN after each end lifts the pen before the next arrow
        x, y = (
            np.stack(
                [s[rows], (s[rows] + e[rows]) / 2, e[rows], np.full(len(rows), np.nan)], axis=1
            ).ravel()
            for s, e in zip(start, end, strict=True)
        )
        marker = {
            "symbol": "arrow",
            "angleref": "previous",
            # start, middle, end and gap: the head is in the middle, where no mark covers it
            "size": [0, 10, 0, 0] * len(rows),
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
                "marker": marker,
            }
        )
    return traces


def coordinates(points: Array) -> dict[str, Array]:
    """Return points (R, 2 or 3) by their axes."""
    return dict(zip(("x", "y", "z"), points.T, strict=False))


def coordinate_lists(points: Array) -> dict[str, list[float]]:
    """Return points (R, 2 or 3) by their axes, as lists: frames decode no packed arrays."""
    return {axis: values.tolist() for axis, values in coordinates(points).items()}


def play_controls(names: Sequence[str], dark: bool, redraw: bool = False) -> dict[str, Any]:
    """Return a button that plays the named frames, and a slider that starts at the last frame."""
    timing = {
        "frame": {"duration": FRAME_MS, "redraw": redraw},
        # Plotly cannot move marks in three dimensions smoothly: it draws each frame anew
        "transition": {"duration": 0 if redraw else FRAME_MS // 2},
        # a step that is clicked while the movement plays does not queue behind it
        "mode": "immediate",
    }
    control = {
        "bgcolor": theme.CONTROL,
        "bordercolor": theme.CONTROL_EDGE,
        "font": {"size": 12, "color": theme.page_colours(dark).text},
    }
    return {
        "updatemenus": [{**control, **_button(names, timing)}],
        "sliders": [{**control, **_slider(names, timing)}],
    }


def _button(names: Sequence[str], timing: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "buttons",
        "x": 0,
        "y": 0,
        "xanchor": "left",
        "yanchor": "bottom",
        # a pressed button would look like a switch that stays on
        "showactive": False,
        "pad": {"t": 6},
        "buttons": [
            {
                "label": "▶ play",
                "method": "animate",
                "args": [list(names), {**timing, "fromcurrent": False}],
            }
        ],
    }


def _slider(names: Sequence[str], timing: Mapping[str, Any]) -> dict[str, Any]:
    def in_two_lines(name: str) -> str:  # on a phone, four labels in one line have no room
        return name.replace("-", "-<br>").replace(", ", ",<br>")

    return {
        "x": 0.04,
        "len": 0.9,
        "y": -0.02,
        "active": len(names) - 1,
        "currentvalue": {"visible": False},
        "pad": {"t": 6},
        "activebgcolor": theme.MODULATED,
        "tickcolor": theme.BASE,
        "steps": [
            {"label": in_two_lines(name), "method": "animate", "args": [[name], timing]}
            for name in names
        ],
    }
