"""Map: where did the documents go?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.figures.cloud import Group
from dashboard.services import catalog, comparisons, maps
from dashboard.views.map import (
    controls,
    document_list,
    drawn_documents,
    effective,
    legend,
    map_progress,
    pictures,
)
from dashboard.widgets import adapter_hint, chart, document_panel, notices
from imrnns_core.projection.corpus_map import CorpusMap

HEADING = (
    "Where did the documents go?",
    "Two exact views and two maps of the movement. Each map says how far its arrows can be "
    "trusted. Click a mark to read its document.",
)
BASE_HEADING = (
    "Where are the documents?",
    "Three views of the query and its candidates in the corpus. Only the target view is exact. "
    "Click a mark to read its document.",
)

PASSAGES = (
    "Long documents are split here. Each has the place of its beginning; its arrow is that of the "
    "passage by which it is ranked."
)


def show() -> None:
    """Draw the page."""
    notices.heading(*(HEADING if state.has_adapter() else BASE_HEADING))
    if adapter_hint.needs_vectors("The map"):
        return
    adapter_hint.show("arrows: how far each document moves, and where to")
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    catalog.collection(selection.data).require_cosine("maps work")
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    controls.show(dataset)
    drawn = drawn_documents.positions(comparison)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        corpus_map = maps.corpus_map(selection.data, selection.system)
        # the target view needs no map, unless it is coloured by cluster
        if corpus_map is None and controls.needs_map():
            map_progress.show(len(dataset.documents))
            return
        colours = drawn_documents.colours(comparison, dataset, drawn, corpus_map)
        points = drawn_documents.points(comparison, dataset, drawn, colours.colours)
        picture = pictures.Picture(comparison, dataset, drawn, points)
        selected, changed = _picture(picture, corpus_map)
        legend.show(colours)
    # several documents are a selection to list, not one to open
    if changed and len(selected) == 1:
        state.update(document=selected[0])
        st.rerun()
    with right:
        document_panel.show(comparison, dataset, key="map_document")
        if len(selected) > 1:
            document_list.show(comparison, dataset, selected, document_list.LASSO)
        elif state.current().view == "effective":
            effective.lists(picture)
        else:
            ids = [comparison.document_ids[i] for i in drawn]
            listing = document_list.DRAWN if state.has_adapter() else document_list.BASE_DRAWN
            document_list.show(comparison, dataset, ids, listing)


def _picture(picture: pictures.Picture, corpus_map: CorpusMap | None) -> tuple[list[str], bool]:
    """Draw the view; return the ids of the documents selected in it, and whether they changed."""
    selection, three = state.current(), controls.is_three()
    groups: list[Group] = []
    if selection.view == "effective":
        figure, groups = effective.picture(picture)
    elif selection.view == "target" or corpus_map is None:
        figure = pictures.target(picture)
    else:
        if catalog.collection(selection.data).passages is not None:
            st.caption(PASSAGES)
        figure, groups = pictures.plane(picture, corpus_map, three)
    if selection.drag == "lasso" and not three:
        figure.layout.dragmode = "lasso"
    clicks = chart.clicks(
        figure,
        f"map_{selection.view}_{'3-D' if three else '2-D'}",
        f"{len(picture.drawn)} documents and the query: "
        f"{controls.VIEWS[selection.view]} view. The table next to it has their ranks.",
        lasso=True,
        # a selection that was made for another query names other documents
        context=selection.query or selection.text,
    )
    dataset = picture.dataset
    ids = [drawn_documents.document_id(mark, groups, dataset) for mark in clicks.marks]
    # a candidate can be hit twice: as a mark and as a dot of the cloud
    return list(dict.fromkeys(i for i in ids if i)), clicks.changed
