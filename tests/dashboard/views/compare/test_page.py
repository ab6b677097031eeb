"""The captions and the columns of Compare follow the query."""

from __future__ import annotations

import numpy as np

from dashboard.selection import Selection
from dashboard.views.compare import candidate_table, page
from imrnns_core.config import SearchConfig
from tests import toys


def test_the_rank_chart_says_what_it_cannot_show() -> None:
    angles = np.radians(np.arange(0.0, 80.0, 2.0))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    space = toys.collection(vectors, [vectors[0]], {"q0": {"d20": 1, "d39": 1}})
    adapter = toys.adapter(toys.still_model(2))
    comparison = toys.Ranker(space, adapter, SearchConfig(candidates=39)).compare("q0")
    caption = page._stages_reading(comparison, Selection(shown=5))
    assert "those in the top 5 at any stage" in caption
    assert caption.endswith(
        "Ranks of 10 and more are drawn at the lower edge. "
        "Not in the chart: 1 relevant document that the base ranking does not have."
    )
    complete = toys.Ranker(
        toys.collection(vectors[:4], [vectors[0]], {"q0": {"d3": 1}}),
        toys.adapter(toys.still_model(2)),
    ).compare("q0")
    caption = page._stages_reading(complete, Selection(shown=10))
    assert "lower edge" not in caption
    assert "Not in the chart" not in caption


def test_the_column_of_ids_has_room_for_the_longest() -> None:
    assert candidate_table._id_width(["d1"]) == 96
    assert candidate_table._id_width(["d1", "x" * 25]) == 186
    assert candidate_table._id_width(["x" * 300]) == 186
