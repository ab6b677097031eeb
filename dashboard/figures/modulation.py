"""Figures of the page Modulation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dashboard.figures import theme
from imrnns_core.explain.accounting import Accounting

Array = NDArray[np.float32]


def strips(scale: Array, bias: Array) -> go.Figure:
    """Draw the query's scale (m,) and bias (m,) dimension by dimension, each about its mean, on fixed ranges."""
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.14, subplot_titles=("scale s", "bias b"))
    for row, (name, values, colour) in enumerate((("scale", scale, theme.MODULATED), ("bias", bias, theme.REFINEMENT)), start=1):
        figure.add_scatter(
            y=values, mode="lines", line={"color": colour, "width": 1}, name=name, showlegend=False, row=row, col=1,
            hovertemplate=f"dimension %{{x}}<br>{name} %{{y:.4f}}<extra></extra>",
        )  # fmt: skip
    figure.update_yaxes(range=[0, 1], row=1, col=1)
    limit = max(0.1, float(np.ceil(np.abs(bias).max() * 10) / 10))
    figure.update_yaxes(range=[-limit, limit], row=2, col=1)
    figure.update_xaxes(title="dimension", row=2, col=1)
    return theme.layout(figure, 250, margin={"l": 8, "r": 8, "t": 26, "b": 8})


def heatmap(
    values: Array, document_ids: Sequence[str], labels: Sequence[str], dimensions: NDArray[np.int64], limit: float, dark: bool, what: str
) -> go.Figure:
    """Draw values (K, D) of documents × chosen dimensions, the mean |value| of each dimension above.

    Squares that catch clicks lie over the cells: `customdata` holds document id and dimension.

    Args:
        values: (K, D), already restricted to `dimensions`.
        document_ids: (K,) ids, for `customdata`.
        labels: (K,) row labels.
        dimensions: (D,) indices of the dimensions.
        limit: Colours are clipped at ± this value, the same for all queries.
        dark: Whether the page is dark.
        what: Name of a value, for the hover label.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.16, 0.84], vertical_spacing=0.02)
    columns, rows = [str(d) for d in dimensions], np.arange(len(labels))
    few = len(columns) <= 60
    figure.add_bar(
        x=columns, y=np.abs(values).mean(axis=0), marker_color=theme.UNJUDGED, showlegend=False, row=1, col=1,
        customdata=dimensions, hovertemplate="dimension %{customdata}<br>mean |value| %{y:.4f}<extra></extra>",
    )  # fmt: skip
    figure.add_heatmap(
        z=values, x=columns, y=rows, zmin=-limit, zmax=limit, zmid=0, colorscale=theme.diverging(dark), row=2, col=1, hoverinfo="skip",
        colorbar={"orientation": "h", "thickness": 8, "len": 0.5, "x": 1, "xanchor": "right", "y": 1.01, "yanchor": "bottom", "tickformat": ".1g", "nticks": 4},
        xgap=0.5 if few else 0, ygap=0.5,
    )  # fmt: skip
    across, down = np.meshgrid(columns, rows)
    figure.add_scatter(
        x=across.ravel().tolist(), y=down.ravel(), mode="markers", showlegend=False, row=2, col=1,
        marker={"symbol": "square", "size": 16 if few else 6, "opacity": 0, "color": theme.UNJUDGED},
        customdata=[[document_ids[r], int(dimensions[c])] for r in rows for c in range(len(columns))], text=[f"{v:+.4f}" for v in values.ravel()],
        hovertemplate=f"%{{customdata[0]}}<br>dimension %{{customdata[1]}}<br>{what} %{{text}}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False, showticklabels=False, row=1, col=1)
    figure.update_xaxes(type="category", title="dimension", tickangle=-90, tickfont={"size": 10}, showgrid=False, row=2, col=1)
    figure.update_yaxes(visible=False, row=1, col=1)
    figure.update_yaxes(tickvals=rows, ticktext=list(labels), autorange="reversed", tickfont={"size": 11}, showgrid=False, row=2, col=1)
    return theme.layout(figure, 160 + 24 * max(len(labels), 4))


def waterfall(accounting: Accounting, position: int) -> go.Figure:
    """Draw one candidate's way from the base to the modulated score, part by part; the bars sum exactly."""
    names = ["base<br>score", "projector", "document<br>modulation", "query<br>refinement", "modulated<br>score"]
    parts = [getattr(accounting, n)[position] for n in ("base", "projector", "document_modulation", "query_refinement", "modulated")]
    figure = go.Figure(
        go.Waterfall(
            x=names, y=[float(p) for p in parts], measure=["absolute", "relative", "relative", "relative", "total"],
            text=[f"{p:.4f}" if i in (0, 4) else f"{p:+.4f}" for i, p in enumerate(parts)], textposition="outside", cliponaxis=False,
            increasing={"marker": {"color": theme.UP}}, decreasing={"marker": {"color": theme.DOWN}}, totals={"marker": {"color": theme.MODULATED}},
            hovertemplate="%{x}: %{text}<extra></extra>", connector={"line": {"color": theme.UNJUDGED, "width": 1}},
        )
    )  # fmt: skip
    running = np.cumsum([float(p) for p in parts[:4]])
    low, high = float(min(running.min(), parts[4])), float(max(running.max(), parts[4]))
    margin = max(0.02, (high - low) * 0.35)
    figure.update_xaxes(tickangle=0, tickfont={"size": 11})
    figure.update_yaxes(title="cosine (axis cut)", range=[max(-1.0, low - margin), min(1.05, high + margin)])
    return theme.layout(figure, 330, showlegend=False, margin={"l": 8, "r": 8, "t": 26, "b": 8})


def parts(accounting: Accounting, order: NDArray[np.int64], document_ids: Sequence[str], labels: Sequence[str]) -> go.Figure:
    """Draw the three parts of the score change of several candidates as bars that add up, with the sum as a mark."""
    figure = go.Figure()
    rows = list(range(len(order)))
    for name, values, colour in (
        ("projector", accounting.projector, theme.PROJECTOR),
        ("document modulation", accounting.document_modulation, theme.DOCUMENT),
        ("query refinement", accounting.query_refinement, theme.REFINEMENT),
    ):
        figure.add_bar(
            x=values[order], y=rows, orientation="h", name=name, marker_color=colour, customdata=[[document_ids[i]] for i in order],
            hovertemplate=f"%{{customdata[0]}}<br>{name} %{{x:+.4f}}<extra></extra>",
        )  # fmt: skip
    change = (accounting.modulated - accounting.base)[order]
    figure.add_scatter(
        x=change, y=rows, mode="markers", name="modulated − base", marker={"symbol": "diamond", "size": 9, "color": theme.QUERY},
        customdata=[[document_ids[i]] for i in order], hovertemplate="%{customdata[0]}<br>modulated − base %{x:+.4f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="change of the cosine", zeroline=True)
    figure.update_yaxes(tickvals=rows, ticktext=list(labels), autorange="reversed", tickfont={"size": 11})
    return theme.layout(figure, 130 + 26 * len(rows), barmode="relative")


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
    rows = list(range(len(order)))
    text = ["" if best_effect is None or best_effect[i] == 0 else f"best relevant {best_effect[i]:+d}" for i in order]
    figure = go.Figure(
        go.Bar(
            x=moved[order], y=rows, orientation="h", marker_color=theme.REFINEMENT, text=text, textposition="outside", cliponaxis=False,
            customdata=[[document_ids[i]] for i in order], hovertemplate="without %{customdata[0]}<br>%{x} candidates change rank<br>%{text}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title="candidates that change rank without it", range=[0, max(1.0, 1.25 * float(moved[order].max()))])
    if not moved[order].any():
        figure.add_annotation(
            text="No rank changes when any one of them is left out.", showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5
        )
    figure.update_yaxes(tickvals=rows, ticktext=list(labels), autorange="reversed", tickfont={"size": 11})
    return theme.layout(figure, 110 + 24 * max(len(rows), 4))
