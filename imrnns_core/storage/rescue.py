"""Finds damage of a SQLite file of judgments, and copies the rows that are whole to a new file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, inspect, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from imrnns_core.storage.database import CHECKSUMS, METADATA
from imrnns_core.storage.row_checksums import row_digest
from imrnns_core.storage.sqlite_file import file_address

Checksums = dict[tuple[str, int], str]
"""(table, row) → SHA-256 of the row."""


def database_problem(file: Path) -> str:
    """Return what is wrong with a file of judgments; empty if nothing is."""
    try:
        with _connected(file_address(file, reading=True)) as connection:
            found = connection.execute(text("PRAGMA integrity_check")).scalars().all()
            if found != ["ok"]:
                return f"SQLite finds it damaged: {str(found[0]).splitlines()[0]}"
            checksums, rows = _checksums(connection), dict[tuple[str, int], str]()
            for table in _tables(connection):
                for row in connection.execute(select(table)).mappings():
                    rows[table.name, int(row["id"])] = row_digest(table, dict(row))
    except (SQLAlchemyError, ValueError, TypeError, AttributeError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        return f"it cannot be read: {reason}"
    wrong = [place for place, digest in checksums.items() if rows.get(place) != digest]
    if not wrong:
        return ""
    table_name, number = wrong[0]
    return f"{len(wrong)} rows are damaged; the first is row {number} of the table {table_name}"


def rescue_rows(damaged: Path, file: Path) -> int:
    """Copy the rows that are whole to a new file, and return how many they are.

    Args:
        damaged: The damaged file.
        file: The new file, which does not exist.
    """
    tables, rows = [t for t in METADATA.sorted_tables if t is not CHECKSUMS], dict[str, Any]()
    checksums: Checksums = {}
    with (
        suppress(SQLAlchemyError, ValueError),
        _connected(file_address(damaged, reading=True)) as connection,
    ):
        with suppress(SQLAlchemyError, ValueError):
            checksums = _checksums(connection)
        for table in tables:
            rows[table.name] = _whole_rows(connection, table, checksums)
    new = _engine(URL.create("sqlite", database=str(file)))
    with new.begin() as connection:
        METADATA.create_all(connection)
        for table in tables:
            for row in rows.get(table.name, ()):
                connection.execute(table.insert().values(**row))
                place = {"table": table.name, "row": row["id"], "dataset": row["dataset"]}
                digest = {"sha256": row_digest(table, row)}
                connection.execute(CHECKSUMS.insert().values(**place, **digest))
    return sum(map(len, rows.values()))


def _whole_rows(connection: Connection, table: Table, checksums: Checksums) -> list[dict[str, Any]]:
    """Return the rows of a table that can be read and are as they were stored."""
    checked = [number for name, number in checksums if name == table.name]
    found = dict[int, dict[str, Any]]()
    # from both ends, so that a damaged page hides only its own rows
    for order in (table.c.id, table.c.id.desc()):
        with suppress(SQLAlchemyError, ValueError, TypeError):
            for row in connection.execute(select(table).order_by(order)).mappings():
                number = int(row["id"])
                digest = checksums.get((table.name, number))
                # rows of older versions are those before the first checksum
                older = digest is None and (not checked or number < min(checked))
                if older or digest == row_digest(table, dict(row)):
                    found[number] = dict(row)
    return [found[number] for number in sorted(found)]


def _checksums(connection: Connection) -> Checksums:
    if CHECKSUMS.name not in inspect(connection).get_table_names():
        return {}
    rows = connection.execute(select(CHECKSUMS)).mappings()
    return {(row["table"], int(row["row"])): row["sha256"] for row in rows}


def _tables(connection: Connection) -> list[Table]:
    names = inspect(connection).get_table_names()
    return [t for t in METADATA.sorted_tables if t is not CHECKSUMS and t.name in names]


def _engine(url: URL) -> Engine:
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


@contextmanager
def _connected(url: URL) -> Iterator[Connection]:
    with _engine(url).connect() as connection:
        yield connection
