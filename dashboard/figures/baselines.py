"""The figure of the baselines on the page Overview."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.evaluation.verdicts import Effect

ROW_HEIGHT = 34


class BaselineRow(NamedTuple):
    """A system: its mean, and the difference adapter − system with its test.

    Attributes:
        name: Its name.
        mean: Its mean.
        difference: Mean of adapter − system.
        ci95: 95 % interval of the difference.
        effect: What the test shows: "helps" if the adapter is better.
    """

    name: str
    mean: float
    difference: float
    ci95: tuple[float, float]
    effect: Effect


def baselines(
    rows: Sequence[BaselineRow], measure: str, difference: str = "adapter − system"
) -> go.Figure:
    """Draw a difference for each system, named on the axis, the best system on top."""
    ordered = sorted(rows, key=lambda row: -row.mean)
    differences = [
        {
            "x": 1.01,
            "xref": "paper",
            "xanchor": "left",
            "y": row.name,
            "text": formatting.signed(row.difference),
            "showarrow": False,
        }
        for row in ordered
    ]
    return canvas.figure(
        [_mark(row, difference) for row in ordered],
        76 + ROW_HEIGHT * len(ordered),
        showlegend=False,
        margin={"l": 8, "r": 64, "t": 8, "b": 8},
        annotations=differences,
        shapes=[
            {
                "type": "line",
                **{"x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper"},
                "line": {"color": theme.UNJUDGED, "dash": "dot", "width": 1},
            }
        ],
        xaxis={**canvas.titled(f"{difference}, mean {measure}"), "nticks": 5, "tickangle": 0},
        yaxis={
            "autorange": "reversed",
            "categoryorder": "array",
            "categoryarray": [row.name for row in ordered],
        },
    )


def _mark(row: BaselineRow, difference: str) -> dict[str, Any]:
    low, high = row.ci95
    colour = theme.effect_colour(row.effect)
    return {
        "type": "scatter",
        "x": [row.difference],
        "y": [row.name],
        "mode": "markers",
        "marker": {"size": 11, "color": colour},
        "error_x": {
            "symmetric": False,
            "array": [high - row.difference],
            "arrayminus": [row.difference - low],
            "color": colour,
        },
        "hovertemplate": f"{row.name} {formatting.decimal(row.mean)}, {difference} "
        f"{formatting.signed(row.difference)}<extra></extra>",
    }
