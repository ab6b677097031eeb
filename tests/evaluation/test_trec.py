"""TREC run files."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.config import SearchConfig
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.readers.load import load_dataset, load_qrels
from imrnns_core.data.readers.runs import load_run
from imrnns_core.data.readers.trec import from_trec_id, to_trec_id
from imrnns_core.data.records import Document, Query
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.evaluation.trec import run_lines, write_qrels, write_runs
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.comparison import Hit
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import RunRanker
from imrnns_core.types import STAGES
from tests.toys import adapter, collection, random_model, still_model, write_dataset


@pytest.fixture
def ranker() -> Ranker:
    return Ranker(
        collection(
            [[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8], [1, 0]], {"q1": {"d0": 1}, "q0": {"d2": 1}}
        ),
        adapter(still_model(2)),
    )


def test_lines():
    assert run_lines("q", [Hit("a", 1, 0.5, 2), Hit("b", 2, -0.25, -1)], "base") == [
        "q Q0 a 1 0.5 base",
        "q Q0 b 2 -0.25 base",
    ]


@given(st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
def test_ids_with_blanks_are_read_back_and_never_split_a_line(query: str, document: str):
    (line,) = run_lines(query, [Hit(document, 1, 0.5, 0)], "base")
    fields = line.split()
    assert len(fields) == 6
    assert from_trec_id(fields[0], {query}) == query
    assert from_trec_id(fields[2], {document}) == document


def test_an_id_that_only_looks_encoded_stays():
    assert to_trec_id("a%20b") == "a%20b"
    assert from_trec_id("a%20b", {"a%20b", "a b"}) == "a%20b"
    assert to_trec_id("On call/rota 50%") == "On%20call/rota%2050%25"
    assert from_trec_id("On%20call/rota%2050%25", {"On call/rota 50%"}) == "On call/rota 50%"


@given(
    st.lists(
        st.sampled_from([0.0, 1.0, 0.65309519, 0.653095191, 0.65309523, -0.2, 1e-30]),
        min_size=2,
        max_size=12,
    )
)
def test_scores_of_a_run_fall_strictly_in_32_bits(scores: list[float]):
    ordered = sorted(scores, reverse=True)
    hits = [Hit(f"d{i}", i + 1, score, 0) for i, score in enumerate(ordered)]
    written = [line.split()[4] for line in run_lines("q", hits, "base")]
    assert (np.diff(np.array(written, dtype=np.float32)) < 0).all()
    assert np.allclose([float(w) for w in written], ordered, atol=1e-5)


@given(
    st.integers(0, 2**31),
    st.integers(2, 40),
    st.integers(1, 40),
    st.sampled_from([1, 3, 25]),
    st.integers(1, 40),
)
def test_the_order_of_the_corpus_changes_no_figure_and_no_run(
    seed: int, documents: int, distinct: int, queries: int, candidates: int
):
    """Many documents are copies of another one, and only some of the copies are judged."""
    rng = np.random.default_rng(seed)
    copy_of = rng.integers(0, distinct, documents)
    vectors, words = rng.normal(size=(distinct, 9)), rng.integers(0, 4, distinct)
    qrels = {f"q{i}": {"d0": 0, f"d{rng.integers(documents)}": 1} for i in range(queries)}
    world = collection(vectors[copy_of], rng.normal(size=(queries, 9)), qrels)
    texts = [Document(f"d{i}", "", f"word{words[copy_of[i]]}") for i in range(documents)]
    asked = {f"q{i}": Query(f"q{i}", f"word{i % 4}") for i in range(queries)}
    files, figures = [], []
    for order in (np.arange(documents), rng.permutation(documents)):
        dataset = replace(world.dataset, documents=tuple(texts[i] for i in order), queries=asked)
        ids, matrix = dataset.document_ids, world.documents
        shuffled = replace(
            world, dataset=dataset, documents=EmbeddingMatrix(ids, matrix.vectors[order])
        )
        ranker = Ranker(shuffled, adapter(random_model(seed, 9, 8)), SearchConfig(candidates))
        lexical = BM25Index(dataset.documents)
        result = evaluate(ranker, "test", lexical=lexical, with_parts=True)
        baselines = measure_baselines(result, shuffled, lexical)
        assert result.bm25 is not None
        figures.append(
            (
                *(result.values, result.best_ranks, result.bm25.values, result.bm25.best_ranks),
                *(system.metrics.values for system in baselines.systems),
                # the mean modulation is a sum, which rounds differently in another order
                None
                if result.gain is None
                else np.round(
                    [
                        getattr(result.gain, part).change
                        for part in ("projector", "constant", "query_specific")
                    ],
                    6,
                ),
            )
        )
        with tempfile.TemporaryDirectory() as folder:
            paths = write_runs(result, ids, Path(folder))
            files.append([path.read_bytes() for path in paths])
    for one, other in zip(*figures, strict=True):
        np.testing.assert_array_equal(one, other)
    assert files[0] == files[1]


def test_trec_eval_reproduces_the_table_from_the_written_files(tmp_path: Path):
    """Equal scores: trec_eval sorts by document id, where the page ranks d2 before d10."""
    same = [[1.0, 0.0]] * 12
    ranker = Ranker(
        collection(same, [[1.0, 0.0], [1.0, 0.0]], {"q0": {"d0": 1}, "q1": {"d1": 0, "d2": 0}}),
        adapter(still_model(2)),
    )
    evaluation = evaluate(ranker, "test")
    assert evaluation.without_relevant == ("q1",)
    runs = write_runs(evaluation, ranker.collection.dataset.document_ids, tmp_path)
    write_qrels(evaluation.qrels, tmp_path / "qrels")
    for stage, path in zip(STAGES, runs, strict=True):
        metrics = ir_measures.calc_aggregate(
            [ir_measures.nDCG @ 10, ir_measures.RR @ 10, ir_measures.AP],
            list(ir_measures.read_trec_qrels(str(tmp_path / "qrels"))),
            list(ir_measures.read_trec_run(str(path))),
        )
        for measure, value in metrics.items():
            assert value == pytest.approx(evaluation.mean(stage)[str(measure)], abs=1e-9)


def test_a_run_for_each_stage(ranker: Ranker, tmp_path: Path):
    paths = write_runs(
        evaluate(ranker, "test"), ranker.collection.dataset.document_ids, tmp_path / "runs"
    )
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == sorted(p.name for p in paths)
    assert [p.name for p in paths] == [
        "base.run",
        "projected.run",
        "document-modulated.run",
        "modulated.run",
    ]
    fields = [line.split() for line in paths[-1].read_text().splitlines()]
    assert [(f[0], f[2], f[3], f[5]) for f in fields] == [
        ("q1", "d0", "1", "modulated"),
        ("q1", "d1", "2", "modulated"),
        ("q1", "d2", "3", "modulated"),
        ("q0", "d2", "1", "modulated"),
        ("q0", "d0", "2", "modulated"),
        ("q0", "d1", "3", "modulated"),
    ]
    base = ranker.compare("q0").ranking("base")
    assert [hit.document_id for hit in base] == ["d1", "d2", "d0"]
    assert paths[0].read_text().splitlines()[3:] == run_lines("q0", base, "base")


def test_a_run_is_read_as_it_was_written(ranker: Ranker, tmp_path: Path):
    """The base ranking of the run that was written has the same scores, ranks and measures."""
    there = ranker.collection
    evaluation = evaluate(ranker, "test")
    for stage, path in zip(
        STAGES, write_runs(evaluation, there.dataset.document_ids, tmp_path), strict=True
    ):
        run = load_run(path, stage, there.dataset)
        loaded = RunRanker(there, run)
        measured = evaluate(loaded, "test")
        assert measured.values[0].tolist() == evaluation.value(stage).tolist()
        assert measured.best_ranks[0].tolist() == evaluation.best_rank(stage).tolist()
        for query_id, ranked in zip(
            evaluation.query_ids, evaluation.batch.ranked(stage), strict=True
        ):
            base = loaded.compare(query_id).rankings["base"]
            ids = [there.dataset.document_ids[row] for row in ranked.rows]
            assert list(base.document_ids) == ids
            # documents with equal scores get scores that fall by the smallest step
            assert np.allclose(base.scores, ranked.scores, rtol=0, atol=2e-7)
        (again,) = write_runs(measured, there.dataset.document_ids, tmp_path / stage)
        assert again.read_text() == path.read_text().replace(f" {stage}\n", " base\n")


def test_judgments_are_read_as_they_were_written(tmp_path: Path):
    documents = [{"_id": i, "text": "x"} for i in ("d1", "a b")]
    dataset = load_dataset(
        write_dataset(tmp_path / "toy", documents, qrels="q1\td1\t3\nq1\ta b\t0\n")
    )
    path = tmp_path / "new" / "out.qrels"
    write_qrels(dataset.qrels("test"), path)
    assert path.read_text() == "q1 0 d1 3\nq1 0 a%20b 0\n"
    read, report = load_qrels(path, dataset)
    assert read == dataset.qrels("test") == {"q1": {"d1": 3, "a b": 0}}
    assert (report.records, report.read, report.irregularities) == (2, 2, [])
