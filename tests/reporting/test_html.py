"""The explanation of a pair as a record and as a page: sums are exact, hostile texts escaped."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import numpy as np
import pytest

from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.deletion_records import DeletionSummary
from imrnns_core.explanation.explain import Explanation, explain
from imrnns_core.explanation.word_drops import WordDrops
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.remedies.causes import remedies_of
from imrnns_core.reporting import html as html_report
from imrnns_core.reporting.causes import cause_lines
from imrnns_core.reporting.formatting import signed
from imrnns_core.reporting.html import marked_html, to_html, trust_rows, trust_sentence
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.text.words import Word

HOSTILE = (
    '<script>alert(1)</script> $x$ :red[fire] [link](javascript:alert(2)) <b onclick="x">&amp; '
    '"quoted"'
)


@pytest.fixture(scope="module")
def explained(sample: Collection) -> Explanation:
    ranker = Ranker(sample, load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors"))
    return explain(ranker, ranker.compare("q054"), "the-hague", verify=True)


def drops(
    text: str, words: list[tuple[str, int, int]], values: list[float], read: int | None = None
) -> WordDrops:
    array = np.array(values, np.float32)
    return WordDrops(
        "document",
        text,
        [Word(w, ((a, b),)) for w, a, b in words],
        array,
        array,
        len(text) if read is None else read,
    )


def plain(page: str) -> str:
    return html.unescape(re.sub(r"<sup>\d</sup>|<[^>]*>", "", page))


def test_a_record_has_every_view_and_sums(explained: Explanation):
    record = explained.to_json()
    parts = record["accounting"]
    assert parts["base"] + parts["projector"] + parts["document_modulation"] + parts[
        "query_refinement"
    ] == pytest.approx(parts["modulated"], abs=1e-6)
    assert record["ranks"]["base"] == 2
    assert record["scores"]["base"] == pytest.approx(parts["base"], abs=1e-6)
    for side in ("document", "query"):
        account = record["word_accounting"][side]
        assert sum(account["words"]) + account["other"] + account["constant"] == pytest.approx(
            parts["modulated"] - parts["base"], abs=2e-4
        )
        text = record["texts"][side]
        for word in record["words"][side]:
            assert all(text[a:b].casefold() == word["word"].casefold() for a, b in word["spans"])
    measured = {v["word"] for v in record["verified"]["document"]}
    fell = record["ranks"]["modulated"] > record["ranks"]["base"]
    for target, sign in (("change", 1 if fell else -1), ("score", -1)):  # the shortlists of both
        named = sorted(record["words"]["document"], key=lambda w, t=target, s=sign: s * w[t])
        assert {w["word"] for w in named[:10]} <= measured
    assert len(record["verified"]["query"]) == len(record["words"]["query"])
    assert len(record["vocabulary"]["document"]) == 10
    assert record["missing"] == []


def test_a_report_is_one_file_with_the_figures(explained: Explanation):
    page = to_html(explained)
    assert page.startswith("<!doctype html>")
    assert not re.search(r"<script|<link|<img|src=|href=|https?:|@import|url\(", page)
    assert f"{explained.scores['modulated']:.4f}" in page
    assert f"{explained.verified['document'][0].drop[1]:+.4f}".replace("-", "−") in page
    assert "have not been tested by deletion" in page


def test_a_report_begins_with_the_cause_and_its_remedy(sample: Collection):
    ranker, lexical = Ranker(sample), BM25Index(sample.dataset.documents)
    comparison = ranker.compare("q763")
    tried = remedies_of(ranker, lexical, comparison)
    assert tried is not None
    page = to_html(explain(ranker, comparison, "treaty-of-paris-1783"), None, tried)
    cause, effects = cause_lines(tried)[0]
    assert cause.startswith("keyword mismatch (p = 0.0")
    for text in ("Keyword mismatch", effects, *(own.remedy.name for own in tried.outcomes)):
        assert text in page
    assert page.index("Keyword mismatch") < page.index("Rank and score")
    assert remedies_of(ranker, lexical, ranker.compare("a question of my own")) is None
    typed = ranker.compare(comparison.query.text)
    assert typed.query.id == "q763"


def test_hostile_texts_are_escaped_in_the_report(explained: Explanation):
    document = replace(explained.document, title=HOSTILE, text=HOSTILE)
    marked = drops(
        HOSTILE,
        [("script", 1, 7), ("alert", 8, 13), ("x", 27, 28), ("javascript", 47, 57)],
        [0.4, -0.3, 0.2, 0.1],
    )
    page = to_html(
        replace(
            explained,
            document=document,
            query=replace(explained.query, text=HOSTILE),
            words={"document": marked},
        )
    )
    assert not re.search(r"<script|<b |<a |onclick=\"", page)
    assert plain(page).count(HOSTILE) >= 4  # title, heading, query, marked twice


def test_marks_keep_every_letter_and_show_the_sign_without_colour():
    page = marked_html(
        d := drops(HOSTILE, [("script", 1, 7), ("alert", 8, 13)], [0.4, -0.2]), d.change
    )
    assert plain(page) == HOSTILE
    assert (
        '<mark class="up" style="--share:1.00" title="drop +0.4000">script<sup>1</sup></mark>'
        in page
    )
    assert (
        '<mark class="down" style="--share:0.50" title="drop −0.2000">alert<sup>2</sup></mark>'
        in page
    )


def test_small_values_are_not_marked_and_what_is_not_read_is_struck_out():
    words = [(c, 2 * i, 2 * i + 1) for i, c in enumerate("abcdefg")]
    d = drops("a b c d e f g", words, [1, 0.9, 0.8, 0.7, 0.6, 0.05, 0.5], read=11)
    page = marked_html(d, d.change)
    assert re.findall(r'<mark class="\w+"[^>]*>(\w)', page) == ["a", "b", "c", "d", "e"]
    assert '<span class="unread" title="not read by the encoder"> g</span>' in page
    assert plain(page) == "a b c d e f g"


def test_a_text_without_words_has_no_marks():
    empty = drops("…?!", [], [])
    assert marked_html(empty, empty.change) == '<div class="marked">…?!</div>'


def test_a_document_that_is_not_a_candidate_is_rejected(sample: Collection):
    ranker = Ranker(sample, load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors"))
    comparison = ranker.compare("q054")
    outside = next(i for i in sample.dataset.document_ids if i not in comparison.position)
    with pytest.raises(ExplanationError, match="is not among the 100 candidates"):
        explain(ranker, comparison, outside, verify=False)
    with pytest.raises(ExplanationError, match="has no document 'nothing'"):
        explain(ranker, comparison, "nothing", verify=False)


def test_the_deletion_test_is_described_with_its_figures():
    assert "imrnns-lens faithfulness" in trust_sentence(None)
    found = DeletionSummary(
        "toy",
        "dev",
        60,
        {"document": 0.91, "query": 0.9},
        {"document": 0.99, "query": 1.0},
        {"document": 0.6, "query": 0.8},
    )
    sentence = trust_sentence(found)
    assert "60 pairs of queries and documents of toy, split dev" in sentence
    assert "0 means no more than a random word, 1 means as much as the best word" in sentence
    assert trust_rows(found) == [
        ("document", "0.91", "0.99", "0.60"),
        ("query", "0.90", "1.00", "0.80"),
    ]


def test_a_report_has_the_figures_of_the_deletion_test(explained: Explanation):
    rho = {"document": 0.61, "query": 0.82}
    page = to_html(explained, DeletionSummary("toy", "dev", 60, rho, rho, rho))
    assert "<td>document</td><td>0.61</td><td>0.61</td><td>0.61</td>" in page
    assert "rank correlation of estimated" not in to_html(explained)


def test_measured_words_are_sorted_by_effect_with_their_random_words(explained: Explanation):
    words = sorted(explained.verified["document"], key=lambda word: -abs(word.drop[1]))
    assert any(word.drop[1] < 0 for word in words)
    rows = html_report.measured_rows(explained.verified["document"], explained.targets)
    assert [row[0] for row in rows] == [word.word.text for word in words]
    mean, deviation = words[0].random[1], words[0].random_std[1]
    assert rows[0][2] == f"{signed(mean)} ± {deviation:.4f}"


def test_negative_parts_are_drawn_left_of_the_zero_line(explained: Explanation):
    parts = {
        "base": 0.5,
        "projector": -0.25,
        "document_modulation": 0.0,
        "query_refinement": 0.25,
        "modulated": 0.5,
    }
    page = to_html(replace(explained, accounting=parts))
    found = re.findall(
        (
            r'--zero:([\d.]+)rem"><div class="bar (\w+)" '
            r'style="margin-left:([\d.]+)rem;width:([\d.]+)rem"'
        ),
        page,
    )
    zero = 16 * 0.25 / 0.75
    assert [kind for _, kind, *_ in found] == ["total", "minus", "plus", "plus", "total"]
    assert [[float(v) for v in (z, left, width)] for z, _, left, width in found][:2] == [
        pytest.approx([zero, zero, 16 * 0.5 / 0.75], abs=0.01),
        pytest.approx([zero, 0.0, zero], abs=0.01),
    ]
