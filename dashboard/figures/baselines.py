"""The figure of the baselines on the page Overview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas

ROW_HEIGHT = 34
_STYLES = {
    "modulated": (theme.MODULATED, "diamond"),
    "adapter + BM25": (theme.MODULATED, "diamond-open"),
    "BM25": (theme.BM25, "triangle-up"),
}
"""The other systems are drawn like base."""


class BaselineRow(NamedTuple):
    """The mean of a system, and the 95 % interval of adapter − system; None for the adapter."""

    name: str
    mean: float
    ci95: tuple[float, float] | None


def baselines(rows: Sequence[BaselineRow], adapter: float, measure: str) -> go.Figure:
    """Draw the mean of each system, the best one on top.

    A band shows where the mean lies relative to that of the adapter, with 95 % confidence. The
    dotted line is the mean of the adapter.
    """
    ordered = sorted(rows, key=lambda row: -row.mean)
    bands = [_band(row, row.ci95, adapter) for row in ordered if row.ci95 is not None]
    return canvas.figure(
        [*bands, *map(_mark, ordered)],
        76 + ROW_HEIGHT * len(ordered),
        showlegend=False,
        shapes=[
            {
                "type": "line",
                **{"x0": adapter, "x1": adapter, "y0": 0, "y1": 1, "yref": "paper"},
                "line": {"color": theme.MODULATED, "dash": "dot", "width": 1},
            }
        ],
        xaxis=canvas.titled(f"mean {measure}"),
        yaxis={
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": [row.name for row in ordered],
        },
    )


def _band(row: BaselineRow, ci95: tuple[float, float], adapter: float) -> dict[str, Any]:
    low, high = ci95
    colour = theme.UP if low > 0 else theme.DOWN if high < 0 else theme.UNJUDGED
    return {
        "type": "scatter",
        "x": [adapter - high, adapter - low],
        "y": [row.name, row.name],
        "mode": "lines",
        "line": {"color": colour, "width": 14},
        "opacity": 0.28,
        "hoverinfo": "skip",
    }


def _mark(row: BaselineRow) -> dict[str, Any]:
    colour, symbol = _STYLES.get(row.name, (theme.BASE, "circle"))
    outline = {"width": 2, "color": colour}  # open symbols consist of it
    return {
        "type": "scatter",
        "x": [row.mean],
        "y": [row.name],
        "mode": "markers",
        "marker": {"size": 11, "color": colour, "symbol": symbol, "line": outline},
        "hovertemplate": f"{row.name} {formatting.decimal(row.mean)}<extra></extra>",
    }
