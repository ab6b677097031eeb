"""What happened to the document: in words, at every stage, and as an account that sums."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting
from dashboard.figures import accounting as figures
from dashboard.widgets import chart, texts
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting
from imrnns_core.types import STAGES

VISIBLE = 5e-5
"""The smallest difference that four decimals show."""
HALVED = (
    "The stages apply modulation and refinement in turn; the parts halve what only both together "
    "do."
)


def summary(pair: Pair, parts: Accounting) -> tuple[str, str]:
    """Say in words what happened to the document, against the other candidates."""
    comparison, at = pair.comparison, pair.position
    base, now = int(comparison.rank("base")[at]), int(comparison.rank("modulated")[at])
    named = {
        "the projector": parts.projector,
        "document modulation": parts.document_modulation,
        "query refinement": parts.query_refinement,
    }
    above = {name: float(values[at] - values.mean()) for name, values in named.items()}
    largest = max(above, key=lambda name: abs(above[name]))
    change = float(parts.modulated[at] - parts.base[at])
    mean = float((parts.modulated - parts.base).mean())
    moved = f"{base} → {now}: it {'rose' if now < base else 'fell'}"
    title = f"Rank {base} stays {now}" if base == now else f"Rank {moved}"
    text = f"Its score changed by {change:+.4f}, that of the average candidate by {mean:+.4f}."
    if abs(change - mean) >= VISIBLE:
        text += (
            f" Beside the average it {'gained' if change > mean else 'lost'} "
            f"{abs(change - mean):.4f}; the largest part of that is {largest} "
            f"({above[largest]:+.4f})."
        )
    return title, formatting.minus(text)


def show(pair: Pair, parts: Accounting) -> None:
    """Draw the score at every stage and the accounting that sums."""
    comparison, at = pair.comparison, pair.position
    left, right = st.columns([2, 3], vertical_alignment="top")
    with left:
        rows = [(s, str(comparison.rank(s)[at]), f"{comparison.score(s)[at]:.4f}") for s in STAGES]
        texts.table(("stage", "rank", "score"), rows, "stages")
        change = formatting.signed(parts.modulated[at] - parts.base[at])
        st.caption(
            f"Exact: the parts sum to modulated − base = {change} (residual "
            f"{abs(parts.residual[at]):.0e}). {HALVED}"
        )
    with right:
        chart.show(
            figures.waterfall(parts, at),
            "explain_waterfall",
            "Score accounting of this document, part by part",
        )
