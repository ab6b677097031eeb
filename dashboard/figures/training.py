"""The figure of a training: its loss and its validation score, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard import theme
from dashboard.figures import canvas
from imrnns_core.training.progress import Phase
from imrnns_core.training.progress_log import LoggedEpoch

_PHASES: dict[str, tuple[Phase, str, str]] = {
    "without training": ("initialization", theme.DOCUMENT, "diamond"),
    "initial models": ("pretrain", theme.REFINEMENT, "triangle-up"),
    "training": ("train", theme.MODULATED, "circle"),
    "refit": ("refit", theme.QUERY, "square"),
}
"""Name in the legend → phase, colour and symbol."""
SCORE = "validation score"


def curves(epochs: Sequence[LoggedEpoch]) -> go.Figure:
    """Draw the last run of a training, and its earlier runs as thin lines behind it.

    Above: the mean loss of each epoch. Below: the validation score of each epoch, with that of the
    base ranking as a dashed line.
    """
    run = epochs[-1].run
    current = [epoch for epoch in epochs if epoch.run == run]
    has_loss = any(epoch.loss is not None for epoch in epochs)
    earlier = [epoch for epoch in epochs if epoch.run != run]
    marks = [trace for name in _PHASES for trace in _phase(name, current)]
    return canvas.figure(
        [*_earlier(earlier), *_base(current), *marks, *_best(current)],
        430,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        xaxis={**canvas.titled(f"epoch of: {run}"), "anchor": "y2", **_whole_numbers(epochs)},
        yaxis={**canvas.titled("loss"), "domain": [0.56, 1]},
        # an axis without marks is not drawn: the scores have the whole room before the first loss
        yaxis2={
            **canvas.titled(SCORE),
            "domain": [0, 0.46 if has_loss else 1],
            "range": _score_range(current),
        },
    )


def _whole_numbers(epochs: Sequence[LoggedEpoch]) -> dict[str, Any]:
    last = max(epoch.number for epoch in epochs)
    return {"range": [-0.5, max(last, 4) + 0.5], "dtick": max(1, round(last / 10))}


def _score_range(epochs: Sequence[LoggedEpoch]) -> list[float]:
    """Return the range of the scores of the last run; the earlier runs may lie outside."""
    scores = [epoch.validation for epoch in epochs]
    scores += [epoch.base for epoch in epochs if epoch.base is not None]
    # equal scores would get an axis from 0 to twice the score
    room = max(0.1 * (max(scores) - min(scores)), 0.01)
    return [min(scores) - room, max(scores) + room]


def _line(epochs: Sequence[LoggedEpoch], axis: str, **look: Any) -> dict[str, Any]:
    values = [epoch.loss if axis == "y" else epoch.validation for epoch in epochs]
    return {
        "type": "scatter",
        "x": [epoch.number for epoch in epochs],
        "y": values,
        "yaxis": axis,
        **look,
    }


def _phase(name: str, epochs: Sequence[LoggedEpoch]) -> list[dict[str, Any]]:
    phase, colour, symbol = _PHASES[name]
    of_phase = [epoch for epoch in epochs if epoch.phase == phase]
    losses = [epoch for epoch in of_phase if epoch.loss is not None]
    # a refit repeats the score of the epoch that validation selected: it is no measurement
    scores = [] if name == "refit" else of_phase
    look = {
        "mode": "lines+markers",
        "name": name,
        "legendgroup": name,
        "line": {"color": colour, "width": 2},
        "marker": {"size": 8, "color": colour, "symbol": symbol},
    }
    drawn = [
        _line(part, axis, **look, hovertemplate=f"epoch %{{x}}, {label} %{{y:.4f}}<extra></extra>")
        for part, axis, label in ((losses, "y", "loss"), (scores, "y2", SCORE))
        if part
    ]
    for trace in drawn[1:]:
        trace["showlegend"] = False
    return drawn


def _best(epochs: Sequence[LoggedEpoch]) -> list[dict[str, Any]]:
    """Return the mark of the best epoch so far, if one is better than the base ranking."""
    best = [epoch for epoch in epochs if epoch.best][-1:]
    look = {
        "mode": "markers",
        "name": "best so far",
        "marker": {"size": 17, "color": theme.RELEVANT, "symbol": "star-open"},
        "hoverinfo": "skip",
    }
    return [_line(best, "y2", **look)] if best else []


def _base(epochs: Sequence[LoggedEpoch]) -> list[dict[str, Any]]:
    base = epochs[-1].base
    if base is None:
        return []
    return [
        {
            "type": "scatter",
            "x": [-0.5, max(4, *(epoch.number for epoch in epochs)) + 0.5],
            "y": [base, base],
            "yaxis": "y2",
            "mode": "lines",
            "name": "base ranking",
            "line": {"color": theme.BASE, "width": 2, "dash": "dash"},
            "hovertemplate": f"base ranking, {SCORE} %{{y:.4f}}<extra></extra>",
        }
    ]


def _earlier(epochs: Sequence[LoggedEpoch]) -> list[dict[str, Any]]:
    """Return one thin line of each earlier run on both axes, with one entry in the legend."""
    drawn: list[dict[str, Any]] = []
    for run in dict.fromkeys(epoch.run for epoch in epochs):
        of_run = [epoch for epoch in epochs if epoch.run == run and epoch.phase == "train"]
        for axis in ("y", "y2"):
            drawn.append(
                _line(
                    of_run,
                    axis,
                    mode="lines",
                    name="earlier runs",
                    legendgroup="earlier runs",
                    showlegend=not drawn,
                    line={"color": theme.UNJUDGED, "width": 1},
                    hoverinfo="skip",
                )
            )
    return drawn
