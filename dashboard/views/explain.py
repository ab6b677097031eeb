"""Explain: why this document?"""

from __future__ import annotations

import time

import pandas as pd
import streamlit as st

from dashboard import resources, state
from dashboard.components import chart, document_panel, notices, texts
from dashboard.figures import explain as figures
from dashboard.figures import modulation, theme
from dashboard.resources import PairKey
from imrnns_core.dataset import Dataset
from imrnns_core.errors import ExplanationError
from imrnns_core.explain.accounting import account
from imrnns_core.explain.counterfactual import Pair, Side
from imrnns_core.explain.report import LEGEND, trust_sentence, verdict
from imrnns_core.explain.texts import without
from imrnns_core.ranking import blend
from imrnns_core.records import STAGES, Comparison

SIDES: tuple[Side, ...] = ("document", "query")
CARRIED = ["change", "score"]
TRUST_PAIRS = 12
POLL_SECONDS = 2.0


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
    notices.show("info", *_summary(pair))
    _stages(pair)
    try:
        resources.explainer(selection.data, selection.adapter).check()
    except ExplanationError as error:
        notices.show("info", "Words are not available for this encoder", str(error))
        return
    _words(key)
    _verified(key)
    _what_if(key, pair, dataset)
    _accounts(key)
    _vocabulary(key)
    _trust(key)


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
        "Words that carry the", CARRIED, required=True, help="The change is modulated − base; the score is the modulated one.",
        **state.bound("carry", CARRIED),
    )  # fmt: skip
    return state.current().document


def _summary(pair: Pair) -> tuple[str, str]:
    """Say in words what happened to the document, against the other candidates."""
    comparison, at = pair.comparison, pair.position
    base, now = int(comparison.ranks[0, at]), int(comparison.ranks[3, at])
    parts = account(comparison)
    named = {"the projector": parts.projector, "document modulation": parts.document_modulation, "query refinement": parts.query_refinement}
    above = {name: float(values[at] - values.mean()) for name, values in named.items()}
    largest = max(above, key=lambda name: abs(above[name]))
    change, mean = float(parts.modulated[at] - parts.base[at]), float((parts.modulated - parts.base).mean())
    title = f"Rank {base} stays {now}" if base == now else f"Rank {base} → {now}: it {'rose' if now < base else 'fell'}"
    text = (
        f"Its score changed by {change:+.4f}, that of the average candidate by {mean:+.4f}: ranks move by the difference, {change - mean:+.4f}. "
        f"Most of it comes from {largest} ({above[largest]:+.4f})."
    )
    return title, text.replace("-", "−")


def _stages(pair: Pair) -> None:
    """Draw the score at every stage and the accounting that sums."""
    comparison, at = pair.comparison, pair.position
    left, right = st.columns([2, 3], vertical_alignment="top")
    with left:
        rows = [(s, str(comparison.ranks[n, at]), f"{comparison.scores[n, at]:.4f}") for n, s in enumerate(STAGES)]
        texts.table(("stage", "rank", "score"), rows, "stages")
        parts = account(comparison)
        change = f"{parts.modulated[at] - parts.base[at]:+.4f}".replace("-", "−")
        st.caption(
            f"Exact: the parts sum to modulated − base = {change} (residual {abs(parts.residual[at]):.0e}). "
            "The stages apply modulation and refinement in turn; the parts halve what only both together do."
        )
    with right:
        chart.show(modulation.waterfall(parts, at), "explain_waterfall", "Score accounting of this document, part by part")


def _column() -> int:
    return 0 if state.current().carry == "score" else 1


def _words(key: PairKey) -> None:
    st.header(f"Words that carry the {state.current().carry}", anchor=False)
    st.caption(LEGEND + " Point at a word for its drop.")
    left, right = st.columns([3, 2])
    for side, place in (("document", left), ("query", right)):
        with place, st.spinner("Reading the text …"):
            drops = resources.word_drops(key, side)[0]
            texts.marked(drops, drops.score if _column() == 0 else drops.change, f"marked_{side}")


@st.fragment
def _verified(key: PairKey) -> None:
    """Delete words and encode again: evidence beside chance."""
    st.header("Deleted and measured", anchor=False)
    st.caption(
        f"Each word was deleted wherever it stands, the text encoded again and scored among the same candidates. Bars: what the {state.current().carry} loses. Orange: what as many randomly chosen words do, ten draws; a bar inside it says nothing."
    )
    left, right = st.columns([3, 2])
    for side, place in (("document", left), ("query", right)):
        with place:
            drops = resources.word_drops(key, side)[0]
            every = side == "document" and _every(len(drops.words))
            with st.spinner(f"Deleting words of the {side} …"):
                found = resources.verified_words(key, side, "score" if _column() == 0 else "change", every)
            falls = _column() == 1 and resources.fell(resources.pair(key))
            order = sorted(found, key=lambda word: word.drop[_column()] * (1 if falls else -1))
            st.caption(f"Words of the {side}" + (f": {len(found)} of {len(drops.words)}" if len(found) < len(drops.words) else ": all"))
            chart.show(
                figures.verified(order[:30], _column()),
                f"verified_{side}",
                f"Measured drop of each word of the {side}, beside random words",
            )
            frame = pd.DataFrame(
                [(w.word.text, w.drop[1], w.random[1], w.drop[0], w.random[0]) for w in order],
                columns=["word", "drop of change", "random change", "drop of score", "random score"],
            )
            with st.expander("As a table"):
                st.dataframe(frame, hide_index=True, key=f"verified_table_{side}")


def _every(count: int) -> bool:
    return st.toggle(
        f"Measure all {count} words (some {max(1, round(count * 0.06))} s)", key="every_word", help="One encode for each word."
    )


def _what_if(key: PairKey, pair: Pair, dataset: Dataset) -> None:
    """Let the user edit both texts and the feedback; draw scores, ranks and words anew."""
    st.header("What if?", anchor=False)
    st.caption("Delete words or edit a text: scores and ranks follow. The candidates stay the same, so every difference is the edit’s.")
    edits: dict[Side, str | None] = {}
    left, right = st.columns([3, 2])
    for side, place in (("document", left), ("query", right)):
        with place:
            edits[side] = _edit(key, side)
    ids = list(pair.comparison.document_ids)
    if len(ids) > 1:
        first, second = st.columns([3, 2], vertical_alignment="bottom")
        first.multiselect(
            "Feedback documents left out of the refinement", ids, max_selections=len(ids) - 1, placeholder="None: all candidates refine the query",
            format_func=lambda i: f"{i} · {dataset.document[i].title}", **state.bound_list("dropped", ids),
        )  # fmt: skip
        second.slider("α, from base (0) to modulated (1)", 0.0, 1.0, step=0.05, **state.bound("alpha"))
    changed = PairKey(**{**vars(key), "query_text": edits["query"], "document_text": edits["document"]})
    with st.spinner("Encoding …"):
        _outcome(pair, resources.pair(changed))
    if changed != key:
        left, right = st.columns([3, 2])
        for side, place in (("document", left), ("query", right)):
            with place:
                st.caption(f"The {side}, edited: words that carry the {state.current().carry}")
                drops = resources.word_drops(changed, side)[0]
                texts.marked(drops, drops.score if _column() == 0 else drops.change, f"edited_{side}")


def _edit(key: PairKey, side: Side) -> str | None:
    """Draw the editor of one text; return the edited text, None where it is as it was."""
    drops = resources.word_drops(key, side)[0]
    spec = resources.collection(key.data).encoder.spec
    prefix = len(spec.document_prefix if side == "document" else spec.query_prefix)
    names = {i: drops.words[i].text for i in drops.top("score" if _column() == 0 else "change", len(drops.words))}
    deleted = st.multiselect(
        f"Delete words of the {side}", list(names), format_func=lambda i: names[i], key=f"delete_{side}_{key.query}_{key.document}",
        placeholder="By what they carry, the first carries most",
    )  # fmt: skip
    text = without(drops.text, [drops.words[i] for i in deleted])[prefix:]
    typed = st.text_area(
        f"Text of the {side}", text, height=190 if side == "document" else 100, key=f"text_{side}_{key.query}_{key.document}_{deleted}",
        help="Ctrl+Enter scores it.",
    )  # fmt: skip
    if not typed.strip():
        notices.show("info", "An empty text cannot be scored", "The text as it was is used.")
        return None
    return None if typed == drops.text[prefix:] else typed


def _outcome(before: Pair, after: Pair) -> None:
    """Draw scores and ranks before and after the edit."""
    at, alpha = before.position, state.current().alpha
    scores = [(s, before.comparison.scores[n], after.comparison.scores[n]) for n, s in enumerate(STAGES)]
    ranks = list(zip(before.comparison.ranks, after.comparison.ranks, strict=True))
    if alpha < 1.0:
        (old, old_ranks), (new, new_ranks) = blend(before.comparison, alpha), blend(after.comparison, alpha)
        scores.append((f"α = {alpha:.2f}", old, new))
        ranks.append((old_ranks, new_ranks))
    rows = [
        (name, f"{old[at]:.4f}", f"{new[at]:.4f}", f"{new[at] - old[at]:+.4f}", str(old_rank[at]), str(new_rank[at]))
        for (name, old, new), (old_rank, new_rank) in zip(scores, ranks, strict=True)
    ]
    texts.table(("stage", "score", "edited score", "difference", "rank", "edited rank"), rows, "outcome")
    moved = int((before.comparison.ranks[3] != after.comparison.ranks[3]).sum())
    st.caption(f"{moved} of {len(before.comparison.rows)} candidates have another modulated rank.")


def _accounts(key: PairKey) -> None:
    with st.expander("Accounting by word: the change as a sum", on_change="rerun", key="word_accounts") as opened:
        if not opened.open:
            return
        st.caption(
            "Each word’s part of modulated − base with every norm held fixed; the parts sum exactly. Exact is not faithful: the part is not what the score would lose without the word."
        )
        left, right = st.columns([3, 2])
        for side, place in (("document", left), ("query", right)):
            drops, accounting = resources.word_drops(key, side)
            with place:
                if accounting is None:
                    notices.show("info", "Not available for this encoder", "Its embedding is not the plain mean of its tokens.")
                    continue
                total = float(accounting.words.sum()) + accounting.other + accounting.constant
                st.caption(f"Words of the {side}; sum {total:+.4f}")
                chart.show(
                    figures.word_accounting(drops, accounting), f"word_accounting_{side}", f"The change as a sum over words of the {side}"
                )


def _vocabulary(key: PairKey) -> None:
    with st.expander("Vocabulary view, as in the paper", on_change="rerun", key="vocabulary") as opened:
        if not opened.open:
            return
        st.caption(
            "Whole words of the encoder’s vocabulary near the back-projected change. They describe a direction of the space, not a cause, and most are not in the text. Beside each: how often an untrained adapter, and another query, name it as strongly. What does not beat both is no more than chance."
        )
        left, right = st.columns(2)
        for side, place in (("document", left), ("query", right)):
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


def _trust(key: PairKey) -> None:
    st.header("How far to trust this", anchor=False)
    record, job = resources.trust(key.data, key.adapter), resources.trust_job(key.data, key.adapter)
    notices.show("good" if record else "info", "This adapter’s deletion test", trust_sentence(record))
    if record is None:
        _measure(key, job)
    st.download_button(
        "Download this explanation as HTML", lambda: resources.report(key), f"explanation-{key.query or 'query'}-{key.document}.html", "text/html",
        on_click="ignore", key="report", help="One file, without scripts or links; opens without a network.",
    )  # fmt: skip


def _measure(key: PairKey, job: resources.TrustJob | None) -> None:
    """Offer the deletion test, or show how far it is."""
    splits = list(resources.collection(key.data).dataset.splits)
    if job is None:
        split = "dev" if "dev" in splits else splits[0] if splits else ""
        st.button(
            f"Test it on {TRUST_PAIRS} pairs (minutes)", key="measure_trust",
            on_click=lambda: resources.start_trust(key.data, key.adapter, split, TRUST_PAIRS),
        )  # fmt: skip
        return
    if job.error:
        notices.show("error", "The test stopped", job.error)
        return

    @st.fragment(run_every=POLL_SECONDS)
    def wait() -> None:
        passed = time.monotonic() - job.started
        left = f"about {passed / job.done * (job.total - job.done):.0f} s left" if job.done else "starting"
        st.progress(job.done / job.total, text=f"{job.done} of {job.total} pairs, {left}. You can go on with other pages.")
        if resources.trust_job(key.data, key.adapter) is None or job.error:
            st.rerun()

    wait()
