"""The report of an evaluation has the figures of the record, and escapes what it shows."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.baselines import Baselines
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.remedies.causes import Diagnosis, causes_of, diagnose
from imrnns_core.reporting.causes import remedy_line
from imrnns_core.reporting.evaluation_answers import answers_of
from imrnns_core.reporting.evaluation_html import FAILING, evaluation_to_html
from imrnns_core.reporting.formatting import decimal, interval, p_value, signed
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from tests.reporting.test_html import HOSTILE

Table = list[tuple[str, ...]]
Measured = tuple[Collection, Evaluation, Baselines, list[Diagnosis]]


class Tables(HTMLParser):
    """The tables of a page by their headings, each row as the texts of its cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self._rows: list[list[str]] = []
        self._text, self._heading = "", ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        if tag == "tr":
            self._rows.append([])
        if tag in ("h2", "td", "th"):
            self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self._heading = self._text
        elif tag in ("td", "th"):
            self._rows[-1].append(self._text)
        elif tag == "table":
            self.tables[self._heading.partition(":")[0]] = [tuple(row) for row in self._rows]
            self._rows = []


def measured(sample: Collection, adapter: str | None) -> Measured:
    loaded = load_adapter(ASSETS_FOLDER / f"{adapter}.safetensors") if adapter else None
    ranker, lexical = Ranker(sample, loaded), BM25Index(sample.dataset.documents)
    result = evaluate(ranker, "test", lexical=lexical, with_parts=adapter is not None)
    assert result.bm25 is not None
    found = diagnose(result, result.bm25, causes_of(ranker, result, lexical))
    return sample, result, measure_baselines(result, sample, lexical, None), found


@pytest.fixture(scope="module", params=["sample-adapter", None], ids=["adapter", "base"])
def one(request: pytest.FixtureRequest, sample: Collection) -> Measured:
    return measured(sample, request.param)


def page_of(one: Measured) -> str:
    sample, result, baselines, found = one
    return evaluation_to_html(result, baselines, found, sample.dataset.queries)


def test_the_means_are_those_of_the_record(one: Measured) -> None:
    record, table = one[1].to_json(), Tables(page_of(one)).tables["All measures"]
    head, rows = table[0], table[1:]
    records = {"all": {**record, "n": record["n_queries"], **record["measures"]}}
    records |= record["groups"] or {}
    shown = {(row[0], row[2]): dict(zip(head, row, strict=True)) for row in rows}
    assert len(shown) == len(rows) == len(records) * len(record["measures"])
    for group, figures in records.items():
        for system in record["measures"]:
            row = shown[group, "BM25" if system == "bm25" else system]
            assert row["n"] == str(figures["n"])
            for name, mean in {**figures[system], **figures["judged"][system]}.items():
                assert row[name] == decimal(mean)


def test_the_intervals_are_those_of_the_record(one: Measured) -> None:
    record, table = one[1].to_json(), Tables(page_of(one)).tables.get("Changes", [])
    expected = [
        (
            *(group, str(test["queries"]), name, signed(test["change"])),
            *(interval(test["ci95"]), p_value(test["p_holm"])),
        )
        for group, figures in {"all": record, **(record["groups"] or {})}.items()
        for name, test in (figures["significance"] or {}).items()
    ]
    assert table[1:] == expected
    assert bool(expected) == one[1].has_adapter


def test_the_baselines_are_those_of_the_record(one: Measured) -> None:
    record, rows = one[2].to_json(), Tables(page_of(one)).tables["Baselines"][1:]
    key = "adapter_minus_baseline" if one[1].has_adapter else "baseline_minus_base"
    expected = {
        (group, name): (
            *(str(figures["n"]), decimal(figures["measures"]["nDCG@10"])),
            *(signed(figures[key]["change"]), interval(figures[key]["ci95"])),
            p_value(figures[key]["p_holm"]),
        )
        for name, system in record["systems"].items()
        for group, figures in system["groups"].items()
    }
    assert {(row[0], row[2]): (row[1], *row[4:]) for row in rows} == expected


def test_outcomes_causes_and_failing_queries_are_listed(one: Measured) -> None:
    _, result, _, found = one
    tables, record = Tables(page_of(one)).tables, result.to_json()
    outcomes = [query["outcome"] for query in record["queries"]]
    assert dict(tables["Outcomes"][1:]) == {name: str(outcomes.count(name)) for name in {*outcomes}}
    head, rows = tables["Failing queries"][0], tables["Failing queries"][1:]
    assert [row[2] for row in rows].count("broken") == outcomes.count("broken")
    ranks = {query["query_id"]: query["best_relevant_rank"] for query in record["queries"]}
    failing = {q["query_id"] for q in record["queries"] if q["outcome"] in FAILING}
    assert {row[0] for row in rows} == failing
    for row in rows:
        shown = dict(zip(head, row, strict=True))
        expected = {"BM25": ranks[row[0]]["bm25"], **ranks[row[0]]}
        for name in (*result.stages, "BM25"):
            assert shown[name] == str(expected[name] or "—")
        own = next(d for d in found if d.query_id == row[0])
        assert shown["cause"] == own.causes != ""
        assert shown["remedy"] == remedy_line(own)
    named = [row[head.index("cause")] for row in rows]
    causes = dict(tables["Causes of the failing queries"][1:])
    assert sum(map(int, causes.values())) >= len(rows)
    for single in ("none shown", "the adapter"):
        assert int(causes.get(single, 0)) == named.count(single)
    assert causes["keyword mismatch"] == str(sum("keyword mismatch" in own for own in named)) > "0"


def test_the_verdicts_of_overview_are_in_the_report(one: Measured) -> None:
    _, result, baselines, _ = one
    page = page_of(one)
    texts = html.unescape(re.sub(r"<[^>]*>", "", page))
    for answer in answers_of(result, baselines):
        assert answer.question in texts
        assert answer.answer in texts
        assert answer.figures in texts
    if result.has_adapter:
        assert "Text used: training, or a later extension of the sentence memory, used" in texts


def test_hostile_texts_are_escaped_and_nothing_is_loaded(one: Measured) -> None:
    sample, result, baselines, found = one
    queries = {name: replace(q, text=HOSTILE) for name, q in sample.dataset.queries.items()}
    hostile = replace(result, dataset=HOSTILE)
    page = evaluation_to_html(hostile, baselines, found, queries)
    assert Tables(page).tables["Failing queries"][1][1] == HOSTILE
    assert "<script" not in page
    assert "<b onclick" not in page
    assert not re.search(r"(src|href)=|@import|url\(", page)
