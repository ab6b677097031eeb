"""Captions of Modulation name what is drawn, and say why something is left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dashboard import selection, state
from dashboard.views.modulation import document_shifts, query_refinement
from dashboard.views.modulation.document_rows import DocumentRows
from imrnns_core.explanation.feedback_influence import FeedbackInfluence
from imrnns_core.retrieval.ranker import Ranker


def test_the_strips_name_their_values_and_what_is_left_out() -> None:
    both = document_shifts._reading({"s": True, "b": True}, "queries", True)
    assert (
        "The chart shows s minus its average over many queries and b minus its average over many "
        "queries. Blue"
    ) in both
    scale_only = document_shifts._reading({"s": True, "b": False}, "queries", True)
    assert (
        "The chart shows s minus its average over many queries. With this adapter, b is the same "
        "for every query, so the chart has no row for b. Blue"
    ) in scale_only
    full = document_shifts._reading({"s": True, "b": False}, "queries", False)
    assert "The chart shows s − ½. The neutral values are s = ½ and b = 0" in full
    assert "b is 0 on every dimension, so the chart has no row for b." in full
    nothing = document_shifts._reading({"s": False, "b": False}, "queries", False)
    assert nothing.endswith("so the chart has no row for b.")
    assert "Blue" not in nothing


@pytest.mark.parametrize("change", [-3, 0])
def test_a_promotion_of_the_best_relevant_document_is_positive(
    sample: Ranker, monkeypatch: pytest.MonkeyPatch, change: int
) -> None:
    monkeypatch.setattr(state, "current", lambda: selection.Selection())
    comparison = sample.compare("q054")
    rows = DocumentRows.from_comparison(comparison, sample.collection.dataset)
    relevant = np.flatnonzero(comparison.relevance > 0)
    best = relevant[comparison.rank("modulated")[relevant].argmin()]
    count = len(comparison.document_ids)
    effect = np.zeros((count, count), np.int64)
    effect[rows.order[0], best] = change  # without this document, the best one is 3 ranks higher
    effect[rows.order[1], rows.order[5]] = 1
    nothing = np.zeros((count, 1), np.float32)
    captions: list[str] = []
    figures: list[Any] = []
    monkeypatch.setattr(query_refinement.st, "caption", captions.append)
    monkeypatch.setattr(query_refinement.chart, "show", lambda figure, *_: figures.append(figure))
    query_refinement._leave_one_out(rows, FeedbackInfluence(nothing, nothing, effect))
    assert figures[0].data[0].text[0] == ("best relevant rank +3" if change else "")
    # without a text in the chart, the caption does not explain one
    assert ("(+ = promoted)" in captions[0]) == bool(change)
