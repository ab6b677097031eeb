"""Causes are shown by their remedies, on real rankings: what is found, and the false rate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imrnns_core.config import MEASURES
from imrnns_core.data.import_report import FileReport
from imrnns_core.data.records import Query
from imrnns_core.data.run import RankedDocuments, Run
from imrnns_core.evaluation.evaluate import evaluate, measure_bm25
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.remedies.causes import (
    NONE_SHOWN,
    Diagnosis,
    TriedRemedies,
    causes_of,
    diagnose,
    try_remedies,
    worst_ranks_first,
)
from imrnns_core.remedies.remedy import Search
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import RunRanker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import relevant_ids
from tests.toys import write_dataset


@pytest.fixture(scope="module")
def base(sample: Collection) -> Ranker:
    return Ranker(sample)


@pytest.fixture(scope="module")
def lexical(sample: Collection) -> BM25Index:
    return BM25Index(sample.dataset.documents)


@pytest.fixture(scope="module")
def diagnoses(base: Ranker, lexical: BM25Index) -> dict[str, Diagnosis]:
    measured = evaluate(base, "test")
    bm25 = measure_bm25(base.collection.dataset, measured.qrels, lexical, MEASURES)
    causes = causes_of(base, measured, lexical)
    return {d.query_id: d for d in diagnose(measured, bm25, causes)}


def test_a_keyword_mismatch_has_its_remedy(diagnoses: dict[str, Diagnosis]) -> None:
    found = diagnoses["q763"]
    assert (found.ranks, found.outcome) == ((34,), "ranked too low")
    assert found.tried is not None
    assert found.tried.causes == ["keyword mismatch"]
    assert found.remedy is not None
    assert (found.remedy.rank, found.remedy.document_id) == (1, "treaty-of-paris-1783")
    assert found.remedy.p <= 0.05
    by_name = {own.remedy.name: own.rank for own in found.tried.outcomes}
    assert by_name["base + BM25"] < by_name["Rocchio"]


def test_where_nothing_helps_no_cause_is_shown(diagnoses: dict[str, Diagnosis]) -> None:
    for query_id in ("q749", "q003"):
        assert diagnoses[query_id].causes == NONE_SHOWN
        assert diagnoses[query_id].remedy is None
    # a higher rank alone is no evidence
    assert diagnoses["q003"].tried is not None
    assert any(own.rank < 16 for own in diagnoses["q003"].tried.outcomes)


def test_a_relevant_first_document_has_no_cause(diagnoses: dict[str, Diagnosis]) -> None:
    first = [d for d in diagnoses.values() if d.ranks[0] == 1]
    assert len(first) > 100
    assert all(d.causes == "" and d.tried == TriedRemedies(1) for d in first)


def test_the_worst_ranks_come_first(diagnoses: dict[str, Diagnosis]) -> None:
    ranks = [d.ranks[-1] or 10**6 for d in worst_ranks_first(diagnoses.values())]
    assert ranks == sorted(ranks, reverse=True)
    assert ranks[0] == 10**6


def test_before_the_remedies_are_tried_nothing_is_said(
    base: Ranker, lexical: BM25Index, diagnoses: dict[str, Diagnosis]
) -> None:
    measured = evaluate(base, "test", query_ids=["q763"])
    bm25 = measure_bm25(base.collection.dataset, measured.qrels, lexical, MEASURES)
    (found,) = diagnose(measured, bm25, None)
    assert (found.causes, found.remedy, found.tried) == ("", None, None)
    assert replace(found, tried=diagnoses["q763"].tried).causes == "keyword mismatch"


def test_one_query_has_the_causes_that_it_has_among_all(
    base: Ranker, lexical: BM25Index, diagnoses: dict[str, Diagnosis]
) -> None:
    for query_id in ("q763", "q884", "q708"):
        query = base.collection.dataset.queries[query_id]
        relevant = relevant_ids(base.collection.dataset.judgments[query_id])
        vectors = base.collection.query_vectors([query_id])
        typed = Search.of(base, lexical, [Query("", query.text)], vectors)
        (tried,) = try_remedies(typed, [relevant])
        expected = diagnoses[query_id].tried
        assert expected is not None
        # collapsed copies are a remedy only if the rankings of the search have some
        common = {own.remedy.name for own in tried.outcomes}
        ranks = {o.remedy.name: o.rank for o in expected.outcomes if o.remedy.name in common}
        assert {own.remedy.name: own.rank for own in tried.outcomes} == ranks
        assert tried.causes == expected.causes


@pytest.mark.parametrize("adapter", [None, "sample-adapter"])
def test_a_random_document_has_a_cause_in_at_most_five_percent(
    adapter: str | None, sample: Collection, base: Ranker, lexical: BM25Index
) -> None:
    """Each document of a base ranking is taken for the expected one: of 99, five have a cause."""
    loaded = load_adapter(ASSETS_FOLDER / f"{adapter}.safetensors") if adapter else None
    ranker, dataset = Ranker(sample, loaded), sample.dataset
    queries = [dataset.queries[q] for q in list(dataset.judged_queries("test"))[::20]]
    search = Search.of(ranker, lexical, queries)
    shown = []
    for position in range(1, 100):
        expected = [{dataset.document_ids[own.rows[position]]} for own in search.base]
        shown += [bool(tried.shown) for tried in try_remedies(search, expected)]
    assert len(shown) > 1000
    assert 0.01 < np.mean(shown) <= 5 / 99


def test_near_copies_above_are_a_cause(toy_copies: tuple[Ranker, BM25Index]) -> None:
    ranker, lexical = toy_copies
    search = Search.of(ranker, lexical, [ranker.collection.dataset.queries["q"]])
    (tried,) = try_remedies(search, [{"right"}])
    assert tried.base_rank > 5
    own = next(o for o in tried.outcomes if o.remedy.name == "near copies collapsed")
    assert (own.rank, own.document_id) == (2, "right")
    assert "near copies ranked higher" in tried.causes


def test_a_run_is_a_base_and_the_vectors_are_a_remedy(
    base: Ranker, lexical: BM25Index, sample: Collection
) -> None:
    """The run has the first document of the base last, so the vectors bring it to the top."""
    comparison = base.compare("q054")
    order = [hit.document_id for hit in comparison.ranking("base", top_k=100)]
    scores = np.arange(len(order), 0, -1, dtype=np.float32)
    run = Run(
        "engine",
        {"q054": RankedDocuments((*order[1:], order[0]), scores)},
        FileReport("file", "run"),
    )
    search = Search.of(RunRanker(sample, run), lexical, [sample.dataset.queries["q054"]])
    relevant = order[0]
    (tried,) = try_remedies(search, [{relevant}])
    assert tried.base_rank == 100
    ranks = {own.remedy.name: own.rank for own in tried.outcomes}
    assert ranks["ranking by the vectors"] == 1
    assert "Rocchio" not in ranks
    assert "documents found by another encoder" in tried.causes


def test_a_query_that_the_run_lacks(lexical: BM25Index, sample: Collection) -> None:
    run = Run("engine", {}, FileReport("file", "run"))
    search = Search.of(RunRanker(sample, run), lexical, [sample.dataset.queries["q054"]])
    (tried,) = try_remedies(search, [relevant_ids(sample.dataset.judgments["q054"])])
    assert tried.base_rank == 0
    ranks = {own.remedy.name: own.rank for own in tried.outcomes}
    assert ranks["ranking by the vectors"] == 2
    assert ranks["RM3"] == ranks["base + BM25"] == 0  # BM25 does not find it


@pytest.fixture(scope="module")
def toy_copies(
    sample: Collection, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ranker, BM25Index]:
    """A query whose five best documents are copies of one page that is not relevant."""
    page = (
        "Orders leave the warehouse within two days, and a parcel reaches most addresses in three "
        "to five days. Returns are free if the parcel is unopened; write to us for a label."
    )
    documents = [
        {"_id": f"copy{i}", "title": "Delivery", "text": f"{page} Page {i}."} for i in range(5)
    ]
    documents.append({"_id": "right", "title": "", "text": "A parcel abroad takes ten days."})
    documents += [
        {"_id": d.id, "title": d.title, "text": d.text} for d in sample.dataset.documents[:120]
    ]
    queries = [{"_id": "q", "text": "How many days does delivery of a parcel take?"}]
    folder = tmp_path_factory.mktemp("copies")
    write_dataset(folder / "shop", documents, queries, "q\td\ts\nq\tright\t1\n")
    space = Workspace(folder / "space")
    collection = space.open(space.resolve(str(folder / "shop")))
    return Ranker(collection), BM25Index(collection.dataset.documents)
