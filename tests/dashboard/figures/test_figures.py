"""Figures are functions: what they draw is asserted by value."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard import formatting, theme
from dashboard.figures import accounting as accounting_figures
from dashboard.figures import (
    adapter_parts,
    compare,
    effective,
    label_placement,
    map_marks,
    modulation,
    overview,
    target,
)
from dashboard.figures import plane as planes
from dashboard.figures.cloud import Cloud, Group
from dashboard.figures.map_marks import Points
from dashboard.figures.modulation import HeatmapValues
from dashboard.figures.plane import Look, Move
from dashboard.widgets import tables
from imrnns_core.evaluation.gain_decomposition import GainOfPart
from imrnns_core.explanation.score_accounting import account
from imrnns_core.projection.movement import true_movement
from imrnns_core.projection.target_view import TargetView, target_view
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import STAGES
from tests import toys
from tests.toys import stage_ranks, stage_scores


@pytest.fixture(scope="module")
def ranker(tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    space = Workspace(tmp_path_factory.mktemp("space"))
    return Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))


@pytest.fixture(scope="module")
def comparison(ranker: Ranker) -> Comparison:
    return ranker.compare("q007")


def test_texts_are_escaped_wrapped_and_cut() -> None:
    assert formatting.plain("<b>x</b> & y") == "&lt;b&gt;x&lt;/b&gt; &amp; y"
    assert formatting.plain("one two three four", width=9, lines=2) == "one two<br>three …"
    assert formatting.short("<script>" * 9, 10) == "&lt;script&gt;&lt;…"
    assert [
        formatting.cut(t, 9) for t in ("one two three", "threefold words", "one  two", "…", "")
    ] == [
        "one two…",
        "threefol…",
        "one two",
        "…",
        "",
    ]


def test_relevance_has_one_name_and_one_colour() -> None:
    assert [formatting.relevance_name(g) for g in (-1, 0, 1, 3)] == [
        "unjudged",
        "not relevant",
        "relevant",
        "relevant",
    ]
    assert theme.relevance_colour(2) == theme.RELEVANT


def test_bump_draws_every_top_document_and_every_relevant_one(comparison: Comparison) -> None:
    titles = {d: f"<i>{n}</i>" for n, d in enumerate(comparison.document_ids)}
    figure = compare.bump(comparison, 5, titles, "mexican-peso")
    drawn: dict[str, list[float]] = {}
    for trace in figure.data:
        for custom, x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
            assert (custom is None) == (x is None) == (y is None)
            if custom is not None:
                drawn.setdefault(custom[0], []).append(y)
        assert list(trace.x) == [*STAGES, None] * (len(trace.x) // 5)
    expected = {
        d: np.minimum(stage_ranks(comparison)[:, i], 10).tolist()
        for i, d in enumerate(comparison.document_ids)
        if stage_ranks(comparison)[:, i].min() <= 5
        or comparison.relevance[i] > 0
        or d == "mexican-peso"
    }
    assert drawn == expected
    rows = [comparison.position[d] for d in expected]
    deepest = min(10, int(stage_ranks(comparison)[:, rows].max()))
    assert list(figure.layout.yaxis.range) == [deepest + 0.7, 0.3]
    assert [(a.y, a.text) for a in figure.layout.annotations][:5] == [
        (rank, f"&lt;i&gt;{i}&lt;/i&gt;")
        for rank, i in enumerate(comparison.order("modulated")[:5], 1)
    ]
    assert all("<i>" not in text for trace in figure.data for text in trace.text if text)
    picked = next(trace for trace in figure.data if trace.line.width == 4)
    assert {c[0] for c in picked.customdata if c} == {"mexican-peso"}


def test_bump_cuts_names_at_the_end_of_a_word_and_has_them_whole_on_hover(
    comparison: Comparison,
) -> None:
    names = [
        "El Salvador gives up the colón",
        "Interchangeable dollars & more",
        "Sol",
        "Donaudampfschifffahrtsgesellschaft",
        "",
    ]
    order = [comparison.document_ids[i] for i in comparison.order("modulated")]
    titles = dict.fromkeys(order, "") | dict(zip(order, names, strict=False))
    shown = compare.bump(comparison, 5, titles).layout.annotations[:5]
    assert [a.text for a in shown] == [
        "El Salvador gives…",
        "Interchangeable…",
        "Sol",
        "Donaudampfschifffah…",
        formatting.cut(order[4], 20),
    ]
    assert [a.hovertext for a in shown[:2]] == [
        "El Salvador gives up the colón",
        "Interchangeable dollars &amp; more",
    ]


def test_bump_names_documents_with_the_same_title_by_their_id(comparison: Comparison) -> None:
    order = [comparison.document_ids[i] for i in comparison.order("modulated")]
    titles = {d: f"Title {d}" for d in order} | dict.fromkeys(order[:2], "El Salvador")
    figure = compare.bump(comparison, 5, titles)
    shown = [a.text for a in figure.layout.annotations[:3]]
    assert shown == [*(i if len(i) <= 20 else "…" + i[-19:] for i in order[:2]), shown[2]]
    assert shown[2].startswith("Title")
    # a wide screen has room for more of a title, so fewer become equal
    assert figure.layout.meta["names"][2] == f"Title {order[2]}"


def test_bump_names_lines_that_leave_the_top_and_keeps_its_legend() -> None:
    angles = np.radians(np.arange(0.0, 24.0, 2.0))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    space = toys.collection(vectors, [vectors[0]], {"q0": {}})
    comparison = toys.Ranker(space, toys.adapter(toys.still_model(2))).compare("q0")
    picked = comparison.document_ids[comparison.order("modulated")[8]]
    titles = {i: f"Title {i}" for i in comparison.document_ids}
    figure = compare.bump(comparison, 5, titles, picked)
    assert (9, f"Title {picked}") in [(a.y, a.text) for a in figure.layout.annotations]
    assert {t.name for t in figure.data} == {"unjudged", "unjudged, selected"}
    assert figure.layout.showlegend is True
    drawn = {c[0] for trace in figure.data for c in trace.customdata if c}
    deepest = int(stage_ranks(comparison)[:, [comparison.position[i] for i in drawn]].max())
    assert deepest > 10
    assert compare.lower_edge(comparison, 5, picked) == (10, deepest)


def test_heatmap_clips_alike_and_catches_clicks() -> None:
    values = np.array([[0.1, -0.2, 0.3], [0.0, 0.5, -0.6]], np.float32)
    figure = modulation.heatmap(
        HeatmapValues(values, ["d1", "d2"], ["one", "two"], np.array([7, 3, 9]), 0.25, "shift"),
        False,
    )
    bar, heat, squares = figure.data
    np.testing.assert_allclose(bar.y, [0.05, 0.35, 0.45], atol=1e-6)
    assert (heat.zmin, heat.zmax, heat.zmid) == (-0.25, 0.25, 0)
    np.testing.assert_array_equal(heat.z, values)
    assert list(map(list, squares.customdata)) == [
        ["d1", 7],
        ["d1", 3],
        ["d1", 9],
        ["d2", 7],
        ["d2", 3],
        ["d2", 9],
    ]
    assert (list(squares.x), list(squares.y)) == (["7", "3", "9"] * 2, [0, 0, 0, 1, 1, 1])
    assert squares.text[5] == "−0.6000"
    assert figure.layout.xaxis.type == "category"
    assert list(figure.layout.yaxis.ticktext) == ["one", "two"]


def test_columns_stand_by_strength_sign_or_cluster() -> None:
    rise, fall = np.array([0.3, 0.1, 0.2]), np.array([-0.2, -0.1, 0.1])
    values = np.stack(
        [1.0 * rise, 0.9 * fall, 1.1 * rise, 1.2 * fall, 0.0 * rise, 1.2 * rise], axis=1
    ).astype(np.float32)
    assert modulation.sort_dimensions(values, 5, "strength").tolist() == [5, 2, 0, 3, 1]
    assert modulation.sort_dimensions(values, 2, "strength").tolist() == [5, 2]
    assert modulation.sort_dimensions(values, 5, "sign").tolist() == [5, 2, 0, 1, 3]
    order = modulation.sort_dimensions(values, 5, "cluster").tolist()
    assert sorted(order) == [0, 1, 2, 3, 5]
    assert {frozenset(order[:2]), frozenset(order[3:])} & {
        frozenset({1, 3})
    }  # those that fall stand together, at one end
    figure = modulation.heatmap(
        HeatmapValues(
            values[:, order], ["a", "b", "c"], ["a", "b", "c"], np.array(order), 0.25, "shift"
        ),
        False,
    )
    assert list(figure.data[1].x) == [str(d) for d in order]
    np.testing.assert_array_equal(figure.data[1].z, values[:, order])
    assert [c[1] for c in figure.data[2].customdata[:5]] == order


@pytest.mark.parametrize(
    ("limit", "end"),
    [(0.000361, "0.00036"), (0.5, "0.5"), (0.1149, "0.11"), (1e-6, "0.000001"), (12.3, "12")],
)
def test_colour_scales_name_both_ends(limit: float, end: str) -> None:
    values = np.zeros((1, 2), np.float32)
    heat = modulation.heatmap(
        HeatmapValues(values, ["a"], ["a"], np.array([0, 1]), limit, "part"), False
    ).data[1]
    rows = [modulation.Strip(name, values[0], limit) for name in ("s", "b")]
    strips = modulation.strips(rows, "dimension", False).data
    for bar in (heat.colorbar, *(strip.colorbar for strip in strips)):
        assert list(bar.tickvals) == [-limit, 0, limit]
        assert list(bar.ticktext) == [f"−{end}", "0", f"+{end}"]
        assert bar.ticklabeloverflow == "allow"


def test_strips_are_about_zero_on_fixed_ranges() -> None:
    scale, bias = np.array([0.01, -0.02], np.float32), np.array([0.3, -0.1], np.float32)
    rows = [modulation.Strip("scale", scale, 0.05), modulation.Strip("bias", bias, 0.2)]
    figure = modulation.strips(rows, "dimension", True)
    first, second = figure.data
    assert [(t.zmin, t.zmid, t.zmax) for t in (first, second)] == [(-0.05, 0, 0.05), (-0.2, 0, 0.2)]
    np.testing.assert_array_equal(first.z, [scale])
    np.testing.assert_array_equal(second.z, [bias])
    assert (first.y[0], second.y[0]) == ("scale", "bias")
    assert figure.layout.xaxis.title.text == "dimension"
    rows[1] = modulation.Strip("bias", 0 * bias, 1e-6)
    alone = modulation.strips(rows, "dimension", True)
    assert [trace.y[0] for trace in alone.data] == ["scale"]
    assert (alone.layout.yaxis.domain, alone.layout.xaxis.anchor) == ((0, 1), "y")


def test_the_effective_query_moves_and_documents_stay() -> None:
    places = np.array([[0.9, 0.0], [0.5, 0.5], [0.1, -0.4]], np.float32)
    moved = np.array([0.8, 0.6], np.float32)
    cloud = Cloud(places, [Group("corpus", theme.UNJUDGED, np.array([0, 2]))])
    points = Points(["d1"], ["d1: label"], [theme.RELEVANT], ["star"])
    lines = [
        effective.Boundary(np.array([1, 0], np.float32), 0.5, "top 2 of q", theme.BASE),
        effective.Boundary(moved, 0.7, "top 2 of the effective query", theme.MODULATED),
    ]
    figure = effective.effective(cloud, places[1:2], points, lines)
    go.Figure(figure)  # Plotly checks every name
    dots, base, other, marks, way, query, effective_query = figure.data
    assert (list(dots.x), list(marks.x), list(marks.y)) == ([0.9, 0.1], [0.5], [0.5])
    assert list(base.x) == [0.5, 0.5]
    # every point of the other line has the product .7 with q_eff
    np.testing.assert_allclose(np.array(other.x) * 0.8 + np.array(other.y) * 0.6, 0.7, atol=1e-6)
    assert (way.x[0], way.y[0]) == (1.0, 0.0)
    np.testing.assert_allclose([way.x[-1], way.y[-1]], moved, atol=1e-6)
    assert (query.x[0], effective_query.x[0]) == pytest.approx((1.0, 0.8))
    assert {note.text for note in figure.layout.annotations} == {line.name for line in lines}
    (low, high), (bottom, top) = figure.layout.xaxis.range, figure.layout.yaxis.range
    assert (low < 0.1, high > 1, bottom < -0.4, top > 0.6) == (True, True, True, True)
    assert figure.layout.yaxis.scaleanchor == "x"  # right angles stay right


def test_waterfall_sums(comparison: Comparison) -> None:
    accounting = account(comparison)
    base, projector, document, query, total = accounting_figures.waterfall(accounting, 3).data[0].y
    assert base + projector + document + query == pytest.approx(total, abs=1e-6)
    assert total == pytest.approx(comparison.score("modulated")[3])
    written = accounting_figures.waterfall(accounting, 3).data[0].text
    assert [float(text.replace("−", "-")) for text in written] == pytest.approx(
        [base, projector, document, query, total], abs=5e-5
    )
    assert not any("-" in text for text in written)


def test_parts_are_the_accounting(comparison: Comparison) -> None:
    accounting, order = account(comparison), np.array([4, 0])
    projector, document, query, change = accounting_figures.score_parts(
        accounting, order, comparison.document_ids, ["a", "b"], False
    ).data
    np.testing.assert_allclose(projector.x + document.x + query.x, change.x, atol=1e-6)
    assert projector.customdata[0][0] == comparison.document_ids[4]


def test_target_distance_is_the_true_angle(comparison: Comparison) -> None:
    chosen = np.arange(8)
    view = target_view(comparison, chosen)
    points = Points(
        [comparison.document_ids[i] for i in chosen], ["x"] * 8, ["#000000"] * 8, ["circle"] * 8
    )
    figure = target.target(view, {1: float(view.radius[-1].min())}, points)
    end = next(t for t in figure.data if t.name == "modulated")
    inner = view.radius.min() - 4
    np.testing.assert_allclose(
        np.hypot(end.x, end.y) + inner,
        np.degrees(np.arccos(stage_scores(comparison)[3, chosen])),
        atol=1e-3,
    )
    assert [f.name for f in figure.frames] == list(STAGES)
    first = figure.frames[0].data[0]
    np.testing.assert_allclose(
        np.hypot(first.x, first.y) + inner,
        np.degrees(np.arccos(stage_scores(comparison)[0, chosen])),
        atol=1e-3,
    )
    (arrows,) = [t for t in figure.data if t.mode == "lines+markers"]
    assert len(arrows.x) == 4 * 8
    np.testing.assert_allclose(
        np.hypot(arrows.x[0::4], arrows.y[0::4]) + inner,
        np.degrees(np.arccos(stage_scores(comparison)[0, chosen])),
        atol=1e-3,
    )
    np.testing.assert_allclose(arrows.x[2::4], end.x)


def test_rings_stand_at_their_angle_and_only_where_they_leave_room() -> None:
    view = TargetView(
        np.array([[50.0, 60.0]] * 4, np.float32), np.array([0.0, 180.0], np.float32)
    )  # the picture starts at 46°
    rings = {1: 50.0, 5: 65.0, 10: 67.0, 100: 67.1}
    drawn = target.drawn_rings(view, rings)
    assert drawn == {1: 50.0, 5: 65.0, 10: 67.0}
    points = Points(["a", "b"], ["a", "b"], ["#000000"] * 2, ["circle"] * 2)
    figure = target.target(view, drawn, points)
    lines = [t for t in figure.data if t.mode == "lines"]
    np.testing.assert_allclose(
        [np.hypot(t.x, t.y) for t in lines], [[4.0] * 120, [19.0] * 120, [21.0] * 120]
    )
    assert figure.layout.xaxis.range[1] == pytest.approx(
        21 * 1.08
    )  # a ring beyond the documents is in the picture
    notes = figure.layout.annotations
    assert [n.text for n in notes] == ["rank 1", "rank 5", "rank 10, 67.0°"]
    np.testing.assert_allclose([np.hypot(n.x, n.y) for n in notes], [4.0, 19.0, 21.0], rtol=1e-6)
    assert {n.bgcolor for n in notes} == {"rgba(255,255,255,0.85)"}
    assert all(abs(n.y) > 1 for n in notes)  # both arrows lie on the axis y = 0


def test_labels_lie_beside_each_other_and_off_the_marks() -> None:
    steps = np.array([[0.0, 0.0], [0.0, 2.0], [0.0, 4.0]])
    three = label_placement.places(
        [steps] * 4, [(10.0, 2.0)] * 4, np.array([[1.0, 0.0], [1.0, 0.5], [1.0, 2.0]])
    )
    assert three == [
        (0.0, 4.0),
        (0.0, 2.0),
        (0.0, 0.0),
        None,
    ]  # the emptiest place first; the last finds none
    apart = label_placement.places(
        [steps, np.add(steps, [10.0, 0.0])], [(10.0, 2.0)] * 2, np.empty((0, 2))
    )
    assert apart == [(0.0, 0.0), (10.0, 0.0)]


def test_the_target_view_is_coloured_by_true_movement(comparison: Comparison) -> None:
    chosen = np.arange(8)
    moved = true_movement(comparison)[chosen]
    points = Points(
        list("abcdefgh"), list("abcdefgh"), theme.movement_colours(moved, False), ["circle"] * 8
    )
    drawn = next(
        t
        for t in target.target(target_view(comparison, chosen), {}, points).data
        if t.name == "modulated"
    )
    assert (drawn.marker.color[moved.argmin()], drawn.marker.color[moved.argmax()]) == (
        "rgb(143, 143, 156)",
        "rgb(91, 26, 139)",
    )
    assert len(set(drawn.marker.color)) == 8


def test_maps_leave_the_legend_to_the_page() -> None:
    view = TargetView(np.array([[50.0, 60.0]] * 4, np.float32), np.array([0.0, 180.0], np.float32))
    points = Points(["a", "b"], ["a", "b"], [theme.RELEVANT] * 2, ["star"] * 2)
    for figure in (target.target(view, {}, points), plane(10, 1), plane(10, 1, three=True)):
        assert figure.layout.showlegend is False
        assert len([t for t in figure.data if t.name == "modulated"]) == 1


def test_the_head_of_an_arrow_is_in_its_middle_where_no_mark_covers_it() -> None:
    points = Points(["a"], ["a"], [theme.RELEVANT], ["star"])
    (arrow,) = map_marks.arrows((np.zeros(1), np.zeros(1)), (np.ones(1), np.full(1, 4)), points)
    np.testing.assert_array_equal(arrow["x"], [0, 0.5, 1, np.nan])
    np.testing.assert_array_equal(arrow["y"], [0, 2, 4, np.nan])
    assert [bool(s) for s in arrow["marker"]["size"]] == [False, True, False, False]


def plane(
    count: int, groups: int, three: bool = False, labels: list[str] | None = None
) -> go.Figure:
    rng = np.random.default_rng(0)
    ground = rng.normal(size=(count, 3 if three else 2)).astype(np.float32)
    kinds = [
        Group(f"peso, <b>{n}</b>", theme.CLUSTERS[n], np.arange(n, count, groups))
        for n in range(groups)
    ]
    points = Points(
        list("abc"), list("abc"), ["#000000", "#111111", "#000000"], ["star", "x", "circle"]
    )
    return planes.plane(
        Cloud(ground, kinds, labels),
        Move(ground[:3], ground[:3] + 0.5, (ground[3], ground[4])),
        points,
        Look("n"),
    )


def test_plane_has_corpus_move_and_query() -> None:
    figure = plane(10, 2, labels=[f"l{i}" for i in range(10)])
    even, odd = figure.data[:2]
    assert even.type == "scattergl"
    assert list(odd.text) == ["l1", "l3", "l5", "l7", "l9"]
    start = np.stack([even.x[:2], even.y[:2]], 1)  # documents 0 and 2
    moved = next(t for t in figure.data if t.name == "modulated")
    np.testing.assert_allclose(np.stack([moved.x, moved.y], 1)[[0, 2]], start + 0.5)
    arrows = [t for t in figure.data if t.mode == "lines+markers"]
    assert [len(t.x) for t in arrows] == [8, 4]  # one trace a colour, a gap after each arrow
    np.testing.assert_allclose(arrows[0].x[:3], start[0, 0] + np.array([0, 0.25, 0.5]))
    squares = [f'<span style="color:{colour}">■</span> ' for colour in theme.CLUSTERS]
    assert [a.text for a in figure.layout.annotations] == [
        f"{squares[n]}peso, &lt;b&gt;{n}&lt;/b&gt;" for n in (0, 1)
    ]
    queries = [t for t in figure.data if (t.name or "").startswith("query")]
    assert [t.marker.symbol for t in queries] == ["diamond-open", "diamond"]


@pytest.mark.parametrize("three", [False, True])
def test_plane_plays_the_stages(three: bool) -> None:
    """Documents move with document modulation, the query with its refinement.

    Base and projected are one place.
    """
    figure = plane(10, 1, three)
    ground = np.stack([figure.data[0][axis] for axis in ("xyz" if three else "xy")], axis=1)
    assert [f.name for f in figure.frames] == ["projected", "document-modulated", "modulated"]
    assert [step.label for step in figure.layout.sliders[0].steps] == [
        "projected",
        "document-<br>modulated",
        "modulated",
    ]
    assert [step.args[0][0] for step in figure.layout.sliders[0].steps] == [
        f.name for f in figure.frames
    ]
    places = [
        [np.stack([t[axis] for axis in ("xyz" if three else "xy")], axis=1) for t in f.data]
        for f in figure.frames
    ]
    for (documents, query), moved, refined in zip(places, (0.0, 0.5, 0.5), (3, 3, 4), strict=True):
        np.testing.assert_allclose(documents, ground[:3] + moved, rtol=1e-6)
        np.testing.assert_allclose(query, ground[refined : refined + 1], rtol=1e-6)
    for frame in figure.frames:
        assert [figure.data[n].name for n in frame.traces] == ["modulated", "query, modulated"]
    assert figure.layout.updatemenus[0].buttons[0].args[1]["frame"]["redraw"] == three


def test_marks_are_the_same_in_three_dimensions() -> None:
    flat, deep = (
        next(t for t in plane(10, 1, three).data if t.name == "modulated")
        for three in (False, True)
    )
    assert list(flat.marker.symbol) == ["star", "x", "circle"]
    assert list(deep.text) == ["★", "✕", "●"]
    assert list(deep.textfont.color) == list(flat.marker.color)
    assert list(deep.hovertext) == list(flat.text)
    assert deep.type == "scatter3d"


def test_names_of_groups_that_have_no_room_are_left_out() -> None:
    ground = np.array([[0, 0]] * 5 + [[0, 0.001]] * 4 + [[1, 1]] * 3, np.float32)
    kinds = [
        Group(f"group {n}", theme.CLUSTERS[n], np.array(rows))
        for n, rows in enumerate(([9, 10, 11], [5, 6, 7, 8], [0, 1, 2, 3, 4]))
    ]
    points = Points(["a"], ["a"], ["#000000"], ["star"])
    figure = planes.plane(
        Cloud(ground, kinds),
        Move(ground[:1], ground[:1], (ground[11], ground[11])),
        points,
        Look("n"),
    )
    notes = {n.text.split("> ")[1]: (n.x, n.y) for n in figure.layout.annotations}
    assert list(notes) == ["group 2", "group 1", "group 0"]  # the largest first
    line = label_placement.LINE / label_placement.NARROW
    assert notes["group 1"][1] != pytest.approx(notes["group 2"][1])
    assert abs(notes["group 1"][1] - notes["group 2"][1]) >= line * 0.99
    crowd = planes.plane(
        Cloud(ground[:9], [Group(f"group {n}", "#000000", np.arange(9)) for n in range(30)]),
        Move(ground[:1], ground[:1], (ground[0], ground[0])),
        points,
        Look("n"),
    )
    assert len(crowd.layout.annotations) < 10


def test_a_cloud_of_a_hundred_thousand_documents_is_small_to_send() -> None:
    figure = plane(100_000, 12)
    assert sum(len(t.x) for t in figure.data if t.type == "scattergl") == 100_000
    assert len(figure.to_json()) < 1_500_000  # two float32 a document, in base64
    assert sum(t.type == "scattergl" for t in figure.data) == 12


def test_controls_are_seen_on_both_pages() -> None:
    layout = plane(10, 1).layout
    for control in (layout.updatemenus[0], layout.sliders[0]):
        assert control.bgcolor.startswith("rgba(128,138,152")  # neither white nor black
        assert control.font.color == theme.page_colours(False).text


def test_groups_show_means_and_interval() -> None:
    rows = [
        overview.GroupRow("all", 10, 0.45, 0.5, 0.6, (0.05, 0.15), "helps"),
        overview.GroupRow("seen", 4, 0.41, 0.4, 0.35, (-0.1, -0.02), "harms"),
        overview.GroupRow("unseen", 6, 0.41, 0.4, 0.35, (-0.1, -0.02), "not shown"),
    ]
    figure = overview.groups(rows, "nDCG@10")
    bands = [t for t in figure.data if t.mode == "lines" and t.line.width == 14]
    assert [list(b.x) for b in bands] == [
        pytest.approx(ends) for ends in ([0.55, 0.65], [0.3, 0.38], [0.3, 0.38])
    ]
    # an interval that excludes zero is grey if the corrected test shows nothing
    assert [b.line.color for b in bands] == [theme.UP, theme.DOWN, theme.UNJUDGED]
    marks = {t.name: list(t.x) for t in figure.data if t.mode == "markers"}
    assert marks == {
        "BM25": [0.45, 0.41, 0.41],
        "base": [0.5, 0.4, 0.4],
        "modulated": [0.6, 0.35, 0.35],
    }
    assert [a.text for a in figure.layout.annotations] == ["+0.1000", "−0.0500", "−0.0500"]


def test_overlaps_stand_in_order() -> None:
    (marks,) = overview.overlaps(
        np.array([0.9, 1.0, 0.5]), ["q1", "q2", "q3"], ["a<b", "b", "c"]
    ).data
    assert [c[0] for c in marks.customdata] == ["q3", "q1", "q2"]
    assert list(marks.y) == [0.5, 0.9, 1.0]
    assert marks.text[1] == "a&lt;b<br>overlap 0.9000"


def test_scatter_keeps_the_ids() -> None:
    base, modulated = np.array([0.0, 1.0, 0.5]), np.array([1.0, 1.0, 0.2])
    figure = overview.scatter(
        base,
        modulated,
        ["q1", "q2", "q3"],
        ["a<b", "b", "c"],
        ["seen", "unseen", "seen"],
        "nDCG@10",
    )
    seen = next(t for t in figure.data if t.name == "seen")
    assert [c[0] for c in seen.customdata] == ["q1", "q3"]
    assert abs(seen.x[1] - 0.5) < 0.013
    assert "a&lt;b" in seen.text[0]


def test_shares_add_up() -> None:
    figure = adapter_parts.shares(
        {"projector": 0.5, "constant modulation": 0.6, "query-specific modulation": -0.1}
    )
    assert sum(t.x[0] for t in figure.data) == pytest.approx(100)
    assert [(t.y[0], t.text) for t in figure.data] == [
        ("projector", "50 %"),
        ("constant modulation", "60 %"),
        ("query-specific modulation", "−10 %"),
    ]


def test_the_parts_of_a_gain_have_intervals_and_no_negative_zero() -> None:
    parts = {
        "projector": GainOfPart(0.05, (0.03, 0.08), None),
        "constant modulation": GainOfPart(-0.02, (-0.05, 0.01), 0.01),
        "query-specific modulation": GainOfPart(-0.00001, (-0.01, 0.01), -0.00001),
    }
    figure = adapter_parts.gain(parts, 0.5, "nDCG@10")
    assert [t.x[0] for t in figure.data] == [0.05, -0.02, -0.00001]
    ends = [(t.x[0] - t.error_x.arrayminus[0], t.x[0] + t.error_x.array[0]) for t in figure.data]
    np.testing.assert_allclose(ends, [p.ci95 for p in parts.values()])
    assert [a.text for a in figure.layout.annotations] == [
        "+0.0500",
        "−0.0200<br>without it: 0.5100",
        "+0.0000<br>without it: 0.5000",
    ]


@pytest.mark.parametrize("dark", [True, False])
def test_the_look_of_the_page_is_a_template_that_plotly_knows(dark: bool):
    look = theme.template(dark)
    drawn = go.Figure(layout={"template": look}).layout.template.layout
    assert drawn.font.color == ("#e6eaf1" if dark else "#5a6170")
    assert drawn.xaxis.title.font.size == 13.125


def test_a_cell_holds_three_lines_and_a_table_its_rows() -> None:
    assert formatting.cell("A document of a short title", 144) == "A document of a short title"
    long = formatting.cell("word " * 40, 144)
    assert len(long) <= 43
    assert long.endswith("word…")
    assert tables.TABLE_ROW > 60  # Streamlit wraps above 4 rem, which are 15 pixels here
    assert [tables.table_height(rows, 420) for rows in (0, 1, 3, 100)] == [100, 100, 224, 420]


def test_ranks_that_change_are_counted_in_whole_numbers() -> None:
    order = np.arange(3)
    few = accounting_figures.leave_one_out(
        np.array([0, 2, 1]), order, ["a", "b", "c"], ["a", "b", "c"], None
    )
    assert few.layout.xaxis.dtick == 1
    many = accounting_figures.leave_one_out(
        np.array([0, 40, 1]), order, ["a", "b", "c"], ["a", "b", "c"], None
    )
    assert many.layout.xaxis.dtick is None
    assert many.layout.xaxis.range == (0, 50)


def test_bump_names_a_relevant_document_that_no_stage_has_on_top() -> None:
    angles = np.radians(np.arange(0.0, 80.0, 2.0))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    space = toys.collection(vectors, [vectors[0]], {"q0": {"d30": 1, "d31": 2, "d4": 0}})
    deep = toys.Ranker(space, toys.adapter(toys.still_model(2))).compare("q0")
    titles = {i: f"Title {i}" for i in deep.document_ids}
    figure = compare.bump(deep, 5, titles)
    d30, d31 = (stage_ranks(deep)[3, deep.position[i]] for i in ("d30", "d31"))
    # the axis ends at rank 10: documents beyond it are named there, in order of rank, with their
    # ranks, one below the other
    assert 10 < d31 < d30
    below = [(a.y, a.yshift, a.text) for a in figure.layout.annotations if "(" in a.text]
    assert [(y, shift) for y, shift, _ in below] == [(10, -16 * n) for n in range(5)]
    assert [text for *_, text in below][-2:] == [f"Title d31 ({d31})", f"Title d30 ({d30})"]
    ranks = [int(text.split("(")[1].rstrip(")")) for *_, text in below]
    assert ranks == sorted(ranks)
    # the last line counts the documents without a name
    more = figure.layout.annotations[-1]
    drawn = {c[0] for trace in figure.data for c in trace.customdata if c}
    assert more.text == f"… and {len(drawn) - len(figure.layout.annotations) + 1} more"
    assert (more.y, more.yshift) == (10, -16 * 5)
    assert figure.layout.margin.b == 40 + 5 * 16
    # the others have their own rank on the axis
    inside = [a for a in figure.layout.annotations[:-1] if "(" not in a.text]
    final = stage_ranks(deep)[3]
    assert len(inside) >= 5
    for a in inside:
        assert (a.y, a.yshift) == (final[deep.position[a.text.removeprefix("Title ")]], 0)
        assert a.y <= 10
    assert all(trace.line.shape is None for trace in figure.data)  # a curve leaves the axis
    relevant = next(t for t in figure.data if t.name == "relevant")
    assert {c[0] for c in relevant.customdata if c} == {"d30", "d31"}
    assert relevant.line.width == 3
    assert {t.name for t in figure.data} == {"relevant", "not relevant", "unjudged"}
    assert all(t.showlegend is not False for t in figure.data)


def test_shares_have_no_negative_zero() -> None:
    parts = {"projector": 1.003, "constant modulation": 0.0, "query-specific modulation": -0.003}
    assert [t.text for t in adapter_parts.shares(parts).data] == ["100 %", "0 %", "0 %"]


def test_toolbars_have_no_background_of_their_own() -> None:
    assert adapter_parts.shares({"projector": 1.0}).layout.modebar.bgcolor == theme.CLEAR


def test_numbers_are_written_alike() -> None:
    assert [formatting.signed(v) for v in (0.25, -0.25, -1e-9)] == ["+0.2500", "−0.2500", "+0.0000"]
    assert formatting.decimal(-1e-9) == "0.0000"
    assert [formatting.percent(v) for v in (0.283, -0.004, -0.1)] == ["28 %", "0 %", "−10 %"]
    assert [formatting.p_value(p) for p in (1 / 10_001, 0.0012)] == ["p < 0.0001", "p = 0.0012"]
    assert [formatting.count(n, "query", "queries") for n in (0, 1, 2_000)] == [
        "0 queries",
        "1 query",
        "2,000 queries",
    ]
