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
    "Before rounding to four decimals, the three parts add up to modulated − base = {} (error {}). "
    "Document modulation and query refinement also have a joint effect; half of it is counted for "
    "each (Shapley values). In the chart, green is a gain and orange a loss."
)
CHANGE = "modulated − base"
ARTICLE = {"projector": "the projector"}
"""A part that is a thing needs an article in a sentence; the others are actions."""
STAGES_READING = (
    "Document modulation and query refinement have a joint effect. This table applies them one "
    "after the other, so the last stage has the whole joint effect. The parts above have half of "
    "the joint effect each. So a part can differ from the step between two stages, even in its "
    "sign."
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
    direction = "rose" if modulated < base else "fell"
    title = (
        f"Rank {base}, unchanged"
        if base == modulated
        else f"Rank {base} → {modulated}: {direction}"
    )
    text = f"Its score changed by {change:+.4f}{_largest(accounting, position)}."
    # the rank follows the change relative to the others, not the change alone
    compared = _compared(accounting.modulated - accounting.base, position)
    overtaking = _overtaking(pair, accounting)
    return title, formatting.minus(f"{text} {compared}{overtaking}")


def base_summary(pair: Pair) -> tuple[str, str]:
    """Return a title and a sentence about the base score."""
    scores, position = pair.comparison.score("base"), pair.position
    own, average = float(scores[position]), float(scores.mean())
    return (
        f"Rank {pair.comparison.rank('base')[position]} of {len(scores)} candidates",
        f"Its score, the cosine of both embeddings, is {formatting.decimal(own)}. The best "
        f"candidate has {formatting.decimal(float(scores.max()))}, the average one "
        f"{formatting.decimal(average)}.",
    )


def _compared(changes: FloatArray, position: int) -> str:
    """Return a sentence: the mean of the changes (K,) and the change of this document."""
    own, average = float(changes[position]), float(changes.mean())
    if abs(average) < VISIBLE:
        return "The average candidate’s score did not change."
    is_common = bool((changes > 0).all() or (changes < 0).all())
    others = (
        f"All candidates {_gained(average)} score ({abs(average):.4f} on average)"
        if is_common and len(changes) > 1
        else f"The average candidate {_gained(average)} {abs(average):.4f}"
    )
    if abs(own - average) < VISIBLE:
        return f"{others}; this one did, too."
    own_change = f"{_gained(own)} {abs(own):.4f}"
    if abs(own) < VISIBLE:
        return f"{others}; this one kept its score."
    if own * average < 0:
        return f"{others}, but this one {own_change}."
    if abs(own) > abs(average):
        return f"{others}; this one {own_change}, more than the average."
    return f"{others}; this one {own_change}, less than the average."


def _gained(change: float) -> str:
    return "gained" if change > 0 else "lost"


def _overtaking(pair: Pair, accounting: Accounting) -> str:
    """Return why the rank changed against the change relative to the average, if it did.

    If the adapter ranks the whole corpus, the listed documents are not all that were overtaken.
    """
    if pair.comparison.candidates is not None:
        return ""
    position = pair.position
    base, modulated = (pair.comparison.rank(stage) for stage in ("base", "modulated"))
    changes = accounting.modulated - accounting.base
    relative = float(changes[position] - changes.mean())
    was_above, is_above = base < base[position], modulated < modulated[position]
    overtaken, overtaking = int((was_above & ~is_above).sum()), int((~was_above & is_above).sum())
    rises, falls = modulated[position] < base[position], modulated[position] > base[position]
    if (relative <= -VISIBLE and rises) or (relative >= VISIBLE and falls):
        return f" It overtook {_documents(overtaken)}, and {_documents(overtaking)} overtook it."
    return ""


def _documents(number: int) -> str:
    return formatting.count(number, "document", "documents") if number else "no document"


def _largest(accounting: Accounting, position: int) -> str:
    """Return the largest gain and the largest loss among the parts, as they have them."""
    parts = {name: float(v[position]) for name, v in named_parts(accounting).items()}
    # gains and losses are named apart: the largest part of a gain must not be a loss
    gain, loss = max(parts, key=parts.__getitem__), min(parts, key=parts.__getitem__)
    said = []
    if parts[gain] >= VISIBLE:
        said.append(f"the largest gain came from {ARTICLE.get(gain, gain)} ({parts[gain]:+.4f})")
    if parts[loss] <= -VISIBLE:
        said.append(f"the largest loss came from {ARTICLE.get(loss, loss)} ({parts[loss]:+.4f})")
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
