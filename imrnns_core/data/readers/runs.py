"""Read runs: the rankings of any search engine, in the TREC format or as a table.

A TREC run has the columns `query Q0 document rank score tag`. A table has the columns query,
document and score. As in trec_eval, documents are ranked by their scores as 32-bit numbers, those
with equal scores by descending id, and the ranks in the file do not count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport, ImportReport
from imrnns_core.data.readers.columns import ROLES, named
from imrnns_core.data.readers.files import SourceFile, list_files
from imrnns_core.data.readers.json_rows import Record, Rows
from imrnns_core.data.readers.load import reasons
from imrnns_core.data.readers.rows import cells_of, clean, read_rows
from imrnns_core.data.readers.trec import from_trec_id, to_trec_id
from imrnns_core.data.run import RankedDocuments, Run
from imrnns_core.errors import DataError

STRUCTURED = (".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".xls", ".ods")
IN_TREC = {"query-id": "1", "document": "3", "rank": "4", "score": "5"}
IN_TABLE = {"query-id": "1", "document": "2", "score": "3"}
WITHOUT_HEADER: Mapping[int, Mapping[str, str]] = {6: IN_TREC, 3: IN_TABLE}
"""Number of columns → role → column by its number, in files without a header."""
SEPARATORS = ("\t", None, ",", ";")
"""What can separate the columns of a text file, the likeliest first; None means blanks."""
FORMAT = "write query Q0 document rank score tag, or a table with the columns query,document,score"
DISTANCES = "; the highest score is the best, so distances get a minus sign"
LARGEST = float(np.finfo(np.float32).max)
SAMPLE = 20
"""Lines from which the layout of a file is guessed."""
_ROLES = ROLES["ranked documents"]


def load_run(path: Path, name: str, dataset: Dataset) -> Run:
    """Read the run of a data set; its report says what was read and what was rejected.

    Raises:
        DataError: If the file cannot be read, is no run, or ranks no document for a query of the
            data set.
    """
    files = list_files(path).files
    if len(files) != 1:
        raise DataError(path, f"contains {len(files)} files", "name one run file")
    file = files[0]
    report = FileReport(str(path), "ranked documents")
    rows, columns, first_rank = _rows(file, report)
    report.columns.update(columns)
    reading = _Reading(report, dataset, columns, first_rank)
    for line, record in rows:
        reading.add(line, record)
    rankings = {query_id: ranked.best_first() for query_id, ranked in reading.ranked.items()}
    if not rankings:
        problem = (
            f"ranks no document for a query of this data set{reasons(ImportReport((report,)))}"
        )
        raise DataError(path, problem, f"use a run of this data set: {FORMAT}")
    reading.remark(len(dataset.queries))
    return Run(name, rankings, report)


@dataclass
class _Ranked:
    """The documents of one query: id → score, and id → rank in the file, where it has one."""

    scores: dict[str, np.float32] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)

    def best_first(self) -> RankedDocuments:
        # trec_eval compares the ids as the file writes them
        ids = sorted(self.scores, key=to_trec_id, reverse=True)
        ids.sort(key=lambda i: -self.scores[i])
        scores = np.array([self.scores[i] for i in ids], dtype=np.float32)
        return RankedDocuments(tuple(ids), scores)

    @property
    def tied(self) -> int:
        """Number of documents that have the score of another one."""
        _, counts = np.unique(list(self.scores.values()), return_counts=True)
        return int(counts[counts > 1].sum())

    @property
    def rises(self) -> bool:
        """Whether the scores rise from line to line, as distances do."""
        scores = np.array(list(self.scores.values()))
        return len(scores) > 2 and bool((np.diff(scores) >= 0).all()) and scores[-1] > scores[0]

    @property
    def contradicts_ranks(self) -> bool:
        """Whether a document with a higher score has a lower rank in the file."""
        ids = sorted(self.ranks, key=lambda i: (-self.scores[i], self.ranks[i]))
        ranks = [self.ranks[i] for i in ids]
        return ranks != sorted(ranks)


@dataclass
class _Reading:
    """Collects the records of a run, and counts what is irregular."""

    report: FileReport
    dataset: Dataset
    columns: Mapping[str, str]
    first_rank: int
    ranked: dict[str, _Ranked] = field(default_factory=dict)

    def add(self, line: int, record: Record) -> None:
        """Add the document of one record, or reject it."""
        cells = {
            role: clean(record.get(column), self.report, line).strip()
            for role, column in self.columns.items()
        }
        documents = self.dataset.document
        query_id = from_trec_id(cells["query-id"], self.dataset.queries)
        document_id = from_trec_id(cells["document"], documents)
        rank, score = _whole(cells.get("rank", "")), self._score(cells)
        if not query_id or not document_id:
            self.report.reject("without query or document", line)
        elif score is None:
            by = "score" if "score" in self.columns else "rank"
            least = {"rank": " above 0" if self.first_rank else " from 0"}
            problem = f"whose {by} is not a number{least.get(by, '')}"
            self.report.reject(problem, line, cells[by])
        elif query_id not in self.dataset.queries:
            problem = "of a query that the data set does not have"
            self.report.reject(problem, line, query_id)
        elif document_id not in documents:
            problem = "of a document that the corpus does not have, so lower documents move up"
            self.report.reject(problem, line, document_id)
        elif self.dataset.leaves_out(query_id, document_id):
            self.report.reject("of a document that is the query itself", line, document_id)
        elif document_id in self.ranked.setdefault(query_id, _Ranked()).scores:
            problem = "of a document that an earlier line ranks for the same query"
            self.report.reject(problem, line, f"{document_id} for {query_id}")
        else:
            self.report.accept()
            # the id of the corpus, which many lines share: a run can have millions of them
            document_id = documents[document_id].id
            self.ranked[query_id].scores[document_id] = score
            self._keep_rank(line, query_id, document_id, rank, cells.get("rank"))

    def _score(self, cells: Mapping[str, str]) -> np.float32 | None:
        """Return the score of a record; in a file without scores, 1 / rank, counted from 1."""
        if "score" in self.columns:
            return _number(cells["score"])
        rank = _whole(cells["rank"])
        if rank is None or rank < self.first_rank:
            return None
        return np.float32(1 / (rank + 1 - self.first_rank))

    def _keep_rank(
        self, line: int, query_id: str, document_id: str, rank: int | None, text: str | None
    ) -> None:
        if rank is not None:
            self.ranked[query_id].ranks[document_id] = rank
        elif text is not None:
            self.report.keep("without a rank; the scores decide", line, text)

    def remark(self, queries: int) -> None:
        """Note what holds for the whole file; the data set has this number of queries."""
        ranked, remarks = self.ranked.values(), self.report.remarks
        if "score" not in self.columns:
            ranks, score = ("", "rank") if self.first_rank else (" from 0", "(rank + 1)")
            remarks.append(f"has ranks{ranks} and no scores; 1 / {score} is shown as the score")
        elif (rising := sum(r.rises for r in ranked)) > sum(len(r.scores) > 2 for r in ranked) / 2:
            remarks.append(
                f"in {rising:,} of {len(ranked):,} queries, the scores rise from line to line, but "
                "the highest is the best; if they are distances, write them with a minus sign"
            )
        if tied := sum(r.tied for r in ranked):
            remarks.append(
                f"{tied:,} documents have the score of another one of their query; as in "
                "trec_eval, these are ranked by descending id"
            )
        if contradicting := sum(r.contradicts_ranks for r in ranked):
            remarks.append(
                f"in {contradicting:,} of {len(ranked):,} queries, the ranks have another order "
                "than the scores; as in trec_eval, the scores decide (the highest is the best)"
            )
        if len(ranked) < queries:
            remarks.append(
                f"ranks documents for {len(ranked):,} of the {queries:,} queries of the data set; "
                "for the others, it retrieves nothing"
            )


def _number(text: str) -> np.float32 | None:
    """Return a score as trec_eval reads it, None if it is no number of 32 bits."""
    try:
        value = float(text)
    except ValueError:
        return None
    # Python also reads NaN, infinity and 1_000
    return np.float32(value) if abs(value) <= LARGEST and "_" not in text else None


def _whole(text: str) -> int | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _rows(file: SourceFile, report: FileReport) -> tuple[Rows, Mapping[str, str], int]:
    """Return the records of a file, role → column, and the first rank: 0 or 1.

    Raises:
        DataError: If the file cannot be read, or has no such columns.
    """
    rows = read_rows(file, report) if file.suffix in STRUCTURED else _text_rows(file, report)
    first = list(islice(rows, SAMPLE))
    names = list(dict.fromkeys(name for _, record in first for name in record))
    columns = _columns(names, file) if first else IN_TREC
    if columns == IN_TABLE and _are_ranks([record for _, record in first]):
        columns = {"query-id": "1", "document": "2", "rank": "3"}
    ranks = {_whole(str(record.get(columns.get("rank", "")))) for _, record in first}
    return chain(first, rows), columns, 0 if 0 in ranks else 1


def _columns(names: Sequence[str], file: SourceFile) -> Mapping[str, str]:
    if names == [str(i) for i in range(1, len(names) + 1)]:
        if len(names) not in WITHOUT_HEADER:
            raise DataError(file.path, f"{len(names)} columns", FORMAT, 1)
        return WITHOUT_HEADER[len(names)]
    columns = named(_ROLES, names)
    missing = [role for role in ("query-id", "document", "score") if role not in columns]
    if missing == ["score"] and "rank" in columns:
        missing = []
    if missing:
        problem = f"no column for {' and '.join(missing)} among {', '.join(names) or 'none'}"
        raise DataError(file.path, problem, FORMAT + (DISTANCES if "score" in missing else ""))
    return columns


def _are_ranks(records: Sequence[Record]) -> bool:
    """Return whether the third column counts the lines of each query, from 0 or 1."""
    numbers = defaultdict[str, list[str]](list)
    for record in records:
        numbers[str(record.get("1"))].append(str(record.get("3", "")).strip())
    return len(records) > len(numbers) and any(
        all(own == [str(first + n) for n in range(len(own))] for own in numbers.values())
        for first in (0, 1)
    )


def _text_rows(file: SourceFile, report: FileReport) -> Rows:
    lines = file.lines(report)
    first = list(islice(lines, SAMPLE))
    mark, names = _layout([text for _, text in first])
    # a header is no record
    rest = first[1:] if first and names[:1] != ["1"] else first
    return _records(chain(rest, lines), mark, names, report)


def _layout(lines: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return what separates the columns, and their names: those of a header, or numbers."""
    for mark in SEPARATORS if lines else ():
        cells = cells_of(lines[0], mark)
        if len(named(_ROLES, cells)) > 2:
            return mark, cells
    widths = [
        (mark, width)
        for width in WITHOUT_HEADER
        for mark in SEPARATORS
        for line in lines
        if len(cells_of(line, mark)) == width
    ]
    # `max` keeps the first of equally frequent ones
    mark, width = max(dict.fromkeys(widths), key=widths.count, default=(None, 0))
    width = width or max((len(cells_of(line, None)) for line in lines), default=0)
    rows = [cells for line in lines if len(cells := cells_of(line, mark)) == width]
    if width in WITHOUT_HEADER and _is_header(rows, int(WITHOUT_HEADER[width]["score"]) - 1):
        return mark, rows[0]  # whose names the error will show
    return mark, [str(i) for i in range(1, width + 1)]


def _is_header(rows: Sequence[Sequence[str]], score: int) -> bool:
    """Return whether the first row names columns: only it has no number as the score."""
    if len(rows) < 2 or any(sign.isdigit() for cell in rows[0] for sign in cell):
        return False
    return [_number(cells[score]) is None for cells in rows] == [True] + [False] * (len(rows) - 1)


def _records(
    lines: Iterator[tuple[int, str]], mark: str | None, names: Sequence[str], report: FileReport
) -> Rows:
    for line, text in lines:
        report.records += 1
        cells = cells_of(text, mark)
        if len(cells) == len(names):
            yield line, dict(zip(names, cells, strict=True))
        else:
            report.reject(f"without {len(names)} columns", line, text.strip())
