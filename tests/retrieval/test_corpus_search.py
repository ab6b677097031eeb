"""An adapter that ranks the whole corpus finds the documents that scoring all of them finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from imrnns_core.config import SearchConfig
from imrnns_core.data.records import Query
from imrnns_core.errors import AdapterError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.explanation.pair import rescore
from imrnns_core.model.corpus_transform import CorpusTransform
from imrnns_core.model.scoring import score_corpus
from imrnns_core.retrieval import ranker as ranker_module
from imrnns_core.retrieval.batch import Certainty, rank
from imrnns_core.retrieval.comparison import Comparison, blend
from imrnns_core.retrieval.ranker import Ranker
from tests.retrieval import test_own_documents, test_passages
from tests.retrieval.test_ranker import BY_HASH
from tests.toys import (
    World,
    adapter,
    collection,
    random_model,
    stage_scores,
    still_model,
    worlds,
)

TOP = 3


def wide(ranker: Ranker, exact_pass: bool = True) -> Ranker:
    """Return the ranker over the whole corpus, with the top `TOP` to be proven."""
    top_k = min(TOP, ranker.config.candidates)
    config = replace(ranker.config, top_k=top_k, scope="corpus", exact_pass=exact_pass)
    return Ranker(ranker.collection, ranker.adapter, config)


def true_scores(ranker: Ranker, narrow: Comparison) -> dict[str, float]:
    """Return id → modulated score of all documents, with the candidates of a comparison.

    Each document is scored by the best passage, and that of the query itself is left out.
    """
    scorer, collection = ranker._scorer, ranker.collection
    with torch.inference_mode():
        scores = {stage: x.numpy() for stage, x in scorer.corpus_scores(narrow).items()}
    best = collection.ranked.best_rows(scores["base"])
    best[narrow.rows] = narrow.vector_rows
    own = collection.dataset.left_out.get(narrow.query.id)
    by_row = scores["modulated"][best].tolist()
    ids = collection.dataset.document_ids
    return {i: by_row[row] for row, i in enumerate(ids) if row != own}


def check_top(ranker: Ranker, query_id: str) -> Certainty:
    """Compare the modulated top of the corpus with the scores of all documents."""
    narrow, compared = ranker.compare(query_id), wide(ranker).compare(query_id)
    expected = true_scores(ranker, narrow)
    hits = compared.ranking("modulated")
    assert {h.document_id: h.score for h in hits} == pytest.approx(
        {h.document_id: expected[h.document_id] for h in hits}, abs=2e-5
    )
    assert compared.certainty is not None
    k = compared.certainty.top_k
    best = sorted(expected.values(), reverse=True)[:k]
    assert [h.score for h in hits[:k]] == pytest.approx(best, abs=2e-5)
    assert compared.certainty.proof in ("exact", "proven")
    return compared.certainty


@given(worlds(min_documents=2))
def test_the_top_is_that_of_all_documents(world: World):
    check_top(world.ranker(), "q0")


@given(worlds(min_documents=2))
def test_what_is_proven_without_the_exact_pass_is_true(world: World):
    ranker = world.ranker()
    expected = true_scores(ranker, ranker.compare("q0"))
    compared = wide(ranker, exact_pass=False).compare("q0")
    assert compared.certainty is not None
    if compared.certainty.proof != "not proven":
        k = compared.certainty.top_k
        best = sorted(expected.values(), reverse=True)[:k]
        scores = [h.score for h in compared.ranking("modulated", k)]
        assert scores == pytest.approx(best, abs=2e-5)


@given(test_own_documents.cases)
def test_the_document_of_the_query_is_left_out(case: test_own_documents.Case):
    ranker = case.ranker()
    for query_id in ranker.collection.dataset.left_out:
        check_top(ranker, query_id)
        assert query_id not in wide(ranker).compare(query_id).document_ids
    # the other queries have as many documents: if one that they lack may be in the top, none is
    # proven
    for query_id in set(ranker.collection.dataset.queries) - set(
        ranker.collection.dataset.left_out
    ):
        compared = wide(ranker).compare(query_id)
        assert compared.certainty is not None
        if len(compared.document_ids) - case.candidates >= compared.certainty.top_k:
            check_top(ranker, query_id)
        else:
            assert compared.certainty.proof == "not proven"


@given(test_passages.cases)
def test_documents_are_scored_by_their_best_passage(case: test_passages.Case):
    ranker = case.ranker()
    for query_id in ranker.collection.dataset.queries:
        check_top(ranker, query_id)


@given(worlds(min_documents=3), st.data())
def test_candidates_and_their_scores_are_those_of_the_narrow_scope(
    world: World, data: st.DataObject
):
    """The same documents refine the query, also if some are excluded."""
    ranker = world.ranker()
    ids = ranker.compare("q0").document_ids
    dropped = frozenset(data.draw(st.lists(st.sampled_from(ids), max_size=len(ids) - 1)))
    narrow, compared = ranker.compare("q0", dropped), wide(ranker).compare("q0", dropped)
    assert compared.document_ids[: len(ids)] == ids
    np.testing.assert_array_equal(compared.feedback[: len(ids)], narrow.feedback)
    assert not compared.feedback[len(ids) :].any()
    np.testing.assert_allclose(
        stage_scores(compared)[:, : len(ids)], stage_scores(narrow), atol=2e-6
    )
    np.testing.assert_allclose(
        compared.modulation.modulated_query, narrow.modulation.modulated_query, atol=2e-6
    )
    further = compared.document_ids[len(ids) :]
    assert len(further) == min(len(ids), world.documents - len(ids))
    for document_id in compared.document_ids:
        hit = compared.hit("base", document_id)
        assert hit is not None
        assert hit.rank == ranker.corpus_ranks(narrow, document_id)["base"]


@given(worlds(min_documents=3))
def test_all_ranks_are_those_of_the_whole_corpus(world: World):
    """Also those of documents that few candidates keep, far below the top k."""
    ranker = world.ranker()
    compared = wide(ranker).compare("q0")
    narrow = ranker.compare("q0")
    for stage in compared.stages:
        expected = [ranker.corpus_ranks(narrow, i)[stage] for i in compared.document_ids]
        assert sorted(compared.rank(stage)) == sorted(expected)
        order = np.argsort(compared.rank(stage))
        assert (np.diff(compared.score(stage)[order]) <= 2e-6).all()


@given(worlds(min_documents=2))
def test_a_batch_ranks_as_single_queries_do(world: World):
    ranker = wide(world.ranker())
    batch = ranker.rank_queries(ranker.collection.queries.ids)
    width = batch.candidates
    assert width == min(world.candidates, world.documents)
    for i, query_id in enumerate(ranker.collection.queries.ids):
        alone = ranker.compare(query_id)
        assert alone.rows[:width].tolist() == batch.rows[i, :width].tolist()
        scores = np.sort(batch.score("modulated")[i])
        np.testing.assert_allclose(np.sort(alone.score("modulated")), scores, atol=2e-5)
        assert batch.certainty[i] == alone.certainty
        assert [len(ranked.rows) for ranked in batch.ranked("modulated")] == [width] * len(
            batch.rows
        )


def test_hand_set_a_document_outside_the_candidates_wins():
    """In two dimensions, the modulated score is 1 on the query's side of x₁ = x₂, else −1."""
    world = collection([[1, 0], [0.8, 0.6], [0.9, 0.1], [-1, 0]], [[0.6, 0.8]], {"q0": {"d3": 1}})
    ranker = Ranker(world, adapter(still_model(2)), SearchConfig(1, 1, "corpus"))
    comparison = ranker.compare("q0")
    assert comparison.document_ids == ("d1", "d3")
    assert [h.document_id for h in comparison.ranking("modulated")] == ["d3", "d1"]
    assert comparison.rank("base").tolist() == [1, 4]
    assert comparison.score("modulated").tolist() == pytest.approx([-1, 1])
    assert comparison.best_relevant_rank("modulated") == 1
    assert blend(comparison, 1.0)[1].tolist() == [3, 1]
    assert blend(comparison, 0.0)[1].tolist() == [1, 4]
    assert str(comparison.certainty) == "proven from a pool of 2"
    # the same as a typed question
    typed = ranker.compare(Query("", "question 0"), vector=world.query_vectors(["q0"])[0])
    assert typed.document_ids == comparison.document_ids


def test_of_identical_documents_the_first_ones_by_hash_are_found():
    world = collection([[0, 1]] * 5 + [[1, 0]], [[1, 0.1]])
    for count in (1, 2):
        ranker = Ranker(world, adapter(still_model(2)), SearchConfig(count, 1, "corpus"))
        assert ranker.compare("q0").document_ids == ("d5", *BY_HASH)[: 2 * count]


def test_a_proof_is_stated():
    texts = {
        "exact": Certainty("exact", 10, 5183),
        "proven from a pool of 1,000": Certainty("proven", 10, 1000),
        "not proven": Certainty("not proven", 10, 1000),
    }
    assert {text: str(certainty) for text, certainty in texts.items()} == {t: t for t in texts}
    assert texts["exact"].to_json() == {"proof": "exact", "top_k": 10, "pool": 5183}


def test_without_an_adapter_there_is_no_other_scope():
    ranker = Ranker(collection([[1, 0], [0, 1]], [[1, 0]]))
    with pytest.raises(AdapterError, match="this needs an adapter"):
        ranker.with_scope("corpus")
    with pytest.raises(AdapterError, match="this needs an adapter"):
        Ranker(ranker.collection, None, SearchConfig(scope="corpus"))
    assert ranker.with_scope("candidates").compare("q0").certainty is None


@given(worlds(min_documents=8))
def test_the_base_is_measured_as_in_the_narrow_scope(world: World):
    """Both rankings are as long as the list of candidates, so their measures can be compared."""
    ranker = world.ranker()
    narrow, measured = (evaluate(r, "test", with_parts=True) for r in (ranker, wide(ranker)))
    np.testing.assert_array_equal(measured.value("base"), narrow.value("base"))
    assert len(measured.batch.certainty) == len(measured.query_ids)
    if measured.gain is not None:  # there is more than one query
        parts = (measured.gain.projector, measured.gain.constant, measured.gain.query_specific)
        assert sum(part.change for part in parts) == pytest.approx(measured.change.mean(), abs=1e-9)
    if measured.shares is not None:
        assert sum(vars(measured.shares).values()) == pytest.approx(1.0) or not any(
            vars(measured.shares).values()
        )


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_all_documents_are_scored_from_a_memory_mapped_matrix(
    tmp_path, dtype: type, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imrnns_core.model.corpus_transform.CORPUS_BLOCK", 7)
    ranker = World(4, 12, 10, 30, 3, 5).ranker()
    model, transform = ranker.adapter.model, ranker.transform
    file = tmp_path / "projected.npy"
    np.save(file, transform.projected.numpy().astype(dtype))
    mapped = torch.from_numpy(np.load(file, mmap_mode="c"))
    query = model.project(torch.from_numpy(ranker.collection.queries.vectors))
    stored = score_corpus(model, CorpusTransform(mapped, transform.effect), query, query)
    in_memory = score_corpus(model, transform, query, query)
    tolerance = 1e-6 if dtype == np.float32 else 2e-3
    np.testing.assert_allclose(stored.numpy(), in_memory.numpy(), atol=tolerance)


@settings(max_examples=25, deadline=None)
@given(
    worlds(min_documents=6),
    st.sampled_from([0.05, 0.5, 0.95]),
    st.sampled_from(["nothing", "document", "query"]),
)
def test_mixed_and_edited_scores_have_their_ranks_in_the_whole_corpus(
    world: World, alpha: float, edited: str
):
    ranker = wide(world.ranker())
    comparison = ranker.compare("q0")
    other = comparison.vectors.stored_query.numpy()[::-1].copy()
    if edited == "document":
        documents = {comparison.document_ids[0]: -other}
        comparison = ranker.with_ranks(rescore(comparison, ranker.model, None, documents))
    if edited == "query":
        comparison = ranker.with_ranks(rescore(comparison, ranker.model, -other))
    every, ties = ranker.corpus_scores(comparison).stages, ranker.collection.tie_ranks
    scores, ranks = ranker.blending(comparison)(alpha)
    mixed = ((1 - alpha) * every["base"] + alpha * every["modulated"]).astype(np.float32)
    assert ranks.tolist() == rank(mixed, ties)[comparison.rows].tolist()
    np.testing.assert_allclose(scores, mixed[comparison.rows], atol=2e-5)
    for stage in comparison.stages:
        np.testing.assert_allclose(
            comparison.score(stage), every[stage][comparison.rows], atol=2e-5
        )
        among_all = rank(every[stage], ties)[comparison.rows]
        assert sorted(comparison.rank(stage).tolist()) == sorted(among_all.tolist())


@given(worlds(min_documents=6))
def test_an_edit_that_changes_nothing_changes_no_rank(world: World):
    ranker = wide(world.ranker())
    comparison = ranker.compare("q0")
    same = ranker.with_ranks(rescore(comparison, ranker.model))
    for stage in comparison.stages:
        assert same.rank(stage).tolist() == comparison.rank(stage).tolist()


def test_the_ranks_of_several_documents_need_one_pass(monkeypatch: pytest.MonkeyPatch):
    documents, queries = torch.randn(30, 8).numpy(), torch.randn(2, 8).numpy()
    own = Ranker(
        collection(documents, queries), adapter(random_model(0, 8, 6)), SearchConfig(10, 3)
    )
    passes = list[str]()
    score_all = ranker_module.score_all

    def counted(*arguments: Any) -> Any:
        passes.append(arguments[2].query.id)
        return score_all(*arguments)

    monkeypatch.setattr(ranker_module, "score_all", counted)
    first, second = own.compare("q0"), own.compare("q1")
    for compared in (first, second, first):
        found = [own.corpus_ranks(compared, f"d{i}")["modulated"] for i in range(30)]
        assert sorted(found) == list(range(1, 31))
        expected = own.corpus_scores(replace(compared)).stages["modulated"]
        np.testing.assert_array_equal(np.argsort(found), np.argsort(-expected))
    # once for the ranks of each, and once for each copy
    assert passes == ["q0", "q0", "q1", "q1", "q0", "q0"]
