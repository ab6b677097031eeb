"""Addresses of stores, and errors that never contain a secret."""

from __future__ import annotations

import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from qdrant_client import QdrantClient

from imrnns_core.errors import MissingExtraError, StoreError
from imrnns_core.retrieval.stores.address import FORMS, parse_address
from imrnns_core.retrieval.stores.opening import open_store
from tests.retrieval.stores import stored

SECRET = "hunter2"


def test_the_parts_of_an_address():
    address = parse_address(
        "postgresql://me:a%40b%2Fc@db.example:5433/wiki?sslmode=require&sslpassword=x1y"
        "#public.docs/v"
    )
    assert (address.kind, address.place) == ("postgresql", "postgresql://db.example:5433/wiki")
    assert (address.user, address.password) == ("me", "a@b/c")
    assert (address.collection, address.vector) == ("public.docs", "v")
    assert address.options == {"sslmode": "require", "sslpassword": "x1y"}
    assert str(address) == "postgresql://me@db.example:5433/wiki#public.docs/v"
    assert "a@b/c" not in repr(address)
    assert "x1y" not in repr(address)
    assert str(parse_address("postgres://h/d#t")) == "postgresql://h/d#t"
    local = parse_address("qdrant:some folder/#1#docs/body")
    assert (local.place, local.collection, local.vector) == ("some folder/#1", "docs", "body")
    assert str(local) == "qdrant:some folder/#1#docs/body"
    table = parse_address("faiss:a/b.index#c/d.jsonl")
    assert (table.place, table.collection, table.vector) == ("a/b.index", "c/d.jsonl", "")


@pytest.mark.parametrize(
    "text",
    [
        f"mongodb://me:{SECRET}@host/d#t",
        f"me:{SECRET}@host",
        SECRET,
        f"postgresql://me:{SECRET}@host/d",
        f"postgresql://me:{SECRET}/@host/d#t",
        f"postgresql://me:1?{SECRET}@host/d#t",
        f"postgresql://me:12#{SECRET}@host/d#t",
        f"postgresql://me:12#{SECRET}@host/d",
        f"postgresql://me:12/{SECRET}@host/d#t",
        f"postgresql://me:12#a/{SECRET}@host",
        f"postgresql://me:pw@host:{SECRET}/d#t",
        f"qdrant:http://me:{SECRET}@host:6333#docs",
        f"milvus:http://host:19530?token={SECRET}#docs",
        "faiss:file.index",
    ],
)
def test_an_address_that_is_refused_is_not_repeated(text: str):
    with pytest.raises(StoreError) as caught:
        parse_address(text)
    message = str(caught.value)
    assert message.startswith("--store: ")
    assert SECRET not in message
    assert "\n" not in message


def test_secrets_are_replaced_in_messages_of_libraries():
    address = parse_address("postgresql://me:a%40b@h/d?sslpassword=x1y#t")
    error = address.error(ValueError("cannot use a@b or a%40b with x1y\nmore"), "try again")
    assert str(error) == "postgresql://me@h/d#t: cannot use … or … with …; try again"


FAULTS = {
    "no index": ("faiss:{}/none#{}/docs.jsonl", "the file does not exist; write it with faiss."),
    "no FAISS": ("faiss:{}/docs.jsonl#{}/docs.jsonl", "not a FAISS index; write it with faiss."),
    "other rows": ("faiss:{}/few.index#{}/docs.jsonl", "the index has 3 vectors, the table 40 doc"),
    "other ids": ("faiss:{}/ids.index#{}/docs.jsonl", "2 numbers of the index are no id of the ta"),
    "no folder": ("qdrant:{}/none#docs", "the folder does not exist; name the folder of a Qdrant"),
    "no collection": ("qdrant:{}/qdrant#none", "no collection 'none'; its collections are: docs"),
    "no vector": ("qdrant:{}/qdrant#docs", "the collection has several vectors, or none so named;"),
    "no file": ("milvus:{}/none.db#docs", "the file does not exist; name the file of a Milvus st"),
    "no entities": ("milvus:{}/milvus.db#none", "no collection 'none'; its collections are: docs"),
    "no field": ("milvus:{}/milvus.db#docs/none", "the collection has several vectors, or none so"),
    "no server": ("qdrant:http://127.0.0.1:1#docs", "check the address, and that no other program"),
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    stored.write_flat(folder, "dot")
    stored.write_qdrant(folder, "dot")
    stored.write_milvus(folder, "dot")
    few = faiss.IndexFlatIP(2)
    few.add(np.eye(3, 2, dtype=np.float32))
    faiss.write_index(few, str(folder / "few.index"))
    numbered = faiss.IndexIDMap(faiss.IndexFlatIP(2))
    numbered.add_with_ids(np.eye(3, 2, dtype=np.float32), np.array([3, 1, 2]))
    faiss.write_index(numbered, str(folder / "ids.index"))
    return folder


@pytest.mark.parametrize("case", FAULTS)
def test_faults_give_one_line_and_create_nothing(stores: Path, case: str):
    text, expected = FAULTS[case]
    before = sorted(stores.rglob("*"))
    address = parse_address(text.replace("{}", str(stores)))
    with pytest.raises(StoreError) as caught, open_store(address):
        pass
    assert expected in str(caught.value)
    assert str(caught.value).startswith(f"{address}: ")
    assert "\n" not in str(caught.value)
    assert sorted(stores.rglob("*")) == before


def test_a_folder_that_another_program_uses_gives_one_line(stores: Path):
    client = QdrantClient(path=str(stores / "qdrant"))
    try:
        address = parse_address(f"qdrant:{stores}/qdrant#docs/body")
        with (
            pytest.raises(StoreError, match="check the address, and that no other program uses"),
            open_store(address),
        ):
            pass
    finally:
        client.close()


@pytest.mark.parametrize(
    ("package", "address", "name", "extra"),
    [
        ("qdrant_client", "qdrant:x#y", "Qdrant", "qdrant"),
        ("pymilvus", "milvus:x#y", "Milvus", "milvus"),
        ("psycopg", "postgresql://h/d#t", "PostgreSQL", "pgvector"),
    ],
)
def test_a_missing_package_names_its_extra(
    monkeypatch: pytest.MonkeyPatch, package: str, address: str, name: str, extra: str
):
    for module in [n for n in sys.modules if n.startswith("imrnns_core.retrieval.stores.")]:
        if module.rsplit(".", 1)[-1] in ("qdrant", "milvus", "pgvector"):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as caught, open_store(parse_address(address)):
        pass
    assert str(caught.value) == (
        f"reading from {name} needs packages that are not installed; run: pip install "
        f'"imrnns-lens[{extra}]"'
    )


def test_a_scheme_alone_lists_the_forms():
    with pytest.raises(StoreError) as caught:
        parse_address("redis:x#y")
    assert str(caught.value) == f"--store: not the address of a store; {FORMS}"
