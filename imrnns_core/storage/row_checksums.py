"""Checksums of the rows of the database of judgments: SQLite has none of its own.

Rows of older versions have no checksum, and are not checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, select

from imrnns_core.errors import DataError
from imrnns_core.storage.database import CHECKSUMS, Database
from imrnns_core.storage.sqlite_file import DAMAGED


def insert_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Store a row with its checksum, and return its number."""
    key = connection.execute(table.insert().values(**values)).inserted_primary_key
    number = int(key[0])  # type: ignore[index]
    checksum = {
        "table": table.name,
        "row": number,
        "dataset": values["dataset"],
        "sha256": row_digest(table, {**values, "id": number}),
    }
    connection.execute(CHECKSUMS.insert().values(**checksum))
    return number


def written_checksums(
    database: Database, connection: Connection, table: Table, dataset: str
) -> dict[int, str]:
    """Return row → SHA-256 of the rows of a data set.

    Read it before the rows: others can store rows meanwhile, and none is ever deleted.
    """
    if not database.has(connection, CHECKSUMS):
        return {}
    query = select(CHECKSUMS.c.row, CHECKSUMS.c.sha256).where(
        CHECKSUMS.c.table == table.name, CHECKSUMS.c.dataset == dataset
    )
    return {int(number): digest for number, digest in connection.execute(query)}


def check_rows(
    database: Database, table: Table, rows: Sequence[Any], written: Mapping[int, str]
) -> None:
    """Check that the rows of a data set are as they were stored, and that none is missing.

    Args:
        database: The database.
        table: The table.
        rows: The rows.
        written: What `written_checksums` returned before the rows were read.

    Raises:
        DataError: If a row is damaged or missing.
    """
    own = {int(row["id"]): row_digest(table, row) for row in rows if int(row["id"]) in written}
    for number, digest in written.items():
        if own.get(number) != digest:
            problem = f"row {number} of the table {table.name} is damaged"
            raise DataError(database.name, problem, DAMAGED)


def row_digest(table: Table, row: Mapping[str, Any]) -> str:
    """Return a SHA-256 of all values of a row."""
    values = [_plain(row.get(column.name)) for column in table.columns]
    return hashlib.sha256(json.dumps([table.name, *values]).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):  # SQLite returns times without their zone, which is UTC
        return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat()
    return value
