"""`prepare --passages`: long documents are found by what the encoder did not read before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.explanation.explain import explain
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.storage.workspace import Workspace
from tests.toys import write_dataset

TOPICS = ["bicycles", "volcanoes", "violins", "glaciers"]
FILLER = "The committee met again and agreed to read the minutes of the last meeting. " * 25


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    documents = [
        {"_id": f"d{i}", "title": f"Minutes {i}", "text": f"{FILLER}Then they spoke about {t}."}
        for i, t in enumerate(TOPICS)
    ]
    documents += [{"_id": f"s{i}", "title": "", "text": f"A short note {i}."} for i in range(3)]
    queries = [{"_id": f"q{i}", "text": f"What was said about {t}?"} for i, t in enumerate(TOPICS)]
    qrels = "q\td\ts\n" + "".join(f"q{i}\td{i}\t1\n" for i in range(4))
    # a short note is nearer to it
    queries.append({"_id": "hard", "text": "A short note 1. A short note, glaciers"})
    qrels += "hard\td3\t1\n"
    return write_dataset(tmp_path / "minutes", documents, queries, qrels)


def test_passages_rank_search_evaluate_and_explain(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "record.json"

    def success() -> float:
        run("evaluate", "minutes", "--json", record, "--force")
        return json.loads(record.read_text())["measures"]["base"]["Success@1"]

    run("prepare", data)
    printed = " ".join(capsys.readouterr().out.split())
    assert "4 documents are longer than the 256 tokens that the encoder reads, so" in printed
    assert "prepare DATA --passages" in printed
    before = success()

    run("prepare", "minutes", "--passages")
    assert "4 long documents are split into 8 passages" in " ".join(capsys.readouterr().out.split())
    assert success() == 0.8 > before
    run("search", "minutes", "q1", "--json", record, "--force")
    assert "Minutes 1 (passage 2 of 2)" in " ".join(capsys.readouterr().out.split())
    hits = json.loads(record.read_text())["rankings"]["base"]
    assert (hits[0]["document_id"], hits[0]["passage"]) == ("d1", {"number": 2, "count": 2})
    assert "passage" not in next(hit for hit in hits if hit["document_id"] == "s0")

    space = Workspace()
    collection = space.open("minutes")
    ranker = space.ranker(collection, "none")
    comparison = ranker.compare("q1")
    part = comparison.passages["d1"].part
    assert part.text.endswith("volcanoes.")
    encoder = collection.encoder
    assert isinstance(encoder, SentenceTransformerEncoder)
    query = encoder.encode_queries(["What was said about volcanoes?"])[0]
    cosine = encoder.encode_documents([part])[0] @ query
    np.testing.assert_allclose(comparison.score("base")[0], cosine, atol=1e-5)
    # the words of the passage are explained, and their deletion is measured
    pair, explainer = Pair(comparison, None, 0), WordExplainer(ranker)
    assert explainer.text(pair, "document") == f"{part.title}\n{part.text}"
    explained = explain(ranker, comparison, "d1")
    assert explained.document == part
    assert explained.to_json()["passage"] == {"number": 2, "count": 2}
    drops = explainer.estimate(pair, "document")
    word = next(i for i, w in enumerate(drops.words) if w.text == "volcanoes")
    assert explainer.verify(pair, "document", drops, [word])[0].drop[0] > 0.1

    # they are encoded once, and stay until they are switched off
    (path,) = (space.root / "passages").glob("*.npz")
    written = path.stat().st_mtime_ns
    run("prepare", "minutes")
    assert path.stat().st_mtime_ns == written
    assert space.registrations()["minutes"].passages
    run("prepare", "minutes", "--no-passages")
    assert success() == before


def test_a_damaged_file_is_encoded_again(data: Path) -> None:
    run("prepare", data, "--passages")
    space = Workspace()
    (path,) = (space.root / "passages").glob("*.npz")
    expected = space.open("minutes").ranked.vectors
    path.write_bytes(b"damaged")
    np.testing.assert_allclose(space.open("minutes").ranked.vectors, expected, atol=1e-6)


def test_only_passages_of_new_documents_are_encoded(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("prepare", data, "--passages")
    encoded = list[str]()
    encode = SentenceTransformerEncoder.encode_documents

    def recorded(self: SentenceTransformerEncoder, documents: Any, *args: Any, **named: Any) -> Any:
        encoded.extend(d.text for d in documents)
        return encode(self, documents, *args, **named)

    monkeypatch.setattr(SentenceTransformerEncoder, "encode_documents", recorded)
    added = f"{FILLER}At last they spoke about lighthouses."
    lines = (data / "corpus.jsonl").read_text()
    new = json.dumps({"_id": "new", "title": "Minutes 9", "text": added})
    (data / "corpus.jsonl").write_text(new + "\n" + lines)
    opened = Workspace().open("minutes")
    assert opened.passages is not None
    assert opened.passages.rows.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    long = [text for text in encoded if text != added and "lighthouses" in text]
    assert len(long) == 1
    assert not any("volcanoes" in text for text in encoded)
    for row, part in enumerate(opened.passages.parts):
        vector = opened.encoder.encode_documents([part])[0]
        np.testing.assert_allclose(opened.passages.vectors[row], vector, atol=1e-5)


def test_without_long_documents_nothing_is_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    run("prepare", write_dataset(tmp_path / "short"), "--passages")
    assert "all documents fit into the 256 tokens" in " ".join(capsys.readouterr().out.split())
    assert Workspace().open("short").passages is None


def test_dot_product_keeps_the_lengths_of_passages(data: Path) -> None:
    run("prepare", data, "--passages", "--similarity", "dot")
    collection = Workspace().open("minutes")
    comparison = Workspace().ranker(collection, "none").compare("q2")
    part = comparison.passages["d2"].part
    vector = collection.encoder.encode_documents([part], unit=False)[0]
    query = collection.query_vectors(["q2"])[0]
    assert comparison.document_ids[0] == "d2"
    np.testing.assert_allclose(comparison.score("base")[0], vector @ query, rtol=1e-5)
