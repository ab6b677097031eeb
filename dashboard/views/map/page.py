"""Map: where did they go?"""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import state
from dashboard.figures.cloud import Group
from dashboard.figures.map_marks import Points
from dashboard.services import catalog, comparisons, maps
from dashboard.views.map import (
    controls,
    document_list,
    drawn_documents,
    legend,
    map_progress,
    pictures,
)
from dashboard.widgets import chart, document_panel, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.corpus_map import CorpusMap
from imrnns_core.retrieval.comparison import Comparison


def show() -> None:
    """Draw the page."""
    notices.heading(
        "Where did they go?",
        "Three pictures of the same move. Only the target view is exact; the maps stand beside "
        "their noise floor. Click a mark to read its document.",
    )
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    controls.show(dataset)
    chosen = drawn_documents.chosen(comparison)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        corpus_map = maps.corpus_map(selection.data, selection.adapter)
        if corpus_map is None and controls.needs_map():
            map_progress.show(len(dataset.documents))
            return
        colours, names = drawn_documents.colours(comparison, dataset, chosen, corpus_map)
        points = drawn_documents.points(comparison, dataset, chosen, colours)
        inside, changed = _picture(comparison, dataset, chosen, points, corpus_map)
        legend.show(colours, names)
    if changed and len(inside) == 1:
        state.update(document=inside[0])
        st.rerun()
    with right:
        document_panel.show(comparison, dataset, key="map_document")
        if len(inside) > 1:
            document_list.show(comparison, dataset, inside, document_list.LASSO)
        else:
            drawn = [comparison.document_ids[i] for i in chosen]
            document_list.show(comparison, dataset, drawn, document_list.DRAWN)


def _picture(
    comparison: Comparison,
    dataset: Dataset,
    chosen: NDArray[np.int64],
    points: Points,
    corpus_map: CorpusMap | None,
) -> tuple[list[str], bool]:
    """Draw the picture; return the documents that are picked in it, and whether they changed."""
    selection, three = state.current(), controls.is_three()
    groups: list[Group] = []
    picture = pictures.Picture(comparison, dataset, chosen, points)
    if selection.view == "target" or corpus_map is None:
        figure = pictures.target(picture)
    else:
        figure, groups = pictures.plane(picture, corpus_map, three)
    if selection.drag == "lasso" and not three:
        figure.layout.dragmode = "lasso"
    picked = chart.clicks(
        figure,
        f"map_{selection.view}_{'3-D' if three else '2-D'}",
        f"{len(chosen)} documents around the query, from base to modulated: {selection.view} "
        "view. The list beside it has their ranks.",
        lasso=True,
        context=selection.query or selection.text,
    )
    ids = [drawn_documents.document_id(mark, groups, dataset) for mark in picked.marks]
    return list(dict.fromkeys(i for i in ids if i)), picked.changed
