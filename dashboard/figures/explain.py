"""Figures of the page Explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import theme
from imrnns_core.explain.accounting import WordAccounting
from imrnns_core.explain.words import VerifiedWord, WordDrops

BARS = 12


def verified(words: Sequence[VerifiedWord], column: int) -> go.Figure:
    """Draw measured drops as bars, and beside each what as many random occurrences did (mean ± one deviation).

    Args:
        words: In the order to draw.
        column: 0 for the modulated score, 1 for its change.
    """
    figure, rows = go.Figure(), list(range(len(words)))
    drops = [w.drop[column] for w in words]
    colours = [theme.UP if d > 0 else theme.DOWN for d in drops]
    figure.add_bar(
        x=drops, y=rows, orientation="h", marker_color=colours, name="this word", showlegend=False,  # its colour changes with its sign

        hovertemplate="%{customdata}<br>drop %{x:+.4f}<extra></extra>", customdata=[theme.plain(w.word.text) for w in words],
    )  # fmt: skip
    figure.add_scatter(
        x=[w.random[column] for w in words], y=rows, mode="markers", name="as many random words",
        marker={"symbol": "line-ns-open", "size": 14, "color": theme.QUERY, "line": {"width": 2.5}},
        error_x={"array": [w.random_std[column] for w in words], "color": theme.QUERY, "thickness": 1.2, "width": 3},
        hovertemplate="random: drop %{x:+.4f}<extra></extra>",
    )  # fmt: skip
    values = [*drops, *(w.random[column] + s * w.random_std[column] for w in words for s in (-1, 1)), 0.0]
    pad = 0.05 * (max(values) - min(values) or 0.01)
    figure.update_xaxes(title="drop without the word", range=[min(values) - pad, max(values) + pad], zeroline=True)
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[f"{theme.short(w.word.text, 20)} {d:+.4f}" for w, d in zip(words, drops, strict=True)],
        autorange="reversed",
    )
    return theme.layout(figure, 110 + 26 * max(len(words), 3))


def word_accounting(drops: WordDrops, accounting: WordAccounting) -> go.Figure:
    """Draw the change as a sum over words: the largest parts, all other words together, other tokens, the adapter's constant."""
    order = np.argsort(-np.abs(accounting.words))[:BARS]
    rest = float(accounting.words.sum() - accounting.words[order].sum())
    names = [theme.short(drops.words[i].text) for i in order] + ["other words", "other tokens", "adapter’s constant"]
    values = [*(float(accounting.words[i]) for i in order), rest, accounting.other, accounting.constant]
    rows = list(range(len(values)))
    figure = go.Figure(
        go.Bar(
            x=values, y=rows, orientation="h", marker_color=[theme.UP if v > 0 else theme.DOWN for v in values], text=[f"{v:+.4f}" for v in values],
            textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:+.5f}<extra></extra>",
        )
    )  # fmt: skip
    low, high = min(*values, 0.0), max(*values, 0.0)
    pad = 0.25 * (high - low or 0.01)
    figure.update_xaxes(title="part of modulated − base", range=[low - pad, high + pad], zeroline=True)
    figure.update_yaxes(tickvals=rows, ticktext=names, autorange="reversed")
    return theme.layout(figure, 110 + 22 * len(rows), showlegend=False)
