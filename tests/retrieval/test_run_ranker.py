"""A run as the base: its measures are trec_eval's, its rankings those of its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval

from imrnns_core.config import MEASURES
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.readers.runs import load_run
from imrnns_core.data.records import Query
from imrnns_core.errors import DataError, EncoderError, ExplanationError, LensError
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.evaluate import evaluate, measure_bm25
from imrnns_core.evaluation.rank_overlap import measure_overlap
from imrnns_core.evaluation.trec import single_run, write_runs
from imrnns_core.explanation.explain import explain
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.hybrid import LEXICAL, RANK_FUSION, Hybrid
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import ENCODER, RunRanker, with_encoder
from imrnns_core.training.judged import check_collection

TREC_NAMES = {
    "nDCG@10": "ndcg_cut_10",
    "R@10": "recall_10",
    "R@100": "recall_100",
    "AP": "map",
    "Success@1": "success_1",
}
"""Our names of measures, and trec_eval's. Its reciprocal rank has no cut-off."""


def random_run(collection: Collection, folder: Path, seed: int) -> tuple[Path, dict[str, dict]]:
    """Write a run with rankings of all lengths and many equal scores; return it as a dict, too."""
    rng, scores = np.random.default_rng(seed), dict[str, dict[str, float]]()
    for n, query_id in enumerate(collection.dataset.splits["test"]):
        depth = int(rng.integers(0, 300)) if n % 7 else 0
        chosen = rng.choice(collection.dataset.document_ids, depth, replace=False).tolist()
        judged = collection.dataset.splits["test"][query_id]
        for document_id in judged if depth else ():
            if document_id not in chosen and rng.random() < 0.7:
                chosen.append(document_id)
        if chosen:
            scores[query_id] = {d: float(rng.choice([*range(9), 0.1, 2.5])) for d in chosen}
    path = folder / "random.run"
    lines = [
        f"{q} Q0 {d} {n} {score} t"
        for q, own in scores.items()
        for n, (d, score) in enumerate(own.items(), 1)
    ]
    path.write_text("\n".join(lines))
    return path, scores


@pytest.mark.parametrize("seed", [0, 1])
def test_measures_are_those_of_trec_eval(sample: Collection, tmp_path: Path, seed: int) -> None:
    path, scores = random_run(sample, tmp_path, seed)
    dataset = sample.dataset
    measured = evaluate(RunRanker(sample, load_run(path, "other", dataset)), "test")
    qrels = {q: dict(judged) for q, judged in measured.qrels.items()}
    expected = pytrec_eval.RelevanceEvaluator(qrels, {*TREC_NAMES.values(), "recip_rank"})
    values = expected.evaluate(scores)
    assert len(values) < len(measured.query_ids)  # the others count as 0, as with -c
    for ours, theirs in TREC_NAMES.items():
        by_trec_eval = [values.get(q, {}).get(theirs, 0.0) for q in measured.query_ids]
        assert measured.column("base", ours).tolist() == pytest.approx(by_trec_eval, abs=1e-9)
        assert measured.mean("base")[ours] == pytest.approx(np.mean(by_trec_eval))
    reciprocal = [values.get(q, {}).get("recip_rank", 0.0) for q in measured.query_ids]
    ranks = measured.best_rank("base")
    assert [1 / r if r else 0 for r in ranks] == pytest.approx(reciprocal)
    assert set(TREC_NAMES) | {"RR@10"} == set(MEASURES)
    assert measured.batch.unranked == sum(q not in scores for q in measured.query_ids)
    assert (measured.run, measured.adapter, measured.stages) == ("other", None, ("base",))


def test_an_exported_run_has_the_same_measures_and_rankings_to_the_last_digit(
    sample: Collection, tmp_path: Path
) -> None:
    encoder = Ranker(sample)
    evaluation = evaluate(encoder, "test")
    ids = sample.dataset.document_ids
    (path,) = write_runs(evaluation, ids, tmp_path)
    loaded = RunRanker(sample, load_run(path, "base", sample.dataset))
    again = evaluate(loaded, "test")
    assert again.values.tolist() == evaluation.values.tolist()
    assert again.best_ranks.tolist() == evaluation.best_ranks.tolist()
    assert again.outcomes() == evaluation.outcomes()
    assert again.batch.rows.tolist() == evaluation.batch.rows.tolist()
    assert again.batch.scores.tolist() == evaluation.batch.scores.tolist()
    (second,) = write_runs(again, ids, tmp_path / "again")
    assert second.read_bytes() == path.read_bytes()
    # the run of one query, as Compare and `search` export it
    one = tmp_path / "one.run"
    base = encoder.compare("q007").rankings["base"]
    one.write_text(single_run("q007", base, "search"))
    read = RunRanker(sample, load_run(one, "one", sample.dataset)).compare("q007").rankings["base"]
    assert read.document_ids == tuple(base.document_ids[i] for i in base.order)
    assert read.scores.tolist() == base.scores[base.order].tolist()


@pytest.fixture
def other(sample: Collection, tmp_path: Path) -> RunRanker:
    """q007 has 3 documents, the relevant one last; q003 one; the other queries none."""
    path = tmp_path / "other.run"
    path.write_text(
        "q007 Q0 rio-grande 1 9.5 t\nq007 Q0 kelvin 2 9 t\nq007 Q0 costa-rican-colon 3 -1 t\n"
        "q003 Q0 guatemalan-quetzal 1 4 t\n"
    )
    return RunRanker(sample, load_run(path, "other", sample.dataset))


def test_a_query_has_the_documents_of_the_run_and_no_vectors(other: RunRanker) -> None:
    comparison = other.compare("q007")
    assert comparison.document_ids == ("rio-grande", "kelvin", "costa-rican-colon")
    assert comparison.score("base").tolist() == [9.5, 9.0, -1.0]
    assert comparison.best_relevant_rank("base") == 3
    ids = other.collection.dataset.document_ids
    assert [ids[row] for row in comparison.rows] == list(comparison.document_ids)
    assert other.corpus_ranks(comparison, "kelvin") == {}
    with pytest.raises(ValueError, match="rankings only, no vectors"):
        _ = comparison.vectors
    with pytest.raises(ExplanationError, match="the run other has scores, but no vectors"):
        explain(other, comparison, "kelvin")
    with pytest.raises(LensError, match="choose the encoder as the base"):
        other.rank_batch(np.zeros((1, 384), np.float32))


@pytest.mark.parametrize("query", ["q001", "which question is new?"])
def test_a_query_that_the_run_lacks_has_no_candidate(other: RunRanker, query: str) -> None:
    comparison = other.compare(query)
    assert comparison.document_ids == ()
    assert comparison.rank("base").tolist() == []
    index = BM25Index(other.collection.dataset.documents)
    both = Hybrid.of(other.collection, comparison, index).add_to(comparison)
    # without a base ranking, the fusion has the order of BM25
    assert both.rankings[LEXICAL].document_ids == both.rankings[RANK_FUSION].document_ids
    assert len(both.rankings[LEXICAL].document_ids) > 0


def test_the_ranking_by_the_vectors_stands_beside_the_run(other: RunRanker) -> None:
    encoder = Ranker(other.collection)
    comparison = with_encoder(other.compare("q007"), encoder, None)
    expected = encoder.compare("q007").rankings["base"]
    beside = comparison.rankings[ENCODER]
    assert (beside.system, beside.document_ids) == ("encoder", expected.document_ids)
    assert beside.ranks.tolist() == expected.ranks.tolist()
    assert comparison.document_ids == ("rio-grande", "kelvin", "costa-rican-colon")


def test_the_baselines_of_a_run_have_the_encoder(other: RunRanker) -> None:
    collection = other.collection
    index = BM25Index(collection.dataset.documents)
    queries = list(collection.dataset.splits["test"])[:25]
    measured = evaluate(other, "test", query_ids=queries)
    systems = {s.name: s.metrics for s in measure_baselines(measured, collection, index).systems}
    assert list(systems) == [LEXICAL, RANK_FUSION, "base + BM25", ENCODER]
    base = evaluate(Ranker(collection), "test", query_ids=queries)
    assert systems[ENCODER].values.tolist() == base.value("base").tolist()
    bm25 = measure_bm25(collection.dataset, measured.qrels, index, MEASURES)
    assert systems[LEXICAL].values.tolist() == bm25.values.tolist()


def test_the_overlap_leaves_out_queries_that_the_run_lacks(other: RunRanker) -> None:
    index = BM25Index(other.collection.dataset.documents)
    overlap = measure_overlap(other, ["q001", "q007"], lexical=index)
    assert (overlap.query_ids, overlap.left_out, overlap.run) == (("q007",), 1, "other")
    three = set(index.matches([other.collection.dataset.queries["q007"].text], 3)[0].tolist())
    shared = three & set(other.compare("q007").rows.tolist())
    assert overlap.top_k_overlap.tolist() == [len(shared)]
    with pytest.raises(DataError, match="the run other ranks none of the queries"):
        measure_overlap(other, ["q001"], lexical=index)


def test_without_vectors_only_a_run_ranks(other: RunRanker) -> None:
    collection = other.collection
    empty = replace(
        collection,
        documents=EmbeddingMatrix.empty(collection.documents.ids),
        queries=EmbeddingMatrix.empty(collection.queries.ids),
    )
    assert not empty.has_vectors
    assert empty.warnings == []
    run = RunRanker(empty, other.run)
    measured, expected = evaluate(run, "test"), evaluate(other, "test")
    assert measured.values.tolist() == expected.values.tolist()
    index = BM25Index(empty.dataset.documents)
    names = [s.name for s in measure_baselines(measured, empty, index).systems]
    assert names == [LEXICAL, RANK_FUSION, "base + BM25"]
    message = (
        "sample has no vectors, which this needs; make them with: imrnns-lens prepare sample "
        "--encoder all-MiniLM-L6-v2"
    )
    for use in (
        lambda: Ranker(empty).compare("q007"),
        lambda: evaluate(Ranker(empty), "test"),
        lambda: empty.encode("a question"),
        lambda: check_collection(empty),
    ):
        with pytest.raises(EncoderError) as caught:
            use()
        assert str(caught.value) == message


def test_a_new_query_of_the_data_set_is_not_ranked(other: RunRanker) -> None:
    dataset = other.collection.dataset.with_people([Query("kept", "a kept question")], {})
    added = np.zeros((1, 384), np.float32)
    ranker = other.with_collection(other.collection.with_queries(dataset, added))
    assert ranker.compare("kept").document_ids == ()
    assert ranker.rank_queries(["kept", "q003"]).unranked == 1
