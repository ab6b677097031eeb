"""Figures of the page Explain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_drops import Target, VerifiedWord, WordDrops

BARS = 12
PALE = 0.35
OTHERS = ("other words", "other tokens", "adapter’s constant")


def verified(words: Sequence[VerifiedWord], target: Target) -> go.Figure:
    """Draw measured drops as bars, and beside each what as many random occurrences did.

    Mean ± one deviation. Bars within that are pale, those with the other sign than estimated
    hatched. `words` are in the order to draw.
    """
    rows, column = list(range(len(words))), 0 if target == "score" else 1
    drops = [w.drop[column] for w in words]
    reach = (w.random[column] + s * w.random_std[column] for w in words for s in (-1, 1))
    values = [*drops, *reach, 0.0]
    pad = 0.05 * (max(values) - min(values) or 0.01)
    labels = [
        f"{formatting.short(w.word.text, 20)} {formatting.signed(d)}"
        for w, d in zip(words, drops, strict=True)
    ]
    return canvas.figure(
        [_drops(words, drops, target), _random(words, column)],
        110 + 26 * max(len(words), 3),
        xaxis={
            **canvas.titled("drop without the word"),
            "range": [min(values) - pad, max(values) + pad],
            "zeroline": True,
        },
        yaxis={"tickvals": rows, "ticktext": labels, "autorange": "reversed"},
    )


def _drops(words: Sequence[VerifiedWord], drops: Sequence[float], target: Target) -> dict[str, Any]:
    said = [w.verdict(target) for w in words]
    return {
        "type": "bar",
        "x": list(drops),
        "y": list(range(len(words))),
        "orientation": "h",
        "marker": {
            "color": [theme.UP if d > 0 else theme.DOWN for d in drops],
            "opacity": [PALE if v == "chance" else 1.0 for v in said],
            "pattern": {"shape": ["/" if v == "opposite sign" else "" for v in said]},
        },
        "name": "this word",
        "showlegend": False,  # its colour is its sign
        "hovertemplate": "%{customdata}<br>drop %{x:+.4f}<extra></extra>",
        "customdata": [formatting.plain(w.word.text) for w in words],
    }


def _random(words: Sequence[VerifiedWord], column: int) -> dict[str, Any]:
    return {
        "type": "scatter",
        "x": [w.random[column] for w in words],
        "y": list(range(len(words))),
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


def word_accounting(drops: WordDrops, accounting: WordAccounting) -> go.Figure:
    """Draw the change as a sum over words.

    The largest parts, all other words together, other tokens, the adapter's constant.
    """
    order = np.argsort(-np.abs(accounting.words))[:BARS]
    rest = float(accounting.words.sum() - accounting.words[order].sum())
    names = [*(formatting.short(drops.words[i].text) for i in order), *OTHERS]
    largest = (float(accounting.words[i]) for i in order)
    values = [*largest, rest, accounting.other, accounting.constant]
    rows = list(range(len(values)))
    bars = {
        "type": "bar",
        "x": values,
        "y": rows,
        "orientation": "h",
        "marker": {"color": [theme.UP if v > 0 else theme.DOWN for v in values]},
        "text": [formatting.signed(v) for v in values],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{y}: %{x:+.5f}<extra></extra>",
    }
    low, high = min(*values, 0.0), max(*values, 0.0)
    pad = 0.25 * (high - low or 0.01)
    part = {**canvas.titled("part of modulated − base"), "range": [low - pad, high + pad]}
    return canvas.figure(
        [bars],
        110 + 22 * len(rows),
        showlegend=False,
        xaxis={**part, "zeroline": True},
        yaxis={"tickvals": rows, "ticktext": names, "autorange": "reversed"},
    )
