"""Judgments and questions of people, which stay when the files of a data set are replaced.

    WORKSPACE/judgments.sqlite      or the server that `IMRNNS_JUDGMENTS` names

The table only grows: each judgment is a new row, and so is each undo. So two people who judge at
once lose nothing, and the history is kept. Of several judgments of a pair, the last one counts.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.exc import IntegrityError

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.recognition import LONE_SURROGATE
from imrnns_core.data.records import Query
from imrnns_core.errors import LensError
from imrnns_core.storage.database import Database

GRADES = (0, 1, 2, 3)
GRADE_NAMES = ("not relevant", "marginally relevant", "relevant", "highly relevant")
MAX_NAME = 80
_ID = BigInteger().with_variant(Integer, "sqlite")
_METADATA = MetaData()
_JUDGMENTS = Table(
    "judgments",
    _METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("dataset", String, nullable=False),
    Column("query_id", String, nullable=False),
    Column("document_id", String, nullable=False),
    Column("grade", SmallInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    # ids can be given to other texts: these hashes tell which texts were judged
    Column("query_hash", String, nullable=False),
    Column("document_hash", String, nullable=False),
    Column("undoes", _ID),
    Index("judgments_of_dataset", "dataset", "id"),
    sqlite_autoincrement=True,
)
_QUESTIONS = Table(
    "questions",
    _METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("dataset", String, nullable=False),
    Column("query_id", String, nullable=False),
    Column("text", String, nullable=False),
    Column("who", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("dataset", "query_id"),
)


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
        LensError: If `IMRNNS_JUDGMENTS` is not the address of a PostgreSQL database. All methods
            raise it if the database cannot be reached.
    """

    def __init__(self, root: Path) -> None:
        self.database = Database(root, _METADATA)

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
            numbers = [
                connection.execute(
                    _JUDGMENTS.insert().values({**row, **shared})
                ).inserted_primary_key[0]  # type: ignore[index]
                for row in rows
            ]
        return [int(number) for number in numbers]

    def undo(self, name: str, number: int, who: str) -> bool:
        """Let a judgment of a data set count no longer; return whether there is one.

        The judgment of the pair before it counts again. The history has both.
        """
        wanted = (_JUDGMENTS.c.dataset == name) & (_JUDGMENTS.c.id == number)
        rows = self._rows(select(_JUDGMENTS).where(wanted & _JUDGMENTS.c.undoes.is_(None)))
        for row in rows:
            undo = {"who": clean_name(who), "at": datetime.now(UTC), "undoes": number}
            with self.database.writing() as connection:
                connection.execute(_JUDGMENTS.insert().values({**_without_id(row), **undo}))
        return bool(rows)

    def history(self, name: str) -> list[Judgment]:
        """Return all judgments of a data set that were not undone, in their order."""
        query = select(_JUDGMENTS).where(_JUDGMENTS.c.dataset == name)
        rows = self._rows(query.order_by(_JUDGMENTS.c.id))
        undone = {row["undoes"] for row in rows}
        return [_judgment(row) for row in rows if row["undoes"] is None and row["id"] not in undone]

    def current(self, name: str) -> list[Judgment]:
        """Return the judgments of a data set that count: the last one of each pair."""
        last = {(j.query_id, j.document_id): j for j in self.history(name)}
        return sorted(last.values(), key=lambda judgment: judgment.id)

    def keep(self, name: str, text: str, who: str) -> Query:
        """Store a question as a query of a data set and return it.

        The same words have the same id, whoever asks them.

        Raises:
            LensError: If the text is empty.
        """
        text = LONE_SURROGATE.sub("\ufffd", text).replace("\0", "\ufffd").strip()
        if not text:
            raise LensError("the question is empty; type one")
        query = Query("", text)
        query = Query(f"asked-{query.text_hash[:10]}", text)
        row = {
            "dataset": name,
            "query_id": query.id,
            "text": text,
            "who": clean_name(who),
            "at": datetime.now(UTC),
        }
        known = next((q for q in self.questions(name) if q.id == query.id), None)
        if known is None:
            try:
                with self.database.writing() as connection:
                    connection.execute(_QUESTIONS.insert().values(row))
            except IntegrityError:  # someone kept the same question at the same moment
                known = next(q for q in self.questions(name) if q.id == query.id)
        return known or query

    def questions(self, name: str) -> list[Query]:
        """Return the questions that were kept for a data set, in their order."""
        query = select(_QUESTIONS).where(_QUESTIONS.c.dataset == name)
        rows = self._rows(query.order_by(_QUESTIONS.c.id))
        return [Query(row["query_id"], row["text"]) for row in rows]

    def version(self, name: str) -> tuple[int, int]:
        """Return numbers that grow with each judgment, undo and question of a data set."""
        counts = [
            select(func.count()).select_from(t).where(t.c.dataset == name)
            for t in (_JUDGMENTS, _QUESTIONS)
        ]
        with self.database.reading() as connection:
            if connection is None:
                return 0, 0
            # not the highest numbers: on a server, a lower one can become visible later
            judgments, questions = (int(connection.execute(c).scalar_one()) for c in counts)
            return judgments, questions

    def _rows(self, query: Any) -> Sequence[Any]:
        with self.database.reading() as connection:
            return [] if connection is None else connection.execute(query).mappings().all()


def _without_id(row: Any) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def _judgment(row: Any) -> Judgment:
    # SQLite has no time zones; all times are stored in UTC
    at = row["at"] if row["at"].tzinfo else row["at"].replace(tzinfo=UTC)
    return Judgment(
        int(row["id"]),
        row["query_id"],
        row["document_id"],
        int(row["grade"]),
        row["who"],
        at.astimezone(UTC),
        row["query_hash"],
        row["document_hash"],
    )
