"""Overview and Failures.

Every number on the page is the one that `imrnns-lens evaluate --json` writes.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from imrnns_core.reporting.answers import QUERIES
from imrnns_core.statistics.significance import holm
from tests.browser.app import ROOT, WAIT_MS, chart, click_point, command, open_page, settle

pytestmark = pytest.mark.browser
STAGES = ("base", "projected", "document-modulated", "modulated")
MEASURES = ("nDCG@10", "R@10", "RR@10", "AP", "R@100", "Success@1")


def evaluated(workspace: Path, *arguments: object) -> dict[str, Any]:
    """Return what `imrnns-lens evaluate` writes."""
    target = workspace / "evaluation.json"
    command(workspace, "evaluate", *arguments, "--json", target)
    record: dict[str, Any] = json.loads(target.read_text())
    return record


@pytest.fixture(scope="module")
def dev(workspace: Path) -> dict[str, Any]:
    return evaluated(workspace, "sample", "--adapter", "sample-adapter", "--split", "dev")


@pytest.fixture(scope="module")
def unjudged(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The first queries of the sample, without their judgments."""
    folder, source = tmp_path_factory.mktemp("data") / "unjudged", ROOT / "sample_data"
    (folder / "embeddings").mkdir(parents=True)
    (folder / "corpus.jsonl").write_bytes((source / "corpus.jsonl").read_bytes())
    (folder / "queries.jsonl").write_text(
        "\n".join((source / "queries.jsonl").read_text().splitlines()[:60]) + "\n"
    )
    for name in ("documents.npy", "document_ids.txt"):
        (folder / "embeddings" / name).write_bytes((source / "embeddings" / name).read_bytes())
    np.save(
        folder / "embeddings" / "queries.npy", np.load(source / "embeddings" / "queries.npy")[:60]
    )
    ids = (source / "embeddings" / "query_ids.txt").read_text().splitlines()[:60]
    (folder / "embeddings" / "query_ids.txt").write_text("\n".join(ids) + "\n")
    command(workspace, "prepare", folder, "--embeddings", folder / "embeddings")
    return evaluated(workspace, "unjudged", "--adapter", "sample-adapter")


def answers(page: Page) -> dict[str, str]:
    """Return the answer boxes by their question; their minus signs as the machine writes them."""
    boxes = page.locator(".answer")
    boxes.first.wait_for(timeout=WAIT_MS)
    texts = [text.replace("−", "-").split("\n") for text in boxes.all_inner_texts()]
    return {lines[0]: " ".join(lines[1:]) for lines in texts}


def grid(page: Page, key: str) -> list[dict[str, str]]:
    """Return the drawn rows of a table as a screen reader gets them.

    Numbers with all their decimals.
    """
    table = page.locator(f".st-key-{key} canvas table").first
    table.wait_for(state="attached", timeout=WAIT_MS)
    rows = table.evaluate(
        "t => Array.from(t.querySelectorAll('tr')).map(r => Array.from(r.querySelectorAll('th, "
        "td')).map(c => c.textContent))"
    )
    head = rows[0]
    return [dict(zip(head, row, strict=True)) for row in rows[1:]]


def query_rows(page: Page) -> list[dict[str, str]]:
    """Return the rows of the table of queries, scrolled to its end."""
    table = page.locator(".st-key-failures .frame")
    table.wait_for(timeout=WAIT_MS)
    rows: list[dict[str, str]] = table.evaluate(
        """async frame => {
          for (let count = 0, next; (next = frame.querySelectorAll('tbody tr').length) > count;) {
            count = next;
            frame.scrollTop = frame.scrollHeight;
            await new Promise(resolve => setTimeout(resolve, 100));
          }
          const names = [...frame.querySelectorAll('th button')].map(b => b.textContent);
          return [...frame.querySelectorAll('tbody tr')].map(row =>
            Object.fromEntries([...row.children].map((cell, i) => [names[i], cell.textContent])));
        }"""
    )
    return rows


def p_value(p: float) -> str:
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.4f}"


def download(page: Page, key: str) -> list[dict[str, str]]:
    with page.expect_download() as found:
        page.locator(f".st-key-{key} button").click()
    return list(csv.DictReader(io.StringIO(Path(found.value.path()).read_text(encoding="utf-8"))))


SHORT = {"proj.": "projected", "doc.": "document-modulated", "mod.": "modulated"}
"""Headings of the table of measures, and the names in the file."""


def marks(page: Page, key: str) -> dict[str, list[float]]:
    drawn: dict[str, list[float]] = chart(page, key).evaluate(
        "plot => Object.fromEntries(plot._fullData.filter(t => t.type === 'bar' || t.mode === "
        "'markers').map(t => [t.name, Array.from(t.x)]))"
    )
    return drawn


def change(test: dict[str, Any]) -> str:
    return f"{test['change']:+.4f} (95 % interval {test['ci95'][0]:+.4f} to {test['ci95'][1]:+.4f})"


def assert_overview(page: Page, record: dict[str, Any]) -> None:
    """Compare answers, figures, table and download with a record."""
    said, measures, test = answers(page), record["measures"], record["significance"]["nDCG@10"]
    # each group that is not the whole split adds a test, for which the p value is corrected
    tests = [test["p"]] + [
        group["significance"]["nDCG@10"]["p"]
        for group in (record["groups"] or {}).values()
        if 0 < group["n"] < record["n_queries"]
    ]
    corrected = f", Holm-corrected for {len(tests)} tests" if len(tests) > 1 else ""
    means = [measures[name]["nDCG@10"] for name in ("base", "modulated")]
    assert (
        f"nDCG@10 on {record['n_queries']} queries: base {means[0]:.4f}, modulated "
        f"{means[1]:.4f}, change {change(test)}, {p_value(holm(tests)[0])}{corrected}"
    ) in said["Does it help?"]
    ends = record["ndcg_range"]
    assert [tuple(row.values()) for row in grid(page, "unjudged")] == [
        (
            name,
            f"{record['judged'][name]['Judged@10']:.0%}".replace("%", " %"),
            *(f"{value:.4f}" for value in ends[name]),
        )
        for name in ("base", "modulated")
    ] + [("change", "", *(f"{value:+.4f}".replace("-", "−") for value in ends["change"]))]
    outcomes = [q["outcome"] for q in record["queries"]]
    for name in set(outcomes):
        assert f"{outcomes.count(name)} {name}" in said["Which queries changed?"]
    groups = {name: group for name, group in (record["groups"] or {}).items() if group["n"]}
    for name, group in groups.items():
        test = group["significance"]["nDCG@10"]
        fact = (
            f"On {group['n']} {QUERIES[name]}, nDCG@10 changes by {test['change']:+.4f} (95 % "
            f"interval {test['ci95'][0]:+.4f} to {test['ci95'][1]:+.4f})."
        )
        assert fact in said["Can I trust it?"]
    every = {"all": {"n": record["n_queries"], **measures, "significance": record["significance"]}}
    shown_groups = groups if len(groups) == 1 else every | groups
    sources = list(shown_groups.values())
    drawn = marks(page, "groups")
    for system, name in (("BM25", "bm25"), ("base", "base"), ("modulated", "modulated")):
        np.testing.assert_allclose(
            drawn[system], [source[name]["nDCG@10"] for source in sources], atol=1e-9
        )
    parts = {name: values[0] / 100 for name, values in marks(page, "shares").items()}
    names = {
        "projector": "projector",
        "constant modulation": "constant",
        "query-specific modulation": "query_specific",
    }
    assert parts == pytest.approx(
        {name: record["shares"][key] for name, key in names.items()}, abs=1e-4
    )
    gained = {names[name]: values[0] for name, values in marks(page, "gain").items()}
    assert gained == pytest.approx(
        {key: record["gain"][key]["change"] for key in names.values()}, abs=1e-9
    )
    expected = [
        {
            "BM25": source["bm25"][m],
            **{s: source[s][m] for s in STAGES},
            "change": source["significance"][m]["change"],
            "p": source["significance"][m]["p_holm"],
        }
        for source in sources
        for m in MEASURES
    ]
    heads = [
        (group, str(source["n"]), m)
        for group, source in zip(shown_groups, sources, strict=True)
        for m in MEASURES
    ]
    shown = [
        {SHORT.get(name, name): value for name, value in row.items()}
        for row in grid(page, "measures")
    ]
    saved = download(page, "measures_csv")
    own = page.locator("[data-testid=stElementToolbarButton]:has([aria-label^='Download as CSV'])")
    assert own.count() == 3  # of unjudged documents, baselines and measures
    # they save formulas as they are
    assert not any(button.is_visible() for button in own.all())
    assert float(saved[0]["95 % low"]) < float(saved[0]["change"]) < float(saved[0]["95 % high"])
    assert len(shown) >= len(MEASURES)
    assert len(saved) == len(expected)
    for rows in (shown, saved):
        for row, head, wanted in zip(rows, heads, expected, strict=False):
            assert (row["queries"], row["n"], row["measure"]) == head
            assert {name: float(row[name]) for name in wanted} == pytest.approx(wanted, abs=1e-9)


def test_overview_shows_the_numbers_of_evaluate(
    page: Page, address: str, dev: dict[str, Any]
) -> None:
    open_page(page, f"{address}/overview?split=dev")
    assert_overview(page, dev)
    # answered before anything is scrolled
    assert page.locator(".answer").last.bounding_box()["y"] < 320  # type: ignore[index]
    scatter = page.locator(".st-key-scatter").bounding_box()
    assert scatter is not None
    assert scatter["y"] + scatter["height"] < 1000  # the window has 1100


def test_queries_of_one_group_are_shown_once(page: Page, address: str, workspace: Path) -> None:
    record = evaluated(workspace, "sample", "--adapter", "sample-adapter", "--split", "test")
    assert record["groups"]["text used"]["n"] == record["n_queries"]
    open_page(page, f"{address}/overview?split=test")
    assert_overview(page, record)
    names = chart(page, "groups").evaluate("plot => plot._fullData.find(t => t.name === 'base').y")
    assert names == [f"text used, all {record['n_queries']} queries"]


def test_overview_of_an_adapter_that_names_no_positives(
    page: Page, address: str, workspace: Path, test_data: Path
) -> None:
    data = test_data / "scifact"
    command(workspace, "prepare", data, "--embeddings", data / "embeddings")
    command(workspace, "adapters", "import", test_data / "peer" / "imrnns-minilm-scifact.pt")
    record = evaluated(workspace, "scifact", "--adapter", "imrnns-minilm-scifact", "--split", "dev")
    open_page(page, f"{address}/overview?data=scifact&adapter=imrnns-minilm-scifact&split=dev")
    assert_overview(page, record)
    said = answers(page)["Does it help?"]
    baselines = record["baselines"]
    assert said.startswith(
        "Yes. It is better than the strongest baseline without training, "
        f"{baselines['strongest']} (p = "
    )
    assert "change +0.1057 (95 % interval " in said
    assert answers(page)["Can I trust it?"].startswith(
        "Unknown: the training documents are not listed"
    )


@pytest.mark.parametrize("top_k", [10, 1])
def test_failures_shows_the_numbers_of_evaluate(
    page: Page, address: str, dev: dict[str, Any], top_k: int
) -> None:
    open_page(page, f"{address}/failures?split=dev&top_k={top_k}")
    page.get_by_role("columnheader", name="Cause").wait_for()
    settle(page)
    queries = {q["query_id"]: q for q in dev["queries"]}
    rows = download(page, "csv")
    assert {row["id"] for row in rows} == set(queries)
    changes = [
        queries[row["id"]]["modulated"]["nDCG@10"] - queries[row["id"]]["base"]["nDCG@10"]
        for row in rows
    ]
    ranks = [queries[row["id"]]["best_relevant_rank"]["modulated"] or 10**6 for row in rows]
    assert ranks == sorted(ranks, reverse=True)
    for row, delta in zip(rows, changes, strict=True):
        query = queries[row["id"]]
        ranks = {
            "BM25" if name == "bm25" else name: str(rank or "")
            for name, rank in query["best_relevant_rank"].items()
        }
        assert {name: row[name] for name in ranks} == ranks
        assert float(row["nDCG@10 change"]) == pytest.approx(delta, abs=1e-9)
        assert row["group"] == query["group"]
        first = [query["best_relevant_rank"][stage] == 1 for stage in ("base", "modulated")]
        assert bool(row["cause"]) == (first != [True, True]), "a cause, or that none is shown"
        assert bool(row["remedy"]) == (row["cause"] not in ("", "none shown"))
        if top_k == dev["top_k"]:
            assert row["outcome"].split(" ", 1)[1] == query["outcome"]
        elif (
            query["best_relevant_rank"]["base"]
            and query["best_relevant_rank"]["modulated"] > 1 < query["best_relevant_rank"]["base"]
        ):
            assert row["outcome"].split(" ", 1)[1] == "ranked too low"
    for shown, row in zip(query_rows(page), rows, strict=True):
        assert shown["Query"] == row["query"]
        written = f"{float(row['nDCG@10 change']):+.4f}".replace("-", "−")
        assert shown["nDCG change"] == written.replace("−0.0000", "+0.0000")
        assert [shown[name] for name in ("Base", "Proj.", "Doc.", "Mod.", "BM25")] == [
            row[name] or "—" for name in (*STAGES, "BM25")
        ]
        written = (shown["Training"], shown["Cause"], shown["Remedy"], shown["Outcome"])
        assert written == (
            *(row["group"], row["cause"], row["remedy"]),
            row["outcome"].removeprefix("'"),  # the download guards a leading =
        )


def test_buckets_are_counted_and_chosen(page: Page, address: str, dev: dict[str, Any]) -> None:
    open_page(page, f"{address}/failures?split=dev")
    count = sum(q["outcome"] == "improved" for q in dev["queries"])
    assert count > 0
    page.get_by_text(f"improved ({count})").click()
    page.wait_for_function(
        "() => new URLSearchParams(location.search).get('outcome') === 'improved'"
    )
    settle(page)
    improved = {q["query_id"] for q in dev["queries"] if q["outcome"] == "improved"}
    assert {row["id"] for row in download(page, "csv")} == improved


def test_overview_without_judgments(page: Page, address: str, unjudged: dict[str, Any]) -> None:
    open_page(page, f"{address}/overview?data=unjudged&adapter=sample-adapter")
    said, overlap = answers(page), unjudged["overlap"]
    assert said["Does it help?"].startswith("Unknown without judgments")
    assert f"Mean rank-biased overlap {overlap['rbo']:.4f}" in said["How much changes?"]
    assert (
        f"share {overlap['top_k_overlap']:.2f} of their top 10 documents"
        in said["How much changes?"]
    )
    drawn = chart(page, "overlaps").evaluate(
        "plot => Object.fromEntries(plot.data[0].customdata.map((c, i) => [c[0], "
        "plot._fullData[0].y[i]]))"
    )
    assert drawn == pytest.approx({q["query_id"]: q["rbo"] for q in unjudged["queries"]}, abs=1e-9)
    (query_id,) = click_point(page, "overlaps", 0, 0)
    page.wait_for_function(
        f"() => new URLSearchParams(location.search).get('query') === '{query_id}' && "
        "location.pathname === '/compare'"
    )
    settle(page)
    assert query_id == min(unjudged["queries"], key=lambda q: q["rbo"])["query_id"]


def test_failures_without_judgments_stand_by_overlap(
    page: Page, address: str, unjudged: dict[str, Any]
) -> None:
    open_page(page, f"{address}/failures?data=unjudged&adapter=sample-adapter")
    expect(page.get_by_text("These queries have no relevance judgments")).to_be_visible()
    wanted = sorted(unjudged["queries"], key=lambda q: q["rbo"])
    rows = download(page, "csv")
    assert [float(row["overlap"]) for row in rows] == pytest.approx([q["rbo"] for q in wanted])
    assert {row["id"]: int(row["shared in top 10"]) for row in rows} == {
        q["query_id"]: q["top_k_overlap"] for q in wanted
    }
    titles = {
        d["_id"]: d["title"]
        for d in map(json.loads, (ROOT / "sample_data" / "corpus.jsonl").read_text().splitlines())
    }
    by_id = {q["query_id"]: q for q in wanted}
    for shown, row in zip(query_rows(page), rows, strict=True):
        first = by_id[row["id"]]["top_documents"]
        assert shown["Overlap"] == f"{by_id[row['id']]['rbo']:.4f}"
        assert (shown["Base top document"], shown["Modulated top document"]) == (
            titles[first["base"]],
            titles[first["modulated"]],
        )
