"""Figures of the page Explain: the measured drop of each word, and the exact accounting."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_drops import Verdict, VerifiedWord, WordDrops
from imrnns_core.types import Target

LARGEST_PARTS = 12
"""Words with a bar of their own in the accounting; the others share one."""
PALE = 0.35
OPACITY: dict[Verdict, float] = {"not confirmed": PALE, "not tested": 0.0}
EDGE = 0.1
"""Room on both sides of the bars, as a share of their range."""
VISIBLE = 5e-5
"""The smallest value that four decimals show."""
OTHER_PARTS = ("other words", "other tokens", "adapter constant")
VALUE_NAMES: dict[Target, str] = {"score": "modulated score", "change": "score change"}


def strongest(words: Sequence[VerifiedWord], target: Target, count: int) -> list[VerifiedWord]:
    """Return the `count` words with the largest measured effect of either sign, sorted by value."""
    column = 0 if target == "score" else 1
    largest = sorted(words, key=lambda word: -abs(word.drop[column]))[:count]
    return sorted(largest, key=lambda word: -word.drop[column])


def measured_words(
    words: Sequence[VerifiedWord], target: Target, dark: bool = False, name: str = ""
) -> go.Figure:
    """Draw the measured drop of each word, and that of random words (mean ± 1 SD).

    Bars that are not confirmed are pale, those that are not tested are an outline. Bars with
    another sign than the estimate are hatched.

    Args:
        words: In the order to draw, from the top.
        target: Whether drops of the score or of its change are drawn.
        dark: Whether the page is dark.
        name: Name of the value for the axis, if it is not that of the target.
    """
    rows, column = list(range(len(words))), 0 if target == "score" else 1
    drops = [w.drop[column] for w in words]
    random_ends = (w.random[column] + s * w.random_std[column] for w in words for s in (-1, 1))
    # bars start at zero, so the axis must contain it; without other words the ends are NaN
    values = [*drops, *(end for end in random_ends if not isnan(end)), 0.0]
    # the value is in the label: next to a bar it would cover the random range
    pad = EDGE * (max(values) - min(values) or 0.01)
    labels = [
        f"{formatting.short(w.word.text, 20)} {formatting.signed(d)}"
        for w, d in zip(words, drops, strict=True)
    ]
    return canvas.figure(
        [_word_bars(words, drops, target), _random_words(words, column, dark)],
        125 + 26 * max(len(words), 3),
        xaxis={
            **canvas.titled(f"drop: {name or VALUE_NAMES[target]}<br>with the word − without it"),
            "range": [min(values) - pad, max(values) + pad],
            "zeroline": True,
        },
        yaxis={"tickvals": rows, "ticktext": labels, "autorange": "reversed"},
    )


def _word_bars(
    words: Sequence[VerifiedWord], drops: Sequence[float], target: Target
) -> dict[str, Any]:
    verdicts = [w.verdict(target) for w in words]
    colours = [theme.UP if d > 0 else theme.DOWN for d in drops]
    return {
        "type": "bar",
        "x": list(drops),
        "y": list(range(len(words))),
        "orientation": "h",
        "marker": {
            "color": [
                theme.transparent(colour, OPACITY[v]) if v in OPACITY else colour
                for colour, v in zip(colours, verdicts, strict=True)
            ],
            # a pale bar keeps an outline that can be seen
            "line": {"color": colours, "width": 1},
            "pattern": {"shape": ["/" if v == "opposite sign" else "" for v in verdicts]},
        },
        "name": "this word",
        # one legend above both charts also explains the pale and the hatched bars
        "showlegend": False,
        "hovertemplate": "%{customdata}<br>drop: %{text}<extra></extra>",
        "customdata": [formatting.plain(w.word.text) for w in words],
        "text": [formatting.signed(d) for d in drops],
        "textposition": "none",
    }


def _random_words(words: Sequence[VerifiedWord], column: int, dark: bool) -> dict[str, Any]:
    # they lie on green and orange bars: only the colour of the text is clear on both
    colour = theme.page_colours(dark).text
    means = [w.random[column] for w in words]
    return {
        "type": "scatter",
        "x": means,
        "y": list(range(len(words))),
        "mode": "markers",
        "name": "random words (mean ± 1 SD)",
        "showlegend": False,
        "marker": {
            "symbol": "line-ns-open",
            "size": 14,
            "color": colour,
            "line": {"width": 2.5},
        },
        "error_x": {
            "type": "data",
            "array": [w.random_std[column] for w in words],
            "color": colour,
            "thickness": 1.2,
            "width": 3,
        },
        "text": [formatting.signed(mean) for mean in means],
        "hovertemplate": "random words: %{text}<extra></extra>",
    }


def word_accounting(drops: WordDrops, accounting: WordAccounting) -> go.Figure:
    """Draw the score change of a document as a sum over the words of one text.

    The largest parts have a bar each; then come all other words, other tokens, and the constant
    of the adapter. Those three are left out where they are zero.
    """
    order = np.argsort(-np.abs(accounting.words))[:LARGEST_PARTS]
    # the bars have to add up, so the words without a bar share one
    rest = float(accounting.words.sum() - accounting.words[order].sum())
    others = zip(OTHER_PARTS, (rest, accounting.other, accounting.constant), strict=True)
    # a short text has no other words: rows of zero would need an explanation
    shown = [(name, value) for name, value in others if abs(value) >= VISIBLE]
    names = [*(formatting.short(drops.words[i].text, 20) for i in order), *(n for n, _ in shown)]
    values = [*(float(accounting.words[i]) for i in order), *(value for _, value in shown)]
    rows = list(range(len(values)))
    # The values are in the labels: behind the bars they would cover each other on narrow screens
    labels = [
        f"{name} {formatting.signed(value)}" for name, value in zip(names, values, strict=True)
    ]
    bars = {
        "type": "bar",
        "x": values,
        "y": rows,
        "orientation": "h",
        "marker": {"color": [theme.UP if v > 0 else theme.DOWN for v in values]},
        "text": labels,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
    }
    low, high = min(*values, 0.0), max(*values, 0.0)
    pad = EDGE * (high - low or 0.01)
    axis = {**canvas.titled("part of modulated − base"), "range": [low - pad, high + pad]}
    return canvas.figure(
        [bars],
        110 + 22 * len(rows),
        showlegend=False,
        xaxis={**axis, "zeroline": True},
        yaxis={"tickvals": rows, "ticktext": labels, "autorange": "reversed"},
    )
