"""Figures of the page Explain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_attribution import Carried, VerifiedWord, WordDrops

BARS = 12
PALE = 0.35


def verified(words: Sequence[VerifiedWord], carried: Carried) -> go.Figure:
    """Draw measured drops as bars, and beside each what as many random occurrences did (mean ± one deviation).

    Bars within that are pale, those with the other sign than estimated hatched. `words` are in the order to draw.
    """
    rows, column = list(range(len(words))), 0 if carried == "score" else 1
    drops, said = [w.drop[column] for w in words], [w.verdict(carried) for w in words]
    marker = {
        "color": [theme.UP if d > 0 else theme.DOWN for d in drops],
        "opacity": [PALE if v == "chance" else 1.0 for v in said],
        "pattern": {"shape": ["/" if v == "other sign" else "" for v in said]},
    }
    bars = {
        "type": "bar",
        "x": drops,
        "y": rows,
        "orientation": "h",
        "marker": marker,
        "name": "this word",
        "showlegend": False,  # its colour is its sign
        "hovertemplate": "%{customdata}<br>drop %{x:+.4f}<extra></extra>",
        "customdata": [formatting.plain(w.word.text) for w in words],
    }
    random = {
        "type": "scatter",
        "x": [w.random[column] for w in words],
        "y": rows,
        "mode": "markers",
        "name": "as many random words",
        "marker": {
            "symbol": "line-ns-open",
            "size": 14,
            "color": theme.QUERY,
            "line": {"width": 2.5},
        },
        "error_x": {
            "type": "data",
            "array": [w.random_std[column] for w in words],
            "color": theme.QUERY,
            "thickness": 1.2,
            "width": 3,
        },
        "hovertemplate": "random: drop %{x:+.4f}<extra></extra>",
    }
    values = [
        *drops,
        *(w.random[column] + s * w.random_std[column] for w in words for s in (-1, 1)),
        0.0,
    ]
    pad = 0.05 * (max(values) - min(values) or 0.01)
    labels = [
        f"{formatting.short(w.word.text, 20)} {formatting.minus(f'{d:+.4f}')}"
        for w, d in zip(words, drops, strict=True)
    ]
    return canvas.figure(
        [bars, random],
        110 + 26 * max(len(words), 3),
        xaxis={
            **canvas.titled("drop without the word"),
            "range": [min(values) - pad, max(values) + pad],
            "zeroline": True,
        },
        yaxis={"tickvals": rows, "ticktext": labels, "autorange": "reversed"},
    )


def word_accounting(drops: WordDrops, accounting: WordAccounting) -> go.Figure:
    """Draw the change as a sum over words.

    The largest parts, all other words together, other tokens, the adapter's constant.
    """
    order = np.argsort(-np.abs(accounting.words))[:BARS]
    rest = float(accounting.words.sum() - accounting.words[order].sum())
    names = [formatting.short(drops.words[i].text) for i in order] + [
        "other words",
        "other tokens",
        "adapter’s constant",
    ]
    values = [
        *(float(accounting.words[i]) for i in order),
        rest,
        accounting.other,
        accounting.constant,
    ]
    rows = list(range(len(values)))
    bars = {
        "type": "bar",
        "x": values,
        "y": rows,
        "orientation": "h",
        "marker": {"color": [theme.UP if v > 0 else theme.DOWN for v in values]},
        "text": [formatting.minus(f"{v:+.4f}") for v in values],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:+.5f}<extra></extra>",
    }
    low, high = min(*values, 0.0), max(*values, 0.0)
    pad = 0.25 * (high - low or 0.01)
    return canvas.figure(
        [bars],
        110 + 22 * len(rows),
        showlegend=False,
        xaxis={
            **canvas.titled("part of modulated − base"),
            "range": [low - pad, high + pad],
            "zeroline": True,
        },
        yaxis={"tickvals": rows, "ticktext": names, "autorange": "reversed"},
    )
