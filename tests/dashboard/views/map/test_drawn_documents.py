"""Colours, tables and legends of Map."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import selection, state, theme
from dashboard.figures import plane
from dashboard.figures.cloud import Cloud
from dashboard.figures.map_marks import Points
from dashboard.figures.plane import Look, Move
from dashboard.views.map import controls, document_list, drawn_documents
from imrnns_core.retrieval.ranker import Ranker


def test_no_two_subjects_share_a_colour() -> None:
    subjects = [f"s{i}" for i in range(30) for _ in range(30 - i)]
    colours = drawn_documents.subject_colours(subjects)
    assert list(colours) == [f"s{i}" for i in range(len(theme.CLUSTERS))]
    assert len(set(colours.values())) == len(colours)
    assert theme.QUERY not in colours.values()
    assert theme.OTHER_GROUPS not in colours.values()


def test_the_cloud_has_the_colours_of_the_drawn_documents(
    sample: Ranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = selection.Selection(colour="subject")
    monkeypatch.setattr(state, "current", lambda: chosen)
    comparison, dataset = sample.compare("q054"), sample.collection.dataset
    drawn = drawn_documents.positions(comparison)
    marks = drawn_documents.colours(comparison, dataset, drawn, None)
    corpus_map: Any = None
    groups = drawn_documents.groups(comparison, dataset, drawn, corpus_map, False)
    colour = {int(row): group.colour for group in groups for row in group.rows}
    assert sorted(colour) == list(range(len(dataset.documents)))
    assert [colour[int(row)] for row in comparison.rows[drawn]] == marks.colours
    assert groups[-1].name == "other subjects"


def test_the_table_shows_the_columns_that_have_room(sample: Ranker) -> None:
    comparison = sample.compare("q054")
    ids = list(comparison.document_ids[:3])
    frame = document_list.document_frame(comparison, sample.collection.dataset, ids)
    assert list(frame.columns) == document_list.COLUMNS
    assert document_list.SHOWN_COLUMNS == [
        "title",
        "base rank",
        "modulated rank",
        "true movement",
    ]
    widths = [c["width"] for c in document_list._columns().values()]
    assert sum(widths) <= 358  # on a phone of 390 pixels
    assert document_list.ROW_PIXELS < 40


def space(paths: bool, three: bool) -> Any:
    ground = np.random.default_rng(0).random((9, 3 if three else 2), dtype=np.float32)
    points = Points(list("ab"), list("ab"), ["#000000"] * 2, ["star", "x"])
    move = Move(ground[:2], ground[2:4], (ground[5], ground[6]))
    look = Look("n", False, paths, ("PC 1 (9 %)", "PC 2 (4 %)", "PC 3 (2 %)"))
    return plane.plane(Cloud(ground, []), move, points, look)


@pytest.mark.parametrize("three", [False, True])
def test_hidden_ways_are_neither_drawn_nor_played(three: bool) -> None:
    shown, hidden = space(True, three), space(False, three)
    assert len(shown.data) > len(hidden.data)
    assert not any("lines" in (trace.mode or "") for trace in hidden.data)
    assert (len(shown.frames), len(hidden.frames)) == (3, 0)
    assert [bool(f.layout.updatemenus) for f in (shown, hidden)] == [True, False]
    assert [bool(f.layout.sliders) for f in (shown, hidden)] == [True, False]
    # the marks stay
    assert [t.name for t in hidden.data if t.name][-2:] == ["query, projected", "query, modulated"]


def test_axes_in_three_dimensions_are_named() -> None:
    scene = space(True, True).layout.scene
    names = [axis.title.text for axis in (scene.xaxis, scene.yaxis, scene.zaxis)]
    assert names == ["PC 1 (9 %)", "PC 2 (4 %)", "PC 3 (2 %)"]


def test_every_choice_has_a_label() -> None:
    assert list(controls.VIEWS) == selection.options("view")
    assert list(controls.DRAGGING) == selection.options("drag")


def agreements() -> None:
    import numpy as np
    import streamlit as st

    from dashboard.views.map import pictures
    from imrnns_core.projection.arrow_agreement import ArrowAgreement
    from imrnns_core.projection.movement import DrawnMovement

    places, true = np.zeros((3, 2), np.float32), np.array([0.01, 0.02, 0.09], np.float32)
    for p in (0.06, 0.012):
        agreement = ArrowAgreement(0.5, p, 0.25, 0.001, -0.004)
        drawn = DrawnMovement(places, places, places[0], places[0], true, agreement)
        st.text(f"paths: {pictures._agreement_notice(drawn, 'About this map.')}")


def test_a_switch_shows_the_arrows_that_are_no_better_than_chance() -> None:
    app = AppTest.from_function(agreements).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["paths: False", "paths: True"]
    # the sentences have the measured figures and the rule, so that a reader can check it
    hidden, drawn = (str(box.proto) for box in app.get("html")[:2])
    assert "fail at least one of two tests against chance" in hidden
    assert "The arrows pass both tests against chance<" in drawn
    assert "lengths with the true movements: +0.50 (p = 0.0600)" in hidden
    assert "lengths with the true movements: +0.50 (p = 0.0120)" in drawn
    for box in (hidden, drawn):
        assert "directions with the true changes of similarity: +0.25 (p = 0.0010)" in box
    for expander in app.expander:
        text = expander.markdown[0].value
        assert "- About this map.\n- True movement: median cosine distance 0.0200" in text
    (switch,) = app.toggle
    assert switch.label == "Show these arrows"
    assert [text.value for text in switch.set_value(True).run().text] == ["paths: True"] * 2


def test_the_map_names_which_documents_are_drawn(sample: Ranker) -> None:
    comparison = sample.compare("q054")
    drawn = drawn_documents.positions(comparison)
    base, modulated = comparison.rank("base")[drawn], comparison.rank("modulated")[drawn]
    top = int(document_list.DRAWN.rule.split()[2])
    assert ((base <= top) | (modulated <= top) | (comparison.relevance[drawn] > 0)).all()
    assert {*range(1, top + 1)} <= set(base.tolist()) & set(modulated.tolist())


def test_a_long_title_is_cut_with_a_sign() -> None:
    assert (
        document_list._cut("Sri Jayawardenepura Kotte, the capital") == "Sri Jayawardenepura Kott…"
    )
    assert document_list._cut("★ The Hague") == "★ The Hague"
