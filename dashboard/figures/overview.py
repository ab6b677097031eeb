"""Figures of the page Overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.evaluation.gain_decomposition import GainOfPart


class GroupRow(NamedTuple):
    """Means of a group of n queries, and the 95 % interval of the change from base to modulated."""

    name: str
    n: int
    bm25: float
    base: float
    modulated: float
    ci95: tuple[float, float]


def groups(rows: Sequence[GroupRow], measure: str) -> go.Figure:
    """Draw the mean of BM25, base and modulated for each group of queries.

    A band behind the marks shows the 95 % interval of the change.
    """
    names = [f"{row.name} (n = {row.n})" for row in rows]
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
    colour = theme.UP if low > 0 else theme.DOWN if high < 0 else theme.UNJUDGED
    line = {"type": "scatter", "y": [name, name], "mode": "lines"}
    quiet = {"hoverinfo": "skip", "showlegend": False}
    return [
        {
            **line,
            "x": [row.base + low, row.base + high],
            "line": {"color": colour, "width": 14},
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
) -> go.Figure:
    """Draw each query at (base, modulated). `customdata` holds the query id."""
    points = np.stack([base, modulated])
    # many queries have the same two values: without some noise their marks would hide each other
    # a fixed seed: a figure that differs is drawn again and loses its selection
    points = points + np.random.default_rng(0).uniform(-0.012, 0.012, size=points.shape)
    names = np.array(groups if groups is not None else ["query"] * len(base))
    labels = [
        f"{formatting.plain(text)}<br>base {b:.4f}, modulated {m:.4f}"
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
        yaxis={**canvas.titled(f"modulated {measure}"), **axis, "scaleanchor": "x"},
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


def gain(parts: Mapping[str, GainOfPart], measure: str) -> go.Figure:
    """Draw each part of the change of a measure as a bar with its 95 % interval."""
    texts = [
        {
            "x": 1.01,
            "xref": "paper",
            "xanchor": "left",
            "align": "left",
            "y": name,
            "text": formatting.signed(part.change) + _left_out(part),
            "showarrow": False,
        }
        for name, part in parts.items()
    ]
    return canvas.figure(
        [_gain_bar(name, part) for name, part in parts.items()],
        196,
        showlegend=False,
        bargap=0.35,
        margin={"l": 8, "r": 120, "t": 8, "b": 8},
        annotations=texts,
        # few numbers, so that they fit on a phone without being turned
        xaxis={**canvas.titled(f"change of mean {measure}"), "nticks": 4, "tickangle": 0},
        yaxis={"autorange": "reversed"},
    )


def _gain_bar(name: str, part: GainOfPart) -> dict[str, Any]:
    low, high = part.ci95
    return {
        "type": "bar",
        "x": [part.change],
        "y": [name],
        "orientation": "h",
        "name": name,
        "marker": {"color": _PARTS[name]},
        "error_x": {
            "symmetric": False,
            "array": [high - part.change],
            "arrayminus": [part.change - low],
            "color": theme.UNJUDGED,
        },
        "hovertemplate": f"{name}: {formatting.signed(part.change)}, 95 % interval "
        f"{formatting.signed(low)} to {formatting.signed(high)}<extra></extra>",
    }


def _left_out(part: GainOfPart) -> str:
    return "" if part.left_out is None else f"<br>left out: {formatting.signed(part.left_out)}"


_PARTS = {
    "projector": theme.PROJECTOR,
    "constant modulation": theme.DOCUMENT,
    "query-specific modulation": theme.REFINEMENT,
}
"""Colours of the parts of an adapter."""


def shares(parts: Mapping[str, float]) -> go.Figure:
    """Draw each part's share of the score change as a bar. The shares add up to 100 %."""
    bars = [
        {
            "type": "bar",
            "x": [100 * value],
            "y": [name],
            "orientation": "h",
            "name": name,
            "marker": {"color": _PARTS[name]},
            "text": formatting.percent(value),
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": f"{name}: %{{x:.1f}} %<extra></extra>",
        }
        for name, value in parts.items()
    ]
    values = [100 * value for value in parts.values()]
    return canvas.figure(
        bars,
        112,
        showlegend=False,
        bargap=0.35,
        # room for the percentages outside the bars
        xaxis={"visible": False, "range": [min(0, *values) * 1.3, max(values) * 1.3]},
        yaxis={"autorange": "reversed"},
    )
