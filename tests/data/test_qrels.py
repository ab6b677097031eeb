"""Judgments with and without a header line."""

from __future__ import annotations

from pathlib import Path

import pytest

from imrnns_core.data.readers.qrels import parse_qrels
from imrnns_core.errors import DataError
from imrnns_core.types import Qrels

QUERIES = {"q1", "query-id-0", "0", "5", "score"}
DOCUMENTS = {"d1", "d2", "0", "5", "corpus-id"}


def read(*lines: str) -> Qrels:
    return parse_qrels(Path("test.tsv"), enumerate(lines, start=1), DOCUMENTS, QUERIES)


@pytest.mark.parametrize("first", ["query-id-0\td1\t1", "score corpus-id 2", "query-id-0 0 d1 1"])
def test_a_first_judgment_whose_ids_look_like_a_header_is_a_judgment(first: str):
    judged = read(first, "q1\td1\t1")
    assert sum(map(len, judged.values())) == 2


@pytest.mark.parametrize(
    "header",
    ["corpus-id\tquery-id\tscore", "corpus_id\tqid\trelevance", "DOCID\tQuery-ID\tScore"],
)
def test_columns_are_read_by_the_names_in_the_header(header: str):
    assert read(header, "0\t5\t1") == {"5": {"0": 1}}


def test_a_header_may_follow_empty_lines():
    assert read("", "query-id\tcorpus-id\tscore", "q1\td2\t3") == {"q1": {"d2": 3}}


@pytest.mark.parametrize("header", ["query-id\tcorpus-id\tvotes", "query-id\tqid\tscore"])
def test_a_header_that_does_not_name_all_columns_is_refused(header: str):
    with pytest.raises(DataError, match=r"test.tsv:1: the header .* query-id, corpus-id and score"):
        read(header, "q1\td1\t1")


def test_a_second_header_is_no_judgment():
    with pytest.raises(DataError, match=r"test.tsv:2: grade 'score' is not a whole number"):
        read("query-id\tcorpus-id\tscore", "query-id\tcorpus-id\tscore")
