"""A table of a real PostgreSQL server with pgvector: the contract of stores, and no password."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imrnns_core.config import SearchConfig
from imrnns_core.errors import StoreError
from imrnns_core.reporting.snippets import snippet
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.stores.address import parse_address
from imrnns_core.retrieval.stores.opening import open_store
from imrnns_core.storage.workspace import Workspace
from tests.integration.postgres import ENCODED, PASSWORD, Server, running
from tests.retrieval.stores.serving import check_effective_query
from tests.retrieval.stores.stored import (
    DIMENSION,
    IDS,
    METRICS,
    TEXTS,
    VECTORS,
    check_contract,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as started:
        yield started


def write(server: Server, table: str, metric: str, kind: str = "vector") -> str:
    """Write the documents into a table, and return its address with the password."""
    operators = {"cosine": f"{kind}_cosine_ops", "dot": f"{kind}_ip_ops", "L2": f"{kind}_l2_ops"}
    server.execute(f'DROP TABLE IF EXISTS "{table}"')
    server.execute(
        f'CREATE TABLE "{table}" ("Key" bigint PRIMARY KEY, title text, text text, page integer, '
        f"raw bytea, embedding {kind}({DIMENSION}))"
    )
    if metric != "cosine":  # the default without an index
        server.execute(f'CREATE INDEX ON "{table}" USING hnsw (embedding {operators[metric]})')
    server.execute(
        f'INSERT INTO "{table}" VALUES (%s, %s, %s, %s, %s, %s)',
        *(
            (int(i), fields["title"], fields["text"], fields["page"], b"x", str(v.tolist()))
            for i, v, fields in zip(IDS, VECTORS, TEXTS, strict=True)
        ),
        (9999, "Without a vector", "", 0, b"", None),
    )
    return server.address(table)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["vector", "halfvec"])
def test_a_table_keeps_the_contract(server: Server, metric: str, kind: str):
    address = write(server, f"odd {kind}'s {metric}", metric, kind)
    check_contract(address, metric, 1e-3 if kind == "halfvec" else 1e-6)


def test_two_searches_of_a_table_give_the_ranking_of_the_corpus(server: Server):
    check_effective_query(write(server, "effective query", "cosine", "vector"))


def refusal(address: str) -> str:
    with pytest.raises(StoreError) as caught, open_store(parse_address(address)) as store:
        _ = store.ids
    message = str(caught.value)
    assert "\n" not in message
    assert PASSWORD not in message
    assert ENCODED not in message
    return message


def test_faults_of_a_database_give_one_line_without_the_password(server: Server):
    shown = f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
    assert refusal(server.address("nothing")) == (
        f"{shown}#nothing: no such table; write #TABLE or #SCHEMA.TABLE"
    )
    server.execute("CREATE TABLE IF NOT EXISTS keyless (id text, e vector(2))")
    assert refusal(server.address("keyless")) == (
        f"{shown}#keyless: no primary key of one column; add one: it becomes the id"
    )
    server.execute("CREATE TABLE IF NOT EXISTS two (id text PRIMARY KEY, a vector(2), b vector(2))")
    assert refusal(server.address("two")) == (
        f"{shown}#two: the table has several columns of vectors, or none so named; name one after "
        "a slash, #TABLE/COLUMN: a, b"
    )
    wrong = refusal(server.address("two", password="wr%20ong"))
    assert "password authentication failed" in wrong
    assert "wr%20ong" not in wrong
    assert "wr ong" not in wrong
    server.execute("CREATE ROLE guest LOGIN PASSWORD 'guest-secret'")
    denied = refusal(server.address("two/a", "guest-secret", "guest"))
    assert "permission denied for table two" in denied
    assert "guest-secret" not in denied
    closed = server.address("two").replace(str(server.port), "1")
    assert "127.0.0.1" in refusal(closed)


def test_prepare_reads_a_table_and_the_password_is_nowhere(server: Server, tmp_path: Path):
    logging.getLogger("psycopg").setLevel(logging.DEBUG)
    address = write(server, "pages", "dot")
    space = tmp_path / "space"

    def lens(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "imrnns_core.cli", *map(str, arguments)],
            env={**os.environ, "IMRNNS_WORKSPACE": str(space), **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )

    done = lens("prepare", "pages", "--store", address)
    assert done.returncode == 0, done.stderr
    shown = f"postgresql://postgres@127.0.0.1:{server.port}/postgres#pages"
    assert f"{shown}: 40 documents read" in done.stdout
    assert "the store's own search returns 100 % of the exact results" in done.stdout
    assert "40 documents, 0 queries, 6 dimensions, dot product" in done.stdout
    manifest = json.loads((space / "stores" / "pages" / "manifest.json").read_text())
    assert (manifest["store"], manifest["documents"]) == (shown, 40)
    failed = lens("prepare", "pages", "--store", address.replace("#pages", "#absent"))
    assert failed.returncode == 2
    by_environment = lens(
        "prepare", "pages", "--store", address.replace(f":{ENCODED}", ""), PGPASSWORD=PASSWORD
    )
    assert by_environment.returncode == 0, by_environment.stderr
    outputs = [text for run in (done, failed, by_environment) for text in (run.stdout, run.stderr)]
    files = [path.read_bytes() for path in space.rglob("*") if path.is_file()]
    assert len(files) >= 4
    for secret in (PASSWORD, ENCODED):
        assert not any(secret in text for text in outputs)
        assert not any(secret.encode() in content for content in files)


def test_the_lines_to_paste_print_the_ranking_of_the_corpus(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    space = Workspace(tmp_path)
    collection = space.open(space.resolve("sample"))
    ranker = Ranker(collection, space.adapter("sample-paper"), SearchConfig(scope="corpus"))
    server.execute("CREATE TABLE docs (id text PRIMARY KEY, v vector(384))")
    pairs = zip(collection.dataset.document_ids, collection.documents.vectors, strict=True)
    server.execute("INSERT INTO docs VALUES (%s, %s)", *((i, str(v.tolist())) for i, v in pairs))
    address = server.address("").removesuffix("#")
    lines = snippet("pgvector").replace("postgresql://USER@HOST/DATABASE", address)
    query = collection.query_vectors(["q128"])[0]
    exec(lines, {"query": query, "adapter": ranker.adapter})
    expected = ranker.compare("q128").ranking("modulated", 10)
    assert eval(capsys.readouterr().out) == [hit.document_id for hit in expected]
