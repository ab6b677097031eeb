"""Tables that are saved for a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from dashboard.widgets import csv_button

DASHBOARD = Path(csv_button.__file__).parents[1]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_text_begins_as_a_formula_does(start: str) -> None:
    formula = f"{start}cmd|'/C calc'!A0"
    frame = pd.DataFrame(
        {"title": [formula, "plain = text\r=1", None], "change": [-0.5, 1.0, float("nan")]}
    )
    frame["rank"] = pd.array([-3, None, 2], dtype="Int64")
    rows = list(csv.DictReader(io.StringIO(csv_button.to_csv(frame), newline="")))
    assert [row["title"] for row in rows] == [f"'{formula}", "plain = text\r=1", ""]
    assert [row["change"] for row in rows] == ["-0.5", "1.0", ""]
    assert [row["rank"] for row in rows] == ["-3", "", "2"]
    assert frame["title"][0] == formula


def test_there_is_no_other_csv() -> None:
    """A second way to save a table would have to guard against formulas, too."""
    writers = {
        p.name
        for p in DASHBOARD.rglob("*.py")
        if "to_csv" in p.read_text() or "text/csv" in p.read_text()
    }
    assert writers == {"csv_button.py"}
