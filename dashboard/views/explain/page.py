"""Explain: why this document?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import formatting, state
from dashboard import selection as selections
from dashboard.figures import explain as figures
from dashboard.figures import modulation
from dashboard.services import catalog, comparisons, explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain import deletion_test, neighbour_comparison, verified_words, what_if
from dashboard.widgets import chart, document_panel, notices, texts
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting, account
from imrnns_core.reporting.html import LEGEND, verdict
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES


def show() -> None:
    notices.heading(
        "Why this document?",
        (
            "One query, one document: where its score comes from, which words carry it, and what "
            "happens if the texts were others."
        ),
    )
    selection = state.current()
    dataset = catalog.collection(selection.data).dataset
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    _outside(comparison)
    document = _document(comparison, dataset)
    key = PairKey.of(state.current(), document)
    pair = explanations.pair(key)
    parts = account(comparison)
    notices.show("info", *_summary(pair, parts))
    _stages(pair, parts)
    try:
        explanations.explainer(selection.data, selection.adapter).check()
    except (ExplanationError, EncoderError) as error:
        notices.show(
            "info", "Words are not available for this encoder and these vectors", str(error)
        )
        return
    _words(key)
    measured = st.container(key="measured")
    what_if.show(key, pair, dataset)
    neighbour_comparison.show(key, pair, parts, dataset)
    _accounts(key)
    _vocabulary(key)
    deletion_test.show(key)
    with (
        measured
    ):  # last of all: dozens of texts are encoded, while the rest of the page is there to be read
        verified_words.show(key)


def _outside(comparison: Comparison) -> None:
    """Say that no candidate is relevant, before the page explains one that is not, and show where the relevant one stands."""
    missing = comparison.relevant_outside
    if not missing or any(comparison.relevance > 0):
        return
    places = catalog.ranker(state.current().data, state.current().adapter).corpus_ranks(
        comparison, missing[0]
    )
    notices.show(
        "warning",
        "No relevant document is among the candidates: what follows explains another one",
        f"{missing[0]} is relevant. Were every document of the corpus scored, its base rank "
        f"would be {places['base']}, its modulated rank "
        f"{places['modulated']}. Type the question anew on the left to see which wording "
        "reaches it.",
    )


def _document(comparison: Comparison, dataset: Dataset) -> str:
    """Let the user choose a candidate.

    The Selection's, else the best-ranked relevant one, else the first.
    """
    order = comparison.order("modulated")
    relevant = [i for i in order if comparison.relevance[i] > 0]
    first = comparison.document_ids[int(relevant[0] if relevant else order[0])]
    if state.current().document not in comparison.position:
        if state.current().document:
            notices.show(
                "warning",
                f"{state.current().document} is not among the candidates of this query",
                "Only candidates are scored.",
            )
        state.update(document=first)
    ids = [comparison.document_ids[int(i)] for i in order]

    def label(document_id: str) -> str:
        at = comparison.position[document_id]
        sign = {"relevant": "★ ", "not relevant": "✕ ", "unjudged": ""}[
            formatting.relevance_name(int(comparison.relevance[at]))
        ]
        return (
            f"{comparison.ranks[3, at]} (base {comparison.ranks[0, at]}) "
            f"{sign}{dataset.document[document_id].title or document_id}"
        )

    left, right = st.columns([4, 2], vertical_alignment="bottom")
    left.selectbox(
        "Document, by modulated rank", ids, format_func=label, **state.bound("document", ids)
    )
    right.segmented_control(
        "Words that carry the",
        selections.options("carry"),
        required=True,
        help="The change is modulated − base; the score is the modulated one.",
        **state.bound("carry"),
    )
    return state.current().document


def _summary(pair: Pair, parts: Accounting) -> tuple[str, str]:
    """Say in words what happened to the document, against the other candidates."""
    comparison, at = pair.comparison, pair.position
    base, now = int(comparison.ranks[0, at]), int(comparison.ranks[3, at])
    named = {
        "the projector": parts.projector,
        "document modulation": parts.document_modulation,
        "query refinement": parts.query_refinement,
    }
    above = {name: float(values[at] - values.mean()) for name, values in named.items()}
    largest = max(above, key=lambda name: abs(above[name]))
    change, mean = (
        float(parts.modulated[at] - parts.base[at]),
        float((parts.modulated - parts.base).mean()),
    )
    title = (
        f"Rank {base} stays {now}"
        if base == now
        else f"Rank {base} → {now}: it {'rose' if now < base else 'fell'}"
    )
    text = f"Its score changed by {change:+.4f}, that of the average candidate by {mean:+.4f}."
    if abs(change - mean) >= 5e-5:
        text += (
            f" Beside the average it {'gained' if change > mean else 'lost'} "
            f"{abs(change - mean):.4f}; the largest part of that is {largest} "
            f"({above[largest]:+.4f})."
        )
    return title, formatting.minus(text)


def _stages(pair: Pair, parts: Accounting) -> None:
    """Draw the score at every stage and the accounting that sums."""
    comparison, at = pair.comparison, pair.position
    left, right = st.columns([2, 3], vertical_alignment="top")
    with left:
        rows = [
            (s, str(comparison.ranks[n, at]), f"{comparison.scores[n, at]:.4f}")
            for n, s in enumerate(STAGES)
        ]
        texts.table(("stage", "rank", "score"), rows, "stages")
        change = formatting.minus(f"{parts.modulated[at] - parts.base[at]:+.4f}")
        st.caption(
            f"Exact: the parts sum to modulated − base = {change} (residual "
            f"{abs(parts.residual[at]):.0e}). "
            "The stages apply modulation and refinement in turn; the parts halve what only "
            "both together do."
        )
    with right:
        chart.show(
            modulation.waterfall(parts, at),
            "explain_waterfall",
            "Score accounting of this document, part by part",
        )


def _words(key: PairKey) -> None:
    st.header(f"Words that carry the {state.current().carry}", anchor=False)
    st.caption(LEGEND + " Point at a word for its drop.")
    for side, place in texts.sides():
        with place, st.spinner("Reading the text …"):
            drops = explanations.word_drops(key, side)[0]
            texts.marked(drops, drops.by(state.current().carry), f"marked_{side}")


def _accounts(key: PairKey) -> None:
    with st.expander(
        "Accounting by word: the change as a sum", on_change="rerun", key="word_accounts"
    ) as opened:
        if not opened.open:
            return
        st.caption(
            "Each word’s part of modulated − base with every norm held fixed; the parts sum "
            "exactly. Exact is not faithful: the part is not what the score would lose without "
            "the word."
        )
        for side, place in texts.sides():
            drops, accounting = explanations.word_drops(key, side)
            with place:
                if accounting is None:
                    notices.show(
                        "info",
                        "Not available for this encoder",
                        "Its embedding is not the plain mean of its tokens.",
                    )
                    continue
                total = float(accounting.words.sum()) + accounting.other + accounting.constant
                st.caption(formatting.minus(f"Words of the {side}; sum {total:+.4f}"))
                chart.show(
                    figures.word_accounting(drops, accounting),
                    f"word_accounting_{side}",
                    f"The change as a sum over words of the {side}",
                )


def _vocabulary(key: PairKey) -> None:
    with st.expander(
        "Vocabulary view, as in the paper", on_change="rerun", key="vocabulary"
    ) as opened:
        if not opened.open:
            return
        st.caption(
            "Whole words of the encoder’s vocabulary near the back-projected change. They "
            "describe a direction of the space, not a cause, and most are not in the text. "
            "Beside each: how often an untrained adapter, and another query (a document in its "
            "place where there are few), name some word as strongly. What does not beat both "
            "is no more than chance."
        )
        for side, place in texts.sides():
            with place:
                try:
                    tokens = explanations.named_tokens(key, side)
                except ExplanationError as error:
                    notices.show("info", "Not available for this encoder", str(error))
                    return
                rows = [
                    (t.token, t.cosine, t.p_untrained, t.p_shuffled, verdict(t)) for t in tokens
                ]
                frame = pd.DataFrame(
                    rows, columns=["token", "cosine", "p untrained", "p other queries", "verdict"]
                )
                st.caption(
                    f"{side.capitalize()}: {sum(not t.spurious for t in tokens)} of "
                    f"{len(tokens)} beat chance"
                )
                numbers = {
                    n: st.column_config.NumberColumn(format="%.3f") for n in frame.columns[1:4]
                }
                st.dataframe(
                    frame, hide_index=True, column_config=numbers, key=f"vocabulary_{side}"
                )
