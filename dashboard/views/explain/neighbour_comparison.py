"""The explained document compared with another one: at rank 1, or ranked just above it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from dashboard import formatting, state
from dashboard.services import explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain import score_breakdown
from dashboard.widgets import texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting
from imrnns_core.retrieval.comparison import Comparison

HEAD = ("part of the score", "this document", "rank {}", "difference")
WORDS = "Words behind the {} of both documents, for the same query. Colours as in the legend above."


def others(comparison: Comparison, position: int) -> dict[str, int]:
    """Return the documents worth comparing with the one at this position.

    Returns:
        Label → position: rank 1 first, then the document just above in the list. If the adapter
        ranks the whole corpus, further documents that are not listed can be between both. The
        document at rank 1 is compared with rank 2. Empty if there is no other document.
    """
    order, ranks = comparison.order(comparison.final).tolist(), comparison.rank(comparison.final)
    number = order.index(position)
    if len(order) < 2:
        return {}
    if number == 0:
        return {f"Rank {ranks[order[1]]}": order[1]}
    above = order[number - 1]
    just_above = {} if number == 1 else {f"Just above (rank {ranks[above]})": above}
    return {f"Rank {ranks[order[0]]}": order[0], **just_above}


def show(key: PairKey, pair: Pair, accounting: Accounting | None, dataset: Dataset) -> None:
    """Draw the parts of the score and the marked texts of both documents, once it is opened."""
    comparison, position = pair.comparison, pair.position
    choices = others(comparison, position)
    if not choices:
        return
    title = f"Compare with the document at {next(iter(choices)).lower()}"
    # without `on_change`, the server does not know whether it is open
    with st.expander(title, on_change="rerun", key="compared") as expander:
        # the words of another document cost an encoder pass
        if not expander.open:
            return
        other = _choose(choices)
        rank = comparison.rank(comparison.final)[other]
        head = tuple(name.format(rank) for name in HEAD)
        rows = (
            _score_row(comparison, position, other)
            if accounting is None
            else _rows(accounting, position, other)
        )
        texts.table(head, rows, "compared_parts")
        st.caption(WORDS.format(texts.target_name()))
        left, right = st.columns(2)
        with left:
            _text(key, pair, dataset, position, "this")
        with right:
            _text(key, pair, dataset, other, "other")


def _choose(choices: dict[str, int]) -> int:
    """Return the position of the chosen document."""
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
