"""Other systems beside the shown one: the baselines of Overview, and the remedies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.evaluation.verdicts import Effect

ROW_HEIGHT, REMEDY_HEIGHT = 34, 44


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


class RemedyRow(NamedTuple):
    """A remedy: its name, and how many failing queries it fixes and working ones it breaks."""

    name: str
    fixed: int
    broken: int


def fixed_and_broken(rows: Sequence[RemedyRow]) -> go.Figure:
    """Draw a bar of fixed queries to the right and one of broken queries to the left, by remedy."""
    fixed = max((row.fixed for row in rows), default=0)
    broken = max((row.broken for row in rows), default=0)
    # room for the numbers beside the bars
    room = max(1.0, 0.15 * (fixed + broken))
    return canvas.figure(
        [_bars(rows, [row.fixed for row in rows], "fixed", theme.UP, 1),
         _bars(rows, [row.broken for row in rows], "broken", theme.DOWN, -1)],
        76 + REMEDY_HEIGHT * len(rows),
        barmode="overlay",
        bargap=0.35,
        showlegend=True,
        shapes=[
            {
                "type": "line",
                **{"x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper"},
                "line": {"color": theme.UNJUDGED, "width": 1},
            }
        ],
        xaxis={
            **canvas.titled("broken ← queries → fixed"),
            "range": [-broken - room, fixed + room],
            "showticklabels": False,
        },
        yaxis={"autorange": "reversed", "type": "category"},
    )  # fmt: skip


def _bars(
    rows: Sequence[RemedyRow], counts: Sequence[int], name: str, colour: str, sign: int
) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": [sign * count for count in counts],
        "y": [row.name for row in rows],
        "text": [str(count) if count else "" for count in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": colour},
        "customdata": [formatting.count(count, "query", "queries") for count in counts],
        "hovertemplate": f"%{{y}}: %{{customdata}} {name}<extra></extra>",
    }
