"""A ranker without an adapter: the base is its only stage, and equals that of any adapter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from imrnns_core.errors import AdapterError
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.evaluate import NDCG, evaluate
from imrnns_core.evaluation.rank_overlap import measure_overlap, rank_biased_overlap
from imrnns_core.explanation.explain import explain
from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.projection.target_view import target_view
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.hybrid import LEXICAL, RANK_FUSION, Hybrid
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests import toys


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    space = Workspace(tmp_path_factory.mktemp("space"))
    return space.ranker(space.open(space.resolve("sample")), "sample-adapter")


@pytest.fixture(scope="module")
def base(adapted: Ranker) -> Ranker:
    return Ranker(adapted.collection)


@pytest.fixture(scope="module")
def index(base: Ranker) -> BM25Index:
    return BM25Index(base.collection.dataset.documents)


@given(toys.worlds())
def test_base_scores_and_ranks_are_those_of_a_ranker_with_an_adapter(world: toys.World) -> None:
    adapted = world.ranker()
    base = Ranker(adapted.collection, config=adapted.config)
    with_adapter, without = adapted.compare("q0"), base.compare("q0")
    assert (without.stages, without.final) == (("base",), "base")
    assert without.document_ids == with_adapter.document_ids
    assert without.score("base").tolist() == with_adapter.score("base").tolist()
    assert without.rank("base").tolist() == with_adapter.rank("base").tolist()
    for document_id in without.document_ids:
        ranks = base.corpus_ranks(without, document_id)
        assert ranks == {"base": adapted.corpus_ranks(with_adapter, document_id)["base"]}


def test_what_needs_an_adapter_says_so(base: Ranker) -> None:
    for read in (
        lambda: base.adapter,
        lambda: base.transform,
        lambda: base.compare("q128").modulation,
    ):
        with pytest.raises(AdapterError, match="adapter"):
            read()


def test_base_figures_equal_those_of_an_evaluation_with_an_adapter(
    base: Ranker, adapted: Ranker, index: BM25Index
) -> None:
    without = evaluate(base, "test", lexical=index)
    with_adapter = evaluate(adapted, "test", lexical=index)
    assert without.mean("base") == with_adapter.mean("base")
    assert without.means() == {name: with_adapter.means()[name] for name in ("bm25", "base")}
    assert without.best_rank("base").tolist() == with_adapter.best_rank("base").tolist()
    record = without.to_json()
    assert record["adapter"] is None
    assert record["groups"] is None
    assert record["significance"] is None
    ranks = without.best_rank("base")
    expected = [
        "not retrieved" if not r else "found" if r <= 10 else "ranked too low" for r in ranks
    ]
    assert without.outcomes() == expected
    own = measure_baselines(without, base.collection, index)
    others = {s.name: s for s in measure_baselines(with_adapter, base.collection, index).systems}
    for system, test in zip(own.systems, own.tests(own.fair), strict=True):
        assert np.array_equal(system.metrics.values, others[system.name].metrics.values)
        gain = system.metrics.values[:, 0].mean() - without.mean("base")[NDCG]
        assert test.test.change == pytest.approx(gain)


def test_bm25_and_fusion_rank_documents_beyond_the_candidates(
    base: Ranker, index: BM25Index
) -> None:
    compared = base.compare("q128")
    hybrid = Hybrid.of(base.collection, compared, index)
    full = hybrid.add_to(compared)
    text = compared.query.text
    expected = [base.collection.dataset.document_ids[row] for row in index.matches([text], 100)[0]]
    assert list(full.rankings[LEXICAL].document_ids) == expected
    assert full.best_relevant_rank(LEXICAL) == 2
    fused = dict.fromkeys({*compared.document_ids, *expected}, 0.0)
    for ranked in (compared.document_ids, expected):
        for rank, document_id in enumerate(ranked, 1):
            fused[document_id] += 1 / (60 + rank)
    best = max(fused.values())
    assert fused[full.rankings[RANK_FUSION].document_ids[0]] == best
    assert hybrid.mixed(0.0).document_ids[:99] == compared.document_ids[:99]
    # the lowest score becomes 0, as that of a document that a list lacks
    assert hybrid.mixed(1.0).document_ids[:99] == tuple(expected[:99])


def test_overlap_of_base_and_bm25(base: Ranker, index: BM25Index) -> None:
    overlap = measure_overlap(base, ["q128"], lexical=index)
    compared = base.compare("q128")
    full = Hybrid.of(base.collection, compared, index).add_to(compared)
    tops = [{hit.document_id for hit in full.ranking(s, 10)} for s in ("base", LEXICAL)]
    assert overlap.top_k_overlap.tolist() == [len(tops[0] & tops[1])]
    assert overlap.top_document(1, 0) == "kibibyte"
    assert overlap.to_json()["queries"][0]["top_documents"]["BM25"] == "kibibyte"


def test_rankings_without_a_common_document_have_overlap_zero() -> None:
    assert rank_biased_overlap(np.array([1, 2]), np.array([3, 3])) == 0.0
    assert rank_biased_overlap(np.array([1, 2]), np.array([1, 2])) == pytest.approx(1.0)


def test_another_query_text_is_scored_by_the_base(base: Ranker) -> None:
    compared, vector = base.compare("q128"), base.collection.encode("a river in Texas")
    other = rescore(compared, None, vector)
    rows = base.collection.unit_documents[compared.rows]
    assert other.score("base") == pytest.approx(rows @ vector, abs=1e-6)
    assert sorted(other.rank("base").tolist()) == list(range(1, 101))


def test_deleted_words_lower_the_base_score(base: Ranker) -> None:
    compared = base.compare("q128")
    explained = explain(base, compared, "rio-grande", verify=True)
    assert explained.adapter is None
    assert explained.targets == ("score",)
    assert not explained.vocabulary
    assert not explained.word_accounting
    word = next(w for w in explained.verified["document"] if w.word.text == "Chamizal")
    document = base.collection.dataset.document["rio-grande"]
    shortened = f"{document.title}\n{document.text}".replace("Chamizal", "")
    pair = Pair(compared, None, compared.position["rio-grande"])
    encoder = base.collection.encoder
    vector = encoder.encode_formatted([shortened], unit=True)[0]  # type: ignore[attr-defined]
    drop = float(pair.scores[0]) - float(vector @ base.collection.query_vector(compared.query))
    assert word.drop[0] == pytest.approx(drop, abs=2e-3)
    assert word.drop[1] == 0.0
    assert word.verdict("score") == "confirmed"


def test_the_target_view_has_the_base_angles(base: Ranker) -> None:
    compared = base.compare("q128")
    view = target_view(compared, np.arange(5))
    assert view.radius.shape == (1, 5)
    assert np.cos(np.radians(view.radius[0])) == pytest.approx(compared.score("base")[:5], abs=1e-5)
