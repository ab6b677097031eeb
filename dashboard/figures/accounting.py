"""Figures of score changes: their parts, and how feedback documents change the ranking."""

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
    "document_modulation": "document<br>modulation",
    "query_refinement": "query<br>refinement",
    "modulated": "modulated<br>score",
}
"""Part of the accounting → its label, short enough for a phone."""
_WRITTEN = (formatting.decimal, *[formatting.signed] * 3, formatting.decimal)
LEFT_OUT_LABEL = "without %{customdata[0]}<br>%{x} documents change rank<br>%{text}<extra></extra>"


def waterfall(accounting: Accounting, position: int) -> go.Figure:
    """Draw how the parts of one candidate's score change lead from its base to modulated score.

    The bars add up exactly.
    """
    values = [float(getattr(accounting, name)[position]) for name in WATERFALL]
    bars = {
        "type": "waterfall",
        "x": list(WATERFALL.values()),
        "y": values,
        # Plotly computes the height of the last bar itself, as the sum of those before
        "measure": ["absolute", "relative", "relative", "relative", "total"],
        "text": [write(v) for write, v in zip(_WRITTEN, values, strict=True)],
        "textposition": "outside",
        # labels of the highest and lowest bar may leave the plotting area
        "cliponaxis": False,
        "increasing": {"marker": {"color": theme.UP}},
        "decreasing": {"marker": {"color": theme.DOWN}},
        "totals": {"marker": {"color": theme.MODULATED}},
        "hovertemplate": "%{x}: %{text}<extra></extra>",
        "connector": {"line": {"color": theme.UNJUDGED, "width": 1}},
    }
    running = np.cumsum(values[:4])
    low, high = float(min(running.min(), values[4])), float(max(running.max(), values[4]))
    # changes are small beside the scores: an axis from zero would hide them
    margin = max(0.02, (high - low) * 0.35)
    # scores are cosines; the part above 1 is room for a label
    shown = [max(-1.0, low - margin), min(1.05, high + margin)]
    return canvas.figure(
        [bars],
        330,
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 26, "b": 8},
        # on a phone, larger labels would touch each other
        xaxis={"tickangle": 0, "tickfont": {"size": 9}},
        yaxis={**canvas.titled("score (axis does not start at 0)"), "range": shown},
    )


def score_parts(
    accounting: Accounting,
    order: NDArray[np.int64],
    document_ids: Sequence[str],
    row_labels: Sequence[str],
    dark: bool,
) -> go.Figure:
    """Draw the three parts of each candidate's score change as bars, and their sum as a mark.

    Args:
        accounting: Of K candidates.
        order: (R,) candidates to draw, from the top.
        document_ids: (K,) ids.
        row_labels: (R,) row labels.
        dark: Whether the page is dark.
    """
    ids = [[document_ids[i]] for i in order]
    changes = (accounting.modulated - accounting.base)[order]
    return canvas.figure(
        [*_part_bars(accounting, order, ids), _total_marks(changes, ids, dark)],
        130 + 30 * len(order),
        # gains stack to the right and losses to the left, so the mark is where they balance
        barmode="relative",
        xaxis={**canvas.titled("score change"), "zeroline": True},
        yaxis=_row_axis(row_labels),
    )


def _total_marks(changes: NDArray[np.float32], ids: list[list[str]], dark: bool) -> dict[str, Any]:
    colours = theme.page_colours(dark)
    return {
        "type": "scatter",
        "x": changes,
        "y": list(range(len(changes))),
        "mode": "markers",
        "name": "total change",
        # the edge separates the mark from the bars, whatever their colour
        "marker": {
            "symbol": "diamond",
            "size": 12,
            "color": colours.text,
            "line": {"color": colours.background, "width": 2},
        },
        "customdata": ids,
        "text": [formatting.signed(float(v)) for v in changes],
        "hovertemplate": "%{customdata[0]}<br>modulated − base: %{text}<extra></extra>",
    }


def _part_bars(
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
            "text": [formatting.signed(float(v)) for v in values[order]],
            "textposition": "none",
            "hovertemplate": f"%{{customdata[0]}}<br>{name}: %{{text}}<extra></extra>",
        }
        for name, values, colour in (
            ("projector", accounting.projector, theme.PROJECTOR),
            ("document modulation", accounting.document_modulation, theme.DOCUMENT),
            ("query refinement", accounting.query_refinement, theme.REFINEMENT),
        )
    ]


def leave_one_out(
    changed_ranks: NDArray[np.int64],
    order: NDArray[np.int64],
    document_ids: Sequence[str],
    row_labels: Sequence[str],
    best_relevant_change: NDArray[np.int64] | None,
) -> go.Figure:
    """Draw how many documents change rank when each feedback document is left out.

    Args:
        changed_ranks: (K,) number of documents that change rank without document i.
        order: (R,) documents to draw, from the top.
        document_ids: (K,) ids.
        row_labels: (R,) row labels.
        best_relevant_change: (K,) rank change of the best relevant document, positive if it is
            promoted; None without judgments.
    """
    largest = float(changed_ranks[order].max())
    best = np.zeros(len(order)) if best_relevant_change is None else best_relevant_change[order]
    bars = {
        "type": "bar",
        "x": changed_ranks[order],
        "y": list(range(len(order))),
        "orientation": "h",
        "marker": {"color": theme.REFINEMENT},
        "text": [f"best relevant rank {formatting.signed(b, 0)}" if b else "" for b in best],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [[document_ids[i]] for i in order],
        "hovertemplate": LEFT_OUT_LABEL,
    }
    # the texts to the right of the bars need room
    axis = {**canvas.titled("documents that change rank"), "range": [0, max(1.0, 1.25 * largest)]}
    return canvas.figure(
        [bars],
        110 + 30 * max(len(order), 4),
        # on a short axis, Plotly would label halves of a rank
        xaxis={**axis, **({"dtick": 1} if largest < 8 else {})},
        yaxis=_row_axis(row_labels),
    )


def _row_axis(row_labels: Sequence[str]) -> dict[str, Any]:
    """Return the axis of the rows, the first at the top."""
    return {
        "tickvals": list(range(len(row_labels))),
        "ticktext": list(row_labels),
        "autorange": "reversed",
        "tickfont": {"size": 10},
    }
