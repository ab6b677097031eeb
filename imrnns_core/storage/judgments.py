"""Judgments and questions of people, which stay when the files of a data set are replaced.

    WORKSPACE/judgments.sqlite      or the server that `IMRNNSJUDGMENTS` names

The tables only grow: each judgment is a new row, and so is each undo, and each removal of a kept
question. So two people who work at once lose nothing, and the history is kept. Of several judgments
of a pair, the last one counts.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.exc import IntegrityError

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.recognition import LONE_SURROGATE
from imrnns_core.data.records import Query
from imrnns_core.errors import LensError
from imrnns_core.storage.database import JUDGMENTS, QUESTIONS, REMOVALS, Database
from imrnns_core.storage.row_checksums import check_rows, insert_row, written_checksums

GRADES = (0, 1, 2, 3)
GRADE_NAMES = ("not relevant", "marginally relevant", "relevant", "highly relevant")
MAX_NAME = 80


@dataclass(frozen=True)
class Judgment:
    """One judgment of a person.

    Attributes:
        id: Its number; a later judgment has a higher one.
        query_id: Id of the query.
        document_id: Id of the document.
        grade: 0 to 3; 0 means not relevant.
        who: Who gave it.
        at: When, in UTC.
        query_hash: `Query.text_hash` of the query at that time.
        document_hash: `Document.text_hash` of the document at that time.
    """

    id: int
    query_id: str
    document_id: str
    grade: int
    who: str
    at: datetime
    query_hash: str
    document_hash: str


@dataclass(frozen=True)
class RemovedQuestion:
    """A kept question that was removed again.

    Attributes:
        query: The question.
        who: Who removed it.
        at: When, in UTC.
    """

    query: Query
    who: str
    at: datetime


def user_name() -> str:
    """Return the name of the system's user, or "unknown" if it has none."""
    try:
        return clean_name(getpass.getuser())
    except (KeyError, OSError):
        return clean_name("")


def clean_name(name: str) -> str:
    """Return a name as it is stored: printable, on one line, not empty."""
    kept = "".join(c for c in LONE_SURROGATE.sub("", name) if c.isprintable())
    return " ".join(kept.split())[:MAX_NAME] or "unknown"


class JudgmentStore:
    """The judgments and questions of all data sets of a workspace, or of a team.

    Raises:
        LensError: If `IMRNNSJUDGMENTS` is not the address of a PostgreSQL database. All methods
            raise it if the database cannot be reached.
    """

    def __init__(self, root: Path) -> None:
        self.database = Database(root)

    def add(self, dataset: Dataset, judged: Iterable[tuple[str, str, int]], who: str) -> list[int]:
        """Store judgments (query id, document id, grade); return their numbers.

        Raises:
            KeyError: If the data set has no such query or document.
            LensError: If a grade is not 0 to 3.
        """
        at, rows = datetime.now(UTC), list[dict[str, Any]]()
        for query_id, document_id, grade in judged:
            if grade not in GRADES:
                raise LensError(f"{grade} is no grade; use 0, 1, 2 or 3")
            hashes = {
                "query_hash": dataset.queries[query_id].text_hash,
                "document_hash": dataset.document[document_id].text_hash,
            }
            pair = {"query_id": query_id, "document_id": document_id}
            rows.append({**pair, **hashes, "grade": grade})
        if not rows:
            return []
        shared = {"dataset": dataset.name, "who": clean_name(who), "at": at}
        with self.database.writing() as connection:
            return [insert_row(connection, JUDGMENTS, {**row, **shared}) for row in rows]

    def undo(self, name: str, number: int, who: str) -> bool:
        """Let a judgment of a data set count no longer; return whether there is one.

        The judgment of the pair before it counts again. The history has both.
        """
        rows = [
            row
            for row in self._rows_of(JUDGMENTS, name)
            if row["id"] == number and row["undoes"] is None
        ]
        for row in rows:
            undo = {"who": clean_name(who), "at": datetime.now(UTC), "undoes": number}
            with self.database.writing() as connection:
                insert_row(connection, JUDGMENTS, {**_without_id(row), **undo})
        return bool(rows)

    def history(self, name: str) -> list[Judgment]:
        """Return all judgments of a data set that were not undone, in their order."""
        rows = self._rows_of(JUDGMENTS, name)
        undone = {row["undoes"] for row in rows}
        return [_judgment(row) for row in rows if row["undoes"] is None and row["id"] not in undone]

    def current(self, name: str) -> list[Judgment]:
        """Return the judgments of a data set that count: the last one of each pair."""
        last = {(j.query_id, j.document_id): j for j in self.history(name)}
        return sorted(last.values(), key=lambda judgment: judgment.id)

    def keep(self, name: str, text: str, who: str) -> Query:
        """Store a question as a query of a data set and return it.

        The same words have the same id, whoever asks them. A question that was removed is back.

        Raises:
            LensError: If the text is empty.
        """
        text = LONE_SURROGATE.sub("\ufffd", text).replace("\0", "\ufffd").strip()
        if not text:
            raise LensError("the question is empty; type one")
        query = Query("", text)
        query = Query(f"asked-{query.text_hash[:10]}", text)
        rows = self._question_rows(name)
        if query.id in rows:
            self.restore_question(name, query.id, who)
            return Query(query.id, rows[query.id]["text"])
        signed = {"who": clean_name(who), "at": datetime.now(UTC)}
        row = {"dataset": name, "query_id": query.id, "text": text, **signed}
        try:
            with self.database.writing() as connection:
                insert_row(connection, QUESTIONS, row)
        except IntegrityError:  # someone kept the same question at the same moment
            return Query(query.id, self._question_rows(name)[query.id]["text"])
        return query

    def questions(self, name: str) -> list[Query]:
        """Return the questions that are kept for a data set, in their order."""
        rows, removed = self._question_rows(name), self._removal_rows(name)
        return [Query(q, row["text"]) for q, row in rows.items() if q not in removed]

    def removed_questions(self, name: str) -> list[RemovedQuestion]:
        """Return the questions that were removed from a data set, the last removed first."""
        rows, removed = self._question_rows(name), self._removal_rows(name)
        return [
            RemovedQuestion(Query(q, rows[q]["text"]), row["who"], _in_utc(row["at"]))
            for q, row in sorted(removed.items(), key=lambda item: -item[1]["id"])
            if q in rows  # not one that was kept and removed since they were read
        ]

    def remove_question(self, name: str, query_id: str, who: str) -> bool:
        """Let a kept question be a query no longer; return whether there is one.

        Its judgments stay in the database. They count again when the question is back.
        """
        found = any(question.id == query_id for question in self.questions(name))
        if found:
            self._add_removal(name, query_id, 1, who)
        return found

    def restore_question(self, name: str, query_id: str, who: str) -> bool:
        """Bring a removed question back; return whether there is one."""
        found = query_id in self._removal_rows(name)
        if found:
            self._add_removal(name, query_id, 0, who)
        return found

    def _add_removal(self, name: str, query_id: str, removed: int, who: str) -> None:
        signed = {"who": clean_name(who), "at": datetime.now(UTC)}
        row = {"dataset": name, "query_id": query_id, "removed": removed, **signed}
        with self.database.writing() as connection:
            insert_row(connection, REMOVALS, row)

    def _question_rows(self, name: str) -> dict[str, Any]:
        return {row["query_id"]: row for row in self._rows_of(QUESTIONS, name)}

    def _removal_rows(self, name: str) -> dict[str, Any]:
        """Return id → its last row of the questions that are removed."""
        last = {row["query_id"]: row for row in self._rows_of(REMOVALS, name)}
        return {query_id: row for query_id, row in last.items() if row["removed"]}

    def version(self, name: str) -> tuple[int, int]:
        """Return numbers that grow with each judgment and undo, and with all about questions."""
        with self.database.reading() as connection:
            if connection is None:
                return 0, 0
            # not the highest numbers: on a server, a lower one can become visible later
            judgments, questions, removals = (
                int(connection.execute(_count(table, name)).scalar_one())
                if self.database.has(connection, table)
                else 0
                for table in (JUDGMENTS, QUESTIONS, REMOVALS)
            )
            return judgments, questions + removals

    def _rows_of(self, table: Table, name: str) -> Sequence[Any]:
        """Return the rows of a data set in their order."""
        query = select(table).where(table.c.dataset == name).order_by(table.c.id)
        with self.database.reading() as connection:
            if connection is None:
                return []
            written = written_checksums(self.database, connection, table, name)
            known = self.database.has(connection, table)
            rows = connection.execute(query).mappings().all() if known else []
            check_rows(self.database, table, rows, written)
            return rows


def _count(table: Table, name: str) -> Any:
    return select(func.count()).select_from(table).where(table.c.dataset == name)


def _without_id(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def _judgment(row: Any) -> Judgment:
    return Judgment(
        int(row["id"]),
        row["query_id"],
        row["document_id"],
        int(row["grade"]),
        row["who"],
        _in_utc(row["at"]),
        row["query_hash"],
        row["document_hash"],
    )


def _in_utc(at: datetime) -> datetime:
    # SQLite has no time zones; all times are stored in UTC
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
