"""Figures of the page Overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas


class GroupRow(NamedTuple):
    """The means of a group of n queries, and the interval of the change from base to modulated."""

    name: str
    n: int
    bm25: float
    base: float
    modulated: float
    ci95: tuple[float, float]


def groups(rows: Sequence[GroupRow], measure: str) -> go.Figure:
    """Draw base → modulated per group of queries, with the 95 % interval of the change behind it, and BM25 beside."""
    traces: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    names = [f"{row.name} (n = {row.n})" for row in rows]
    for name, row in zip(names, rows, strict=True):
        low, high = row.ci95
        colour = theme.UP if low > 0 else theme.DOWN if high < 0 else theme.UNJUDGED
        traces += [
            {
                "type": "scatter",
                "x": [row.base + low, row.base + high],
                "y": [name, name],
                "mode": "lines",
                "line": {"color": colour, "width": 14},
                "opacity": 0.28,
                "hoverinfo": "skip",
                "showlegend": False,
            },
            {
                "type": "scatter",
                "x": [row.base, row.modulated],
                "y": [name, name],
                "mode": "lines",
                "line": {"color": theme.UNJUDGED, "width": 2},
                "hoverinfo": "skip",
                "showlegend": False,
            },
        ]
        change = formatting.minus(f"{row.modulated - row.base:+.4f}")
        changes.append(
            {
                "x": 1.01,
                "xref": "paper",
                "xanchor": "left",
                "y": name,
                "text": change,
                "showarrow": False,
            }
        )
    for system, colour, symbol in (
        ("BM25", theme.BM25, "triangle-up"),
        ("base", theme.BASE, "circle"),
        ("modulated", theme.MODULATED, "diamond"),
    ):
        values = [getattr(row, system.lower()) for row in rows]
        traces.append(
            {
                "type": "scatter",
                "x": values,
                "y": names,
                "mode": "markers",
                "name": system,
                "marker": {"size": 12, "color": colour, "symbol": symbol},
                "hovertemplate": f"{system} {measure} %{{x:.4f}}<extra></extra>",
            }
        )
    return canvas.figure(
        traces,
        136 + 36 * len(rows),
        margin={"l": 8, "r": 64, "t": 8, "b": 8},
        annotations=changes,
        xaxis=canvas.titled(f"mean {measure}; band: 95 % interval"),
        yaxis={"autorange": "reversed"},
    )


def scatter(
    base: NDArray[np.float64],
    modulated: NDArray[np.float64],
    query_ids: Sequence[str],
    texts: Sequence[str],
    groups: Sequence[str] | None,
    measure: str,
) -> go.Figure:
    """Draw each query at (base, modulated); `customdata` holds the query id.

    Equal points are spread a little.
    """
    diagonal = {"color": theme.UNJUDGED, "dash": "dot", "width": 1}
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "x": [0, 1],
            "y": [0, 1],
            "mode": "lines",
            "line": diagonal,
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    jitter = np.random.default_rng(0).uniform(-0.012, 0.012, size=(2, len(base)))
    names = np.array(groups if groups is not None else ["query"] * len(base))
    styles = {
        "seen": (theme.QUERY, "square"),
        "unseen": (theme.MODULATED, "circle"),
        "query": (theme.MODULATED, "circle"),
    }
    for name, (colour, symbol) in styles.items():
        chosen = np.flatnonzero(names == name)
        if chosen.size:
            traces.append(
                {
                    "type": "scatter",
                    "x": base[chosen] + jitter[0, chosen],
                    "y": modulated[chosen] + jitter[1, chosen],
                    "mode": "markers",
                    "name": name,
                    "marker": {"size": 8, "color": colour, "symbol": symbol, "opacity": 0.65},
                    "customdata": [[query_ids[int(i)]] for i in chosen],
                    "text": [
                        (
                            f"{formatting.plain(texts[int(i)])}<br>base {base[i]:.3f}, modulated "
                            f"{modulated[i]:.3f}"
                        )
                        for i in chosen
                    ],
                    "hovertemplate": "%{text}<extra>" + name + "</extra>",
                }
            )
    axis = {"range": [-0.05, 1.05], "constrain": "domain"}
    return canvas.figure(
        traces,
        360,
        showlegend=groups is not None,
        xaxis={**canvas.titled(f"base {measure}"), **axis},
        yaxis={**canvas.titled(f"modulated {measure}"), **axis, "scaleanchor": "x"},
    )


def overlaps(rbo: NDArray[np.float64], query_ids: Sequence[str], texts: Sequence[str]) -> go.Figure:
    """Draw the rank-biased overlap of each query, the most moved first.

    `customdata` holds the query id.
    """
    order = np.argsort(rbo, kind="stable")
    points = {
        "type": "scatter",
        "x": np.arange(1, len(order) + 1),
        "y": rbo[order],
        "mode": "markers",
        "marker": {"size": 7, "color": theme.MODULATED, "opacity": 0.7},
        "customdata": [[query_ids[i]] for i in order],
        "text": [f"{formatting.plain(texts[int(i)])}<br>overlap {rbo[i]:.4f}" for i in order],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return canvas.figure(
        [points],
        340,
        xaxis=canvas.titled("queries, the most moved first"),
        yaxis={
            **canvas.titled("rank-biased overlap"),
            "range": [min(0.98, float(rbo.min())) - 0.02, 1.01],
        },
    )


def shares(parts: Mapping[str, float]) -> go.Figure:
    """Draw the shares of the score change (projector, constant, query-specific), which add up to 100 %, as a bar each."""
    colours = {
        "projector": theme.PROJECTOR,
        "constant modulation": theme.DOCUMENT,
        "query-specific modulation": theme.REFINEMENT,
    }
    bars = [
        {
            "type": "bar",
            "x": [100 * value],
            "y": [name],
            "orientation": "h",
            "name": name,
            "marker": {"color": colours[name]},
            "text": formatting.minus(f"{100 * value:.0f} %"),
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
        xaxis={"visible": False, "range": [min(0, *values) * 1.3, max(values) * 1.3]},
        yaxis={"autorange": "reversed"},
    )
