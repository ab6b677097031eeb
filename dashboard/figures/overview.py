"""Figures of the page Overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard.figures import theme


def groups(rows: Sequence[tuple[str, int, float, float, tuple[float, float]]], measure: str) -> go.Figure:
    """Draw base → modulated per group of queries, with the 95 % interval of the change beside it.

    Args:
        rows: (name, number of queries, base mean, modulated mean, interval of the change) per group.
        measure: Name of the measure, for the axis.
    """
    figure = go.Figure()
    names = [f"{name} (n = {n})" for name, n, *_ in rows]
    for name, (_, _, base, modulated, (low, high)) in zip(names, rows, strict=True):
        colour = theme.UP if low > 0 else theme.DOWN if high < 0 else theme.UNJUDGED
        figure.add_scatter(
            x=[base + low, base + high], y=[name, name], mode="lines", line={"color": colour, "width": 14}, opacity=0.28,
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=[base, modulated],
            y=[name, name],
            mode="lines",
            line={"color": theme.UNJUDGED, "width": 2},
            hoverinfo="skip",
            showlegend=False,
        )
    for stage, colour, column in (("base", theme.BASE, 2), ("modulated", theme.MODULATED, 3)):
        values = [row[column] for row in rows]
        figure.add_scatter(
            x=values, y=names, mode="markers", name=stage, marker={"size": 13, "color": colour, "symbol": "circle" if stage == "base" else "diamond"},
            hovertemplate=f"{stage} {measure} %{{x:.4f}}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title=f"mean {measure} (band: 95 % interval)")
    figure.update_yaxes(autorange="reversed")
    return theme.layout(figure, 110 + 58 * len(rows))


def scatter(
    base: NDArray[np.float64],
    modulated: NDArray[np.float64],
    query_ids: Sequence[str],
    texts: Sequence[str],
    groups: Sequence[str] | None,
    measure: str,
) -> go.Figure:
    """Draw each query at (base, modulated); `customdata` holds the query id. Equal points are spread a little."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": theme.UNJUDGED, "dash": "dot", "width": 1}, hoverinfo="skip", showlegend=False
    )
    jitter = np.random.default_rng(0).uniform(-0.012, 0.012, size=(2, len(base)))
    names = np.array(groups if groups is not None else ["query"] * len(base))
    styles = {"seen": (theme.QUERY, "square"), "unseen": (theme.MODULATED, "circle"), "query": (theme.MODULATED, "circle")}
    for name, (colour, symbol) in styles.items():
        chosen = np.flatnonzero(names == name)
        if chosen.size:
            figure.add_scatter(
                x=base[chosen] + jitter[0, chosen], y=modulated[chosen] + jitter[1, chosen], mode="markers", name=name,
                marker={"size": 8, "color": colour, "symbol": symbol, "opacity": 0.65},
                customdata=[[query_ids[i]] for i in chosen],
                text=[f"{theme.plain(texts[i])}<br>base {base[i]:.3f}, modulated {modulated[i]:.3f}" for i in chosen],
                hovertemplate="%{text}<extra>" + name + "</extra>",
            )  # fmt: skip
    figure.update_xaxes(title=f"base {measure}", range=[-0.05, 1.05], constrain="domain")
    figure.update_yaxes(title=f"modulated {measure}", range=[-0.05, 1.05], scaleanchor="x", constrain="domain")
    return theme.layout(figure, 420, showlegend=groups is not None)


def shares(parts: Mapping[str, float]) -> go.Figure:
    """Draw the shares of the score change (projector, constant, query-specific) as one bar that adds up to 100 %."""
    colours = {"projector": theme.PROJECTOR, "constant modulation": theme.DOCUMENT, "query-specific modulation": theme.REFINEMENT}
    figure = go.Figure()
    for name, value in parts.items():
        figure.add_bar(
            x=[100 * value], y=[""], orientation="h", name=name, marker_color=colours[name], text=f"{100 * value:.0f} %",
            textposition="inside", insidetextanchor="middle", hovertemplate=f"{name}: %{{x:.1f}} %<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="share of the change, %")
    return theme.layout(figure, 200, barmode="relative", margin={"l": 8, "r": 8, "t": 70, "b": 8})
