"""Irregular and malformed files: what is read of them, what is rejected, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.grades import MAX_GRADE, whole_grades
from imrnns_core.data.readers.load import DataSource, load_dataset
from imrnns_core.errors import DataError
from imrnns_core.reporting.import_lines import import_lines
from tests.data.readers.files import BEIR, CORPUS, QRELS, QUERIES, write

Files = Mapping[str, bytes | str | None]
LONG = "word " * 200_000


@dataclass(frozen=True)
class Case:
    """Files that replace those of `BEIR` (None leaves one out), and what is read of them."""

    files: Files
    says: tuple[str, ...]
    documents: tuple[str, ...] = ("d1", "d2")
    queries: tuple[str, ...] = ("q1", "2")
    texts: Mapping[str, str] = field(default_factory=dict)
    split: str = "test"
    qrels: Mapping[str, Mapping[str, int]] = field(
        default_factory=lambda: {"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3}}
    )


def corpus(*lines: str) -> Files:
    return {"corpus.jsonl": CORPUS + "\n".join(lines).encode() + b"\n"}


def queries(*lines: str) -> Files:
    return {"queries.jsonl": QUERIES + "\n".join(lines).encode() + b"\n"}


def qrels(*lines: str) -> Files:
    return {"qrels/test.tsv": QRELS + "\n".join(lines).encode() + b"\n"}


NONE: Mapping[str, Mapping[str, int]] = {}
ONE_MORE = ("d1", "d2", "d3")
CASES = {
    # documents
    "an empty document": Case(
        corpus('{"_id": "d3", "text": ""}'),
        ("kept: 1 without title and text; the first is in line 3 (d3)",),
        ONE_MORE,
    ),
    "a document with null": Case(
        corpus('{"_id": "d3", "title": null, "text": null}'),
        ("kept: 1 without title and text; the first is in line 3 (d3)",),
        ONE_MORE,
    ),
    "a document without the field text": Case(corpus('{"_id": "d3", "title": "T"}'), (), ONE_MORE),
    "no id": Case(corpus('{"text": "x"}'), ("rejected: 1 without an id; the first is in line 3",)),
    "an empty id": Case(
        corpus('{"_id": " ", "text": "x"}'), ("rejected: 1 without an id; the first is in line 3",)
    ),
    "an id twice with another text": Case(
        corpus('{"_id": "d1", "text": "x"}', '{"_id": "d2", "text": "y"}'),
        (
            "rejected: 2 with the id of an earlier document, but another text; the first is in "
            "line 3 (d1)",
        ),
    ),
    "a document twice": Case(
        corpus('{"_id": "d1", "title": "One", "text": "first"}'),
        ("rejected: 1 that repeat an earlier document; the first is in line 3 (d1)",),
    ),
    "broken JSON": Case(
        corpus('{"_id": "d3", "text": ', '{"_id": "d4", "text": "x"}'),
        ("rejected: 1 with broken JSON; the first is in line 3 (column 23: Expecting value)",),
        ("d1", "d2", "d4"),
    ),
    "a truncated last line": Case(
        {"corpus.jsonl": CORPUS + b'{"_id": "d3", "te'},
        ("rejected: 1 with broken JSON; the first is in line 3",),
    ),
    "an array in a line": Case(
        corpus('["d3"]'), ("rejected: 1 that are not JSON objects; the first is in line 3",)
    ),
    "a number in a line": Case(
        corpus("7"), ("rejected: 1 that are not JSON objects; the first is in line 3 (7)",)
    ),
    "JSON nested too deeply": Case(
        corpus('{"_id": "d3", "text": ' + "[" * 100_000),
        ("rejected: 1 with JSON nested too deeply; the first is in line 3",),
    ),
    "an id with a line break": Case(
        corpus('{"_id": "d\\n3", "text": "x"}'),
        (
            "changed: 1 with blanks around the id or a line break in it, now removed; the first "
            "is in line 3 (d 3)",
        ),
        ("d1", "d2", "d 3"),
    ),
    "an id with blanks around it": Case(
        corpus('{"_id": " d3 ", "text": "x"}'),
        ("changed: 1 with blanks around the id or a line break in it",),
        ONE_MORE,
    ),
    "a whole number as id": Case(corpus('{"_id": 3, "text": "x"}'), (), ("d1", "d2", "3")),
    "a text that is a number": Case(corpus('{"_id": "d3", "text": 7}'), (), ONE_MORE),
    "a text that is a list of texts": Case(
        corpus('{"_id": "d3", "text": ["x", "y"]}'),
        ("changed: 1 where text is a list of texts, now joined; the first is in line 3",),
        ONE_MORE,
    ),
    "a text that is an object": Case(
        corpus('{"_id": "d3", "text": {"a": 1}}'),
        ("changed: 1 where text is not a text, now written as JSON; the first is in line 3",),
        ONE_MORE,
    ),
    "an id that is true": Case(
        corpus('{"_id": true, "text": "x"}'),
        ("changed: 1 where _id is not a text, now written as JSON; the first is in line 3",),
        ("d1", "d2", "true"),
    ),
    "an id that is an object": Case(
        corpus('{"_id": {"a": "é"}, "text": "x"}'),
        ("changed: 1 where _id is not a text, now written as JSON; the first is in line 3",),
        ("d1", "d2", '{"a": "é"}'),
    ),
    "half a surrogate pair": Case(
        corpus('{"_id": "d3", "text": "x \\ud83d"}'),
        ("changed: 1 with half a surrogate pair, now U+FFFD; the first is in line 3",),
        ONE_MORE,
    ),
    "a huge number in an unused field": Case(
        corpus('{"_id": "d3", "text": "x", "n": ' + "9" * 5000 + "}"),
        ("columns that are not read: 'n'",),
        ONE_MORE,
    ),
    "infinity in an unused field": Case(
        corpus('{"_id": "d3", "text": "x", "n": Infinity}'),
        ("columns that are not read: 'n'",),
        ONE_MORE,
    ),
    "a line of 1 MB": Case(corpus('{"_id": "d3", "text": "' + LONG + '"}'), (), ONE_MORE),
    "blank lines": Case({"corpus.jsonl": b"\n \n" + CORPUS + b"\n\t\n"}, ()),
    "no line end at the end": Case({"corpus.jsonl": CORPUS.rstrip()}, ()),
    "a byte order mark": Case({"corpus.jsonl": b"\xef\xbb\xbf" + CORPUS}, ()),
    "Windows line ends": Case(
        {name: content.replace(b"\n", b"\r\n") for name, content in BEIR.items()}, ()
    ),
    "mixed line ends": Case(
        {
            "corpus.jsonl": CORPUS.replace(b"\n", b"\r\n", 1),
            "qrels/test.tsv": QRELS.replace(b"\n", b"\r\n", 2),
        },
        (),
    ),
    "line ends of an old Macintosh": Case({"queries.jsonl": QUERIES.replace(b"\n", b"\r")}, ()),
    "Unicode line separators in a text": Case(
        corpus('{"_id": "d3", "text": "one\u2028two\u0085three"}'), (), ONE_MORE
    ),
    "UTF-16": Case({"corpus.jsonl": CORPUS.decode().encode("utf-16")}, ()),
    "Latin-1": Case(
        {
            "corpus.jsonl": CORPUS
            + '{"_id": "d3", "text": "Ein größerer Bär frißt Äpfel"}'.encode("latin-1")
        },
        ("not UTF-8 at byte",),
        ONE_MORE,
    ),
    "two keys that differ in case": Case(
        corpus('{"_id": "d3", "TEXT": "shouted", "text": "x"}'),
        ("columns that are not read: 'TEXT'",),
        ONE_MORE,
    ),
    # queries
    "no query file": Case(
        {"queries.jsonl": None},
        ("rejected: 3 of a query that the data set does not have; the first is in line 2 (q1)",),
        queries=(),
        qrels=NONE,
    ),
    "no queries and no judgments": Case(
        {"queries.jsonl": None, "qrels/test.tsv": None}, (), queries=(), qrels=NONE
    ),
    "an empty query": Case(
        queries('{"_id": "q3", "text": " "}'),
        ("rejected: 1 without a query; the first is in line 3",),
    ),
    "a query without an id": Case(
        queries('{"text": "where?"}'), ("rejected: 1 without an id; the first is in line 3",)
    ),
    "a query id twice": Case(
        queries('{"_id": "q1", "text": "where?"}'),
        (
            "rejected: 1 with the id of an earlier query, but another text; the first is in line "
            "3 (q1)",
        ),
    ),
    "a query twice": Case(
        queries('{"_id": "q1", "text": "which?"}'),
        ("rejected: 1 that repeat an earlier query; the first is in line 3 (q1)",),
    ),
    "half a surrogate pair in a query": Case(
        queries('{"_id": "q3", "text": "\\udc00 where?"}'),
        ("changed: 1 with half a surrogate pair, now U+FFFD; the first is in line 3",),
        queries=("q1", "2", "q3"),
    ),
    "mark-up, other tags and two titles in topics": Case(
        {
            "queries.jsonl": None,
            "topics.txt": "<top>\n<num>q1\n<title> effects of <b>aspirin</b> on pain\n</top>\n"
            "<top>\n<num>2\n<title> is p <q for x<y\n<desc> why\n</top>\n"
            "<top>\n<num>q3\n<title>one</title>\n<title>two</title>\n</top>\n",
        },
        (
            "changed: 1 whose mark-up was removed; the first is in line 1 (q1)",
            "kept: 1 with a field twice, of which the first counts; the first is in line 10 (q3)",
        ),
        queries=("q1", "2", "q3"),
        texts={"q1": "effects of aspirin on pain", "2": "is p <q for x<y", "q3": "one"},
    ),
    "topics and judgments with the ending trec": Case(
        {
            "queries.jsonl": None,
            "topics.trec": "<top>\n<num>q1\n<title>one\n</top>\n"
            "<top>\n<num>2\n<title>two\n</top>\n",
            "qrels/test.tsv": None,
            "qrels.trec": "q1 0 d1 2\n2 0 d2 3\n",
        },
        (),
        texts={"q1": "one", "2": "two"},
        split="qrels",
        qrels={"q1": {"d1": 2}, "2": {"d2": 3}},
    ),
    "a row with too few cells": Case(
        {"corpus.jsonl": None, "corpus.csv": "id,title,text\nd1,One,Two\nd2,Two\n"},
        ("kept: 1 with fewer than 3 columns; the first is in line 3 (d2)",),
    ),
    # judgments
    "a judgment of a missing document": Case(
        qrels("q1\td9\t1"),
        ("kept: 1 of a document that the corpus does not have; the first is in line 5 (d9)",),
        qrels={"q1": {"d1": 2, "d2": 0, "d9": 1}, "2": {"d2": 3}},
    ),
    "a judgment of a missing query": Case(
        qrels("q9\td1\t1"),
        ("rejected: 1 of a query that the data set does not have; the first is in line 5 (q9)",),
    ),
    "a high grade": Case(
        qrels("2\td1\t7"), (), qrels={"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3, "d1": 7}}
    ),
    "a negative grade": Case(
        qrels("2\td1\t-2"),
        ("changed: 1 whose negative grade counts as 0, not relevant; the first is in line 5 (-2)",),
        qrels={"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3, "d1": 0}},
    ),
    "a very negative grade": Case(
        qrels("2\td1\t-2000000"),
        ("changed: 1 whose negative grade counts as 0",),
        qrels={"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3, "d1": 0}},
    ),
    "quotation marks and separators in cells of judgments": Case(
        {
            "corpus.jsonl": None,
            "corpus.csv": 'id,title,text\n"Paris, France",a,b\n"He said ""hi""",c,d\n',
            "queries.jsonl": None,
            "queries.csv": 'id,query\n"q,1","capital, where?"\nq2,greeting\n',
            "qrels/test.tsv": None,
            "qrels/test.csv": 'query,document,grade,note\n"q,1","Paris, France",1,"good, exact"\n'
            'q2,"He said ""hi""",2,\n',
        },
        (),
        documents=("Paris, France", 'He said "hi"'),
        queries=("q,1", "q2"),
        qrels={"q,1": {"Paris, France": 1}, "q2": {'He said "hi"': 2}},
    ),
    "grades such as 2.0": Case(
        {"qrels/test.tsv": QRELS.replace(b"\t2\n", b"\t2.0\n").replace(b"\t3\n", b"\t3.0\n")}, ()
    ),
    "fractions": Case(
        qrels("2\td1\t0.5"),
        (
            "grades are fractions; those of each query were multiplied to whole numbers (by at "
            "most 2); grades that people give on the pages, from 0 "
            "to 3, are not multiplied",
        ),
        qrels={"q1": {"d1": 2, "d2": 0}, "2": {"d2": 6, "d1": 1}},
    ),
    "a grade of more than two decimals": Case(
        qrels("2\td1\t0.004"),
        ("kept: 1 whose grade was rounded to hundredths; the first is in line 5 (0.004)",),
        qrels={"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3, "d1": 0}},
    ),
    "fractions in one of two files of a split": Case(
        {"qrels/test.qrels": "q1 0 d1 0.5\n", "qrels/test.tsv": QRELS},
        (
            "grades are fractions; those of each query were multiplied to whole numbers (by at "
            "most 2); grades that people give on the pages, from 0 "
            "to 3, are not multiplied",
            "rejected: 1 with another grade than an earlier judgment of the pair",
        ),
        qrels={"q1": {"d1": 1, "d2": 0}, "2": {"d2": 3}},
    ),
    "a grade that is a word": Case(
        qrels("2\td1\tyes"), (), qrels={"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3, "d1": 1}}
    ),
    "a grade that is no number": Case(
        qrels("q1\td2\t?", "q1\td1\tnan", "q1\td1\t1e9"),
        ("rejected: 3 whose grade is not a number up to 1,000,000; the first is in line 5 (?)",),
    ),
    "two columns": Case(
        qrels("q1\td2"), ("rejected: 1 without 3 columns; the first is in line 5",)
    ),
    "a second header": Case(
        qrels("query-id\tcorpus-id\tscore"),
        ("rejected: 1 whose grade is not a number up to 1,000,000; the first is in line 5",),
    ),
    "a judgment twice": Case(
        qrels("q1\td1\t2"),
        ("kept: 1 that repeat an earlier one; the first is in line 5 (d1 for q1)",),
    ),
    "a judgment twice with different grades": Case(
        qrels("q1\td1\t1"),
        (
            "rejected: 1 with another grade than an earlier judgment of the pair; the first is "
            "in line 5 (d1 for q1)",
        ),
    ),
    "no query id in a judgment": Case(
        qrels("\td1\t1"), ("rejected: 1 without query or document; the first is in line 5",)
    ),
    "an empty file of judgments": Case({"qrels/test.tsv": b""}, (), qrels=NONE),
    "a header and no judgment": Case(
        {"qrels/test.tsv": b"query-id\tcorpus-id\tscore\n"}, (), qrels=NONE
    ),
    "TREC judgments": Case({"qrels/test.tsv": b"q1 0 d1 2\nq1 0 d2 0\n2 0 d2 3\n"}, ()),
    "TREC judgments with tabs": Case(
        {"qrels/test.tsv": b"q1\t0\td1\t2\nq1\t0\td2\t0\n2\t0\td2\t3"}, ()
    ),
    "TREC judgments whose second column has other numbers": Case(
        {"qrels/test.tsv": b"q1 Q0 d1 2\nq1 1 d2 0\n2 0 d2 3\n"}, ()
    ),
    "no header": Case({"qrels/test.tsv": b"q1\td1\t2\n\nq1\td2\t0\n   \n2\td2\t3\n"}, ()),
    "several blanks": Case({"qrels/test.tsv": b"q1 d1 2\r\nq1  d2  0\r\n2 d2 3\r\n"}, ()),
    "another order of columns": Case(
        {"qrels/test.tsv": b"score\tcorpus_id\tqid\n2\td1\tq1\n0\td2\tq1\n3\td2\t2\n"}, ()
    ),
    "judgments as CSV": Case(
        {
            "qrels/test.tsv": None,
            "qrels/test.csv": b"query,docid,rating\nq1,d1,2\nq1,d2,0\n2,d2,3\n",
        },
        (),
    ),
    "judgments as JSONL": Case(
        {
            "qrels/test.tsv": None,
            "qrels/test.jsonl": '{"query-id": "q1", "corpus-id": "d1", "score": 2}\n'
            '{"query-id": "q1", "corpus-id": "d2", "score": 0}\n'
            '{"query-id": "2", "corpus-id": "d2", "score": 3}\n',
        },
        (),
    ),
    "a file named qrels.test.txt": Case(
        {"qrels/test.tsv": None, "qrels.test.txt": "q1 0 d1 2\nq1 0 d2 0\n2 0 d2 3\n"}, ()
    ),
    # the folder
    "AppleDouble files": Case(
        {"._corpus.jsonl": b"\x00\x05\x16\x07\x00", "qrels/._test.tsv": b"\x00\x05\x16\x07"},
        ("not read: ._corpus.jsonl, qrels/._test.tsv. Reason: attributes of another file",),
    ),
    "hidden files": Case({".git/corpus.jsonl": b"rubbish", ".corpus.jsonl": b"rubbish"}, ()),
    "another table beside the corpus": Case(
        {"prices.csv": "article,price\nx,1\n"},
        ("not read: prices.csv. Reason: the documents are in corpus.jsonl",),
    ),
    "a page beside the corpus": Case(
        {"README.md": "# Read me\n"},
        ("not read: README.md. Reason: corpus.jsonl already has the documents",),
    ),
    "files compressed by gzip": Case(
        {
            **dict.fromkeys(BEIR),
            **{f"{name}.gz": content for name, content in BEIR.items()},
        },
        (),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_irregular_files_are_read_as_far_as_possible(tmp_path: Path, case: Case):
    merged = {**BEIR, **case.files}
    dataset = load_dataset(
        write(tmp_path / "mine", {name: c for name, c in merged.items() if c is not None})
    )
    assert dataset.document_ids == case.documents
    assert tuple(dataset.queries) == case.queries
    assert {i: dataset.queries[i].text for i in case.texts} == case.texts
    assert dataset.splits == ({case.split: case.qrels} if case.qrels else {})
    said = import_lines(dataset.report)
    for sentence in case.says:
        assert any(sentence in line for line in said), said
    strange = [line for line in said if line.startswith(("  ", "not read"))]
    assert len(strange) == len(case.says), strange
    complete(dataset)


def complete(dataset: Dataset) -> None:
    for file in dataset.report.files:
        assert file.read + file.rejected == file.records, file


REFUSED = {
    "an empty folder": ({}, "contains no document; a data set is a table of documents"),
    "an empty corpus": (
        {"corpus.jsonl": "\n \n"},
        "contains no document; a data set is",
    ),
    "a corpus without a text": (
        {"corpus.jsonl": '{"_id": "d1"}\n'},
        "no column with texts among _id; choose the column with texts (--column text=NAME)",
    ),
    "only broken lines": (
        {"corpus.jsonl": "{\n{\n"},
        "contains no document (corpus.jsonl:1: 2 with broken JSON); a data set is",
    ),
    "judgments without a grade": (
        {**BEIR, "qrels/test.tsv": "query-id\tcorpus-id\tvotes\nq1\td1\t1\n"},
        "test.tsv: no column for grade among query-id, corpus-id, votes; rename the column, "
        "or name it (--column",
    ),
    "judgments with a column too many": (
        {**BEIR, "qrels/test.tsv": "q1\t0\td1\t1\t7\n"},
        "test.tsv:1: 5 columns; write query-id, corpus-id and score, separated by tabs",
    ),
    "two data sets": (
        {f"{name}/{file}": content for name in ("one", "two") for file, content in BEIR.items()},
        "contains 2 data sets: one, two; name one of them, such as",
    ),
    "a damaged gzip file": (
        {"corpus.jsonl": b"\x1f\x8b\x08\x00rubbish"},
        "compress the file again with gzip",
    ),
    "a damaged sheet": ({"corpus.xlsx": b"PK\x03\x04rubbish"}, "save it again as xlsx or CSV"),
    "a damaged Parquet file": (
        {"corpus.parquet": b"PAR1rubbishPAR1"},
        "cannot be read as Parquet",
    ),
    "JSON that is no array": ({"corpus.json": '"text"'}, "a JSON str, not an array of objects"),
    "a broken JSON array": ({"corpus.json": '[{"id": 1},'}, "broken JSON"),
}


@pytest.mark.parametrize(("files", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_with_a_remedy(
    tmp_path: Path, files: Mapping[str, bytes | str], message: str
):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(DataError) as caught:
        load_dataset(write(folder, files))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_strict_refuses_every_irregular_record(tmp_path: Path, case: Case):
    merged = {**BEIR, **case.files}
    folder = write(tmp_path / "mine", {n: c for n, c in merged.items() if c is not None})
    irregular = load_dataset(folder).report.irregular
    if not irregular:
        assert load_dataset(folder, strict=True).document_ids == case.documents
        return
    with pytest.raises(DataError, match=rf"{irregular} irregular records \(.*leave out --strict"):
        load_dataset(DataSource(folder), strict=True)


def test_grades_beside_a_very_large_one_stay_readable_and_positive():
    report = FileReport("test.tsv", "judgments")
    large = {"a": Fraction(1, 3), "b": Fraction(400_000), "c": Fraction(0), "d": Fraction(1, 100)}
    small = {"a": Fraction(1, 100), "b": Fraction(49, 100), "c": Fraction(1, 4)}
    whole = whole_grades({"q": large, "r": small}, report)
    assert whole["q"] == {"a": 1, "b": 800_000, "c": 0, "d": 1}
    assert max(whole["q"].values()) <= MAX_GRADE
    # the large grade of one query does not round those of another
    assert whole["r"] == {"a": 1, "b": 49, "c": 25}
    assert "rounded to whole numbers" in report.remarks[1]
