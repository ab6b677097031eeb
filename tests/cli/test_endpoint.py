"""Consent to an endpoint, and data sets from stores, on the command line."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imrnns_core.cli import app as cli
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.storage.workspace import Workspace
from tests.encoding.endpoint_server import KEY, EndpointServer, serving
from tests.retrieval.stores.stored import write_table
from tests.toys import write_dataset

Run = Callable[..., tuple[int, str, str]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "space"))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def call(*arguments: object, answer: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["imrnns-lens", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO() if answer is None else Terminal(answer))
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def bundled() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder()


@pytest.fixture
def server(bundled: SentenceTransformerEncoder) -> Iterator[EndpointServer]:
    with serving(bundled) as started:
        yield started


def test_texts_are_sent_only_after_consent(run: Run, server: EndpointServer, tmp_path: Path):
    data = write_dataset(tmp_path / "toy")
    prepare = ("prepare", data, "--encoder", server.name)
    sent = f"3 texts (about 11 tokens) to http://127.0.0.1:{server.port}/v1, model bundled"
    code, out, err = run(*prepare)
    assert (code, out) == (2, "")
    assert err == (
        f"imrnns-lens: nothing was sent: {sent}; agree with the option --yes of prepare and "
        "train, or in a terminal\n"
    )
    code, out, err = run(*prepare, answer="n\n")
    assert (code, out.strip()) == (2, "")
    assert f"This sends {sent}." in err
    assert "nothing was sent to" in err
    assert server.requests == []
    assert "toy" not in Workspace(tmp_path / "space").registrations()
    code, out, err = run(*prepare, answer="y\n")
    assert code == 0, err
    assert "toy: 2 documents, 1 query, 384 dimensions" in out
    assert len(server.texts) == 3
    with (data / "corpus.jsonl").open("a") as corpus:
        corpus.write('{"_id": "new", "text": "third"}\n')
    code, _, err = run("prepare", "toy")
    assert code == 2
    assert "nothing was sent: 1 text (about 3 tokens) to" in err
    code, out, err = run("prepare", "toy", "--yes")
    assert code == 0, err
    assert "imrnns-lens: sending 1 text (about 3 tokens) to" in err
    assert server.texts[3:] == ["third"]
    assert KEY not in out + err


def test_training_asks_before_it_sends_and_before_it_trains(
    run: Run, server: EndpointServer, tmp_path: Path
):
    cities = ["Oslo", "Lima", "Bern", "Rome", "Cairo", "Delhi", "Quito", "Sofia"]
    documents = [
        {"_id": f"d{n}", "text": f"{city} has {n + 2} old bridges over its {river} river."}
        for n, (city, river) in enumerate((c, r) for c in cities for r in ("wide", "narrow", "blue",
        "green", "long"))
    ]  # fmt: skip
    data = write_dataset(tmp_path / "bridges", documents)
    assert run("prepare", data, "--encoder", server.name, "--yes")[0] == 0
    before, file = len(server.texts), tmp_path / "bridges.safetensors"
    train = ("train", "bridges", "--out", file, "--recipe", "unlabeled")
    for answer in (None, "n\n"):
        code, _, err = run(*train, answer=answer)
        assert code == 2
        # 40 queries of the check without judgments, and 40 sentences
        assert re.search(r"80 texts \(about \d+ tokens\) to http://127.0.0.1:\d+/v1, model", err)
        assert "nothing was sent" in err
        assert (len(server.texts), list(tmp_path.glob("*.safetensors*"))) == (before, [])
    code, _, err = run(*train, "--yes")
    assert code == 0, err
    assert "imrnns-lens: sending 80 texts" in err
    assert err.count("sending") == 1
    new = server.texts[before:]
    first = documents[0]["text"]  # encoded once more, to check the encoder
    assert sorted(new) == sorted([first, *new[1:]])
    assert len([text for text in new if text != first]) + 1 == 80
    assert file.exists()


def test_a_data_set_from_a_store_with_queries(
    run: Run, bundled: SentenceTransformerEncoder, tmp_path: Path
):
    import faiss

    texts = ["The peso is the currency of Mexico.", "The Rio Grande is a river.", "A violin."]
    vectors = bundled.encode_formatted(texts)
    index = faiss.IndexFlatIP(384)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "wiki.faiss"))
    write_table(tmp_path / "wiki.jsonl", ["a", "b", "c"], [{"text": text} for text in texts])
    queries = tmp_path / "questions.csv"
    queries.write_text("query,document\nWhich money is used in Mexico?,a\n")
    address = f"faiss:{tmp_path}/wiki.faiss#{tmp_path}/wiki.jsonl"
    code, out, err = run("prepare", "wiki", "--store", address, "--queries", queries)
    assert code == 0, err
    lines = out.splitlines()
    assert f"{address}: 3 documents read" in lines
    assert "the store's own search returns 100 % of the exact results" in lines
    assert lines[-1] == (
        "wiki: 3 documents, 1 query, 384 dimensions, cosine similarity; judged splits: "
        "questions (1)"
    )
    collection = Workspace(tmp_path / "space").open("wiki")
    assert collection.index.search(collection.queries.vectors, 1).tolist() == [[0]]
    code, _, err = run("prepare", "../wiki", "--store", address)
    assert (code, "is a new name for the data set, not a path" in err) == (2, True)
    code, _, err = run("prepare", "wiki", "--store", address, "--embeddings", tmp_path)
    assert (code, "a store has its own vectors" in err) == (2, True)
    code, _, err = run("prepare", "wiki", "--store", f"postgresql://u:{KEY}@h")
    assert code == 2
    assert KEY not in err
    assert len(err.splitlines()) == 1
