"""A table of PostgreSQL with a column of the extension pgvector."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import psycopg
from pgvector.psycopg import register_vector
from psycopg import sql

from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.store import Hits, TextFields
from imrnns_core.types import FloatArray, Similarity

CONNECT_SECONDS = 10
_TYPES = ("vector", "halfvec")
_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, NULL), coalesce(i.indisprimary, false)
    FROM pg_attribute a
    LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY(i.indkey)
    WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_OPERATOR_CLASS = """
    SELECT o.opcname FROM pg_index i
    JOIN pg_opclass o ON o.oid = i.indclass[0]
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = %s AND a.attname = %s
"""


class PostgresStore:
    """A table with a primary key of one column, a column of vectors, and columns of texts.

    Raises:
        StoreError: If the database cannot be reached, or there is no such table.
    """

    def __init__(self, address: StoreAddress) -> None:
        self._address = address
        try:
            self._connection = _connect(address)
        except psycopg.Error as error:
            remedy = "check the address; PGPASSWORD can have the password"
            raise address.error(error, remedy) from None
        try:
            self._prepare()
        except psycopg.Error as error:
            self.close()
            raise address.error(error, "the database needs the extension vector") from None

    def _prepare(self) -> None:
        self._connection.read_only = True
        register_vector(self._connection)
        self._table = sql.Identifier(*self._address.collection.split("."))
        name = self._table.as_string(self._connection)
        self._oid = self._rows("SELECT to_regclass(%s)::oid", name)[0][0]
        if self._oid is None:
            self._refuse("no such table", "write #TABLE or #SCHEMA.TABLE")
        self._types = {column: kind for column, kind, _ in self._rows(_COLUMNS, self._oid)}
        keys = [column for column, _, primary in self._rows(_COLUMNS, self._oid) if primary]
        if len(keys) != 1:
            self._refuse("no primary key of one column", "add one: it becomes the id")
        self._key = keys[0]
        vectors = [c for c, kind in self._types.items() if kind.split(".")[-1] in _TYPES]
        self._vector = self._address.vector or (vectors[0] if len(vectors) == 1 else "")
        if self._vector not in vectors:
            remedy = f"name one after a slash, #TABLE/COLUMN: {', '.join(vectors) or 'none'}"
            self._refuse("the table has several columns of vectors, or none so named", remedy)

    def _refuse(self, problem: str, remedy: str) -> None:
        self.close()
        raise self._address.error(problem, remedy)

    def _rows(self, query: str, *values: Any) -> list[Any]:
        return self._connection.execute(query.encode(), values).fetchall()

    @cached_property
    def similarity(self) -> Similarity | None:
        """That of the column's index; cosine without an index."""
        names = [name for (name,) in self._rows(_OPERATOR_CLASS, self._oid, self._vector)]
        if any(name.endswith("_ip_ops") for name in names):
            return "dot"
        return None if any(name.endswith("_l2_ops") for name in names) else "cosine"

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The primary keys of rows that have a vector; see `VectorStore.ids`."""
        query = sql.SQL("SELECT {key}::text FROM {table} WHERE {vector} IS NOT NULL ORDER BY {key}")
        rows = self._connection.execute(self._composed(query)).fetchall()
        return tuple(row[0] for row in rows)

    def vectors(self, ids: Sequence[str]) -> FloatArray:
        """Return the vectors; see `VectorStore.vectors`."""
        by_id = self._by_id(ids, [sql.SQL("{}::vector").format(sql.Identifier(self._vector))])
        return np.array([by_id[i][0].to_list() for i in ids], dtype=np.float32)

    def texts(self, ids: Sequence[str]) -> list[TextFields]:
        """Return all columns but the key, vectors and bytes."""
        columns = [
            column
            for column, kind in self._types.items()
            if column != self._key and kind.split(".")[-1] not in (*_TYPES, "sparsevec", "bytea")
        ]
        by_id = self._by_id(ids, list(map(sql.Identifier, columns)) or [sql.NULL])
        return [dict(zip(columns, by_id[i], strict=False)) for i in ids]

    def _by_id(
        self, ids: Sequence[str], columns: Sequence[sql.Composable]
    ) -> dict[str, tuple[Any, ...]]:
        """Return id → values of the columns."""
        query = sql.SQL(
            "SELECT {key}::text, {columns} FROM {table} WHERE {key} = ANY(%s::text[]::{kind}[])"
        )
        kind = sql.SQL(self._types[self._key])  # the database quoted it
        composed = self._composed(query, columns=sql.SQL(", ").join(columns), kind=kind)
        rows = self._connection.execute(composed, [list(ids)])
        return {row[0]: row[1:] for row in rows}

    def search(self, vector: FloatArray, k: int) -> Hits:
        """Return the k nearest rows."""
        operator = {"cosine": "<=>", "dot": "<#>", None: "<->"}[self.similarity]
        query = sql.SQL(
            "SELECT {key}::text, {vector} " + operator + " %s::vector AS distance FROM {table} "
            "WHERE {vector} IS NOT NULL ORDER BY distance LIMIT %s"
        )
        values = ["[" + ",".join(map(str, vector.tolist())) + "]", k]
        rows = self._connection.execute(self._composed(query), values).fetchall()
        top = 1.0 if self.similarity == "cosine" else 0.0
        return [(row[0], top - row[1]) for row in rows]

    def _composed(self, query: sql.SQL, **parts: sql.Composable) -> sql.Composed:
        key, vector = sql.Identifier(self._key), sql.Identifier(self._vector)
        return query.format(key=key, vector=vector, table=self._table, **parts)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def _connect(address: StoreAddress) -> psycopg.Connection[Any]:
    _, _, place = address.place.partition("://")
    server, _, database = place.partition("/")
    host, _, port = server.partition(":")
    given = {"host": host, "port": port, "user": address.user, "password": address.password,
             "dbname": database}  # fmt: skip
    # what is empty comes from the environment, such as PGPASSWORD
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, **address.options}
    options |= {name: value for name, value in given.items() if value}
    return psycopg.connect(**options)
