"""The fourth view: documents stay where they are, and the query moves."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from dashboard import formatting, state, theme
from dashboard.figures import effective as figures
from dashboard.figures.cloud import Cloud, Group
from dashboard.services import catalog, maps
from dashboard.views.map.pictures import LABELLED, Picture
from dashboard.widgets import notices, texts
from imrnns_core.projection.effective_view import EffectiveView
from imrnns_core.types import IntArray

TOP = 10
MOST_DOTS = 5_000
READING = (
    "The adapter’s work as one move of the query: from q to the effective query, by {:.0f}°. The "
    "documents stay where their base embeddings are. The picture is the plane of both queries, and "
    "nothing in it is estimated: a document farther to the right has a higher base score, and one "
    "farther along the direction of the effective query has a higher product with it. The dotted "
    "lines cut off the {} documents nearest to each query."
)
NEAREST = " Dots are the {:,} documents nearest to one of the two queries."
PASSAGES = (
    " A long document is drawn at its passage nearest to q, but ranked by the one nearest to the "
    "effective query: the second line can cut off other documents than its list has."
)
OWN = " The query is also a document: it is drawn, but no list has it."
FOUND = (
    "**{} of the {}** documents on the right are also among the {} with the highest modulated "
    "scores of the whole corpus. An inner product with the effective query leaves out two factors "
    "of the exact score, which differ little between documents."
)
MISSED = "Among the top 10 of the adapter, but not found by this search"
HEAD = ("rank", "nearest to q", "nearest to the effective query")
NEW = "new"


def picture(picture: Picture) -> tuple[go.Figure, list[Group]]:
    """Return the view and the groups of its cloud, and write how to read it."""
    view = maps.of_effective_query(state.current(), TOP)
    rows = _nearest(view)
    caption = READING.format(view.angle, len(view.base))
    if len(rows) < len(view.places):
        caption += NEAREST.format(len(rows))
    if catalog.collection(state.current().data).passages is not None:
        caption += PASSAGES
    if picture.comparison.query.id in picture.dataset.left_out:
        caption += OWN
    st.caption(caption)
    documents = picture.dataset.documents
    labels = None
    if len(documents) <= LABELLED:
        labels = [formatting.plain(f"{d.id}: {d.title}") for d in documents]
    groups = [Group("corpus", theme.UNJUDGED, rows)]
    boundaries = [
        figures.Boundary(direction, float(view.places[last] @ direction), name, colour)
        for direction, last, name, colour in (
            (np.array([1, 0], np.float32), view.base[-1], "◇ top 10", theme.BASE),
            (view.query, view.effective[-1], "◆ top 10", theme.MODULATED),
        )
    ]
    drawn = view.places[picture.comparison.rows[picture.drawn]]
    cloud = Cloud(view.places, groups, labels)
    return figures.effective(cloud, drawn, picture.points, boundaries, state.dark()), groups


def _nearest(view: EffectiveView) -> IntArray:
    """Return the rows of the documents that are drawn as dots, ascending."""
    # the larger of both products, so that a document near either query is drawn
    nearness = np.maximum(view.places[:, 0], view.places @ view.query)
    return np.sort(np.argsort(-nearness, kind="stable")[:MOST_DOTS])


def lists(picture: Picture) -> None:
    """List the documents nearest to either query, and say what the search with q_eff finds."""
    view, documents = maps.of_effective_query(state.current(), TOP), picture.dataset.documents
    st.header("Before and after", anchor=False)

    def name(row: int) -> str:
        document = documents[row]
        sign = formatting.RELEVANCE_SIGNS[
            formatting.relevance_name(picture.comparison.judgments.get(document.id, -1))
        ]
        return sign + formatting.cut(document.title or document.id, 40)

    before = set(view.base.tolist())
    rows = [
        (str(n), name(old), name(new) + ("" if new in before else f" ({NEW})"))
        for n, (old, new) in enumerate(
            zip(view.base.tolist(), view.effective.tolist(), strict=True), 1
        )
    ]
    texts.table(HEAD, rows, "effective_lists")
    missed = [name(row) for row in view.modulated.tolist() if row not in view.effective]
    st.markdown(FOUND.format(view.found, *[len(view.modulated)] * 2))
    if missed:
        notices.text_block(MISSED, "\n".join(missed))
