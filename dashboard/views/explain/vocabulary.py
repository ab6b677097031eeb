"""The vocabulary view of the paper, next to what chance produces."""

from __future__ import annotations

import streamlit as st

from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.widgets import notices, texts
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.nearest_tokens import NULL_DRAWS, SIGNIFICANCE_LEVEL, NamedToken
from imrnns_core.reporting.html import verdict
from imrnns_core.types import Side

READING = (
    "The change of the embedding from projected to modulated is mapped back into the space of the "
    "encoder (by the pseudoinverse of the projector). Listed are the words of the encoder’s "
    "vocabulary that are closest to it, by cosine. They describe a direction in the embedding "
    "space, not a cause; most are not in the text. Each word is compared with chance twice: with "
    "untrained adapters and with other queries. Each comparison has {} cases, the real one "
    "included. p is the share of cases whose closest word is at least as close as the word of "
    "this row. The smallest possible p is {:.4f}. A word is closer than chance only if both of "
    "its p values are this small."
)
P_NAMES = ("p (untrained adapters)", "p (other queries)")


def show(key: PairKey) -> None:
    """Draw the view, once it is opened."""
    title = "Vocabulary view, as in the paper"
    with st.expander(title, on_change="rerun", key="vocabulary") as expander:
        if not expander.open:
            return
        st.caption(READING.format(NULL_DRAWS + 1, SIGNIFICANCE_LEVEL))
        for side, column in texts.sides():
            with column:
                try:
                    tokens = explanations.named_tokens(key, side)
                except ExplanationError as error:
                    notices.show("info", "Not available for this encoder or data set", str(error))
                    # the same holds for the other text
                    return
                _table(tokens, side)


def _table(tokens: list[NamedToken], side: Side) -> None:
    closer = sum(not t.spurious for t in tokens)
    head, rows, common = table(tokens)
    st.caption(
        f"{side.capitalize()}: {closer} of {len(tokens)} words are closer than chance."
        + "".join(f" {text} for every word." for text in common)
    )
    texts.table(head, rows, f"vocabulary_{side}")


def table(tokens: list[NamedToken]) -> tuple[list[str], list[tuple[str, ...]], list[str]]:
    """Return head and rows of the table, and what is the same in all rows.

    A p that all words share is written once, and a common verdict is in the caption: as columns
    they would say nothing.
    """
    verdicts = [("verdict", [verdict(t) for t in tokens])]
    columns = list(zip(P_NAMES, _written_p(tokens), strict=True))
    # with few draws, every word has the smallest possible p: a column of equal numbers
    varying = [(name, values) for name, values in columns if len(set(values)) != 1]
    common = [f"{name} = {values[0]}" for name, values in columns if len(set(values)) == 1]
    varying += [(name, values) for name, values in verdicts if len(set(values)) != 1]
    head = ["word", "cosine", *(name for name, _ in varying)]
    rows = [
        (t.token, f"{t.cosine:.4f}", *(values[i] for _, values in varying))
        for i, t in enumerate(tokens)
    ]
    return head, rows, common


def _written_p(tokens: list[NamedToken]) -> tuple[list[str], list[str]]:
    return [f"{t.p_untrained:.4f}" for t in tokens], [f"{t.p_shuffled:.4f}" for t in tokens]
