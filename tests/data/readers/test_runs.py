"""Run files: what is read of regular, irregular and malformed ones, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.readers.runs import load_run
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.reporting.import_lines import import_lines, irregularities
from tests.data.readers.files import write

DOCUMENTS = ("d1", "d2", "d3", "d10", "a b", "50% off", "x,y")
QUERIES = ("q1", "q2", "two words")
TREC = "q1 Q0 d1 1 3.5 tag\nq1 Q0 d2 2 2.5 tag\nq2 Q0 d3 1 9 tag\n"
READ = {"q1": ["d1", "d2"], "q2": ["d3"]}


@pytest.fixture
def dataset() -> Dataset:
    documents = tuple(Document(i, "", f"text of {i}") for i in DOCUMENTS)
    return Dataset("toy", Path("toy"), documents, {i: Query(i, f"query {i}") for i in QUERIES})


@dataclass(frozen=True)
class Case:
    """A run file, what is read of it, and what is said of its records."""

    content: str | bytes
    read: Mapping[str, list[str]]
    says: tuple[str, ...] = ()
    name: str = "x.run"


ONLY_TWO = (
    "ranks documents for 2 of the 3 queries of the data set; for the others, it retrieves nothing"
)
REGULAR = {
    "TREC": Case(TREC, READ),
    "TREC with tabs, and blanks in ids": Case(
        "q1\tQ0\ta b\t1\t3\tmy tag\ntwo words\tQ0\td1\t1\t2\tmy tag\n",
        {"q1": ["a b"], "two words": ["d1"]},
    ),
    "TREC with encoded blanks": Case(
        "q1 Q0 a%20b 1 3 t\ntwo%20words Q0 d1 1 2 t\nq1 Q0 50%25%20off 2 1 t\n",
        {"q1": ["a b", "50% off"], "two words": ["d1"]},
    ),
    "TREC with a comma in an id": Case("q1 Q0 x,y 1 2 t\nq1 Q0 d1 2 1 t\n", {"q1": ["x,y", "d1"]}),
    "TREC, gz": Case(TREC, READ, name="x.run.gz"),
    "TREC, another file type": Case(TREC, READ, name="x.res"),
    "TREC with byte order mark and Windows line ends": Case(
        b"\xef\xbb\xbf" + TREC.replace("\n", "\r\n").encode(), READ
    ),
    "TREC in UTF-16": Case(TREC.encode("utf-16"), READ),
    "blank lines": Case(TREC.replace("\n", "\n\n"), READ),
    "CSV with a header": Case(
        "query,document,score\nq1,d1,3\nq2,d3,1\nq1,d2,2\n", READ, name="x.csv"
    ),
    "CSV with a header in another order": Case(
        "Score,Doc ID,Query ID\n3,d1,q1\n1,d3,q2\n2,d2,q1\n", READ, name="x.csv"
    ),
    "CSV of PyTerrier: the id is docno": Case(
        "qid,docid,docno,rank,score,query\nq1,0,d1,0,3,a\nq1,1,d2,1,2,a\nq2,2,d3,0,1,b\n",
        READ,
        name="x.csv",
    ),
    "CSV without a header, scores 1 and 2 first": Case(
        "q1,d1,1\nq1,d2,2\nq2,d3,7.5\nq2,d1,40\n",
        {"q1": ["d2", "d1"], "q2": ["d1", "d3"]},
        name="x.csv",
    ),
    "CSV without a header": Case("q1,d1,3\nq2,d3,1\nq1,d2,2\n", READ, name="x.csv"),
    "CSV with quotation marks": Case(
        'query,document,score\nq1,"x,y",3\n"two words",d1,1\n',
        {"q1": ["x,y"], "two words": ["d1"]},
        name="x.csv",
    ),
    "CSV with semicolons": Case(
        "query;document;score\nq1;d1;3\nq2;d3;1\n", {"q1": ["d1"], "q2": ["d3"]}, name="x.csv"
    ),
    "CSV, gz": Case("query,document,score\nq1,d1,3\nq2,d3,1\nq1,d2,2\n", READ, name="x.csv.gz"),
    "TSV": Case(
        "query-id\tcorpus-id\tscore\nq1\td1\t3\nq2\td3\t1\nq1\td2\t2\n", READ, name="x.tsv"
    ),
    "TSV, gz, without a header": Case("q1\td1\t3\nq2\td3\t1\nq1\td2\t2\n", READ, name="x.tsv.gz"),
    "JSONL": Case(
        '{"query": "q1", "document": "d1", "score": 3}\n{"query": "q2", "document": "d3", '
        '"score": 1}\n{"query": "q1", "document": "d2", "score": 2}\n',
        READ,
        name="x.jsonl",
    ),
}
IRREGULAR = {
    "an unknown document": Case(
        TREC + "q2 Q0 d99 2 8 tag\nq2 Q0 d98 3 7 tag\n",
        READ,
        (
            "rejected: 2 of a document that the corpus does not have, so lower documents move up; "
            "the first is in line 4 (d99)",
        ),
    ),
    "an unknown query": Case(
        TREC + "q9 Q0 d1 1 8 tag\n",
        READ,
        ("rejected: 1 of a query that the data set does not have; the first is in line 4 (q9)",),
    ),
    "a document twice for a query": Case(
        TREC + "q1 Q0 d2 3 99 tag\nq2 Q0 d2 2 1 tag\n",
        {"q1": ["d1", "d2"], "q2": ["d3", "d2"]},
        (
            "rejected: 1 of a document that an earlier line ranks for the same query; the first "
            "is in line 4 (d2 for q1)",
        ),
    ),
    "a score that is a word": Case(
        TREC + "q2 Q0 d1 2 high tag\n",
        READ,
        ("rejected: 1 whose score is not a number; the first is in line 4 (high)",),
    ),
    "NaN and infinity as scores": Case(
        TREC + "q2 Q0 d1 2 nan tag\nq2 Q0 d2 2 -inf tag\nq2 Q0 d10 2 1e99 tag\nq2 Q0 x,y 2 1_0 t\n",
        READ,
        ("rejected: 4 whose score is not a number; the first is in line 4 (nan)",),
    ),
    "an empty score in a table": Case(
        "query,document,score\nq1,d1,3\nq1,d2,\n",
        {"q1": ["d1"]},
        ("rejected: 1 whose score is not a number; the first is in line 3",),
        "x.csv",
    ),
    "a decimal comma": Case(
        "query;document;score\nq1;d1;3,5\nq1;d2;2\n",
        {"q1": ["d2"]},
        ("rejected: 1 whose score is not a number; the first is in line 2 (3,5)",),
        "x.csv",
    ),
    "a missing rank": Case(
        "q1 Q0 d1 - 3 t\nq1 Q0 d2 x 4 t\nq1 Q0 d3 3 1 t\n",
        {"q1": ["d2", "d1", "d3"]},
        ("kept: 2 without a rank; the scores decide; the first is in line 1 (-)",),
    ),
    "ranks that contradict the scores": Case(
        "q1 Q0 d1 1 0.1 t\nq1 Q0 d2 2 0.9 t\nq2 Q0 d1 1 3 t\nq2 Q0 d2 2 2 t\n",
        {"q1": ["d2", "d1"], "q2": ["d1", "d2"]},
        (
            "in 1 of 2 queries, the ranks have another order than the scores; as in trec_eval, the "
            "scores decide (the highest is the best)",
        ),
    ),
    "equal scores": Case(
        "q1 Q0 d1 1 5 t\nq1 Q0 d10 2 5 t\nq1 Q0 d2 3 5 t\nq1 Q0 d3 4 1 t\n",
        {"q1": ["d2", "d10", "d1", "d3"]},
        (
            "3 documents have the score of another one of their query; as in trec_eval, these are "
            "ranked by descending id",
        ),
    ),
    "scores that are equal in 32 bits": Case(
        "q1 Q0 d1 1 0.50000000002 t\nq1 Q0 d2 2 0.50000000001 t\n",
        {"q1": ["d2", "d1"]},
        (
            "2 documents have the score of another one of their query; as in trec_eval, these are "
            "ranked by descending id",
        ),
    ),
    "ranks and no scores": Case(
        "query,document,rank\nq1,d2,2\nq1,d1,1\nq1,d3,-1\n",
        {"q1": ["d1", "d2"]},
        (
            "has ranks and no scores; 1 / rank is shown as the score",
            "rejected: 1 whose rank is not a number above 0; the first is in line 4 (-1)",
        ),
        "x.csv",
    ),
    "ranks from 0 and no scores": Case(
        "query,document,rank\nq1,d2,1\nq1,d1,0\nq1,d3,none\nq2,d3,0\n",
        READ,
        (
            "has ranks from 0 and no scores; 1 / (rank + 1) is shown as the score",
            "rejected: 1 whose rank is not a number from 0; the first is in line 4 (none)",
        ),
        "x.csv",
    ),
    "the third column counts from 0": Case(
        "q1\td1\t0\nq1\td2\t1\nq2\td3\t0\n",
        READ,
        ("has ranks from 0 and no scores; 1 / (rank + 1) is shown as the score",),
        "x.tsv",
    ),
    "scores that rise, as distances do": Case(
        "q1,d1,0.1\nq1,d2,0.25\nq1,d3,0.3\nq2,d3,0.5\n",
        {"q1": ["d3", "d2", "d1"], "q2": ["d3"]},
        (
            "in 1 of 2 queries, the scores rise from line to line, but the highest is the best; if "
            "they are distances, write them with a minus sign",
        ),
        "x.csv",
    ),
    "MS MARCO: the third column counts": Case(
        "q1\td1\t1\nq1\td2\t2\nq2\td3\t1\n",
        READ,
        ("has ranks and no scores; 1 / rank is shown as the score",),
        "x.tsv",
    ),
    "a line with too few columns": Case(
        "q1 Q0 d1 1 3.5\n" + TREC,
        READ,
        ("rejected: 1 without 6 columns; the first is in line 1 (q1 Q0 d1 1 3.5)",),
    ),
    "a line with too many columns": Case(
        TREC + "q2 Q0 d2 2 1 my tag\n",
        READ,
        ("rejected: 1 without 6 columns; the first is in line 4 (q2 Q0 d2 2 1 my tag)",),
    ),
    "a table row with too many columns": Case(
        "query,document,score\nq1,d1,3\nq1,d2,2,1,0\n",
        {"q1": ["d1"]},
        ("rejected: 1 without 3 columns; the first is in line 3 (q1,d2,2,1,0)",),
        "x.csv",
    ),
    "no document": Case(
        "query,document,score\nq1,d1,3\nq1,,2\n",
        {"q1": ["d1"]},
        ("rejected: 1 without query or document; the first is in line 3",),
        "x.csv",
    ),
    "a table cut in the middle of a line": Case(
        "query,document,score\nq1,d1,3\nq1,d",
        {"q1": ["d1"]},
        ("rejected: 1 without 3 columns; the first is in line 3 (q1,d)",),
        "x.csv",
    ),
    "not UTF-8": Case(
        TREC.encode() + "q2 Q0 é 2 8 tag\n".encode("latin-1"),
        READ,
        ("not UTF-8 at byte 62; read as",),
    ),
    "half a surrogate pair": Case(
        '{"query": "q1", "document": "d1", "score": 3}\n'
        '{"query": "q1", "document": "\\ud800", "score": 2}\n',
        {"q1": ["d1"]},
        ("changed: 1 with half a surrogate pair, now U+FFFD; the first is in line 2",),
        "x.jsonl",
    ),
    "broken JSON": Case(
        '{"query": "q1", "document": "d1", "score": 3}\n{"query": "q1", \n',
        {"q1": ["d1"]},
        ("rejected: 1 with broken JSON; the first is in line 2",),
        "x.jsonl",
    ),
    "a cell of 1 MB": Case(
        f"query,document,score\nq1,d1,3\nq1,{'d' * 1_000_000},2\n",
        {"q1": ["d1"]},
        (
            "rejected: 1 of a document that the corpus does not have, so lower documents move up; "
            f"the first is in line 3 ({'d' * 80})",
        ),
        "x.csv",
    ),
    "a line of 1 MB": Case(
        TREC + f"q2 Q0 {'d' * 1_000_000} 2 1 tag\n",
        READ,
        (
            "rejected: 1 of a document that the corpus does not have, so lower documents move up; "
            f"the first is in line 4 ({'d' * 80})",
        ),
    ),
}
FORMAT = "write query Q0 document rank score tag, or a table with the columns query,document,score"
UNREADABLE = {
    "empty": (
        Case("", {}),
        f"ranks no document for a query of this data set; use a run of this data set: {FORMAT}",
    ),
    "of another corpus": (
        Case("q1 Q0 x1 1 2 t\nq1 Q0 x2 2 1 t\n", {}),
        "ranks no document for a query of this data set (x.run:1: 2 of a document that the corpus "
        f"does not have, so lower documents move up); use a run of this data set: {FORMAT}",
    ),
    "two columns": (Case("q1 d1\nq1 d2\n", {}), f":1: 2 columns; {FORMAT}"),
    "judgments": (Case("q1 0 d1 1\nq1 0 d2 0\n", {}), f":1: 4 columns; {FORMAT}"),
    "a table without scores": (
        Case("query,document,label\nq1,d1,x\n", {}, name="x.jsonl"),
        "ranks no document for a query of this data set",
    ),
    "a table with other columns": (
        Case('{"query": "q1", "text": "d1"}\n', {}, name="x.jsonl"),
        f"no column for document and score among query, text; {FORMAT}",
    ),
    "a table of distances": (
        Case("query,document,distance\nq1,d1,0.1\nq1,d2,0.2\n", {}, name="x.csv"),
        "no column for score among query, document, distance; "
        f"{FORMAT}; the highest score is the best, so distances get a minus sign",
    ),
    "a damaged gz": (Case(b"\x1f\x8b\x08\x00broken", {}), "cannot be unpacked"),
    "a picture": (Case(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00", {}), f"columns; {FORMAT}"),
}


def written(case: Case, folder: Path) -> Path:
    write(folder, {case.name: case.content})
    return folder / case.name


@pytest.mark.parametrize("name", [*REGULAR, *IRREGULAR])
def test_what_is_read(name: str, tmp_path: Path, dataset: Dataset) -> None:
    case = {**REGULAR, **IRREGULAR}[name]
    run = load_run(written(case, tmp_path), "other", dataset)
    assert {query: list(ids) for query, ids in run.ranked_ids.items()} == case.read
    report = run.report
    assert report.read + report.rejected == report.records
    assert report.read == sum(map(len, case.read.values()))
    said = [line.strip() for line in irregularities(report)]
    for expected in case.says:
        assert any(line.startswith(expected) for line in said), said
    if name in REGULAR:
        assert [line for line in said if "of the 3 queries" not in line] == []
        assert (report.rejected, report.irregularities) == (0, [])
    for ranked in run.rankings.values():
        assert ranked.scores.dtype == np.float32
        assert (np.diff(ranked.scores) <= 0).all()


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read(name: str, tmp_path: Path, dataset: Dataset) -> None:
    case, message = UNREADABLE[name]
    path = written(case, tmp_path)
    with pytest.raises(DataError) as caught:
        load_run(path, "other", dataset)
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(DataError, match=r"none.run: not found"):
        load_run(tmp_path / "none.run", "x", dataset)
    with pytest.raises(DataError, match="contains 0 files; name one run file"):
        load_run(tmp_path, "x", dataset)


def test_the_report_counts_queries_and_names_columns(tmp_path: Path, dataset: Dataset) -> None:
    from imrnns_core.data.import_report import ImportReport

    path = written(Case(TREC, {}), tmp_path)
    report = load_run(path, "x", dataset).report
    assert import_lines(ImportReport((report,))) == [
        f"{path}: 3 of 3 ranked documents (query-id = 1, document = 3, rank = 4, score = 5)",
        f"  {ONLY_TWO}",
    ]


def test_equal_scores_are_ranked_as_trec_eval_ranks_them(tmp_path: Path, dataset: Dataset) -> None:
    """The rank of the only relevant document, by the C code of trec_eval."""
    rng = np.random.default_rng(0)
    for trial in range(40):
        scores = {d: float(rng.choice([1, 0.3, 0.30000001, 0])) for d in DOCUMENTS[:4]}
        lines = [f"q1 Q0 {d} {n} {s} t" for n, (d, s) in enumerate(scores.items(), 1)]
        path = tmp_path / f"{trial}.run"
        path.write_text("\n".join(lines))
        ranked = load_run(path, "x", dataset).ranked_ids["q1"]
        for document in scores:
            evaluator = pytrec_eval.RelevanceEvaluator({"q1": {document: 1}}, {"recip_rank"})
            expected = evaluator.evaluate({"q1": scores})["q1"]["recip_rank"]
            assert 1 / (1 + ranked.index(document)) == pytest.approx(expected)
