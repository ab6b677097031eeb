"""Explain on the real app: what the page predicts happens, and hostile texts stay letters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import account
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter, save_adapter
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.training.label_free.whitening import identity_adapter
from tests import toys
from tests.browser.app import chart, command, open_page, own_context, rows, serving, settle
from tests.toys import stage_ranks, stage_scores

pytestmark = pytest.mark.browser
HOSTILE = "<script>alert(1)</script> $x$ :red[fire] [link](javascript:alert(2)) water and bread"


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    space = Workspace(Path("unused"))
    return Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))


@pytest.fixture(scope="module")
def pair(ranker: Ranker) -> Pair:
    comparison = ranker.compare("q054")
    return Pair(comparison, ranker.adapter.model, comparison.position["the-hague"])


def explained(page: Page, address: str, more: str = "") -> None:
    open_page(
        page,
        f"{address}/explain?data=sample&adapter=sample-adapter&query=q054&document=the-hague{more}",
    )


def stage_rows(page: Page) -> dict[str, list[str]]:
    """Open the table of the stages; return it."""
    page.get_by_text("Rank and score at each stage").click()
    page.locator(".st-key-stages td").first.wait_for()
    return rows(page, "stages")


def bars(page: Page, key: str) -> list[tuple[str, float]]:
    """Return word and drop of each bar, from the labels on the page, top first."""
    plot = chart(page, key)
    labels = [str(t) for t in plot.locator(".yaxislayer-above .ytick text").all_text_contents()]
    found = [
        (label.rsplit(" ", 1)[0], float(label.rsplit(" ", 1)[1].replace("−", "-")))
        for label in labels
    ]
    return sorted(found, key=lambda bar: -bar[1])


def test_the_page_shows_what_the_engine_says(
    page: Page, address: str, pair: Pair, workspace: Path, tmp_path: Path
) -> None:
    explained(page, address)
    record_file = tmp_path / "explain.json"
    command(
        workspace,
        "explain",
        "sample",
        "--query",
        "q054",
        "--document",
        "the-hague",
        "--adapter",
        "sample-adapter",
        "--verify",
        "--json",
        str(record_file),
    )
    record = json.loads(record_file.read_text())
    stages = stage_rows(page)
    assert stages == {
        s: [str(record["ranks"][s]), f"{record['scores'][s]:.4f}"] for s in record["ranks"]
    }
    for side in ("document", "query"):
        expected = {v["word"]: v["drop"]["change"] for v in record["verified"][side]}
        found = dict(bars(page, f"verified_{side}"))
        assert len(found) >= 10
        assert found == pytest.approx({word: expected[word] for word in found}, abs=6e-5)
        marks = page.locator(f".st-key-marked_{side} mark").all()
        assert len(marks) >= 5
        for mark in marks[:4]:
            word = re.sub(r"\d$", "", mark.inner_text())
            estimated = next(
                w["change"]
                for w in record["words"][side]
                if w["word"].casefold() == word.casefold()
            )
            assert mark.get_attribute("title") == f"drop {estimated:+.4f}".replace("-", "−")
    parts = chart(page, "explain_waterfall").evaluate("plot => Array.from(plot.data[0].y)")
    assert sum(parts[:4]) == pytest.approx(parts[4], abs=1e-6)


def test_excluded_feedback_documents_change_the_scores(
    page: Page, address: str, ranker: Ranker, pair: Pair
) -> None:
    dropped = frozenset(i for i in pair.comparison.document_ids[5:80] if i != pair.document_id)
    explained(page, address, f"&dropped={','.join(sorted(dropped))}")
    without = ranker.compare("q054", dropped)
    scores = [
        f"{score:.4f}" for score in stage_scores(without)[:, without.position[pair.document_id]]
    ]
    assert [row[1] for row in stage_rows(page).values()] == scores


def test_every_word_can_be_measured(page: Page, address: str) -> None:
    explained(page, address)
    expect(page.get_by_text("Measured: 18 of 48 words of the document")).to_be_visible()
    page.get_by_text("Measure all 48 words").click()
    expect(page.get_by_text("Measured: 48 of 48 words of the document")).to_be_visible()


@pytest.mark.parametrize("above", [False, True])
def test_a_document_is_compared_with_rank_1_or_the_one_just_above(
    page: Page, address: str, pair: Pair, above: bool
) -> None:
    comparison, at = pair.comparison, pair.position
    order, rank = comparison.order("modulated"), int(stage_ranks(comparison)[3, at])
    assert rank == 3
    other = int(order[rank - 2 if above else 0])
    explained(page, address)
    page.get_by_text("Compare with the document at rank 1").click()
    page.locator(".st-key-compared_other mark").first.wait_for()
    settle(page)
    if above:
        page.get_by_role("radio", name="Just above (rank 2)").click()
        page.get_by_role("columnheader", name="rank 2").wait_for()
        settle(page)
    shown = {
        name: [float(cell.replace("−", "-")) for cell in cells]
        for name, cells in rows(page, "compared_parts").items()
    }
    parts = account(comparison)
    for name, values in (
        ("base", parts.base),
        ("query refinement", parts.query_refinement),
        ("modulated", parts.modulated),
    ):
        assert shown[name] == pytest.approx(
            [values[at], values[other], values[at] - values[other]], abs=6e-5
        )
    assert sum(shown[name][2] for name in list(shown)[:4]) == pytest.approx(
        shown["modulated"][2], abs=3e-4
    )
    for which, n in (("this", at), ("other", other)):
        text = page.locator(f".st-key-compared_{which}").inner_text()
        assert len(text) > 100, comparison.document_ids[n]
        assert page.locator(f".st-key-compared_{which} mark").count() >= 5
    assert (
        page.locator(".st-key-compared_this").inner_text()
        == page.locator(".st-key-marked_document").inner_text()
    )
    assert (
        page.locator(".st-key-compared_other").inner_text()
        != page.locator(".st-key-marked_document").inner_text()
    )


def test_the_vocabulary_stands_beside_its_null(page: Page, address: str) -> None:
    explained(page, address)
    page.get_by_text("Vocabulary view, as in the paper").click()
    expect(
        page.get_by_text(re.compile(r"Document: \d+ of 10 words are closer than chance"))
    ).to_be_visible()
    page.get_by_text("Score change as a sum over words").click()
    expect(page.locator(".st-key-word_accounting_document .js-plotly-plot")).to_be_visible()


def test_a_link_reopens_the_same_explanation(page: Page, address: str) -> None:
    explained(page, address, "&carry=score")
    expect(page.get_by_text("Words behind the modulated score").first).to_be_visible()
    assert "carry=score" in page.url
    assert "document=the-hague" in page.url


@pytest.fixture(scope="module")
def hostile(address: str, workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page that explains a hostile text."""
    folder = tmp_path_factory.mktemp("hostile") / "hostile-words"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": "d0", "title": HOSTILE, "text": HOSTILE}] + [
        {
            "_id": f"d{i}",
            "title": f"Story {i}",
            "text": f"A story of fire, water and bread, number {i}.",
        }
        for i in range(1, 9)
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents))
    (folder / "queries.jsonl").write_text(
        json.dumps({"_id": "q0", "text": f"fire {HOSTILE}"}) + "\n"
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq0\td0\t1\n")
    command(workspace, "prepare", folder)
    return f"{address}/explain?data=hostile-words&adapter=sample-adapter&query=q0&document=d0"


def letters(marked: Locator) -> str:
    """Return the text of a marked text without the numbers of its words."""
    return str(
        marked.evaluate(
            "node => { const copy = node.cloneNode(true); "
            "copy.querySelectorAll('sup').forEach(s => s.remove()); return copy.textContent; }"
        )
    )


def test_hostile_texts_stay_letters_in_page_and_report(
    browser: Browser, hostile: str, tmp_path: Path
) -> None:
    context = own_context(browser)
    page = context.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    open_page(page, hostile)
    expect(page.locator(".st-key-marked_document mark").first).to_be_visible()
    assert letters(page.locator(".st-key-marked_document .marked")) == f"{HOSTILE}\n{HOSTILE}"
    assert letters(page.locator(".st-key-marked_query .marked")) == f"fire {HOSTILE}"
    assert page.locator("a[href^='javascript']").count() == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="Download this explanation as HTML").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    alone = context.new_page()
    requests: list[str] = []
    alone.on("request", lambda request: requests.append(request.url))
    alone.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    alone.goto(report.as_uri())
    assert requests == [report.as_uri()]
    marked = alone.locator(".marked")
    assert letters(marked.first) == f"{HOSTILE}\n{HOSTILE}"
    assert alone.locator("script, a").count() == 0
    assert dialogs == []
    context.close()


def test_compare_marks_the_explaining_words_and_leads_to_explain(
    page: Page, address: str, ranker: Ranker, pair: Pair
) -> None:
    open_page(page, f"{address}/?data=sample&adapter=sample-adapter&query=q054&shown=5&marks=yes")
    card = page.locator('section[aria-label="Modulated"] button.card[data-document="the-hague"]')
    expect(card.locator("mark").first).to_be_visible()
    drops = WordExplainer(ranker).estimate(pair, "document")
    signs = {
        w.text.casefold(): v > 0 for w, v in zip(drops.words, drops.change.tolist(), strict=True)
    }
    shown = {
        mark.inner_text().casefold(): "raises" in str(mark.get_attribute("class"))
        for mark in card.locator("mark").all()
    }
    whole = {
        word: raises for word, raises in shown.items() if word in signs
    }  # the last one may be cut with its text
    assert len(whole) >= 3
    assert whole == {word: signs[word] for word in whole}
    card.click()
    page.get_by_role("button", name="Why this document?").click()
    expect(page.get_by_role("heading", name="Explain", level=1)).to_be_visible()
    settle(page)
    assert "document=the-hague" in page.url
    expect(page.locator(".st-key-marked_document mark").first).to_be_visible()


def test_says_where_the_relevant_document_is_when_no_candidate_is(
    page: Page, address: str, ranker: Ranker
) -> None:
    comparison = ranker.compare("q708")
    assert comparison.relevant_not_retrieved == ["corms"]
    places = ranker.corpus_ranks(comparison, "corms")
    ranks = f"“Corms” base rank {places['base']}, modulated rank {places['modulated']}."
    for link in ("&query=q708", "&query=q708&document=corms"):
        open_page(page, f"{address}/explain?data=sample&adapter=sample-adapter{link}")
        first = page.locator('[role="note"]').first
        expect(first).to_contain_text("The relevant document “Corms” was not retrieved")
        expect(first).to_contain_text(ranks)
    explained(page, address)
    expect(page.get_by_text("was not retrieved")).to_have_count(0)


_PRESS_WHEN_MEASURING = """() => {
  window.bars = [];
  new MutationObserver(() => {
    const bar = document.querySelector('[data-testid="stProgress"]');
    if (!bar) return;
    if (!window.bars.length) {
      window.measuring = location.search;
      document.dispatchEvent(new KeyboardEvent('keydown',
        { key: 'j', bubbles: true, composed: true }));
    }
    window.bars.push(bar.innerText);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def test_measuring_says_how_far_it_is_and_gives_way_to_the_next_key(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/explain?data=sample&adapter=sample-adapter&query=q600")
    page.evaluate(_PRESS_WHEN_MEASURING)
    page.keyboard.press("j")
    page.wait_for_function("() => window.measuring")
    page.wait_for_function("() => location.search !== window.measuring")
    settle(page)
    told = page.evaluate("() => window.bars")
    assert any(
        re.search(
            r"Deleting words of the (query|document): \d+ of \d+ texts encoded, about \d+ s left",
            text,
        )
        for text in told
    )
    assert (
        len(
            {
                "q600",
                *re.findall(
                    r"query=(q\d+)", f"{page.evaluate('() => window.measuring')} {page.url}"
                ),
            }
        )
        == 3
    )
    measured = [re.sub(r"…$", "", word) for word, _ in bars(page, "verified_query")]
    assert measured
    assert all(word in letters(page.locator(".st-key-marked_query .marked")) for word in measured)


@pytest.fixture(scope="module")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with an adapter that moves documents, and one that leaves all in place."""
    workspace = tmp_path_factory.mktemp("new")
    moving = Adapter(toys.random_model(3, 384, 384), AdapterCard("moving", 384, 384))
    still = Adapter(identity_adapter(384), AdapterCard("still", 384, 385))
    for adapter in (moving, still):
        save_adapter(adapter, workspace / "adapters" / f"{adapter.card.name}.safetensors")
    return workspace


@pytest.fixture(scope="module")
def new_server(new_workspace: Path) -> Iterator[str]:
    """A server that has measured the outcomes of no adapter. Each test uses one of its own."""
    with serving(new_workspace) as url:
        yield url


def test_a_deletion_test_can_be_stopped_within_its_first_pair(
    page: Page, new_server: str, new_workspace: Path
) -> None:
    open_page(page, f"{new_server}/explain?data=sample&adapter=moving&query=q054")
    offer = page.get_by_role("button", name="Test it on 12 pairs (minutes)")
    offer.click()
    expect(
        page.get_by_text(re.compile(r"0 of 12 pairs, pair 1: \d+ of \d+ texts encoded"))
    ).to_be_visible()
    page.get_by_role("button", name="Stop the test").click()
    expect(offer).to_be_visible()
    expect(page.get_by_role("button", name="Stop the test")).to_have_count(0)
    assert not list((new_workspace / "faithfulness").glob("*.json"))


def test_a_deletion_test_that_failed_says_why_and_can_be_tried_again(
    page: Page, new_server: str
) -> None:
    """The exact identity changes no rank: there is nothing to test."""
    open_page(page, f"{new_server}/explain?data=sample&adapter=still&query=q054")
    failure = page.get_by_text("still changes no rank in split 'dev', so there is nothing to test")
    page.get_by_role("button", name="Test it on 12 pairs (minutes)").click()
    for _ in range(2):
        expect(failure).to_be_visible()
        again = page.get_by_role("button", name="Try again")
        expect(again).to_be_visible()
        settle(page)
        again.click()
