"""Remedies: what each one ranks, how settings are chosen, and what the bench says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.data.common_runs import common_runs
from imrnns_core.data.records import Document
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.cross_validation import choose_settings
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.remedies import near_copies
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.causes import try_remedies
from imrnns_core.remedies.measured import Measured
from imrnns_core.remedies.measuring import measure_remedies
from imrnns_core.remedies.remedy import Remedy, Search, all_remedies
from imrnns_core.reporting.remedies import notes, summary
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import relevant_ids

WITHOUT = ("reciprocal rank fusion", "base + BM25", "Rocchio", "RM3")


@pytest.fixture(scope="module")
def lexical(sample: Collection) -> BM25Index:
    return BM25Index(sample.dataset.documents)


@pytest.fixture(scope="module")
def ranker(sample: Collection) -> Ranker:
    return Ranker(sample, Workspace(Path("unused")).adapter("sample-paper"))


@pytest.fixture(scope="module")
def bench(ranker: Ranker, lexical: BM25Index) -> Bench:
    return measure_remedies(ranker, lexical, "test")


@pytest.fixture(scope="module")
def search(ranker: Ranker, lexical: BM25Index) -> Search:
    queries = ranker.collection.dataset.queries
    return Search.of(ranker, lexical, [queries[q] for q in ("q054", "q128", "q708")])


def named(search: Search) -> dict[str, Remedy]:
    return {remedy.name: remedy for remedy in all_remedies(search)}


def test_a_remedy_ranks_each_document_once(search: Search):
    found = named(search)
    assert set(WITHOUT) < set(found)
    for remedy in found.values():
        for setting in remedy.settings:
            rankings = remedy.rank(search, setting)
            assert len(rankings) == 3
            for rows in rankings:
                assert 0 < len(rows) <= 100
                assert len(np.unique(rows)) == len(rows)


def test_settings_at_their_ends_are_known_rankings(search: Search):
    found = named(search)
    base = [own.rows for own in search.base]
    matches = [own.rows for own in search.matches]

    def same(name: str, setting: float, expected: list[np.ndarray], depth: int = 10) -> None:
        for rows, own in zip(found[name].rank(search, setting), expected, strict=True):
            assert rows[:depth].tolist() == own[:depth].tolist(), (name, setting)

    same("base + BM25", 0.0, base)
    same("base + BM25", 1.0, matches)
    same("Rocchio", 0.0, base, 100)
    same("RM3", 0.0, matches, 100)
    batch = search.ranker.rank_queries(search.ids)
    same("adapter sample-paper", 1.0, batch.ranked_rows("modulated"), 100)


def test_feedback_changes_the_ranking_towards_its_documents(search: Search):
    vectors = search.collection.unit_documents
    rocchio = named(search)["Rocchio"]
    for base, rows in zip(search.base, rocchio.rank(search, 2.0), strict=True):
        centre = vectors[base.rows[:5]].mean(axis=0)
        near = (vectors[rows[:10]] @ centre).mean()
        assert near >= (vectors[base.rows[:10]] @ centre).mean() - 1e-6


def test_only_the_best_of_near_copies_is_ranked(sample: Collection, lexical: BM25Index):
    plain = Search.of(Ranker(sample), lexical, [sample.dataset.queries["q054"]])
    assert not list(near_copies.remedies(plain))
    first, second = plain.base[0].rows[:2].tolist()
    documents = list(sample.dataset.documents)
    copied = documents[first]
    documents[second] = Document(documents[second].id, copied.title, copied.text)
    changed = replace(sample, dataset=replace(sample.dataset, documents=tuple(documents)))
    search = replace(plain, ranker=Ranker(changed))
    (remedy,) = near_copies.remedies(search)
    (rows,) = remedy.rank(search, 0.0)
    assert rows.tolist() == [row for row in plain.base[0].rows.tolist() if row != second]


def test_documents_that_are_near_only_through_others_stay():
    """Neighbours share 72 of 80 words; the first and the last document share none."""
    words = [f"word{i}" for i in range(600)]
    documents = [Document(f"d{i}", "", " ".join(words[8 * i : 8 * i + 80])) for i in range(60)]
    copying = near_copies.NearCopies(documents)
    kept = copying.collapsed(np.arange(60))
    # runs of four words: neighbours share 69 of 77, documents four apart 45, or 58 %
    assert kept.tolist() == list(range(0, 60, 4))


@pytest.mark.parametrize(("length", "excerpt"), [(100, 60), (400, 60), (1000, 100)])
def test_an_excerpt_is_a_near_copy_of_its_page(length: int, excerpt: int):
    words = [f"word{i}" for i in range(length)]
    documents = [
        Document("page", "", " ".join(words)),
        Document("b", "", " ".join(words[:excerpt])),
    ]
    assert near_copies.NearCopies(documents).collapsed(np.array([1, 0])).tolist() == [1]


def test_pages_with_one_footer_are_no_near_copies():
    footer = [f"footer{i}" for i in range(80)]
    documents = [
        Document(f"d{k}", "", " ".join([f"word{k}x{i}" for i in range(20)] + footer))
        for k in range(20)
    ]
    ignored = common_runs(documents)
    rows = np.arange(20)
    assert near_copies.NearCopies(documents, ignored).collapsed(rows).tolist() == rows.tolist()
    assert near_copies.NearCopies(documents).collapsed(rows).tolist() == [0]


def test_the_figures_are_those_of_evaluate(ranker: Ranker, lexical: BM25Index, bench: Bench):
    evaluation = evaluate(ranker, "test", lexical=lexical)
    baselines = measure_baselines(evaluation, ranker.collection, lexical)
    assert np.allclose(bench.base.values[:, 0], evaluation.column("base"))
    expected = {system.name: baselines.column(system) for system in baselines.systems}
    own = {measured.remedy.name: measured for measured in bench.measured}
    assert np.allclose(own["reciprocal rank fusion"].values, expected["reciprocal rank fusion"])
    # of equally good weights, the default comes first here
    assert own["base + BM25"].values.mean() == pytest.approx(
        expected["base + BM25"].mean(), abs=0.003
    )


def test_no_query_chooses_its_own_setting():
    generator = np.random.default_rng(0)
    values, folds = generator.random((4, 100)), np.arange(100) % 5
    every = np.ones(100, dtype=bool)
    chosen, cross_validated = choose_settings(values, folds, every)
    assert cross_validated
    for fold in range(5):
        own = folds == fold
        assert set(chosen[own].tolist()) == {int(values[:, ~own].mean(axis=1).argmax())}
        changed = np.where(own, generator.random((4, 100)), values)
        assert (choose_settings(changed, folds, every)[0][own] == chosen[own]).all()
    few = every & (np.arange(100) < 20)
    assert choose_settings(values, folds, few) == (pytest.approx(np.zeros(100)), False)


def made(
    changes: np.ndarray, independent: np.ndarray | None = None, trained: tuple[int, ...] = ()
) -> Bench:
    """Return a bench of R remedies with changes (R, Q) from nDCG@10 .5; ranks follow the change."""
    count = changes.shape[1]
    every = np.ones(count, dtype=bool)
    card = Workspace(Path("unused")).adapter("sample-paper").card

    def metrics(values: np.ndarray) -> SystemMetrics:
        ranks = np.where(values > 0.5, 1, np.where(values < 0.5, 50, 11))
        return SystemMetrics(values[:, None], ranks, np.ones((count, 1)))

    measured = tuple(
        Measured(
            Remedy(f"r{i}", "", "", "", lambda *_: [], card=card if i in trained else None),
            *(np.zeros(count), False, metrics(0.5 + own), 1.0),
            every if i not in trained or independent is None else independent,
        )
        for i, own in enumerate(changes)
    )
    names = tuple(f"q{i}" for i in range(count))
    base = metrics(np.full(count, 0.5))
    return Bench("toy", "test", None, names, base, measured, np.arange(count))


def test_what_to_do_first_is_the_largest_gain_that_is_shown():
    gain, loss = np.array([0.1, 0.2] * 20), np.array([-0.1, -0.2] * 20)
    bench = made(np.stack([gain / 2, gain, loss]))
    first = bench.first()
    assert first is not None
    assert first.measured.remedy.name == "r1"
    assert (int(first.fixed.sum()), int(first.broken.sum())) == (40, 0)
    assert bench.tests["all"][2].effect == "harms"
    assert "First: r1." in summary(bench)
    # what training has seen decides nothing; the other remedies do not learn
    unknown = made(np.stack([gain / 2, gain]), np.zeros(40, dtype=bool), (1,))
    assert unknown.first().measured.remedy.name == "r0"  # type: ignore[union-attr]
    alone = made(np.stack([gain]), np.zeros(40, dtype=bool), (0,))
    assert alone.first() is None
    assert summary(alone) == "No other remedy is shown to help on these 40 queries."
    assert summary(made(np.stack([loss]))) == "No remedy is shown to help on these 40 queries."


def test_few_queries_that_training_did_not_use_are_not_enough_to_compare_adapters():
    gain = np.array([0.1, 0.2] * 20)
    five = made(np.stack([gain / 2, gain]), np.arange(40) < 5, (1,))
    assert five.first().measured.remedy.name == "r0"  # type: ignore[union-attr]
    assert any("annot come first" in note for note in notes(five))
    half = made(np.stack([np.where(np.arange(40) < 20, 0.0, gain)]), np.arange(40) < 20, (0,))
    assert summary(half) == (
        "No remedy is shown to help on the 20 queries whose judgments the training of no adapter "
        "has used."
    )


def test_remedies_without_an_effect_are_rarely_recommended():
    generator, false = np.random.default_rng(0), 0
    for _ in range(60):
        changes = generator.normal(0, 0.2, (6, 40)) * (generator.random((6, 40)) < 0.7)
        false += made(changes).first() is not None
    assert false <= 6  # of 60; 5 % would be 3


def test_the_record_names_fixed_and_broken_queries(bench: Bench):
    record = json.loads(json.dumps(bench.to_json()))
    assert record["queries"] == 236
    hybrid = next(r for r in record["remedies"] if r["name"] == "base + BM25")
    assert hybrid["groups"]["all"]["fixed"] == len(hybrid["fixed"]) == 6
    assert record["first"] == "base + BM25"


def test_one_query_has_the_ranks_of_each_remedy(ranker: Ranker, lexical: BM25Index, bench: Bench):
    dataset, tried = ranker.collection.dataset, 0
    defaults = {own.remedy.name: own.remedy.settings[0] for own in bench.measured}
    for i, query_id in enumerate(bench.query_ids[:30]):
        search = Search.of(ranker, lexical, [dataset.queries[query_id]])
        relevant = relevant_ids(dataset.judgments[query_id])
        (one,) = try_remedies(search, [relevant])
        assert one.base_rank == bench.base.best_ranks[i]
        for outcome in one.outcomes:
            measured = next(m for m in bench.measured if m.remedy.name == outcome.remedy.name)
            if measured.settings[i] == defaults[outcome.remedy.name]:
                assert outcome.rank == measured.metrics.best_ranks[i]
                tried += 1
    assert tried >= 60
