"""Figures of the page Overview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.evaluation.verdicts import Effect


class GroupRow(NamedTuple):
    """A group of n queries.

    Attributes:
        name: Its name.
        n: Number of its queries.
        bm25: Mean of BM25.
        base: Mean of the base ranking.
        modulated: Mean of the modulated ranking.
        ci95: 95 % interval of the change from base to modulated.
        effect: What the test of the change shows.
    """

    name: str
    n: int
    bm25: float
    base: float
    modulated: float
    ci95: tuple[float, float]
    effect: Effect


def groups(rows: Sequence[GroupRow], measure: str) -> go.Figure:
    """Draw the mean of BM25, base and modulated for each group of queries.

    A band behind the marks shows the 95 % interval of the change, in the colour of its effect.
    """
    one = "all " if len(rows) == 1 else ""  # a single group is the whole split
    names = [f"{row.name}, {one}{row.n} queries" for row in rows]
    changes = [
        {
            "x": 1.01,
            "xref": "paper",
            "xanchor": "left",
            "y": name,
            "text": formatting.signed(row.modulated - row.base),
            "showarrow": False,
        }
        for name, row in zip(names, rows, strict=True)
    ]
    lines = [trace for name, row in zip(names, rows, strict=True) for trace in _change(name, row)]
    return canvas.figure(
        [*lines, *_means(names, rows, measure)],
        136 + 36 * len(rows),
        margin={"l": 8, "r": 64, "t": 8, "b": 8},
        annotations=changes,
        xaxis=canvas.titled(f"mean {measure}"),
        yaxis={"autorange": "reversed"},
    )


def _change(name: str, row: GroupRow) -> list[dict[str, Any]]:
    """Return the interval of a group's change, and the line from base to modulated."""
    low, high = row.ci95
    line = {"type": "scatter", "y": [name, name], "mode": "lines"}
    quiet = {"hoverinfo": "skip", "showlegend": False}
    return [
        {
            **line,
            "x": [row.base + low, row.base + high],
            "line": {"color": theme.effect_colour(row.effect), "width": 14},
            "opacity": 0.28,
            **quiet,
        },
        {
            **line,
            "x": [row.base, row.modulated],
            "line": {"color": theme.UNJUDGED, "width": 2},
            **quiet,
        },
    ]


def _means(names: Sequence[str], rows: Sequence[GroupRow], measure: str) -> list[dict[str, Any]]:
    """Return one trace of marks per system."""
    return [
        {
            "type": "scatter",
            "x": [getattr(row, system.lower()) for row in rows],
            "y": names,
            "mode": "markers",
            "name": system,
            "marker": {"size": 12, "color": colour, "symbol": symbol},
            "hovertemplate": f"{system} {measure} %{{x:.4f}}<extra></extra>",
        }
        for system, colour, symbol in (
            ("BM25", theme.BM25, "triangle-up"),
            ("base", theme.BASE, "circle"),
            ("modulated", theme.MODULATED, "diamond"),
        )
    ]


_STYLES = {
    "seen": (theme.QUERY, "square"),
    "text used": (theme.REFINEMENT, "triangle-up"),
    "unseen": (theme.MODULATED, "circle"),
    "validation": (theme.UNJUDGED, "x"),
    "query": (theme.MODULATED, "circle"),
}


def scatter(
    base: NDArray[np.float64],
    modulated: NDArray[np.float64],
    query_ids: Sequence[str],
    texts: Sequence[str],
    groups: Sequence[str] | None,
    measure: str,
    other: str = "modulated",
) -> go.Figure:
    """Draw each query at (base, other ranking). `customdata` holds the query id."""
    points = np.stack([base, modulated])
    # many queries have the same two values: without some noise their marks would hide each other
    # a fixed seed: a figure that differs is drawn again and loses its selection
    points = points + np.random.default_rng(0).uniform(-0.012, 0.012, size=points.shape)
    names = np.array(groups if groups is not None else ["query"] * len(base))
    labels = [
        f"{formatting.plain(text)}<br>base {b:.4f}, {other} {m:.4f}"
        for text, b, m in zip(texts, base, modulated, strict=True)
    ]
    marks = [
        _queries(name, np.flatnonzero(names == name), points, query_ids, labels)
        for name in _STYLES
        if (names == name).any()
    ]
    # equal axes, so that the diagonal is at 45 degrees and distances from it can be compared
    axis = {"range": [-0.05, 1.05], "constrain": "domain"}
    return canvas.figure(
        [_DIAGONAL, *marks],
        360,
        showlegend=groups is not None,
        xaxis={**canvas.titled(f"base {measure}"), **axis},
        yaxis={**canvas.titled(f"{other} {measure}"), **axis, "scaleanchor": "x"},
    )


_DIAGONAL: dict[str, Any] = {
    "type": "scatter",
    "x": [0, 1],
    "y": [0, 1],
    "mode": "lines",
    "line": {"color": theme.UNJUDGED, "dash": "dot", "width": 1},
    "hoverinfo": "skip",
    "showlegend": False,
}


def _queries(
    name: str,
    rows: NDArray[np.int64],
    points: NDArray[np.float64],
    query_ids: Sequence[str],
    labels: Sequence[str],
) -> dict[str, Any]:
    """Return the trace of the queries in `rows` of points (2, Q)."""
    colour, symbol = _STYLES[name]
    return {
        "type": "scatter",
        "x": points[0, rows],
        "y": points[1, rows],
        "mode": "markers",
        "name": name,
        "marker": {
            "size": 8,
            "color": colour,
            "symbol": symbol,
            "line": {"width": 1, "color": theme.MARK_EDGE},
        },
        "customdata": [[query_ids[i]] for i in rows],
        "text": [labels[i] for i in rows],
        "hovertemplate": "%{text}<extra>" + name + "</extra>",
    }


def overlaps(rbo: NDArray[np.float64], query_ids: Sequence[str], texts: Sequence[str]) -> go.Figure:
    """Draw the rank-biased overlap of each query, the smallest first.

    `customdata` holds the query id.
    """
    order = np.argsort(rbo, kind="stable")
    points = {
        "type": "scatter",
        "x": np.arange(1, len(order) + 1),
        "y": rbo[order],
        "mode": "markers",
        "marker": {
            "size": 7,
            "color": theme.MODULATED,
            "line": {"width": 1, "color": theme.MARK_EDGE},
        },
        "customdata": [[query_ids[i]] for i in order],
        "text": [f"{formatting.plain(texts[int(i)])}<br>overlap {rbo[i]:.4f}" for i in order],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return canvas.figure(
        [points],
        340,
        xaxis=canvas.titled("queries, smallest overlap first"),
        yaxis={
            **canvas.titled("rank-biased overlap"),
            "range": [min(0.98, float(rbo.min())) - 0.02, 1.01],
        },
    )
