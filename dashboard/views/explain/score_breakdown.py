"""What changed the score of the document: in words, as a table and as a chart of the same parts."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting
from dashboard.figures import accounting as figures
from dashboard.widgets import chart, texts
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting
from imrnns_core.types import STAGES, FloatArray

VISIBLE = 5e-5
"""The smallest difference that four decimals show."""
HEAD = ("part of the score", "this document", "average candidate", "difference")
EXACT = (
    "The three parts add up to modulated − base = {} (rounding error {}). The document and query "
    "steps share their joint effect equally. In the chart, green is a gain and orange a loss."
)
CHANGE = "modulated − base"
STAGES_READING = (
    "Here each stage applies one more step. A difference between two stages can differ from the "
    "part above: the joint effect of document modulation and query refinement appears only once "
    "both are applied."
)


def named_parts(accounting: Accounting) -> dict[str, FloatArray]:
    """Return (K,) each part of the score change, by the name that the page gives it."""
    return {
        "projector": accounting.projector,
        "document modulation": accounting.document_modulation,
        "query refinement": accounting.query_refinement,
    }


def rows(accounting: Accounting) -> dict[str, FloatArray]:
    """Return (K,) the base score, the parts of the change, the modulated score and the change."""
    return {
        "base": accounting.base,
        **named_parts(accounting),
        "modulated": accounting.modulated,
        CHANGE: accounting.modulated - accounting.base,
    }


def summary(pair: Pair, accounting: Accounting) -> tuple[str, str]:
    """Return a title and sentences: how rank and score changed, and which parts changed them.

    All numbers are those of the table and the chart.
    """
    comparison, position = pair.comparison, pair.position
    base, modulated = (int(comparison.rank(s)[position]) for s in ("base", "modulated"))
    change = float(accounting.modulated[position] - accounting.base[position])
    average = float((accounting.modulated - accounting.base).mean())
    direction = "rose" if modulated < base else "fell"
    title = (
        f"Rank {base}, unchanged"
        if base == modulated
        else f"Rank {base} → {modulated}: {direction}"
    )
    text = f"Its score changed by {change:+.4f}{_largest(accounting, position)}."
    text += f" The average candidate changed by {average:+.4f}"
    # the rank follows the change relative to the others, not the change alone
    if abs(change - average) >= VISIBLE:
        relation = "gained" if change > average else "lost"
        text += f", so this document {relation} {abs(change - average):.4f} relative to it"
    return title, formatting.minus(f"{text}.")


def _largest(accounting: Accounting, position: int) -> str:
    """Return the largest gain and the largest loss among the parts, as they have them."""
    parts = {name: float(v[position]) for name, v in named_parts(accounting).items()}
    # gains and losses are named apart: the largest part of a gain must not be a loss
    gain, loss = max(parts, key=parts.__getitem__), min(parts, key=parts.__getitem__)
    said = []
    if parts[gain] >= VISIBLE:
        said.append(f"the largest gain came from {gain} ({parts[gain]:+.4f})")
    if parts[loss] <= -VISIBLE:
        said.append(f"the largest loss from {loss} ({parts[loss]:+.4f})")
    return f": {', '.join(said)}" if said else ""


def show(pair: Pair, accounting: Accounting) -> None:
    """Draw the parts of the score as a table and as a chart, and the stages."""
    position = pair.position
    left, right = st.columns([2, 3], vertical_alignment="top")
    with left:
        texts.table(HEAD, _table(accounting, position), "score_parts")
        change = formatting.signed(accounting.modulated[position] - accounting.base[position])
        st.caption(
            EXACT.format(change, formatting.minus(f"{abs(accounting.residual[position]):.0e}"))
        )
    with right:
        chart.show(
            figures.waterfall(accounting, position),
            "explain_waterfall",
            "Score of this document from base to modulated, part by part",
        )
    with st.expander("Rank and score at each stage"):
        comparison = pair.comparison
        stages = [
            (
                s,
                str(comparison.rank(s)[position]),
                formatting.decimal(comparison.score(s)[position]),
            )
            for s in STAGES
        ]
        texts.table(("stage", "rank", "score"), stages, "stages")
        st.caption(STAGES_READING)


def _table(accounting: Accounting, position: int) -> list[tuple[str, ...]]:
    table = list[tuple[str, ...]]()
    for name, values in rows(accounting).items():
        write = formatting.decimal if name in ("base", "modulated") else formatting.signed
        own, average = float(values[position]), float(values.mean())
        table.append((name, write(own), write(average), formatting.signed(own - average)))
    return table
