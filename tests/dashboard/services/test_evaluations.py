"""What is measured once is not measured again: the same object comes back."""

from __future__ import annotations

import pytest

from dashboard.services import (
    background,
    catalog,
    evaluations,
    remedies,
)
from imrnns_core.reporting.formatting import decimal
from imrnns_core.types import relevant_ids
from tests.reporting.test_evaluation_html import Tables


def test_a_split_is_measured_once_whatever_the_depth(fresh: None) -> None:
    chosen = ("sample", "sample-adapter", "dev")
    ten, one = evaluations.evaluation(*chosen, 10), evaluations.evaluation(*chosen, 1)
    assert evaluations.evaluation(*chosen, 10) is ten
    assert one.values is ten.values
    assert (one.top_k, ten.top_k) == (1, 10)
    assert one.outcomes().count("ranked too low") > ten.outcomes().count("ranked too low")
    assert evaluations.bm25("sample", "dev") is evaluations.bm25("sample", "dev")
    for compute in (evaluations.shares, evaluations.gain, evaluations.ndcg_range):
        assert compute(*chosen) is compute(*chosen)
    tried = remedies.causes(*chosen).result()
    assert remedies.causes(*chosen).result() is tried
    again = evaluations.diagnoses(*chosen, 1, tried)
    assert [d.outcome for d in again] == one.outcomes()
    assert all(d.tried is tried[d.query_id] for d in again if d.query_id in tried)


def test_tests_of_differences_are_made_once(fresh: None) -> None:
    measured = evaluations.evaluation("sample", "sample-adapter", "dev", 10)
    first = measured.significance("nDCG@10", "text used")
    assert measured.significance("nDCG@10", "text used") is first


def test_outcomes_come_when_they_are_measured(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 60.0)
    assert evaluations.outcomes("sample", "sample-adapter", 10) is None
    by_split = {
        split: evaluations.evaluation("sample", "sample-adapter", split, 10)
        for split in ("train", "dev", "test")
    }
    found = evaluations.outcomes("sample", "sample-adapter", 10)
    assert found == {
        q: b
        for measured in by_split.values()
        for q, b in zip(measured.query_ids, measured.outcomes(), strict=True)
    }


def test_the_causes_of_a_query_are_those_in_the_list(fresh: None) -> None:
    chosen = ("sample", "sample-adapter")
    listed = remedies.causes(*chosen, "dev").result()
    assert len(listed) > 20
    dataset = catalog.dataset("sample")
    for query_id, expected in list(listed.items())[:10]:
        relevant = frozenset(relevant_ids(dataset.judgments[query_id]))
        text = dataset.queries[query_id].text
        own = remedies.of_query(*chosen, query_id, text, relevant).result()
        assert (own.base_rank, own.causes) == (expected.base_rank, expected.causes)


@pytest.mark.parametrize("adapter", ["sample-adapter", "none"])
def test_the_report_has_the_figures_of_the_page(fresh: None, adapter: str) -> None:
    causes = remedies.causes("sample", adapter, "dev").result()
    tables = Tables(evaluations.report("sample", adapter, "dev", 1, causes)).tables
    measured = evaluations.evaluation("sample", adapter, "dev", 1)
    final = next(r for r in tables["All measures"] if r[0] == "all" and r[2] == measured.final)
    assert final[3] == decimal(measured.mean(measured.final)["nDCG@10"])
    failing = [r for r in tables["Failing queries"][1:] if r[2] == "ranked too low"]
    assert len(failing) == measured.outcomes().count("ranked too low") > 5
