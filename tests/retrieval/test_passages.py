"""Documents that were split are ranked by their best passage, at every stage."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.config import SearchConfig
from imrnns_core.data.embeddings import EmbeddingMatrix, unit
from imrnns_core.data.records import Query
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.explanation.deletion_test import record_key
from imrnns_core.explanation.pair import rescore
from imrnns_core.explanation.score_accounting import account
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.passages import Passages, RankedVectors
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import STAGES
from tests.toys import adapter, collection, random_model, stage_scores

DIMENSION = 5


def split(whole: Collection, counts: list[int], seed: int) -> Collection:
    """Return the collection with `counts` (N,) random passages of each document; 0: not split."""
    rng, documents = np.random.default_rng(seed), whole.dataset.documents
    rows = np.repeat(np.arange(len(counts)), counts)
    vectors = rng.normal(size=(len(rows), whole.documents.dimension)).astype(np.float32)
    numbers = [n for count in counts for n in range(count)]
    parts = [
        replace(documents[row], text=f"part {n} of {row}")
        for row, n in zip(rows.tolist(), numbers, strict=True)
    ]
    return replace(whole, passages=Passages(vectors, rows, parts))


@dataclass(frozen=True)
class Case:
    seed: int
    counts: list[int]
    candidates: int

    @property
    def collection(self) -> Collection:
        rng = np.random.default_rng(self.seed)
        documents = rng.normal(size=(len(self.counts), DIMENSION))
        qrels = {f"q{i}": {f"d{i}": 1} for i in range(3)}
        whole = collection(documents, rng.normal(size=(3, DIMENSION)), qrels)
        return split(whole, self.counts, self.seed + 1)

    def ranker(self, opened: Collection | None = None) -> Ranker:
        model = random_model(self.seed, DIMENSION, DIMENSION)
        return Ranker(opened or self.collection, adapter(model), SearchConfig(self.candidates))


cases = st.builds(
    Case,
    st.integers(0, 10_000),
    st.lists(st.integers(0, 6), min_size=3, max_size=9).filter(any),
    st.integers(1, 10),
)


@given(cases)
def test_the_base_score_is_that_of_the_best_passage(case: Case):
    opened = case.collection
    passages, whole = opened.passages, unit(opened.documents.vectors)
    assert passages is not None
    query = unit(opened.queries.vectors[0])
    best = {
        f"d{row}": float(max(unit(passages.vectors[passages.rows == row]) @ query))
        if count
        else float(whole[row] @ query)
        for row, count in enumerate(case.counts)
    }
    comparison = case.ranker().compare("q0")
    expected = sorted(best, key=lambda i: -best[i])[: case.candidates]
    assert list(comparison.document_ids) == expected
    np.testing.assert_allclose(comparison.score("base"), [best[i] for i in expected], atol=1e-6)


@given(cases)
def test_every_stage_scores_the_best_passage_as_if_it_were_the_document(case: Case):
    opened, ranker = case.collection, case.ranker()
    comparison = ranker.compare("q1")
    rows = comparison.rows
    best = opened.documents.vectors.copy()
    best[rows] = opened.ranked.vectors[comparison.vector_rows]
    dataset = opened.dataset
    replaced = replace(opened, passages=None, documents=EmbeddingMatrix(dataset.document_ids, best))
    query = Query("q1", "")
    plain = Ranker(replaced, ranker.adapter, SearchConfig(len(rows)))
    if len(rows) == len(case.counts):  # else another whole document could be nearer
        np.testing.assert_allclose(
            stage_scores(plain.compare(query)), stage_scores(comparison), atol=2e-5
        )
    # the account of the change adds up, and the same vectors give the same scores again
    total = account(comparison).total
    np.testing.assert_allclose(
        sum(total[name] for name in total if name != "modulated"), total["modulated"], atol=1e-5
    )
    again = rescore(comparison, ranker.model)
    np.testing.assert_allclose(stage_scores(again), stage_scores(comparison), atol=2e-5)


@given(cases)
def test_a_batch_ranks_as_single_queries_do(case: Case):
    ranker = case.ranker()
    batch = ranker.rank_batch(ranker.collection.queries.vectors, ranker.collection.queries.ids)
    for i in range(3):
        comparison = ranker.compare(f"q{i}")
        assert comparison.rows.tolist() == batch.rows[i].tolist()
        assert comparison.vector_rows.tolist() == batch.vector_rows[i].tolist()
        assert len(set(batch.rows[i].tolist())) == batch.rows.shape[1]
    assert batch.rows.shape[1] == min(case.candidates, len(case.counts))


@given(cases)
def test_ranks_in_the_whole_corpus_are_those_of_all_candidates(case: Case):
    every = replace(case, candidates=len(case.counts)).ranker()
    comparison = every.compare("q2")
    for document_id in comparison.document_ids:
        ranks = every.corpus_ranks(comparison, document_id)
        position = comparison.position[document_id]
        assert ranks["base"] == comparison.rank("base")[position]
        assert set(ranks) == set(STAGES)


def test_documents_of_one_passage_rank_as_whole_documents_do():
    case = Case(7, [1] * 6, 4)
    opened = case.collection
    passages = replace(opened.passages, vectors=opened.documents.vectors)  # type: ignore[type-var]
    same = case.ranker(replace(opened, passages=passages))
    plain = case.ranker(opened.without_passages())
    for query_id in opened.dataset.queries:
        one, other = same.compare(query_id), plain.compare(query_id)
        assert one.document_ids == other.document_ids
        np.testing.assert_array_equal(stage_scores(one), stage_scores(other))
    assert same.mapped_documents.shape == plain.mapped_documents.shape
    assert record_key(same) != record_key(plain)


def test_the_best_passage_is_named():
    vectors = np.array([[1, 0], [0, 1]], np.float32)
    whole = collection(vectors, [[0.6, 0.8]])
    documents = whole.dataset.documents
    parts = [replace(documents[1], text=text) for text in ("first", "second", "third")]
    of_d1 = np.array([[-1, 0], [0.6, 0.8], [0, -1]], np.float32)
    opened = replace(whole, passages=Passages(of_d1, np.array([1, 1, 1]), parts))
    comparison = Ranker(opened).compare("q0")
    assert comparison.document_ids == ("d1", "d0")
    np.testing.assert_allclose(comparison.score("base"), [1.0, 0.6], atol=1e-6)
    best = comparison.passages["d1"]
    assert (best.number, best.count, best.part) == (2, 3, parts[1])
    assert set(comparison.passages) == {"d1"}


def test_equal_passages_of_a_document_count_once_and_the_first_one_is_named():
    whole = np.eye(3, dtype=np.float32)
    parts = [collection(whole).dataset.documents[1]] * 4
    passages = Passages(np.tile(whole[:1], (4, 1)), np.array([1] * 4), parts)
    ranked = RankedVectors.of(whole, np.arange(3), "cosine", passages)
    (rows,) = ranked.search(whole[:1], 2)
    assert ranked.documents[rows].tolist() == [0, 1]
    assert rows.tolist() == [0, 1]
    (rows,) = ranked.search(whole[:1], 2, np.array([0]))
    assert ranked.documents[rows].tolist() == [1, 2]


def test_evaluation_measures_documents_not_passages():
    case = Case(11, [5, 0, 3, 6, 0, 2, 4, 1], 6)
    ranker = case.ranker()
    result = evaluate(ranker, "test", with_parts=True)
    for i, query_id in enumerate(result.query_ids):
        rank = ranker.compare(query_id).best_relevant_rank("base")
        assert result.best_rank("base")[i] == (rank or 0)


def test_maps_and_trainings_use_the_whole_documents():
    case = Case(5, [0, 3, 2, 0, 1], 4)
    opened, ranker = case.collection, case.ranker()
    plain = case.ranker(opened.without_passages())
    np.testing.assert_array_equal(ranker.mapped_documents, plain.mapped_documents)
    assert opened.fingerprint == plain.collection.fingerprint
    assert opened.without_passages().ranked.vectors is opened.documents.vectors
