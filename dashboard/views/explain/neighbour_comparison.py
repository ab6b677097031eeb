"""The explained document compared with another one: at rank 1, or ranked just above it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import formatting, state
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain import score_breakdown, target
from dashboard.widgets import texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting
from imrnns_core.retrieval.comparison import Comparison

HEAD = ("part of the score", "this document", "rank {}", "difference")
WORDS = "Words behind the {} of both documents, for the same query. Colours as in the legend above."


def others(rank: int, count: int) -> dict[str, int]:
    """Return the documents worth comparing with the one at this rank.

    Args:
        rank: The modulated rank, from 1.
        count: How many candidates there are.

    Returns:
        Label → modulated rank: rank 1 first, then the document just above. The document at rank 1
        is compared with rank 2. Empty if there is no other document.
    """
    if count < 2:
        return {}
    if rank == 1:
        return {"Rank 2": 2}
    above = {} if rank == 2 else {f"Just above (rank {rank - 1})": rank - 1}
    return {"Rank 1": 1, **above}


def show(key: PairKey, pair: Pair, accounting: Accounting | None, dataset: Dataset) -> None:
    """Draw the parts of the score and the marked texts of both documents, once it is opened."""
    comparison, position = pair.comparison, pair.position
    order = comparison.order(comparison.final)
    choices = others(int(comparison.rank(comparison.final)[position]), len(order))
    if not choices:
        return
    title = f"Compare with the document at {next(iter(choices)).lower()}"
    # without `on_change`, the server does not know whether it is open
    with st.expander(title, on_change="rerun", key="compared") as expander:
        # the words of another document cost an encoder pass
        if not expander.open:
            return
        rank = _choose(choices)
        other = int(order[rank - 1])
        head = tuple(name.format(rank) for name in HEAD)
        rows = (
            _score_row(comparison, position, other)
            if accounting is None
            else _rows(accounting, position, other)
        )
        texts.table(head, rows, "compared_parts")
        st.caption(WORDS.format(target.name()))
        left, right = st.columns(2)
        with left:
            _text(key, pair, dataset, position, "this")
        with right:
            _text(key, pair, dataset, other, "other")


def _choose(choices: dict[str, int]) -> int:
    """Return the chosen modulated rank."""
    # a choice of one is none
    if len(choices) == 1:
        return next(iter(choices.values()))
    chosen = st.segmented_control(
        "Compare with", list(choices), default=next(iter(choices)), required=True
    )
    return choices[str(chosen)]


def _score_row(comparison: Comparison, position: int, other: int) -> list[tuple[str, ...]]:
    own, others = (float(comparison.score("base")[i]) for i in (position, other))
    return [
        (
            "base",
            formatting.decimal(own),
            formatting.decimal(others),
            formatting.signed(own - others),
        )
    ]


def _rows(accounting: Accounting, position: int, other: int) -> list[tuple[str, ...]]:
    table = list[tuple[str, ...]]()
    for name, values in score_breakdown.rows(accounting).items():
        write = formatting.decimal if name in ("base", "modulated") else formatting.signed
        difference = formatting.signed(float(values[position] - values[other]))
        table.append((name, write(values[position]), write(values[other]), difference))
    return table


def _text(key: PairKey, pair: Pair, dataset: Dataset, position: int, which: str) -> None:
    comparison = pair.comparison
    document_id = comparison.document_ids[position]
    with st.spinner("Reading the text …"):
        drops = explanations.word_drops(replace(key, document=document_id), "document")[0]
        title = dataset.document[document_id].title or document_id
        st.text(f"{comparison.rank(comparison.final)[position]} · {title}")
        texts.marked(drops, drops.values(state.target()), f"compared_{which}")
