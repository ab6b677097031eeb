"""Figures of score changes: their parts, and what feedback documents do to ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.explanation.score_accounting import Accounting

WATERFALL = {
    "base": "base<br>score",
    "projector": "projector",
    "document_modulation": "document<br>modu-<br>lation",
    "query_refinement": "query<br>refine-<br>ment",
    "modulated": "modulated<br>score",
}
"""Part of the account → its label, short enough for a phone."""
_WRITTEN = (formatting.decimal, *[formatting.signed] * 3, formatting.decimal)
NOTHING = "No rank changes when any one of them is left out."


def waterfall(accounting: Accounting, position: int) -> go.Figure:
    """Draw one candidate's way from the base to the modulated score, part by part.

    The bars sum exactly.
    """
    parts = [float(getattr(accounting, name)[position]) for name in WATERFALL]
    bars = {
        "type": "waterfall",
        "x": list(WATERFALL.values()),
        "y": parts,
        "measure": ["absolute", "relative", "relative", "relative", "total"],
        "text": [write(p) for write, p in zip(_WRITTEN, parts, strict=True)],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": theme.UP}},
        "decreasing": {"marker": {"color": theme.DOWN}},
        "totals": {"marker": {"color": theme.MODULATED}},
        "hovertemplate": "%{x}: %{text}<extra></extra>",
        "connector": {"line": {"color": theme.UNJUDGED, "width": 1}},
    }
    running = np.cumsum(parts[:4])
    low, high = float(min(running.min(), parts[4])), float(max(running.max(), parts[4]))
    margin = max(0.02, (high - low) * 0.35)
    shown = [max(-1.0, low - margin), min(1.05, high + margin)]
    return canvas.figure(
        [bars],
        330,
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 26, "b": 8},
        xaxis={"tickangle": 0, "tickfont": {"size": 10}},
        yaxis={**canvas.titled("cosine (axis cut)"), "range": shown},
    )


def parts(
    accounting: Accounting,
    order: NDArray[np.int64],
    document_ids: Sequence[str],
    labels: Sequence[str],
) -> go.Figure:
    """Draw the three parts of the score change of several candidates as bars that add up.

    The sum is a mark.
    """
    rows, ids = list(range(len(order))), [[document_ids[i]] for i in order]
    sums = {
        "type": "scatter",
        "x": (accounting.modulated - accounting.base)[order],
        "y": rows,
        "mode": "markers",
        "name": "modulated − base",
        "marker": {"symbol": "diamond", "size": 9, "color": theme.QUERY},
        "customdata": ids,
        "hovertemplate": "%{customdata[0]}<br>modulated − base %{x:+.4f}<extra></extra>",
    }
    return canvas.figure(
        [*_bars(accounting, order, ids), sums],
        130 + 26 * len(rows),
        barmode="relative",
        xaxis={**canvas.titled("change of the cosine"), "zeroline": True},
        yaxis=_rows(labels),
    )


def _bars(
    accounting: Accounting, order: NDArray[np.int64], ids: list[list[str]]
) -> list[dict[str, Any]]:
    return [
        {
            "type": "bar",
            "x": values[order],
            "y": list(range(len(order))),
            "orientation": "h",
            "name": name,
            "marker": {"color": colour},
            "customdata": ids,
            "hovertemplate": f"%{{customdata[0]}}<br>{name} %{{x:+.4f}}<extra></extra>",
        }
        for name, values, colour in (
            ("projector", accounting.projector, theme.PROJECTOR),
            ("document modulation", accounting.document_modulation, theme.DOCUMENT),
            ("query refinement", accounting.query_refinement, theme.REFINEMENT),
        )
    ]


def effects(
    moved: NDArray[np.int64],
    order: NDArray[np.int64],
    document_ids: Sequence[str],
    labels: Sequence[str],
    best_effect: NDArray[np.int64] | None,
) -> go.Figure:
    """Draw how many candidates change rank when a feedback document is left out.

    Args:
        moved: (K,) number of candidates that change rank without document i.
        order: (R,) documents to draw.
        document_ids: (K,) ids.
        labels: (R,) row labels.
        best_effect: (K,) change of the best relevant document's rank, or None where none is judged.
    """
    rows, most = list(range(len(order))), float(moved[order].max())
    best = [0 if best_effect is None else best_effect[i] for i in order]
    bars = {
        "type": "bar",
        "x": moved[order],
        "y": rows,
        "orientation": "h",
        "marker": {"color": theme.REFINEMENT},
        "text": [formatting.minus(f"best relevant {b:+d}") if b else "" for b in best],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [[document_ids[i]] for i in order],
        "hovertemplate": (
            "without %{customdata[0]}<br>%{x} candidates change rank<br>%{text}<extra></extra>"
        ),
    }
    changes = {**canvas.titled("candidates that change rank"), "range": [0, max(1.0, 1.25 * most)]}
    return canvas.figure(
        [bars],
        110 + 24 * max(len(rows), 4),
        annotations=[] if moved[order].any() else [_note(NOTHING)],
        xaxis={**changes, **({"dtick": 1} if most < 8 else {})},
        yaxis=_rows(labels),
    )


def _rows(labels: Sequence[str]) -> dict[str, Any]:
    """Return an axis of bars, the first at the top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": list(labels),
        "autorange": "reversed",
        "tickfont": {"size": 11},
    }


def _note(text: str) -> dict[str, Any]:
    """Return a note in the middle of a figure."""
    middle = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    return {"text": text, "showarrow": False, **middle}
