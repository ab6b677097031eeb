"""The lines for one's own store say where they print another ranking than Compare."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from dashboard import state
from dashboard.selection import Selection
from dashboard.services import catalog
from dashboard.views.adapters import stack
from imrnns_core.retrieval.ranker import Ranker


@pytest.mark.parametrize(
    ("changed", "bias", "limit"),
    [
        ({}, 1.0, ""),
        ({"passages": object()}, 0.0, stack.PASSAGES),
        ({"left_out": {"q1": 3}}, 0.0, stack.OWN),
        ({"left_out": {"q2": 3}}, 0.0, ""),
        ({"has_duplicates": True}, 0.0, stack.COPIES),
        ({"common_length": None}, 0.0, ""),
        ({"common_length": None}, 1.0, stack.LENGTHS),
        ({"common_length": 3.0}, 1.0, stack.LENGTHS),
        ({"found": ["a", "c"]}, 1.0, stack.DEEPER),
        ({"anew": ["b", "a"]}, 1.0, stack.ROUNDED),
    ],
)
def test_where_the_lines_print_another_ranking(
    monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], bias: float, limit: str
) -> None:
    own = {
        "passages": None,
        "left_out": {},
        "common_length": 1.0,
        "has_duplicates": False,
        "found": ["c", "b", "a"],
        "anew": ["a", "b"],
        **changed,
    }
    collection = SimpleNamespace(
        passages=own["passages"],
        index=SimpleNamespace(has_duplicates=own["has_duplicates"]),
        dataset=SimpleNamespace(left_out=own["left_out"]),
        documents=SimpleNamespace(common_length=own["common_length"]),
    )
    model = SimpleNamespace(projector=SimpleNamespace(bias=torch.tensor([0.0, bias])))
    ranker = SimpleNamespace(adapter=SimpleNamespace(model=model))
    monkeypatch.setattr(state, "current", lambda: SimpleNamespace(data="d", adapter="a"))
    monkeypatch.setattr(catalog, "collection", lambda data: collection)
    monkeypatch.setattr(catalog, "ranker", lambda data, adapter: ranker)
    monkeypatch.setattr(stack, "_top", lambda compared: compared.top)
    again = SimpleNamespace(top=own["anew"])
    monkeypatch.setattr(stack, "_encoded_anew", lambda compared: again)
    monkeypatch.setattr(stack, "_found", lambda compared: own["found"])
    compared: Any = SimpleNamespace(query=SimpleNamespace(id="q1"), top=["a", "b"])
    assert stack._limit(compared) == limit


@pytest.mark.parametrize(("query", "limit"), [("q230", stack.ROUNDED), ("q054", "")])
def test_rounded_vectors_can_change_the_order(
    fresh: None, monkeypatch: pytest.MonkeyPatch, query: str, limit: str
) -> None:
    selection = Selection(data="sample", adapter="sample-adapter", query=query)
    monkeypatch.setattr(state, "current", lambda: selection)
    compared = stack._compared()
    assert compared is not None
    assert stack._limit(compared) == limit


def test_the_lines_score_the_candidates_and_the_nearest_to_the_effective_query(
    monkeypatch: pytest.MonkeyPatch, sample: Ranker
) -> None:
    monkeypatch.setattr(state, "current", lambda: SimpleNamespace(data="d", adapter="a"))
    monkeypatch.setattr(catalog, "collection", lambda data: sample.collection)
    monkeypatch.setattr(catalog, "ranker", lambda data, adapter: sample)
    compared = sample.with_scope("corpus").compare("q054")
    candidates, nearest = stack._found(compared)[:100], stack._found(compared)[100:]
    assert tuple(candidates) == sample.compare("q054").document_ids
    assert len({*nearest}) == 100 > len({*nearest} & {*candidates})
    # the adapter ranks by products with the effective query, but for two factors
    assert {*stack._top(compared)} <= {*candidates, *nearest}
