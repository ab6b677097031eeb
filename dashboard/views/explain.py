"""Explain: why this document?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import resources, state
from dashboard.components import chart, document_panel, notices, texts, trust, what_if
from dashboard.figures import explain as figures
from dashboard.figures import modulation, theme
from dashboard.resources import PairKey
from imrnns_core.dataset import Dataset
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explain.accounting import Accounting, account
from imrnns_core.explain.counterfactual import Pair, Side
from imrnns_core.explain.report import LEGEND, verdict
from imrnns_core.explain.words import Carried, Verdict, VerifiedWord
from imrnns_core.records import STAGES, Comparison

VERDICTS: dict[Verdict, str] = {
    "holds": "as estimated",
    "chance": "no more than random words",
    "other sign": "with the other sign than estimated",
}


def show() -> None:
    notices.heading(
        "Why this document?",
        "One query, one document: where its score comes from, which words carry it, and what happens if the texts were others.",
    )
    selection = state.current()
    dataset = resources.collection(selection.data).dataset
    comparison = resources.selected_comparison(selection)
    document_panel.query(comparison)
    _outside(comparison)
    document = _document(comparison, dataset)
    key = PairKey.of(state.current(), document)
    pair = resources.pair(key)
    parts = account(comparison)
    notices.show("info", *_summary(pair, parts))
    _stages(pair, parts)
    try:
        resources.explainer(selection.data, selection.adapter).check()
    except (ExplanationError, EncoderError) as error:
        notices.show("info", "Words are not available for this encoder and these vectors", str(error))
        return
    _words(key)
    measured = st.container(key="measured")
    what_if.show(key, pair, dataset)
    _rival(key, pair, parts, dataset)
    _accounts(key)
    _vocabulary(key)
    trust.show(key)
    with measured:  # last of all: some fifty texts are encoded, while the rest of the page is there to be read
        _verified(key)


def _sides() -> Iterator[tuple[Side, DeltaGenerator]]:
    """Yield both texts, each with its column."""
    left, right = st.columns([3, 2])
    yield "document", left
    yield "query", right


def _outside(comparison: Comparison) -> None:
    """Say that no candidate is relevant, before the page explains one that is not, and show where the relevant one stands."""
    missing = comparison.relevant_outside
    if not missing or any(comparison.relevance > 0):
        return
    places = resources.ranker(state.current().data, state.current().adapter).corpus_ranks(comparison, missing[0])
    notices.show(
        "warning",
        "No relevant document is among the candidates: what follows explains another one",
        f"{missing[0]} is relevant. Were every document of the corpus scored, its base rank would be {places['base']}, its modulated rank "
        f"{places['modulated']}. Type the question anew on the left to see which wording reaches it.",
    )


def _document(comparison: Comparison, dataset: Dataset) -> str:
    """Let the user choose a candidate; the Selection's, else the best-ranked relevant one, else the first."""
    order = comparison.order("modulated")
    relevant = [i for i in order if comparison.relevance[i] > 0]
    first = comparison.document_ids[int(relevant[0] if relevant else order[0])]
    if state.current().document not in comparison.position:
        if state.current().document:
            notices.show("warning", f"{state.current().document} is not among the candidates of this query", "Only candidates are scored.")
        state.update(document=first)
    ids = [comparison.document_ids[int(i)] for i in order]

    def label(document_id: str) -> str:
        at = comparison.position[document_id]
        sign = {"relevant": "★ ", "not relevant": "✕ ", "unjudged": ""}[theme.relevance_name(int(comparison.relevance[at]))]
        return f"{comparison.ranks[3, at]} (base {comparison.ranks[0, at]}) {sign}{dataset.document[document_id].title or document_id}"

    left, right = st.columns([4, 2], vertical_alignment="bottom")
    left.selectbox("Document, by modulated rank", ids, format_func=label, **state.bound("document", ids))
    right.segmented_control(
        "Words that carry the", state.options("carry"), required=True, help="The change is modulated − base; the score is the modulated one.",
        **state.bound("carry"),
    )  # fmt: skip
    return state.current().document


def _summary(pair: Pair, parts: Accounting) -> tuple[str, str]:
    """Say in words what happened to the document, against the other candidates."""
    comparison, at = pair.comparison, pair.position
    base, now = int(comparison.ranks[0, at]), int(comparison.ranks[3, at])
    named = {"the projector": parts.projector, "document modulation": parts.document_modulation, "query refinement": parts.query_refinement}
    above = {name: float(values[at] - values.mean()) for name, values in named.items()}
    largest = max(above, key=lambda name: abs(above[name]))
    change, mean = float(parts.modulated[at] - parts.base[at]), float((parts.modulated - parts.base).mean())
    title = f"Rank {base} stays {now}" if base == now else f"Rank {base} → {now}: it {'rose' if now < base else 'fell'}"
    text = f"Its score changed by {change:+.4f}, that of the average candidate by {mean:+.4f}."
    if abs(change - mean) >= 5e-5:
        text += f" Beside the average it {'gained' if change > mean else 'lost'} {abs(change - mean):.4f}; the largest part of that is {largest} ({above[largest]:+.4f})."
    return title, theme.minus(text)


def _stages(pair: Pair, parts: Accounting) -> None:
    """Draw the score at every stage and the accounting that sums."""
    comparison, at = pair.comparison, pair.position
    left, right = st.columns([2, 3], vertical_alignment="top")
    with left:
        rows = [(s, str(comparison.ranks[n, at]), f"{comparison.scores[n, at]:.4f}") for n, s in enumerate(STAGES)]
        texts.table(("stage", "rank", "score"), rows, "stages")
        change = theme.minus(f"{parts.modulated[at] - parts.base[at]:+.4f}")
        st.caption(
            f"Exact: the parts sum to modulated − base = {change} (residual {abs(parts.residual[at]):.0e}). "
            "The stages apply modulation and refinement in turn; the parts halve what only both together do."
        )
    with right:
        chart.show(modulation.waterfall(parts, at), "explain_waterfall", "Score accounting of this document, part by part")


def _carried() -> Carried:
    return "score" if state.current().carry == "score" else "change"


def _words(key: PairKey) -> None:
    st.header(f"Words that carry the {state.current().carry}", anchor=False)
    st.caption(LEGEND + " Point at a word for its drop.")
    for side, place in _sides():
        with place, st.spinner("Reading the text …"):
            drops = resources.word_drops(key, side)[0]
            texts.marked(drops, drops.by(_carried()), f"marked_{side}")


@st.fragment
def _verified(key: PairKey) -> None:
    """Delete words and encode again: evidence beside chance."""
    st.header("Deleted and measured", anchor=False)
    st.caption(
        f"Each word was deleted wherever it stands, the text encoded again and scored among the same candidates. Bars: what the {state.current().carry} loses. "
        "Orange: what as many randomly chosen words do, ten draws, mean and one deviation. Pale bars lie within it: they say nothing. Hatched bars have the other sign than was estimated."
    )
    for side, place in reversed(list(_sides())):  # the query's words take a moment only
        with place:
            drops = resources.word_drops(key, side)[0]
            every = side == "document" and _every(len(drops.words))
            found = _measure(key, side, every)
            carried = _carried()
            column = 0 if carried == "score" else 1
            falls = column == 1 and resources.pair(key).fell
            order = sorted(found, key=lambda word: word.drop[column] * (1 if falls else -1))
            measured = f"{len(found)} of {len(drops.words)}" if len(found) < len(drops.words) else f"all {len(found)}"
            counts = Counter(word.verdict(carried) for word in found)
            st.caption(
                f"Words of the {side}: {measured} measured; {', '.join(f'{counts[v]} {said}' for v, said in VERDICTS.items() if counts[v])}."
            )
            chart.show(
                figures.verified(order[:30], carried),
                f"verified_{side}",
                f"Measured drop of each word of the {side}, beside random words",
            )
            frame = pd.DataFrame(
                [(w.word.text, VERDICTS[w.verdict(carried)], w.drop[1], w.random[1], w.drop[0], w.random[0]) for w in order],
                columns=["word", f"estimate of {carried}", "drop of change", "random change", "drop of score", "random score"],
            )
            with st.expander("As a table"):
                st.dataframe(frame, hide_index=True, key=f"verified_table_{side}")


def _measure(key: PairKey, side: Side, every: bool) -> list[VerifiedWord]:
    """Delete words and measure; each batch tells how far it is, and lets the next key or click of the reader through."""
    bar, start = st.empty(), time.monotonic()

    def progress(done: int, total: int) -> None:
        left = (time.monotonic() - start) / done * (total - done)
        bar.progress(done / total, text=f"Deleting words of the {side}: {done} of {total} texts encoded, about {left:.0f} s left")

    found = resources.verified_words(key, side, _carried(), every, progress)
    bar.empty()
    return found


def _every(count: int) -> bool:
    return st.toggle(
        f"Measure all {count} words (some {max(1, round(count * 0.06))} s)", key="every_word", help="One encode for each word."
    )


def _rival(key: PairKey, pair: Pair, parts: Accounting, dataset: Dataset) -> None:
    """Put the document beside its neighbour in the modulated ranking: the one it has to pass, or the one that it keeps below."""
    comparison, at = pair.comparison, pair.position
    order, place = comparison.order("modulated"), int(comparison.ranks[3, at]) - 1
    if len(order) < 2:
        return
    other = int(order[place - 1 if place else 1])
    with st.expander(f"Beside the document {'above' if place else 'below'} it", on_change="rerun", key="rival") as opened:
        if not opened.open:
            return
        names = {"base": parts.base, "projector": parts.projector, "document modulation": parts.document_modulation}
        names |= {"query refinement": parts.query_refinement, "modulated": parts.modulated}
        rows = [(name, *(theme.minus(f"{v:+.4f}") for v in (x[at], x[other], x[at] - x[other]))) for name, x in names.items()]
        texts.table(("part of the score", "this one", "the other", "difference"), rows, "rival_parts")
        st.caption(f"Words that carry the {state.current().carry}, in either document, under the same query.")
        for n, column in zip((at, other), st.columns(2), strict=True):
            document_id = comparison.document_ids[n]
            with column, st.spinner("Reading the text …"):
                drops = resources.word_drops(replace(key, document=document_id), "document")[0]
                st.text(f"{comparison.ranks[3, n]} · {dataset.document[document_id].title or document_id}")
                texts.marked(drops, drops.by(_carried()), f"rival_{'other' if n == other else 'this'}")


def _accounts(key: PairKey) -> None:
    with st.expander("Accounting by word: the change as a sum", on_change="rerun", key="word_accounts") as opened:
        if not opened.open:
            return
        st.caption(
            "Each word’s part of modulated − base with every norm held fixed; the parts sum exactly. Exact is not faithful: the part is not what the score would lose without the word."
        )
        for side, place in _sides():
            drops, accounting = resources.word_drops(key, side)
            with place:
                if accounting is None:
                    notices.show("info", "Not available for this encoder", "Its embedding is not the plain mean of its tokens.")
                    continue
                total = float(accounting.words.sum()) + accounting.other + accounting.constant
                st.caption(theme.minus(f"Words of the {side}; sum {total:+.4f}"))
                chart.show(
                    figures.word_accounting(drops, accounting), f"word_accounting_{side}", f"The change as a sum over words of the {side}"
                )


def _vocabulary(key: PairKey) -> None:
    with st.expander("Vocabulary view, as in the paper", on_change="rerun", key="vocabulary") as opened:
        if not opened.open:
            return
        st.caption(
            "Whole words of the encoder’s vocabulary near the back-projected change. They describe a direction of the space, not a cause, and most are not in the text. Beside each: how often an untrained adapter, and another query (a document in its place where there are few), name some word as strongly. What does not beat both is no more than chance."
        )
        for side, place in _sides():
            with place:
                try:
                    tokens = resources.named_tokens(key, side)
                except ExplanationError as error:
                    notices.show("info", "Not available for this encoder", str(error))
                    return
                rows = [(t.token, t.cosine, t.p_untrained, t.p_shuffled, verdict(t)) for t in tokens]
                frame = pd.DataFrame(rows, columns=["token", "cosine", "p untrained", "p other queries", "verdict"])
                st.caption(f"{side.capitalize()}: {sum(not t.spurious for t in tokens)} of {len(tokens)} beat chance")
                numbers = {n: st.column_config.NumberColumn(format="%.3f") for n in frame.columns[1:4]}
                st.dataframe(frame, hide_index=True, column_config=numbers, key=f"vocabulary_{side}")
