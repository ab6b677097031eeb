"""Groups of failing queries with the same cause, and the to-do list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imrnns_core.data.records import Query
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.causes import RemedyOutcome, TriedRemedies, causes_of
from imrnns_core.remedies.groups import CauseGroup, cause_groups
from imrnns_core.remedies.measuring import measure_remedies
from imrnns_core.reporting.causes import GROUP_HEAD, GROUPS, group_rows, todo
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker


@pytest.fixture(scope="module")
def bench(sample: Collection) -> Bench:
    return measure_remedies(Ranker(sample), BM25Index(sample.dataset.documents), "test")


@pytest.fixture(scope="module")
def tried(sample: Collection) -> dict[str, TriedRemedies]:
    ranker = Ranker(sample)
    return causes_of(ranker, evaluate(ranker, "test"), BM25Index(sample.dataset.documents))


@pytest.fixture(scope="module")
def groups(bench: Bench, tried: dict[str, TriedRemedies]) -> list[CauseGroup]:
    return cause_groups(bench, tried)


def test_the_failing_queries_of_the_sample_have_a_keyword_mismatch(
    bench: Bench, tried: dict[str, TriedRemedies], groups: list[CauseGroup]
) -> None:
    (group,) = groups
    assert group.cause == "keyword mismatch"
    failing = [
        q for q, rank in zip(bench.query_ids, bench.base.best_ranks, strict=True)
        if not 1 <= rank <= 10
    ]  # fmt: skip
    assert group.query_ids == tuple(q for q in failing if group.cause in tried[q].causes)
    assert group.test.measured.remedy.name == "base + BM25"
    fixed = {q for q, own in zip(bench.query_ids, group.test.fixed, strict=True) if own}
    assert set(group.fixed) == fixed & set(group.query_ids)
    assert group.p <= 0.05
    assert group_rows(bench, groups)[0][:5] == (
        "keyword mismatch",
        str(len(group.query_ids)),
        "base + BM25",
        str(len(group.fixed)),
        "0",
    )
    assert len(group_rows(bench, groups)[0]) == len(GROUP_HEAD)
    assert "at most 5 % are expected to be chance" in GROUPS


def test_the_to_do_list_names_each_query_that_is_fixed(
    bench: Bench, groups: list[CauseGroup]
) -> None:
    queries = {q: Query(q, f"what\nis {q}?") for q in bench.query_ids}
    lines = todo(bench, groups, queries).splitlines()
    assert lines[:3] == ["# To do: sample, split test", "", "What to do first: base + BM25."]
    count = len(groups[0].query_ids)
    assert lines[4].startswith(
        f"- [ ] **base + BM25** (keyword mismatch): fixes {len(groups[0].fixed)} of {count} "
        "failing queries, breaks 0 of 236. "
    )
    assert lines[5:] == [f"    - {q}: what is {q}?" for q in groups[0].fixed]
    assert "No cause is shown more often" in todo(bench, [], queries)


def shown_by_chance(bench: Bench, seed: int) -> dict[str, TriedRemedies]:
    """Show causes at random, each for 5 % of the failing queries."""
    generator = np.random.default_rng(seed)
    nothing, tried = np.zeros(0, dtype=np.int64), {}
    remedies = [own.remedy for own in bench.measured]
    for q in bench.query_ids:
        p = {remedy.cause: float(generator.random()) for remedy in remedies}
        outcomes = (RemedyOutcome(own, 1, "d", p[own.cause], nothing) for own in remedies)
        tried[q] = TriedRemedies(40, tuple(outcomes))
    return tried


def test_causes_by_chance_make_no_groups(bench: Bench) -> None:
    # every query fails, so that there are many
    ranks = np.full(len(bench.query_ids), 40)
    failing = replace(bench, base=replace(bench.base, best_ranks=ranks))
    found = sum(bool(cause_groups(failing, shown_by_chance(failing, seed))) for seed in range(40))
    assert found <= 2


def test_a_cause_in_one_half_alone_is_no_group(
    bench: Bench, tried: dict[str, TriedRemedies], groups: list[CauseGroup]
) -> None:
    halves = np.unique(bench.clusters, return_inverse=True)[1] % 2
    first = {q for q, half in zip(bench.query_ids, halves, strict=True) if half == 0}
    without = {q: own for q, own in tried.items() if q in first}
    assert cause_groups(bench, without) == []
    assert cause_groups(bench, {}) == []
