"""The real app, real data, a real browser: every interaction that a page offers."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dashboard.views.map import drawn_documents
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.explanation.dimension_words import DimensionWordIndex
from imrnns_core.explanation.score_accounting import shifts
from imrnns_core.io import first_readable
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.projection.corpus_map import load_map, map_key
from imrnns_core.projection.movement import (
    DrawnMovement,
    pca_movement,
    true_movement,
    umap_movement,
)
from imrnns_core.projection.target_view import neighbourhood_order
from imrnns_core.retrieval.comparison import blend
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests.browser.app import (
    ROOT,
    WAIT_MS,
    cards,
    chart,
    click_point,
    command,
    darken,
    open_page,
    own_context,
    serving,
    settle,
)
from tests.browser.conftest import NewPage
from tests.toys import stage_ranks, stage_scores

pytestmark = pytest.mark.browser


def search(workspace: Path, tmp_path: Path, query: str, data: str = "sample") -> dict[str, Any]:
    """Return what `imrnns-lens search` writes."""
    target = tmp_path / "search.json"
    command(workspace, "search", data, query, "--adapter", "sample-adapter", "--json", str(target))
    record: dict[str, Any] = json.loads(target.read_text())
    return record


def shown(record: dict[str, Any], stage: str) -> list[tuple[str, int, str]]:
    return [
        (hit["document_id"], hit["rank"], f"{hit['score']:.4f}")
        for hit in record["rankings"][stage]
    ]


@pytest.fixture(scope="module")
def sample() -> Ranker:
    space = Workspace(Path("unused"))
    return Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))


def test_the_first_page_lists_the_worst_queries_first_and_links_with_a_query_open_compare(
    page: Page, address: str
) -> None:
    open_page(page, address)
    assert urlsplit(page.url).path == "/failures"
    first = page.locator(".st-key-failures tbody tr").first
    expect(first).to_contain_text("not retrieved")
    open_page(page, f"{address}/?query=q007")
    assert urlsplit(page.url).path == "/compare"
    expect(page.locator("h1")).to_have_text("Compare")


def test_compare_shows_the_first_query_with_both_rankings(
    page: Page, address: str, workspace: Path, tmp_path: Path
) -> None:
    open_page(page, f"{address}/compare")
    expect(page.get_by_text("What currency is used in Mexico?").first).to_be_visible()
    record = search(workspace, tmp_path, "What currency is used in Mexico?")
    assert record["query_id"] == "q001"
    assert cards(page, "Base") == shown(record, "base")
    assert cards(page, "Modulated") == shown(record, "modulated")
    assert cards(page, "Base")[0][0] == "mexican-peso"


def test_failing_query_from_the_table_to_compare(
    page: Page, address: str, workspace: Path, tmp_path: Path, sample: Ranker
) -> None:
    open_page(page, f"{address}/failures?top_k=1&bucket=failing in ranking")
    page.locator(".st-key-failures tbody tr").first.locator('[data-label="Query"]').click()
    page.wait_for_function("() => location.pathname === '/compare'")
    settle(page)
    query_id = page.evaluate("() => new URLSearchParams(location.search).get('query')")
    assert sample.compare(query_id).best_relevant_rank("modulated") != 1
    record = search(workspace, tmp_path, query_id)
    assert cards(page, "Base") == shown(record, "base")
    assert cards(page, "Modulated") == shown(record, "modulated")
    expect(page.get_by_text("Causes and remedies")).to_be_visible()


def test_a_failing_query_without_a_cause_shows_what_was_tried(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q003")
    causes = page.locator("[class*='st-key-causes-']")
    expect(causes).to_contain_text("No cause is shown")
    expect(causes).to_contain_text("No remedy brings a relevant document up by clearly more")
    rows = causes.locator(".st-key-query_remedies tbody tr")
    assert rows.count() >= 6


def test_a_query_leads_to_the_judging_of_its_documents(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q763")
    page.get_by_role("button", name="Judge the documents of this query").click()
    expect(page.get_by_role("heading", name="Judging", exact=True)).to_be_visible()
    settle(page)
    assert "judged_queries=this" in page.url
    expect(page.get_by_role("combobox", name="Queries")).to_have_value(re.compile("this|selected"))


def test_copied_link_reopens_the_same_view(browser: Browser, page: Page, address: str) -> None:
    open_page(page, f"{address}/compare")
    page.get_by_role("button", name="Next", exact=True).click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('query') === 'q002'")
    settle(page)
    page.locator('section[aria-label="Modulated"] button.card').nth(3).click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('document')")
    settle(page)
    link = page.url
    texts = page.locator(".st-key-compare_document .document-text").inner_text()
    other = own_context(browser)
    again = other.new_page()
    open_page(again, link)
    assert again.url == link
    assert cards(again, "Modulated") == cards(page, "Modulated")
    assert again.locator(".st-key-compare_document .document-text").inner_text() == texts
    other.close()


def test_compare_is_found_by_its_name(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q007&document=mexican-peso")
    page.locator('section[aria-label="Modulated"]').wait_for()
    settle(page)
    assert "query=q007" in page.url
    assert "document=mexican-peso" in page.url
    expect(page.get_by_text("Page not found")).to_have_count(0)
    expect(page.locator(".st-key-compare_document")).to_be_visible()


def test_selection_survives_a_change_of_page(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q007&document=mexican-peso")
    page.get_by_role("link", name="Modulation").click()
    page.wait_for_function("() => location.pathname === '/modulation'")
    settle(page)
    expect(page.get_by_text("where are wages today still paid in colones").first).to_be_visible()
    assert "query=q007" in page.url
    assert "document=mexican-peso" in page.url


def test_heatmap_cell_opens_document_and_dimension(page: Page, address: str) -> None:
    open_page(page, f"{address}/modulation?query=q007")
    document_id, dimension = click_point(page, "shift_heatmap", 2, 40 * 2 + 3)
    page.wait_for_function("() => new URLSearchParams(location.search).get('dimension')")
    settle(page)
    assert f"document={document_id}" in page.url
    assert f"dimension={dimension}" in page.url
    expect(page.locator(".st-key-modulation_document")).to_contain_text(document_id)
    expect(page.locator(".st-key-dimension")).to_contain_text(
        f"Dimension {dimension}: which words is it linked to?"
    )


def test_columns_by_cluster_keep_like_dimensions_together(
    page: Page, address: str, sample: Ranker
) -> None:
    open_page(page, f"{address}/modulation?query=q054&columns=cluster&shift=whole")
    comparison = sample.compare("q054")
    values = shifts(comparison)[comparison.order("modulated")[:20]]
    strongest = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:40]
    expected = strongest[neighbourhood_order(values[:, strongest].T)]
    read = (
        "plot => { const t = plot._fullData.find(t => t.type === 'heatmap'); return [t.x, "
        "t.z.map(row => Array.from(row))]; }"
    )
    names, drawn = chart(page, "shift_heatmap").evaluate(read)
    assert [int(name) for name in names] == expected.tolist()
    np.testing.assert_allclose(drawn, values[:, expected], atol=1e-6)


@pytest.mark.parametrize(("dimension", "listed"), [(383, True), (20, False)])
def test_a_dimension_lists_only_words_that_stand_out(
    page: Page, address: str, sample: Ranker, dimension: int, listed: bool
) -> None:
    drivers = DimensionWordIndex(sample.collection.dataset.documents).dimension_words(
        sample.transform.projected[:, dimension].numpy()
    )
    strong = [
        f"{w.word}: {w.z:+.1f} standard errors, in {w.documents} documents".replace("-", "−")
        for w in drivers
        if abs(w.z) >= 5
    ]
    assert bool(strong) == listed
    open_page(page, f"{address}/modulation?query=q054&dimension={dimension}&document=the-hague")
    panel = page.locator(".st-key-dimension .document-text > div")
    assert panel.last.inner_text() == (
        "\n".join(strong) if strong else "No word is linked to this dimension."
    )
    expect(page.locator(".st-key-dimension")).to_contain_text("the-hague: full shift ")


def test_the_waterfall_is_headed_by_the_title(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/modulation?query=q054&part=score accounting&document=the-hague")
    heads = page.locator(".document-text > div:first-child").all_inner_texts()
    assert heads[1] == sample.collection.dataset.document["the-hague"].title == "The Hague"


def test_refinement_cell_and_accounting_bar_open_their_document(
    page: Page, address: str, sample: Ranker
) -> None:
    open_page(
        page, f"{address}/modulation?query=q054&part=query refined&columns=sign&order=cluster"
    )
    document_id, dimension = click_point(page, "refinement_heatmap", 2, 40 * 4 + 7)
    page.wait_for_function(
        f"() => new URLSearchParams(location.search).get('dimension') === '{dimension}'"
    )
    assert f"document={document_id}" in page.url
    settle(page)
    page.get_by_role("radio", name="Score breakdown").click()
    page.locator(".st-key-waterfall .js-plotly-plot").wait_for()
    settle(page)
    (other,) = click_point(page, "score_parts", 3, 2)
    page.wait_for_function(
        f"() => new URLSearchParams(location.search).get('document') === '{other}'"
    )
    settle(page)
    drawn = chart(page, "waterfall").evaluate("plot => Array.from(plot._fullData[0].y)")
    comparison = sample.compare("q054")
    at = comparison.position[other]
    assert drawn[0] == pytest.approx(stage_scores(comparison)[0, at], abs=1e-6)
    assert sum(drawn[:4]) == pytest.approx(stage_scores(comparison)[3, at], abs=1e-6)


def test_colour_ranges_do_not_change_with_the_query(page: Page, address: str) -> None:
    seen = []
    for query in ("q007", "q054"):
        open_page(page, f"{address}/modulation?query={query}&shift=whole&width=all")
        read = (
            "plot => { const t = plot._fullData.find(t => t.type === 'heatmap'); return [t.zmin, "
            "t.zmax, t.z[0].length]; }"
        )
        seen.append([chart(page, key).evaluate(read) for key in ("strips", "shift_heatmap")])
    assert seen[0] == seen[1]
    assert [columns for *_, columns in seen[0]] == [384, 384]


def test_map_point_opens_its_document(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/map?query=q007")
    traces = page.locator(".js-plotly-plot").evaluate(
        "plot => plot._fullData.findIndex(t => t.name === 'modulated')"
    )
    (document_id,) = click_point(page, "map_target_2-D", traces, 1)
    page.wait_for_function("() => new URLSearchParams(location.search).get('document')")
    settle(page)
    expect(page.locator(".st-key-map_document")).to_contain_text(
        sample.collection.dataset.document[document_id].text[:60]
    )


def movement(ranker: Ranker, query: str, view: str) -> DrawnMovement:
    """Return the movement of a query's candidates that a map of the page draws."""
    paths = Workspace().map_paths(map_key(ranker.adapter, ranker.collection.fingerprint))
    corpus_map = first_readable(paths, load_map)
    assert corpus_map is not None
    comparison, dataset = ranker.compare(query), ranker.collection.dataset
    positions = drawn_documents.positions(comparison)
    if view == "linear":
        return pca_movement(corpus_map, comparison, dataset, positions, 2)
    projected = ranker.transform.projected.numpy()
    return umap_movement(corpus_map, projected, comparison, dataset, positions, 2)


@pytest.mark.parametrize("view", ["neighbourhood", "linear"])
def test_maps_say_how_far_to_trust_them(
    page: Page, address: str, sample: Ranker, view: str
) -> None:
    open_page(page, f"{address}/map?query=q007&view={view}")
    note = page.locator('[role="note"]').first
    drawn = movement(sample, "q007", view)
    page.get_by_text("How are the arrows tested?").click()
    settle(page)  # the switch moves down while the text opens
    expect(
        page.get_by_text(
            "Arrows start where UMAP places the projected embedding"
            if view == "neighbourhood"
            else "of the movement is along these axes"
        )
    ).to_be_visible()
    expect(note).to_contain_text(f"(p = {drawn.agreement.length_p:.4f})")
    expect(note).to_contain_text(f"(p = {drawn.agreement.direction_p:.4f})")
    corpus = page.locator(".js-plotly-plot").evaluate(
        "plot => plot._fullData.find(t => t.name === 'corpus').x.length"
    )
    assert corpus == 693
    arrows = "plot => plot._fullData.filter(t => t.mode === 'lines+markers').length"
    plot = page.locator(".js-plotly-plot")
    assert plot.evaluate("plot => plot._fullData.filter(t => t.name === 'modulated').length") == 1
    if not drawn.agreement.better_than_chance:
        expect(note).to_contain_text("fail at least one of two tests against chance")
        assert plot.evaluate(arrows) == 0
        page.get_by_text("Show these arrows").click()
        settle(page)
    assert plot.evaluate(arrows) >= 1


def test_clusters_are_coloured_and_named(page: Page, address: str) -> None:
    open_page(page, f"{address}/map?query=q007&view=neighbourhood&colour=cluster")
    plot = chart(page, "map_neighbourhood_2-D")
    clouds = plot.evaluate(
        "plot => plot._fullData.filter(t => t.type === 'scattergl').map(t => [t.name, "
        "t.x.length, t.marker.color])"
    )
    assert sum(count for _, count, _ in clouds) == 693
    assert len({colour for *_, colour in clouds}) == len(clouds) == 12
    named = plot.locator(".annotation-text").all_text_contents()
    assert any(
        "dollar" in name for name in named
    )  # currencies; which words lead depends on the adapter that ships
    assert set(named) <= {f"■ {name}" for name, *_ in clouds}
    width = (
        "note => { const box = note.getBoundingClientRect(); return [box.left, box.top, box.right, "
        "box.bottom]; }"
    )
    boxes = [note.evaluate(width) for note in plot.locator(".annotation-text-g rect").all()]
    assert not any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for a, b in combinations(boxes, 2)
    )


def test_target_view_is_coloured_by_cluster_and_movement(
    page: Page, address: str, sample: Ranker
) -> None:
    comparison = sample.compare("q054")
    moved = dict(zip(comparison.document_ids, true_movement(comparison), strict=True))
    read = (
        "plot => { const t = plot._fullData.find(t => t.name === 'modulated'); return "
        "t.customdata.map((c, i) => [c[0], t.marker.color[i]]); }"
    )
    open_page(page, f"{address}/map?query=q054&view=target&colour=movement")
    drawn = dict(chart(page, "map_target_2-D").evaluate(read))
    assert drawn[min(drawn, key=moved.__getitem__)] == "rgb(143, 143, 156)"
    assert drawn[max(drawn, key=moved.__getitem__)] == "rgb(91, 26, 139)"
    open_page(page, f"{address}/map?query=q054&view=target&colour=cluster")
    colours = dict(chart(page, "map_target_2-D").evaluate(read))
    key = page.locator("[data-legend=names] > span").all_inner_texts()
    assert len(key) == len(set(colours.values())) > 1
    assert sum(int(text.rsplit("(", 1)[1].rstrip(")")) for text in key) == len(colours)
    open_page(page, f"{address}/map?query=q054&view=neighbourhood&colour=cluster")
    assert dict(chart(page, "map_neighbourhood_2-D").evaluate(read)) == colours


def point_in_three_dimensions(page: Page, key: str) -> tuple[float, float]:
    """Move the mouse onto a mark of a scene; return where it is."""
    plot = chart(page, key)
    box = plot.bounding_box()
    assert box is not None
    near = (
        "plot => { const s = plot._fullLayout.scene._scene.glplot.selection; return s.object && "
        "s.distance < 3; }"
    )
    for n in range(4000):  # where a mark is drawn depends on the camera
        x, y = box["x"] + 150 + 4 * (n % 70), box["y"] + 220 + 4 * (n // 70)
        page.mouse.move(x, y)
        if plot.evaluate(near):
            page.wait_for_timeout(300)
            if plot.evaluate(near):
                return x, y
    raise AssertionError("no mark was found")


def test_mark_in_three_dimensions_opens_its_document(page: Page, address: str) -> None:
    open_page(page, f"{address}/map?query=q054&view=linear&axes=3-D")
    point_in_three_dimensions(page, "map_linear_3-D")
    page.mouse.down()
    page.wait_for_timeout(300)  # without a graphics card a frame takes its time
    page.mouse.up()
    page.wait_for_function("() => new URLSearchParams(location.search).get('document')")
    settle(page)
    expect(page.locator(".st-key-map_document")).to_be_visible()


def test_turning_a_scene_by_a_mark_opens_no_document(page: Page, address: str) -> None:
    open_page(page, f"{address}/map?query=q054&view=linear&axes=3-D")
    plot = chart(page, "map_linear_3-D")
    eye = "plot => JSON.stringify(plot._fullLayout.scene._scene.getCamera().eye)"
    before = plot.evaluate(eye)
    plot.evaluate("plot => { window.told = 0; plot.on('plotly_click', () => window.told++); }")
    x, y = point_in_three_dimensions(page, "map_linear_3-D")
    page.mouse.down()
    page.wait_for_function("() => window.told > 0")
    page.mouse.move(x + 80, y + 30, steps=6)
    page.mouse.up()
    page.wait_for_timeout(700)
    assert plot.evaluate(eye) != before
    assert "document" not in page.url


def test_mark_of_the_cloud_opens_its_document(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/map?query=q007&view=linear")
    plot = chart(page, "map_linear_2-D")
    # the leftmost mark of the cloud: nothing is drawn over it
    place = plot.evaluate(
        """plot => { const d = plot._fullData[0], l = plot._fullLayout;
          const box = plot.getBoundingClientRect(), i = d.x.indexOf(Math.min(...d.x));
          return {i, x: box.x + l.xaxis._offset + l.xaxis.d2p(d.x[i]),
            y: box.y + l.yaxis._offset + l.yaxis.d2p(d.y[i])}; }"""
    )
    page.mouse.move(place["x"] - 3, place["y"])
    page.mouse.move(place["x"], place["y"], steps=4)
    page.wait_for_timeout(300)
    page.mouse.click(place["x"], place["y"])
    document = sample.collection.dataset.documents[place["i"]]
    page.wait_for_function(
        f"() => new URLSearchParams(location.search).get('document') === '{document.id}'"
    )
    settle(page)
    expect(page.locator(".st-key-map_document")).to_contain_text(document.text[:60])


def draw_around_all(page: Page, key: str) -> int:
    """Draw a lasso around a map; return how many documents the page says are in it."""
    box = chart(page, key).locator(".nsewdrag").first.bounding_box()
    assert box is not None
    left, top, right, bottom = (
        box["x"] + 5,
        box["y"] + 5,
        box["x"] + box["width"] - 5,
        box["y"] + box["height"] - 60,
    )
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom), (left, top + 2)):
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    heading = page.locator("h2", has_text="documents selected")
    heading.wait_for()
    settle(page)
    return int(heading.inner_text().split()[0])


def saved(page: Page) -> list[dict[str, str]]:
    """Return the rows of the list of documents as they are downloaded."""
    with page.expect_download() as download:
        page.locator(".st-key-listing_csv button").click()
    return list(
        csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8").splitlines())
    )


def test_lasso_in_the_target_view_is_downloaded(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/map?query=q054&drag=lasso")
    drawn = saved(page)
    count = draw_around_all(page, "map_target_2-D")
    rows = saved(page)
    assert len(drawn) == count == len(rows)
    comparison = sample.compare("q054")
    moved = true_movement(comparison)
    for row in rows:
        at = comparison.position[row["document"]]
        assert [int(row["base rank"]), int(row["modulated rank"])] == stage_ranks(comparison)[
            [0, 3], at
        ].tolist()
        assert float(row["true movement"]) == pytest.approx(moved[at], abs=1e-6)
    assert [int(row["modulated rank"]) for row in rows] == sorted(
        int(row["modulated rank"]) for row in rows
    )


def test_lasso_lists_documents_of_the_cloud_and_a_new_query_takes_it_back(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/map?query=q007&view=neighbourhood&drag=lasso")
    count = draw_around_all(page, "map_neighbourhood_2-D")
    assert count > 300
    assert len(saved(page)) == count
    page.keyboard.press("j")
    page.wait_for_function("() => new URLSearchParams(location.search).get('query') === 'q008'")
    settle(page)
    expect(page.locator("h2", has_text="documents drawn")).to_be_visible()


@pytest.mark.parametrize(
    "path", ["view=target", "view=neighbourhood", "view=neighbourhood&axes=3-D"]
)
def test_play_moves_the_marks_through_the_stages(page: Page, address: str, path: str) -> None:
    open_page(page, f"{address}/map?query=q054&{path}")
    plot = page.locator(".js-plotly-plot")
    plot.wait_for()
    read = "plot => Array.from(plot._fullData.find(t => t.name === 'modulated').x)"
    end = plot.evaluate(read)
    steps = plot.locator(".slider-label")
    plot.locator(".slider-tick-group, .slider-group").first.wait_for()
    frames = plot.evaluate(
        "plot => plot._transitionData._frames.map(f => [f.name, Array.from(f.data[0].x)])"
    )
    assert steps.all_text_contents() == [name.replace(", ", ",") for name, _ in frames]
    assert len(frames) == (4 if path == "view=target" else 3)
    assert frames[-1][0] == "modulated"
    np.testing.assert_allclose(frames[-1][1], end)
    # Plotly tells of each frame; in three dimensions one can be over before it could be read off
    plot.evaluate(
        "plot => { window.played = []; plot.on('plotly_animatingframe', frame => "
        "window.played.push(frame.name)); }"
    )
    plot.locator(".updatemenu-button").first.click()
    page.wait_for_function(
        "count => window.played.length >= count", arg=len(frames), timeout=60_000
    )
    assert page.evaluate("() => window.played") == [name for name, _ in frames]
    page.wait_for_timeout(1_100)
    np.testing.assert_allclose(plot.evaluate(read), end, atol=1e-6)


def test_typed_query_is_ranked_like_the_command_line_does(
    page: Page, address: str, workspace: Path, tmp_path: Path
) -> None:
    text = "Which coin circulated in China and the Philippines?"
    open_page(page, f"{address}/?text={text}&query=")
    record = search(workspace, tmp_path, text)
    assert record["query_id"] is None
    assert [c[:2] for c in cards(page, "Modulated")] == [c[:2] for c in shown(record, "modulated")]
    expect(page.get_by_text("Your own question; no relevance judgments")).to_be_visible()


def test_choosing_a_query_and_typing_a_question(page: Page, address: str) -> None:
    open_page(page, address)
    page.keyboard.press("/")
    page.keyboard.type("hemlock")
    page.get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_function("() => /query=q(?!001)/.test(location.search)")
    settle(page)
    question = page.locator(".st-key-input_text input")
    question.fill("q007")  # an id selects the query
    question.press("Enter")
    page.wait_for_function("() => location.search.includes('query=q007')")
    settle(page)
    expect(question).to_have_value("")
    question.fill("How deep is the deepest lake?")
    question.press("Enter")
    page.wait_for_function(
        "() => new URLSearchParams(location.search).get('text') === 'How deep is the deepest lake?'"
    )
    settle(page)
    assert len(cards(page, "Modulated")) == 10


def test_keys_j_and_k_walk_through_the_queries(page: Page, address: str) -> None:
    open_page(page, address)
    page.locator("h1").click()
    for key, query_id in (("j", "q002"), ("j", "q003"), ("k", "q002")):
        page.keyboard.press(key)
        page.wait_for_function(
            f"() => new URLSearchParams(location.search).get('query') === '{query_id}'"
        )
        settle(page)


@pytest.fixture(scope="module")
def compared(context: BrowserContext, address: str) -> Iterator[Page]:
    """Compare with the query q007, opened once for tests that change nothing on it."""
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_page(page, f"{address}/compare?query=q007")
    yield page
    page.close()
    assert not errors


def test_hovering_a_card_marks_its_twin(compared: Page) -> None:
    page = compared
    card = page.locator('section[aria-label="Base"] button.card').nth(2)
    card.hover()
    document_id = card.get_attribute("data-document")
    twins = page.locator("button.card.twin")
    assert {t.get_attribute("data-document") for t in twins.all()} == {document_id}
    assert twins.count() == 2


def test_a_card_of_the_ideal_order_is_a_twin_too(compared: Page) -> None:
    page = compared
    ideal = page.locator('section[aria-label="Ideal order"] button.card').first
    ideal.hover()
    assert page.locator("button.card.twin").count() == 3
    page.locator('section[aria-label="Modulated"] button.card').nth(3).hover()
    assert page.locator('section[aria-label="Ideal order"] button.card.twin').count() == 1
    page.locator("h1").hover()
    assert page.locator("button.card.twin").count() == 0


def test_downloads(compared: Page, sample: Ranker) -> None:
    with compared.expect_download() as download:
        compared.get_by_role("button", name="Download the second list as a TREC run").click()
    lines = Path(download.value.path()).read_text().splitlines()
    hits = sample.compare("q007").ranking("modulated")
    assert [line.split()[2] for line in lines] == [h.document_id for h in hits]


def test_a_relevant_document_below_the_shown_ranks_is_shown_and_the_skipped_are_counted(
    page: Page, address: str, sample: Ranker
) -> None:
    comparison = sample.compare("q100")
    rank = comparison.best_relevant_rank("base")
    assert rank is not None
    assert rank > 10
    open_page(page, f"{address}/compare?query=q100")
    base = page.locator('section[aria-label="Base"]')
    assert base.locator("button.card.further").first.get_attribute("data-rank") == str(rank)
    assert base.locator(".skipped").all_inner_texts() == [
        f"⋮ {rank - 11} documents not shown",
        f"⋮ {100 - rank} more documents",
    ]


def test_alpha_ranks_again_and_stays_in_the_address(
    page: Page, address: str, sample: Ranker
) -> None:
    open_page(page, f"{address}/compare?query=q100")
    comparison = sample.compare("q100")
    page.get_by_role("slider").focus()
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => new URLSearchParams(location.search).get('alpha') === '0.5'")
    settle(page)
    scores, ranks = blend(comparison, 0.5)
    expected = [
        (comparison.document_ids[i], int(ranks[i]), f"{scores[i]:.4f}")
        for i in np.argsort(ranks)[:10]
    ]
    assert cards(page, "α = 0.50") == expected
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the second list as a TREC run").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert [line.split()[2] for line in lines[:10]] == [d for d, *_ in expected]
    assert lines[0].split()[5] == "alpha-0.50"
    page.get_by_role("slider").focus()
    page.keyboard.press("j")  # nothing is typed into a slider: the keys of the page work
    page.wait_for_function("() => new URLSearchParams(location.search).get('query') === 'q101'")
    settle(page)
    assert "alpha=0.5" in page.url


def test_alpha_ranks_again_while_it_moves(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/compare?query=q100")
    comparison = sample.compare("q100")
    seen = page.get_by_role("slider").evaluate(
        """slider => [...Array(21).keys()].map((place) => {
          slider.value = place;
          // what is read next stands there before any server could answer
          slider.dispatchEvent(new Event("input"));
          const section = slider.getRootNode().querySelectorAll("section")[1];
          return [...section.querySelectorAll("button.card:not(.further)")].map((c) =>
            [c.dataset.document, c.querySelector(".score").innerText]);
        })"""
    )
    for place, shown in enumerate(seen):
        scores, ranks = blend(comparison, place / 20)
        assert shown == [
            [comparison.document_ids[i], f"{scores[i]:.4f}"] for i in np.argsort(ranks)[:10]
        ]


def test_bump_chart_opens_a_document(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q100")
    (document_id,) = click_point(page, "bump", 0, 1)
    page.wait_for_function(
        f"() => new URLSearchParams(location.search).get('document') === '{document_id}'"
    )
    settle(page)
    expect(page.locator(".st-key-compare_document")).to_contain_text(document_id)


def test_alpha_zero_shows_the_base_ranking(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q007&alpha=0.0")
    assert cards(page, "α = 0.00") == cards(page, "Base")


def test_dropped_feedback_document_changes_the_scores(
    page: Page, address: str, sample: Ranker
) -> None:
    dropped = "salvadoran-dollarisation"
    open_page(page, f"{address}/compare?query=q007&dropped={dropped}")
    expected = sample.compare("q007", frozenset({dropped})).ranking("modulated", 10)
    assert cards(page, "Modulated") == [(h.document_id, h.rank, f"{h.score:.4f}") for h in expected]


def test_leaving_out_nearly_all_feedback_documents_keeps_the_link_short(
    page: Page, address: str, sample: Ranker
) -> None:
    open_page(page, f"{address}/compare?query=q007")
    box = page.get_by_label("Exclude documents from query refinement", exact=True)
    box.click()
    page.get_by_text("Select all", exact=True).click()
    page.keyboard.press("Escape")
    settle(page)
    assert len(page.url) < 300
    kept = unquote(page.url.split("dropped=only%3A")[1].split("&")[0]).split(",")
    everyone = sample.compare("q007")
    expected = sample.compare("q007", frozenset(everyone.document_ids) - set(kept)).ranking(
        "modulated", 10
    )
    assert cards(page, "Modulated") == [(h.document_id, h.rank, f"{h.score:.4f}") for h in expected]


def test_a_link_with_values_that_no_control_offers_shows_what_its_controls_show(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/compare?query=q007&shown=7&alpha=9&dropped=nowhere")
    assert len(cards(page, "Base")) == 10
    assert page.locator(".st-key-input_shown input").input_value() == "10" or page.locator(
        ".st-key-input_shown"
    ).inner_text().endswith("10")
    assert "shown" not in page.url


def test_where_is_a_document(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/compare?query=q001")
    page.get_by_text("Find the rank of a document").click()
    page.get_by_label("Document id or address, or words of its title").fill("scurvy-history")
    page.keyboard.press("Enter")
    expect(
        page.get_by_text("the rank if every document of the data set were scored")
    ).to_be_visible()
    comparison = sample.compare("q001")
    assert "scurvy-history" not in comparison.position
    ranks = sample.corpus_ranks(comparison, "scurvy-history")
    assert all(rank > 100 for rank in ranks.values())
    rows = page.locator(".st-key-where_scurvy-history tr").all_inner_texts()
    assert [row.split("\t") for row in rows[1:]] == [
        ["candidates", "—", "—", "—", "—"],
        ["corpus", *map(str, ranks.values())],
    ]


def test_words_are_marked_on_request(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q054&shown=5")
    assert page.locator(".card mark").count() == 0
    page.get_by_text("Mark the words behind the score change").click()
    page.locator(".card mark").first.wait_for()
    settle(page)
    assert "marks=yes" in page.url
    page.get_by_text("Mark the words behind the score change").click()
    page.wait_for_function("() => !location.search.includes('marks')")


def test_query_in_the_scatter_opens_compare(page: Page, address: str, sample: Ranker) -> None:
    open_page(page, f"{address}/overview?split=dev")
    (query_id,) = click_point(page, "scatter", 1, 0)
    page.wait_for_function("() => location.pathname === '/compare'")
    settle(page)
    opened = page.evaluate("() => new URLSearchParams(location.search).get('query')")
    measured = evaluate(sample, "dev")
    at = {q: i for i, q in enumerate(measured.query_ids)}
    # marks may lie on each other: the opened query stands where the clicked one does
    for stage in ("base", "modulated"):
        values = measured.column(stage)  # type: ignore[arg-type]
        assert abs(values[at[opened]] - values[at[query_id]]) < 0.03


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/compare?data=nowhere", "Data set “nowhere” was not found"),
        ("/compare?adapter=nobody", "Adapter “nobody” was not found"),
        ("/compare?query=q999999", "No query has the id “q999999”"),
    ],
)
def test_links_that_lead_nowhere_say_so_and_show_something(
    page: Page, address: str, path: str, message: str
) -> None:
    open_page(page, address + path)
    expect(page.get_by_text(message)).to_be_visible()
    assert len(cards(page, "Base")) == 10


HOSTILE = (
    "<script>window.hacked=1</script> <b>bold</b> $x^2$ :red[red] "
    '[link](javascript:window.hacked=2) **stars** {"a": 1} '
) * 3


def prepare(
    workspace: Path,
    folder: Path,
    documents: list[dict[str, str]],
    query: str,
    judged: dict[str, int] | None = None,
) -> None:
    """Write a data set of these documents with random vectors; prepare it."""
    (folder / "embeddings").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": query}) + "\n")
    if judged:
        (folder / "qrels").mkdir()
        lines = "".join(f"q\t{document}\t{grade}\n" for document, grade in judged.items())
        (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{lines}")
    rng = np.random.default_rng(0)
    for stem, ids in (("document", [d["_id"] for d in documents]), ("query", ["q"])):
        plural = {"document": "documents", "query": "queries"}[stem]
        np.save(
            folder / "embeddings" / f"{plural}.npy",
            rng.normal(size=(len(ids), 384)).astype(np.float32),
        )
        (folder / "embeddings" / f"{stem}_ids.txt").write_text("".join(f"{i}\n" for i in ids))
    command(workspace, "prepare", str(folder), "--embeddings", str(folder / "embeddings"))


def test_one_document_is_enough_for_every_page(
    page: Page, address: str, workspace: Path, tmp_path: Path
) -> None:
    prepare(workspace, tmp_path / "one", [{"_id": "only", "title": "", "text": "short"}], "q?")
    open_page(page, f"{address}/compare?data=one&adapter=sample-adapter")
    assert [c[:2] for c in cards(page, "Base")] == [("only", 1)]
    assert page.locator("section[aria-label=Base] .skipped").count() == 0
    for path, says in (
        (
            "/modulation?part=documents moved",
            "Every document moves by the adapter’s average shift, so no heat map is shown.",
        ),
        ("/modulation?part=query refined", "Only one document refines the query"),
        ("/modulation?part=score accounting", "What changes each score"),
        ("/map?view=target", "1 document drawn"),
    ):
        open_page(page, f"{address}{path}&data=one&adapter=sample-adapter")
        expect(page.get_by_text(says).first).to_be_visible()
        assert page.get_by_text("This page cannot be shown").count() == 0


def test_very_long_texts_keep_the_page_in_shape(
    new_page: NewPage, address: str, workspace: Path, tmp_path: Path
) -> None:
    documents = [
        {"_id": f"d{i}" + "x" * 200, "title": "Titleword " * 60, "text": "word " * 5000}
        for i in range(120)
    ]
    prepare(
        workspace, tmp_path / "long", documents, "why " * 1500, {d["_id"]: 1 for d in documents}
    )
    for width, height in ((1440, 1000), (390, 844)):
        page = new_page(width, height)
        open_page(
            page,
            f"{address}/compare?data=long&adapter=sample-adapter&shown=20&document={documents[3]['_id']}",
        )
        assert (
            page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollWidth")
            <= width
        )
        assert all(
            (block.bounding_box() or {"height": 1e9})["height"] < 700
            for block in page.locator(".document-text").all()
        )
        ideal = page.locator('section[aria-label="Ideal order"]')
        assert ideal.locator("button.card").count() == 20
        assert ideal.locator(".skipped").inner_text() == "⋮ 100 more documents"
        tallest = max(
            (c.bounding_box() or {"height": 1e9})["height"]
            for c in page.locator("button.card").all()
        )
        assert tallest < 190  # two lines of title, three of marks, two of text


def test_hostile_texts_are_shown_letter_by_letter(
    page: Page, address: str, workspace: Path, tmp_path: Path
) -> None:
    documents = [
        {"_id": f"d<{i}>", "title": f"<i>title</i> {i} $y$", "text": HOSTILE} for i in range(6)
    ]
    prepare(workspace, tmp_path / "hostile", documents, HOSTILE)
    # Compare is the last one, whose texts are read below
    for path in ("/modulation", "/map", "/overview", "/failures", "/compare"):
        open_page(page, f"{address}{path}?data=hostile&adapter=sample-adapter&document=d<0>")
        assert page.evaluate("() => window.hacked") is None
    # HTML collapses runs of blanks only where it is told to: the panel keeps every letter
    assert HOSTILE.strip() in page.locator(".st-key-compare_document .document-text").inner_text()
    assert (
        "<script>window.hacked=1</script> <b>bold</b> $x^2$ :red[red] [link](javascript:"
        in page.locator("button.card .text").first.inner_text()
    )
    assert page.evaluate("() => window.hacked") is None


def test_a_map_is_made_in_the_background(
    page: Page, address: str, workspace: Path, tmp_path: Path
) -> None:
    documents = [
        {"_id": f"d{i}", "title": f"Story {i}", "text": f"A story about the number {i}."}
        for i in range(6)
    ]
    prepare(workspace, tmp_path / "mapless", documents, "which number?")
    open_page(page, f"{address}/map?data=mapless&view=neighbourhood")
    page.get_by_role("button", name="Create the map").click()
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Create the map").click()
    expect(page.get_by_text("s left")).to_be_visible()
    page.locator(".js-plotly-plot").wait_for(timeout=120_000)
    assert (
        page.locator(".js-plotly-plot").evaluate(
            "plot => plot._fullData.find(t => t.name === 'corpus').x.length"
        )
        == 6
    )


@pytest.mark.parametrize("path", ["/compare", "/overview", "/failures", "/modulation", "/map"])
def test_narrow_screen_needs_no_sideways_scrolling(
    new_page: NewPage, address: str, path: str
) -> None:
    page = new_page(390, 844)
    open_page(page, address + path)
    width = "() => document.querySelector('[data-testid=\"stMain\"]').scrollWidth"
    assert page.evaluate(width) <= 390
    darken(page)
    assert page.evaluate(width) <= 390


def test_adapter_file_is_the_one_that_ships(sample: Ranker) -> None:
    card = load_adapter(ROOT / "assets" / "sample-adapter.safetensors").card
    assert (card.dataset, card.input_dim) == ("sample", 384)
    assert card.dataset_digest == sample.collection.dataset.digest


def test_the_browser_loads_its_charts_while_the_server_loads_the_engine(
    browser: Browser, tmp_path: Path
) -> None:
    with serving(tmp_path) as address:
        page, seen = own_context(browser).new_page(), list[str]()
        page.on(
            "request",
            lambda request: seen.append("charts") if "/plotly.min.js" in request.url else None,
        )
        page.goto(f"{address}/compare")
        page.get_by_text("Loading the engine …").wait_for(timeout=WAIT_MS)
        page.wait_for_selector("h1", timeout=WAIT_MS)
        seen.append("page")
        settle(page)
        assert seen.index("charts") < seen.index("page")
        expect(page.get_by_text("Loading the engine …")).to_have_count(0)
        expect(page.locator(".js-plotly-plot")).to_have_count(1)
        page.context.close()
