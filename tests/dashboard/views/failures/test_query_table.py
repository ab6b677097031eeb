"""The table of queries has their ids, and says whether they were seen in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from dashboard.views.failures import query_table
from dashboard.widgets.row_table.component import Column


def test_the_table_has_ids_and_says_which_queries_were_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[tuple[Sequence[Column], Sequence[Any]]] = []
    monkeypatch.setattr(query_table.row_table, "show", lambda c, r, *_: drawn.append((c, r)))
    monkeypatch.setattr(query_table.csv_button, "show", lambda *_: None)
    frame = pd.DataFrame(
        {"query": ["a", "b", "c"], "group": ["seen", "unseen", None], "split": "test"}
    ).assign(id=["q1", "q2", "q3"])
    query_table.show(frame, "file.csv", hidden=("split",))
    [(columns, rows)] = drawn
    assert [column.label for column in columns] == ["Query", "Id", "Training"]
    assert rows == [
        ("q1", ("a", "q1", "seen")),
        ("q2", ("b", "q2", "unseen")),
        ("q3", ("c", "q3", "—")),
    ]
