"""Figures of the page Compare."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES

_STAGE_NAMES = ("base", "projected", "<br>document-<br>modulated", "modulated")
"""One stands below the others: on a phone they have no room beside each other."""
LABEL = 20


def bump(comparison: Comparison, top_k: int, titles: dict[str, str], picked: str = "") -> go.Figure:
    """Draw the rank of every document that is in the top k at any stage, over the four stages.

    Ranks below 2k are drawn at the lower edge; the hover label tells the true rank. `customdata`
    holds the document id; the titles of the modulated top k stand at the right edge, cut at the end
    of a word: pointed at, they are whole.
    """
    ranks = np.stack([comparison.rank(stage) for stage in STAGES])  # (4, K)
    shown = np.flatnonzero((ranks <= top_k).any(axis=0))
    deepest = int(ranks[:, shown].max())
    floor = min(2 * top_k, deepest)
    groups: dict[tuple[int, bool], list[int]] = {}  # the emphasised last, so that they lie on top
    for i in sorted(shown.tolist(), key=lambda i: _weight(comparison, i, picked)):
        is_picked = comparison.document_ids[i] == picked
        groups.setdefault((min(int(comparison.relevance[i]), 1), is_picked), []).append(i)
    return canvas.figure(
        [_lines(comparison, rows, floor, titles, marked) for (_, marked), rows in groups.items()],
        188 + 14 * floor,
        fixed_margins=True,
        margin={"l": 58, "r": 136, "t": 32, "b": 58},
        annotations=_names(comparison, shown, min(top_k, floor), titles),
        yaxis=_rank_axis(floor, deepest > floor),
        xaxis={
            "type": "category",
            "range": [-0.2, 3.2],
            "showgrid": False,
            "tickvals": list(STAGES),
            "ticktext": list(_STAGE_NAMES),
            "tickangle": 0,
            "tickfont": {"size": 10.5},
        },
    )


def _weight(comparison: Comparison, i: int, picked: str) -> tuple[bool, bool]:
    return bool(comparison.relevance[i] > 0), comparison.document_ids[i] == picked


def _names(
    comparison: Comparison, shown: NDArray[np.int64], depth: int, titles: dict[str, str]
) -> list[dict[str, Any]]:
    """Return the titles at the right edge, of the first `depth` documents."""
    last = comparison.rank("modulated")
    named = [i for i in sorted(shown, key=lambda i: last[i]) if last[i] <= depth]
    return [
        {
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "y": int(last[i]),
            "showarrow": False,
            "text": formatting.short(formatting.cut(title, LABEL), LABEL),
            "font": {"size": 11},
            "hovertext": formatting.plain(title),
            "captureevents": True,
        }
        for i in named
        for title in [titles[comparison.document_ids[i]] or comparison.document_ids[i]]
    ]


def _rank_axis(floor: int, clipped: bool) -> dict[str, Any]:
    ticks = sorted({r for r in (1, 3, 5, 10, 15, 20, 30) if r < floor} | {floor})
    return {
        **canvas.titled("rank"),
        "range": [floor + 0.7, 0.3],
        "tickvals": ticks,
        "ticktext": [f"≥ {t}" if clipped and t == floor else str(t) for t in ticks],
        "showgrid": True,
    }


def _lines(
    comparison: Comparison, rows: list[int], floor: int, titles: dict[str, str], picked: bool
) -> dict[str, object]:
    """Return the ways of documents of one relevance through the stages, with gaps between them.

    One trace for all: a trace a document would take a tenth of a second.
    """
    grade = int(comparison.relevance[rows[0]])
    name, emphasised = formatting.relevance_name(grade), grade > 0 or picked
    y, custom, hover = list[float | None](), list[list[str] | None](), list[str | None]()
    for i in rows:
        y += [*(min(int(comparison.rank(stage)[i]), floor) for stage in STAGES), None]
        custom += [[comparison.document_ids[i]]] * len(STAGES) + [None]
        hover += [*_told(comparison, i, titles), None]
    return {
        "type": "scatter",
        "x": [*STAGES, None] * len(rows),
        "y": y,
        "mode": "lines+markers",
        "name": name,
        "showlegend": False,
        "line": {
            "color": theme.relevance_colour(grade),
            "width": 4 if picked else 3 if emphasised else 1.5,
            "shape": "spline",
            "smoothing": 0.6,
        },
        "marker": {"size": 10 if emphasised else 7, "symbol": theme.SYMBOLS[name]},
        "customdata": custom,
        "text": hover,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _told(comparison: Comparison, i: int, titles: dict[str, str]) -> list[str]:
    """Return the hover label of a document at each stage."""
    document_id = comparison.document_ids[i]
    title = formatting.plain(titles[document_id])
    name = f"<b>{formatting.short(document_id, 40)}</b><br>{title}<br>"
    told = formatting.relevance_name(int(comparison.relevance[i]))
    return [
        f"{name}{stage}: rank {comparison.rank(stage)[i]}, "
        f"score {comparison.score(stage)[i]:.4f}<br>{told}"
        for stage in STAGES
    ]
