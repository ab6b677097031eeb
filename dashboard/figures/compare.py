"""Figures of the page Compare."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import theme
from imrnns_core.records import STAGES, Comparison


def bump(comparison: Comparison, top_k: int, titles: dict[str, str], picked: str = "") -> go.Figure:
    """Draw the rank of every document that is in the top k at any stage, over the four stages.

    Ranks below 2k are drawn at the lower edge; the hover label tells the true rank. `customdata` holds the document id.
    """
    shown = np.flatnonzero((comparison.ranks <= top_k).any(axis=0))
    floor = 2 * top_k
    order = sorted(shown, key=lambda i: (comparison.relevance[i] > 0, comparison.document_ids[i] == picked))
    figure = go.Figure()
    for i in order:
        document_id, grade = comparison.document_ids[i], int(comparison.relevance[i])
        ranks = comparison.ranks[:, i]
        emphasised = grade > 0 or document_id == picked
        hover = [
            f"<b>{theme.short(document_id, 40)}</b> {theme.short(titles[document_id], 60)}<br>{stage}: rank {rank}, score {score:.4f}<br>{theme.relevance_name(grade)}"
            for stage, rank, score in zip(STAGES, ranks, comparison.scores[:, i], strict=True)
        ]
        figure.add_scatter(
            x=list(STAGES), y=np.minimum(ranks, floor), mode="lines+markers", name=theme.short(document_id), showlegend=False,
            line={"color": theme.relevance_colour(grade), "width": 4 if document_id == picked else 3 if emphasised else 1.5, "shape": "spline", "smoothing": 0.6},
            marker={"size": 10 if emphasised else 7, "symbol": theme.SYMBOLS[theme.relevance_name(grade)]}, opacity=1.0 if emphasised else 0.55,
            customdata=[[document_id]] * len(STAGES), text=hover, hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    ticks = [r for r in (1, 3, 5, 10, 15, 20) if r < floor]
    figure.update_yaxes(
        title="rank", range=[floor + 0.7, 0.3], tickvals=[*ticks, floor], ticktext=[*map(str, ticks), f"≥ {floor}"], showgrid=True
    )
    labels = ["base", "projected", "document-<br>modulated", "modulated"]
    figure.update_xaxes(type="category", range=[-0.15, 3.15], showgrid=False, tickvals=list(STAGES), ticktext=labels, tickangle=0)
    return theme.layout(figure, 420)
