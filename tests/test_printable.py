"""Texts of others as lines, file names and messages; questions and links are bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard import selection
from dashboard.formatting import download_name, without_folders
from imrnns_core.config import LONGEST_TYPED, workspace_root
from imrnns_core.errors import DataError, LensError
from imrnns_core.printable import file_name, one_line, printable
from tests.toys import collection


def test_controls_and_marks_of_direction_are_left_out():
    assert printable("a\x1b[31mb\x9b\u202ec\u2066\td\n") == "a[31mbc\td\n"
    assert one_line("a\n\u2028b\ud800" + "x" * 3000, 20) == "a b\ufffdxxxxxx … xxxxxxxxxx"
    assert str(DataError("a.csv", "no \x1b[1mcolumn\n", "b")) == "a.csv: no [1mcolumn ; b"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("../../etc/passwd", "etc_passwd"),
        ("CON", "_CON"),
        ("lpt1.csv", "_lpt1.csv"),
        ("=1+1\x1b", "1_1"),
        ("x" * 300, "x" * 80),
        ("..", "data"),
    ],
)
def test_a_file_name_is_valid_anywhere(text: str, name: str):
    assert file_name(text) == name
    assert download_name(f"{text}.csv") == f"{name}.csv"


def test_a_message_on_a_page_names_no_folder_of_the_machine():
    inside = workspace_root() / "uploads" / "a b.csv"
    text = f"{inside}:3: bad; faiss:/x/y/i.faiss#/z/t.jsonl; see https://a.org/b/c"
    assert without_folders(text) == (
        "uploads/a b.csv:3: bad; faiss:i.faiss#t.jsonl; see https://a.org/b/c"
    )
    assert without_folders(str(Path("/home/anna/data.zip"))) == "data.zip"


def test_a_long_question_is_refused_in_one_line():
    dataset = collection([[1, 0]]).dataset
    with pytest.raises(LensError, match=r"has 947,000 characters; type at most 10,000"):
        dataset.find_query("x" * 947_000)
    assert dataset.find_query("x" * LONGEST_TYPED).text == "x" * LONGEST_TYPED


def test_a_link_with_endless_or_unknown_values_loses_only_these():
    link = {"text": "x" * 20_000, "query": "q" * 2_000, "dimension": "9" * 30, "top_k": "7"}
    assert selection.parse({**link, "data": "a", "x": "y"}) == selection.Selection(data="a")
