"""The tables of the page Data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dashboard.views.data.report import copies_frame, irregular_frame, shown_path
from imrnns_core.data.import_report import FileReport
from tests import toys


def test_every_kind_of_irregularity_has_a_row() -> None:
    report = FileReport("/data/mine/a.csv", "documents", records=5, read=4)
    report.keep("without title and text", 2, "d1")
    report.keep("without title and text", 4, "d3")
    report.reject("without an id", 3)
    frame = irregular_frame((report, FileReport("b.csv", "queries")), Path("/data/mine"))
    assert frame.to_dict("records") == [
        {
            "records": 2,
            "what became of them": "kept",
            "problem": "without title and text",
            "file": "a.csv",
            "first line": 2,
            "example": "d1",
        },
        {
            "records": 1,
            "what became of them": "rejected",
            "problem": "without an id",
            "file": "a.csv",
            "first line": 3,
            "example": "",
        },
    ]
    assert irregular_frame((), Path()).empty


@pytest.mark.parametrize(
    ("path", "root", "shown"),
    [
        ("/data/mine/qrels/test.tsv", "/data/mine", "qrels/test.tsv"),
        ("/data/mine.csv", "/data/mine.csv", "mine.csv"),
        ("/other/questions.csv", "/data/mine.csv", "questions.csv"),
        ("/data/x.zip/a/corpus.jsonl", "/data/x.zip", "a/corpus.jsonl"),
    ],
)
def test_files_are_named_inside_their_data_set(path: str, root: str, shown: str) -> None:
    assert shown_path(path, Path(root)) == shown


def test_copies_are_listed_by_group_the_largest_first() -> None:
    dataset = toys.collection(np.eye(6)).dataset
    frame = copies_frame(dataset, np.array([0, 1, 0, 2, 1, 1]))
    assert list(zip(frame["group"], frame["document"], strict=True)) == [
        (1, "d1"), (1, "d4"), (1, "d5"), (2, "d0"), (2, "d2"),
    ]  # fmt: skip
    assert copies_frame(dataset, np.arange(6)).empty
