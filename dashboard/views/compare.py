"""Compare: what moved?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard import resources, state
from dashboard.components import chart, document_panel, notices, ranking_cards
from dashboard.components.ranking_cards import Card, Column
from dashboard.figures import compare, theme
from imrnns_core.dataset import Dataset
from imrnns_core.ranking import blend
from imrnns_core.records import STAGES, Comparison
from imrnns_core.runs import comparison_run

SNIPPET = 260
SHOWN = [5, 10, 20]


def show() -> None:
    selection = state.current()
    dataset = resources.collection(selection.data).dataset
    comparison = resources.selected_comparison(selection)
    notices.heading(
        "What moved?", "The base ranking beside the modulated one. Point at a card to see its twin, click it to read the document."
    )
    document_panel.query(comparison)
    _controls(comparison, dataset)
    scores, ranks = blend(comparison, state.current().alpha)
    rankings, side = st.columns([2, 1])
    with rankings:
        ranking_cards.show(_columns(comparison, dataset, scores, ranks), state.current().document, _pick, key="cards")
    with side:
        if comparison.judgments:
            ranking_cards.show([_ideal(comparison, dataset, ranks)], state.current().document, _pick, key="ideal_cards")
        document_panel.show(comparison, dataset, key="compare_document")
        _why(comparison)
        _where(comparison, dataset)
    st.subheader("Rank at every stage", anchor=False)
    st.caption("Documents in the top ranks at any stage. ★ relevant, ✕ judged not relevant, ● unjudged. Lines that cross changed places.")
    titles = {i: dataset.document[i].title for i in comparison.document_ids}
    figure = compare.bump(comparison, selection.shown, titles, state.current().document)
    for document_id, *_ in chart.clicks(figure, "bump").new[:1]:
        _pick(document_id)
        st.rerun()
    _table(comparison, dataset)


def _pick(document_id: str) -> None:
    state.update(document=document_id)


def _controls(comparison: Comparison, dataset: Dataset) -> None:
    left, middle, right = st.columns([1, 2, 3], vertical_alignment="bottom")
    left.selectbox("Documents a ranking", SHOWN, **state.bound("shown", SHOWN))
    middle.slider(
        "α, from base (0) to modulated (1)",
        0.0,
        1.0,
        step=0.05,
        help="The second ranking is by (1 − α) · base + α · modulated.",
        **state.bound("alpha"),
    )
    ids = list(comparison.document_ids)
    right.multiselect(
        "Feedback documents left out of the refinement", ids, max_selections=len(ids) - 1, format_func=lambda i: f"{i} · {dataset.document[i].title}",
        placeholder="None: all candidates refine the query", help="The modulated ranking is computed again without them; they stay ranked.",
        **state.bound_list("dropped", ids),
    )  # fmt: skip


def _columns(comparison: Comparison, dataset: Dataset, scores: NDArray[np.float32], ranks: NDArray[np.int64]) -> list[Column]:
    """Return base and modulated (or the blend) as columns of cards."""
    top_k, alpha, base = state.current().shown, state.current().alpha, comparison.ranks[0]
    name = "Modulated" if alpha == 1.0 else f"α = {alpha:.2f}"
    candidates = len(comparison.rows)

    def move(rank: int, other: int, towards: str) -> str:
        if rank == other:
            return f"{rank} → {other}"
        arrow = "↗" if other < rank else "↘"
        away = f" (not in the {towards} top {top_k})" if other > top_k else ""
        return f"{rank} {arrow} {other}{away}" if towards == "other" else f"{other} {'↗' if rank < other else '↘'} {rank}{away}"

    def cards(
        order: Sequence[int], own: NDArray[np.int64], shown: NDArray[np.float32], other: NDArray[np.int64], towards: str
    ) -> list[Card]:
        return [
            _card(comparison, dataset, i, str(own[i]), f"{shown[i]:.4f}", move(int(own[i]), int(other[i]), towards)) for i in order
        ]  # fmt: skip

    by_base, by_new = np.argsort(base)[:top_k], np.argsort(ranks)[:top_k]
    left = len(set(by_base) - set(by_new))
    return [
        Column(
            "Base",
            f"cosine of the frozen encoder; {candidates} candidates",
            cards(by_base.tolist(), base, comparison.scores[0], ranks, "other"),
        ),
        Column(name, f"new in the top {min(top_k, candidates)}: {left}", cards(by_new.tolist(), ranks, scores, base, "base")),
    ]


def _ideal(comparison: Comparison, dataset: Dataset, ranks: NDArray[np.int64]) -> Column:
    """Return the judged relevant documents, best grade first: where they stand now."""
    wanted = sorted((i for i, g in comparison.judgments.items() if g > 0), key=lambda i: -comparison.judgments[i])
    found = []
    for n, document_id in enumerate(wanted[: state.current().shown], 1):
        document, grade = dataset.document[document_id], comparison.judgments[document_id]
        at = comparison.position.get(document_id)
        move = "not among the candidates" if at is None else f"base {comparison.ranks[0, at]}, modulated {ranks[at]}"
        score = "" if at is None else f"{comparison.scores[3, at]:.4f}"
        found.append(
            Card(
                document_id,
                document.title or document_id,
                document.text[:SNIPPET],
                str(n),
                score,
                f"relevant ({grade})",
                theme.RELEVANT,
                move,
            )
        )
    return Column("Ideal order", f"{len(wanted)} judged relevant", found, "No document was judged relevant.")


def _card(comparison: Comparison, dataset: Dataset, i: int, rank: str, score: str, move: str) -> Card:
    document_id, grade = comparison.document_ids[i], int(comparison.relevance[i])
    document = dataset.document[document_id]
    badge = theme.relevance_name(grade) + (f" ({grade})" if grade > 0 else "")
    return Card(
        document_id, document.title or document_id, document.text[:SNIPPET], rank, score, badge, theme.relevance_colour(grade), move
    )


def _why(comparison: Comparison) -> None:
    """Say why the best relevant document is not on top, where that can be told."""
    selection = state.current()
    split = resources.collection(selection.data).dataset.split_of.get(comparison.query.id)
    if split is None or not any(grade > 0 for grade in comparison.judgments.values()):
        return
    found = {d.query_id: d for d in resources.diagnoses(selection.data, selection.adapter, split, selection.top_k)}.get(comparison.query.id)
    if found is None or found.ranks[-1] == 1:
        return
    st.subheader("Why is the relevant document not on top?", anchor=False)
    if not found.findings:
        notices.show(
            "info",
            "None of the known causes applies",
            "BM25 does not have it either, nothing is truncated, no near-duplicate stands above it.",
        )
    for finding in found.findings:
        notices.show("warning", finding.cause.capitalize(), finding.sentence)


def _where(comparison: Comparison, dataset: Dataset) -> None:
    with st.expander("Where is document X?"):
        wanted = (
            st.text_input("An id, or words of a title", key="where", placeholder="for example an id from your own logs").strip().lower()
        )
        if not wanted:
            return
        exact = [d for d in dataset.documents if d.id.lower() == wanted]
        found = exact or [d for d in dataset.documents if all(w in f"{d.id} {d.title}".lower() for w in wanted.split())][:5]
        if not found:
            notices.show("info", "No document has this id or these words in its title")
        rows = []
        for document in found:
            at = comparison.position.get(document.id)
            ranks = resources.ranker(state.current().data, state.current().adapter).corpus_ranks(comparison, document.id)
            inside = {s: None if at is None else int(comparison.ranks[n, at]) for n, s in enumerate(STAGES)}
            rows.append({"document": document.id, "title": document.title, **{f"{s} (candidates)": r for s, r in inside.items()}, **{f"{s} (corpus)": r for s, r in ranks.items()}})  # fmt: skip
        if rows:
            st.dataframe(pd.DataFrame(rows).set_index("document").T.astype("string").fillna("not a candidate"))
            st.caption(
                "Candidates: the rank among those that the base retriever handed on. Corpus: the rank if every document were scored."
            )


def _table(comparison: Comparison, dataset: Dataset) -> None:
    frame = pd.DataFrame({"document": comparison.document_ids, "title": [dataset.document[i].title for i in comparison.document_ids]})
    frame["relevance"] = [theme.relevance_name(int(g)) + (f" ({g})" if g > 0 else "") for g in comparison.relevance]
    for n, stage in enumerate(STAGES):
        frame[f"{stage} rank"] = comparison.ranks[n]
    frame["rise"] = comparison.ranks[0] - comparison.ranks[3]
    for n, stage in enumerate(STAGES):
        frame[f"{stage} score"] = comparison.scores[n]
    frame = frame.sort_values("modulated rank")
    st.subheader("All candidates", anchor=False)
    st.caption("Rise is base rank − modulated rank: positive where the document rose. Click a column to sort.")
    scores = {f"{s} score": st.column_config.NumberColumn(format="%.4f") for s in STAGES}
    st.dataframe(frame, hide_index=True, height=360, column_config=scores, key="candidates")
    name = comparison.query.id or "query"
    first, second, _ = st.columns([1, 1, 3])
    first.download_button("Download CSV", lambda: frame.to_csv(index=False), f"{name}.csv", "text/csv", on_click="ignore", key="csv")
    second.download_button(
        "Download TREC run", lambda: comparison_run(comparison, "modulated"), f"{name}.run", "text/plain", on_click="ignore", key="run"
    )
