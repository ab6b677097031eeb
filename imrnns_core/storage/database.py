"""The database of judgments: SQLite in the workspace, or the PostgreSQL server of a team."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from imrnns_core.errors import DataError, LensError, MissingExtraError
from imrnns_core.storage.sqlite_file import (
    BUSY_SECONDS,
    file_address,
    remedy,
    use_write_ahead_log,
    wait_for_disk,
)

VARIABLE = "IMRNNS_JUDGMENTS"
"""The environment variable with the address of a team's database."""
FILE = "judgments.sqlite"
FORM = "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
CONNECT_SECONDS = 10
_LOCK = 7_340_031
"""Number of the PostgreSQL lock under which the tables are made."""
_ID = BigInteger().with_variant(Integer, "sqlite")
METADATA = MetaData()
JUDGMENTS = Table(
    "judgments",
    METADATA,
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
QUESTIONS = Table(
    "questions",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("dataset", String, nullable=False),
    Column("query_id", String, nullable=False),
    Column("text", String, nullable=False),
    Column("who", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("dataset", "query_id"),
)
REMOVALS = Table(
    "question_removals",
    METADATA,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("dataset", String, nullable=False),
    Column("query_id", String, nullable=False),
    # the last row of a question counts: 1 removes it, 0 brings it back
    Column("removed", SmallInteger, nullable=False),
    Column("who", String, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    sqlite_autoincrement=True,
)
CHECKSUMS = Table(
    "checksums",
    METADATA,
    # a row of another table, whose content it has as SHA-256
    Column("table", String, primary_key=True),
    Column("row", _ID, primary_key=True, autoincrement=False),
    Column("dataset", String, nullable=False),
    Column("sha256", String, nullable=False),
)


class Database:
    """Where judgments are stored: a file in the workspace, or a server.

    Raises:
        LensError: If `IMRNNS_JUDGMENTS` is not the address of a PostgreSQL database.
    """

    def __init__(self, root: Path) -> None:
        address = os.environ.get(VARIABLE, "").strip()
        self._file = root / FILE
        self._url = _server(address) if address else None

    @property
    def name(self) -> str:
        """Where it is, without user and password."""
        if self._url is None:
            return str(self._file)
        port = f":{self._url.port}" if self._url.port else ""
        return f"postgresql://{self._url.host or ''}{port}/{self._url.database or ''}"

    def exists(self) -> bool:
        """Return whether there can be judgments: a file that does not exist has none."""
        return self._url is not None or self._file.exists()

    @contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """Yield a connection; None if nothing was stored yet.

        Raises:
            LensError: If the database cannot be reached or read.
        """
        if not self.exists():
            yield None
            return
        with self._errors(), self._engine(reading=True).connect() as connection:
            yield connection if self._tables(connection) else None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection whose changes are stored together at the end.

        Raises:
            LensError: If the database cannot be reached or written.
        """
        with self._errors():
            self._make_tables()
            with self._engine().begin() as connection:
                yield connection

    def _engine(self, reading: bool = False) -> Engine:
        url = self._url or file_address(self._file, reading)
        try:
            return _engine(url)
        except ModuleNotFoundError:
            raise MissingExtraError("A PostgreSQL database", "postgresql") from None

    def has(self, connection: Connection, table: Table) -> bool:
        """Return whether a table exists: a database of an older version lacks newer ones."""
        return table.name in self._tables(connection)

    def _tables(self, connection: Connection) -> set[str]:
        """Return the names of our tables that exist."""
        wanted = set(METADATA.tables)
        if self._url in _COMPLETE:
            return wanted
        tables = wanted.intersection(inspect(connection).get_table_names())
        # a file can be removed, so it is looked at each time
        if tables == wanted and self._url is not None:
            _COMPLETE.add(self._url)
        return tables

    def _make_tables(self) -> None:
        """Make the tables that are missing; several processes can try at once."""
        with self.reading() as connection:
            if connection is not None and self._tables(connection) == set(METADATA.tables):
                return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        engine = self._engine()
        if self._url is None:
            use_write_ahead_log(self._file)
        with engine.begin() as connection:
            if self._url is None:
                # a writer from the first statement on: another process sees none or all tables
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            METADATA.create_all(connection)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn errors of the database into one line without the password."""
        try:
            yield
        except IntegrityError:  # a caller expects it
            raise
        except SQLAlchemyError as error:
            original = getattr(error, "orig", None) or error
            reason = _first_line(original)
            if self._url is None:
                raise DataError(self.name, reason, remedy(original)) from None
            reason = _without_secrets(reason, self._url)
            raise LensError(
                f"{self.name}: {reason}; start the server, or correct or unset {VARIABLE}"
            ) from None


_COMPLETE: set[URL] = set()
"""The servers that have all tables."""


def _server(address: str) -> URL:
    """Return the address of a PostgreSQL server.

    Raises:
        LensError: If it is not one. The message does not contain the address, which may have a
            password.
    """
    problem = f"{VARIABLE} is not the address of a PostgreSQL database; write {FORM}, or unset it"
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        raise LensError(problem) from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise LensError(problem)
    # the other drivers are not among the extras
    return url.set(drivername="postgresql+psycopg")


@lru_cache(maxsize=8)
def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        # no pool: a file that was replaced must not stay open
        engine = create_engine(
            url, poolclass=NullPool, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True
        )
        event.listen(engine, "connect", wait_for_disk)
        return engine
    try:
        return create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT_SECONDS},
        )
    except NoSuchModuleError:
        raise ModuleNotFoundError("psycopg") from None


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".;")


def _without_secrets(message: str, url: URL) -> str:
    """Return a message of a driver without the password, wherever the address has it."""
    secrets = [str(url.password or "")]
    secrets += [str(value) for name, value in url.query.items() if "pass" in name.lower()]
    for secret in filter(None, secrets):
        message = message.replace(secret, "***")
    return message
