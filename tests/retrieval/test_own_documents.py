"""A document that is the query itself is left out of all rankings of this query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.config import SearchConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import ExplanationError
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.evaluate import evaluate, measure_bm25
from imrnns_core.evaluation.rank_overlap import measure_overlap
from imrnns_core.explanation.deletion_test import record_key, sample_pairs
from imrnns_core.explanation.explain import explain
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.hybrid import BASE_LEXICAL, LEXICAL, RANK_FUSION, Hybrid
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.training.config import TrainConfig
from imrnns_core.training.examples import paired_examples, ranked_examples
from imrnns_core.training.resume import run_key
from imrnns_core.training.splits import TrainValidationSplit
from imrnns_core.training.validator import Validator
from imrnns_core.types import STAGES
from tests.toys import FakeEncoder, adapter, random_model

WORDS = ("lake", "river", "hill", "road", "wood", "bridge")
DIMENSION = 6


def made(seed: int, count: int, keep_own: bool = False, removed: int | None = None) -> Collection:
    """Return a corpus whose documents at even rows are queries, too, and two queries more.

    The id of "d1" is that of a query by chance. Documents 2 and 3 have the same vector. `removed`
    is the row of a document that the corpus lacks.
    """
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, DIMENSION)).astype(np.float32)
    vectors[3] = vectors[2]
    texts = [" ".join(rng.choice(WORDS, 4)) + f" n{i}" for i in range(count)]
    documents = [Document(f"d{i}", "", text) for i, text in enumerate(texts)]
    queries = {f"d{i}": Query(f"d{i}", texts[i]) for i in range(0, count, 2)}
    queries |= {"d1": Query("d1", "hill road"), "q": Query("q", "lake wood")}
    others = rng.normal(size=(2, DIMENSION)).astype(np.float32)
    qrels = {
        query_id: {f"d{(i * 2 + 1) % count}": 1, query_id: 1} for i, query_id in enumerate(queries)
    }
    kept = [i for i in range(count) if i != removed]
    dataset = Dataset(
        *("toy", Path("toy"), tuple(documents[i] for i in kept), queries, {"test": qrels}),
        keep_own=keep_own,
    )
    matrix = EmbeddingMatrix(dataset.document_ids, vectors[kept])
    query_matrix = EmbeddingMatrix(tuple(queries), np.concatenate([vectors[::2], others]))
    return Collection(dataset, matrix, query_matrix, FakeEncoder(dimension=DIMENSION))


@dataclass(frozen=True)
class Case:
    seed: int
    count: int
    candidates: int

    def ranker(self, more: int = 0, keep_own: bool = False, removed: int | None = None) -> Ranker:
        model = adapter(random_model(self.seed, DIMENSION, DIMENSION))
        collection = made(self.seed, self.count, keep_own, removed)
        return Ranker(collection, model, SearchConfig(self.candidates + more))


cases = st.builds(Case, st.integers(0, 10_000), st.integers(4, 14), st.integers(1, 9))


def ranked(ranker: Ranker, query_id: str, system: str) -> list[str]:
    return [hit.document_id for hit in ranker.compare(query_id).ranking(system)]


@given(cases)
def test_base_rankings_with_and_without_differ_only_by_that_document(case: Case):
    without, within = case.ranker(), case.ranker(1, keep_own=True)
    for query_id in without.collection.dataset.queries:
        both = ranked(within, query_id, "base")
        if query_id in without.collection.dataset.left_out:
            assert query_id in both or len(both) == case.candidates + 1
            both = [d for d in both if d != query_id]
        count = min(case.candidates, case.count - 1)
        assert ranked(without, query_id, "base") == both[:count]


@given(cases)
def test_every_stage_ranks_as_if_the_corpus_lacked_the_document(case: Case):
    without = case.ranker()
    for query_id, row in list(without.collection.dataset.left_out.items())[:3]:
        lacking = case.ranker(keep_own=True, removed=row)
        comparison, expected = without.compare(query_id), lacking.compare(query_id)
        for stage in STAGES:
            hits = [
                {h.document_id: h.score for h in c.ranking(stage)} for c in (comparison, expected)
            ]
            assert hits[0] == pytest.approx(hits[1], abs=1e-5)
        for document_id in expected.document_ids:
            ranks = without.corpus_ranks(comparison, document_id)
            assert ranks["base"] == lacking.corpus_ranks(expected, document_id)["base"]
        assert without.corpus_ranks(comparison, query_id) == {}


@given(cases)
def test_a_batch_ranks_as_single_queries_do(case: Case):
    ranker = case.ranker()
    queries = ranker.collection.queries
    batch = ranker.rank_batch(queries.vectors, queries.ids)
    for rows, query_id in zip(batch.rows, queries.ids, strict=True):
        assert rows.tolist() == ranker.compare(query_id).rows.tolist()


@given(cases)
def test_bm25_and_fusion_with_and_without_differ_only_by_that_document(case: Case):
    rankings = {}
    for keep_own in (False, True):
        ranker = case.ranker(int(keep_own), keep_own)
        collection, index = ranker.collection, BM25Index(ranker.collection.dataset.documents)
        for query_id in collection.dataset.queries:
            compared = ranker.compare(query_id)
            hybrid = Hybrid.of(collection, compared, index)
            whole = hybrid.add_to(compared).rankings
            rankings[keep_own, query_id] = {**whole, BASE_LEXICAL: hybrid.mixed(0.5)}
    for query_id in made(case.seed, case.count).dataset.queries:
        kept, left = rankings[True, query_id], rankings[False, query_id]
        left_out = query_id not in ("d1", "q")
        lexical = [d for d in kept[LEXICAL].document_ids if not left_out or d != query_id]
        assert list(left[LEXICAL].document_ids) == lexical
        for system in (RANK_FUSION, BASE_LEXICAL):
            assert (query_id in left[system].document_ids) <= (not left_out)


def test_measures_are_those_of_ignore_identical_ids():
    case = Case(3, 14, 9)
    ranker, deeper = case.ranker(), case.ranker(1, keep_own=True)
    evaluation, dataset = evaluate(ranker, "test"), ranker.collection.dataset
    run = {}
    for query_id in evaluation.query_ids:
        hits = deeper.compare(query_id).ranking("base")
        scores = {hit.document_id: 1.0 - hit.rank / 100 for hit in hits}
        if query_id in dataset.left_out:
            scores.pop(query_id, None)  # what BEIR does for all queries with `ignore_identical_ids`
        run[query_id] = dict(list(scores.items())[:9])
    qrels = {q: dict(judged) for q, judged in dataset.qrels("test").items()}
    expected = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recall.10"}).evaluate(run)
    for measure, key in (("nDCG@10", "ndcg_cut_10"), ("R@10", "recall_10")):
        values = [expected[q][key] for q in evaluation.query_ids]
        np.testing.assert_allclose(evaluation.column("base", measure), values, atol=1e-6)
    # the document that has the id of "d1" by chance stays
    assert "d1" in ranked(Ranker(ranker.collection), "d1", "base")


def test_evaluation_baselines_and_overlap_leave_it_out():
    ranker = Case(5, 12, 9).ranker()
    collection, queries = ranker.collection, ranker.collection.queries
    index = BM25Index(collection.dataset.documents)
    evaluation = evaluate(ranker, "test", lexical=index)
    own = collection.dataset.left_out_rows(evaluation.query_ids)
    assert own is not None
    assert not (evaluation.batch.rows == own[:, None]).any()
    # the own document is judged relevant, so BM25 with it would be better
    kept = replace(collection, dataset=replace(collection.dataset, keep_own=True))
    qrels = kept.dataset.judged_queries("test")
    with_own = measure_bm25(kept.dataset, qrels, index, evaluation.measures)
    assert evaluation.bm25 is not None
    assert evaluation.bm25.values[:6, 0].max() < with_own.values[:6, 0].min()
    baselines = {b.name: b for b in measure_baselines(evaluation, collection, index).systems}
    np.testing.assert_array_equal(baselines[LEXICAL].metrics.values, evaluation.bm25.values)
    overlap = measure_overlap(Ranker(collection), queries.ids, lexical=index)
    for i, query_id in enumerate(queries.ids):
        tops = {overlap.top_document(0, i), overlap.top_document(1, i)}
        assert (query_id in tops) <= (query_id not in collection.dataset.left_out)


@pytest.mark.parametrize("lexical", [False, True])
def test_it_is_neither_positive_nor_negative_in_training(lexical: bool):
    collection = made(1, 12)
    dataset = collection.dataset
    qrels = dataset.in_corpus(dataset.qrels("test"))
    own = dataset.left_out_rows(qrels)
    assert own is not None
    assert (own >= 0).sum() == 6
    for examples in (
        paired_examples(collection, qrels, 5, lexical),
        ranked_examples(collection, qrels, 20),
    ):
        assert not (examples.documents.numpy() == own[:, None]).any()
        assert not (examples.relevant.numpy() == own[:, None]).any()
    validator = Validator.from_qrels(collection, qrels)
    assert validator.rows.shape == (8, 11)
    np.testing.assert_array_equal(validator.base_values().numpy() > 0, np.ones(8, dtype=bool))


def test_a_deletion_test_does_not_choose_it_and_has_a_record_of_its_own():
    ranker, within = Case(2, 14, 9).ranker(), Case(2, 14, 9).ranker(keep_own=True)
    pairs = sample_pairs(ranker, "test", 20)
    assert pairs
    assert all(
        pair.document_id != pair.comparison.query.id or pair.document_id == "d1" for pair in pairs
    )
    assert record_key(ranker) != record_key(within)
    keys = [run_key(r.collection, TrainConfig(), TrainValidationSplit()) for r in (ranker, within)]
    assert keys[0] != keys[1]


def test_explain_says_why_it_is_not_among_the_candidates():
    ranker = Case(2, 14, 9).ranker()
    with pytest.raises(ExplanationError, match=r"is the query itself.*--keep-own"):
        explain(ranker, ranker.compare("d2"), "d2")
