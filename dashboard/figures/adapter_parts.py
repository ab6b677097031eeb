"""Figures of what each part of an adapter changes, on the page Overview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.evaluation.gain_decomposition import GainOfPart
from imrnns_core.reporting.formatting import interval


def gain(parts: Mapping[str, GainOfPart], complete: float, measure: str) -> go.Figure:
    """Draw each part of the change of a measure as a bar with its 95 % interval.

    `complete` is the mean of the measure with all parts.
    """
    texts = [
        {
            "x": 1.01,
            "xref": "paper",
            "xanchor": "left",
            "align": "left",
            "y": name,
            "text": formatting.signed(part.change) + _without(part, complete),
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
        xaxis={**canvas.titled(f"change of mean {measure}"), "nticks": 3, "tickangle": 0},
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
        f"{interval(part.ci95)}<extra></extra>",
    }


def _without(part: GainOfPart, complete: float) -> str:
    if part.left_out is None:
        return ""
    return f"<br>without it: {formatting.decimal(complete + part.left_out)}"


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
