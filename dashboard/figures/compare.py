"""Figures of the page Compare."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import theme
from imrnns_core.records import STAGES, Comparison


def bump(comparison: Comparison, top_k: int, titles: dict[str, str], picked: str = "") -> go.Figure:
    """Draw the rank of every document that is in the top k at any stage, over the four stages.

    Ranks below 2k are drawn at the lower edge; the hover label tells the true rank. `customdata` holds the document id;
    the titles of the modulated top k stand at the right edge.
    """
    shown = np.flatnonzero((comparison.ranks <= top_k).any(axis=0))
    floor = int(min(2 * top_k, comparison.ranks[:, shown].max()))
    order = sorted(shown, key=lambda i: (comparison.relevance[i] > 0, comparison.document_ids[i] == picked))
    traces = [_line(comparison, int(i), floor, titles, picked) for i in order]
    last = comparison.ranks[-1]
    named = [i for i in sorted(shown, key=lambda i: last[i]) if last[i] <= min(top_k, floor)]
    clipped = bool((comparison.ranks[:, shown] > floor).any())
    ticks = sorted({r for r in (1, 3, 5, 10, 15, 20, 30) if r < floor} | {floor})
    span = [floor + 0.7, 0.3]
    figure = go.Figure(traces)
    figure.update_layout(
        yaxis={"title": "rank", "range": span, "tickvals": ticks, "ticktext": [f"≥ {t}" if clipped and t == floor else str(t) for t in ticks], "showgrid": True},
        yaxis2={
            "overlaying": "y", "side": "right", "range": span, "tickvals": [int(last[i]) for i in named], "tickfont": {"size": 11}, "showgrid": False,
            "ticktext": [theme.short(titles[comparison.document_ids[i]] or comparison.document_ids[i], 20) for i in named],
        },
        xaxis={
            "type": "category", "range": [-0.15, 3.15], "showgrid": False, "tickvals": list(STAGES), "ticktext": list(_STAGE_NAMES), "tickangle": 0,
        },
    )  # fmt: skip
    figure = theme.layout(figure, 150 + 14 * floor, margin={"l": 58, "r": 136, "t": 8, "b": 44})
    return theme.fixed_margins(figure)


_STAGE_NAMES = ("base", "pro-<br>jected", "document-<br>modulated", "modu-<br>lated")


def _line(comparison: Comparison, i: int, floor: int, titles: dict[str, str], picked: str) -> dict[str, object]:
    """Return one document's way through the stages. A plain record: forty graph objects would take a tenth of a second."""
    document_id, grade = comparison.document_ids[i], int(comparison.relevance[i])
    ranks, emphasised = comparison.ranks[:, i], grade > 0 or document_id == picked
    name = f"<b>{theme.short(document_id, 40)}</b> {theme.short(titles[document_id], 60)}<br>"
    hover = [
        f"{name}{stage}: rank {rank}, score {score:.4f}<br>{theme.relevance_name(grade)}"
        for stage, rank, score in zip(STAGES, ranks, comparison.scores[:, i], strict=True)
    ]
    return {
        "type": "scatter", "x": list(STAGES), "y": np.minimum(ranks, floor), "mode": "lines+markers", "name": theme.short(document_id), "showlegend": False,
        "yaxis": "y2" if i == int(comparison.ranks[-1].argmin()) else "y",
        "line": {"color": theme.relevance_colour(grade), "width": 4 if document_id == picked else 3 if emphasised else 1.5, "shape": "spline", "smoothing": 0.6},
        "marker": {"size": 10 if emphasised else 7, "symbol": theme.SYMBOLS[theme.relevance_name(grade)]}, "opacity": 1.0 if emphasised else 0.55,
        "customdata": [[document_id]] * len(STAGES), "text": hover, "hovertemplate": "%{text}<extra></extra>",
    }  # fmt: skip
