"""Encoders behind an endpoint: the vectors of the model behind it, consent, and no key anywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.records import Document
from imrnns_core.encoding.endpoint import (
    EndpointEncoder,
    Transfer,
    estimated_tokens,
    split_endpoint,
)
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder, encoder_spec
from imrnns_core.errors import EncoderError, MissingExtraError
from imrnns_core.storage.workspace import Workspace
from tests.encoding.endpoint_server import KEY, EndpointServer, serving
from tests.toys import write_dataset

DOCUMENTS = [Document("a", "Peso", "The currency of Mexico."), Document("b", "", "A river.")]
QUESTIONS = ["Which money is used in Mexico?", "", "Rivers"]


@pytest.fixture(scope="module")
def bundled() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder()


@pytest.fixture
def server(
    bundled: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EndpointServer]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    # pauses between retries are not what is tested
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.001)
    with serving(bundled) as started:
        yield started


class Asked(list[Transfer]):
    """Agrees to everything, and records it."""

    def __call__(self, transfer: Transfer) -> None:
        self.append(transfer)


def test_the_vectors_are_those_of_the_model_behind_the_endpoint(
    server: EndpointServer, bundled: SentenceTransformerEncoder
):
    spec = EncoderSpec(server.name, query_prefix="q: ", document_prefix="d: ")
    encoder, local = EndpointEncoder(spec, Asked()), bundled
    local = SentenceTransformerEncoder(EncoderSpec(query_prefix="q: ", document_prefix="d: "))
    np.testing.assert_allclose(
        encoder.encode_documents(DOCUMENTS), local.encode_documents(DOCUMENTS), atol=1e-5
    )
    np.testing.assert_allclose(
        encoder.encode_queries(QUESTIONS), local.encode_queries(QUESTIONS), atol=1e-5
    )
    assert server.texts == [
        *("d: Peso\nThe currency of Mexico.", "d: A river."),
        *(f"q: {question}" for question in QUESTIONS),
    ]
    lengths = np.linalg.norm(encoder.encode_queries(QUESTIONS, unit=False), axis=1)
    np.testing.assert_allclose(lengths, 3, rtol=1e-5)
    assert encoder.dimension == 384


def test_many_texts_are_sent_in_batches_and_empty_ones_as_a_blank(server: EndpointServer):
    texts = ["", *(f"text {i}" for i in range(69))]
    encoder = EndpointEncoder(EncoderSpec(server.name), Asked())
    steps: list[tuple[int, int]] = []
    vectors = encoder.encode_queries(texts, lambda *step: steps.append(step))
    assert vectors.shape == (70, 384)
    assert [len(request) for request in server.requests] == [32, 32, 6]
    assert server.texts == [" ", *texts[1:]]
    assert steps == [(32, 70), (64, 70), (70, 70)]


def test_a_busy_server_is_asked_again(server: EndpointServer):
    server.faults = [(429, {"error": {"message": "slow down"}}), (503, {}), (500, {})]
    encoder = EndpointEncoder(EncoderSpec(server.name), Asked())
    assert encoder.encode_queries(["one"]).shape == (1, 384)
    assert server.faults == []


def failure(encoder: EndpointEncoder) -> str:
    with pytest.raises(EncoderError) as caught:
        encoder.encode_queries(["one", "two"])
    message = str(caught.value)
    assert KEY not in message
    assert "\n" not in message
    return message


ONE = {"object": "embedding", "index": 0, "embedding": [1.0]}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((400, {"error": {"message": f"too long, says {KEY}\nmore"}}), "too long, says …"),
        ((200, {"object": "list", "data": [ONE]}), "returned 1 vectors for 2 texts, or empty ones"),
        ((200, {"object": "list", "data": [ONE, {**ONE, "embedding": [1.0, 2.0]}]}), "returned 2"),
        ((200, {"object": "list"}), "the answer is no list of embeddings"),
        ((200, {"object": "list", "data": []}), "returned 0 vectors for 2 texts, or empty ones"),
        ((200, ["something"]), "the answer is no list of embeddings"),
    ],
)
def test_a_wrong_answer_gives_one_line(
    server: EndpointServer, answer: tuple[int, object], expected: str
):
    server.faults = [answer]
    message = failure(EndpointEncoder(EncoderSpec(server.name), Asked()))
    assert message.startswith(f"http://127.0.0.1:{server.port}/v1: ")
    assert expected in message


def test_a_wrong_key_model_or_address_gives_one_line(
    server: EndpointServer, monkeypatch: pytest.MonkeyPatch
):
    address = f"http://127.0.0.1:{server.port}"
    assert f"{address}/v1: " in failure(EndpointEncoder(EncoderSpec(f"{address}/v1#x"), Asked()))
    assert "no model x for …" in failure(EndpointEncoder(EncoderSpec(f"{address}/v1#x"), Asked()))
    assert "no path /v2/e" in failure(EndpointEncoder(EncoderSpec(f"{address}/v2#x"), Asked()))
    monkeypatch.setattr("imrnns_core.encoding.endpoint.RETRIES", 0)
    closed = EndpointEncoder(EncoderSpec("http://127.0.0.1:1/v1#x"), Asked())
    assert failure(closed) == (
        "http://127.0.0.1:1/v1: cannot be reached; check the address and that the server runs; "
        "what is encoded is kept"
    )
    for key in ("sk-other", None):
        if key:
            monkeypatch.setenv("OPENAI_API_KEY", key)
        else:
            monkeypatch.delenv("OPENAI_API_KEY")
        message = failure(EndpointEncoder(EncoderSpec(server.name), Asked()))
        assert message == f"{address}/v1: the key is refused; set OPENAI_API_KEY"


@pytest.mark.parametrize(
    "name", [f"https://{KEY}@host/v1#m", f"https://u:{KEY}@host/v1#m", f"https://h/v1?key={KEY}#m"]
)
def test_an_address_with_a_key_is_refused_and_not_repeated(name: str):
    with pytest.raises(EncoderError) as caught:
        EndpointEncoder(EncoderSpec(name))
    assert str(caught.value) == (
        "the address of an endpoint contains no key; set OPENAI_API_KEY, and write "
        "https://HOST/v1#MODEL"
    )


def test_the_name_of_an_endpoint():
    assert split_endpoint("https://host/v1/#org/model:2") == ("https://host/v1", "org/model:2")
    assert encoder_spec("https://host/v1#m") == EncoderSpec("https://host/v1#m")
    with pytest.raises(EncoderError, match=r"^https://host/v1: names no model; write https://HOST"):
        split_endpoint("https://host/v1")


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r'pip install "imrnns-lens\[endpoint\]"$'):
        EndpointEncoder(EncoderSpec("http://127.0.0.1:1/v1#m"), Asked()).encode_queries(["a"])


def test_the_estimate_of_tokens_is_that_of_all_texts(bundled: SentenceTransformerEncoder):
    texts = [f"text number {i} about the rivers of Mexico" for i in range(1000)]
    exact = sum(len(e.ids) for e in bundled.tokenizer.encode_batch(texts))
    assert estimated_tokens(texts) == pytest.approx(exact, rel=0.05)
    assert estimated_tokens([""]) == 2


# Consent


def test_nothing_is_sent_before_the_user_agrees(server: EndpointServer):
    with pytest.raises(EncoderError, match=r"^2 texts are not sent to http://127.0.0.1:.* asks$"):
        EndpointEncoder(EncoderSpec(server.name)).encode_documents(DOCUMENTS)

    def no(transfer: Transfer) -> None:
        raise EncoderError("no")

    with pytest.raises(EncoderError, match=r"^no$"):
        EndpointEncoder(EncoderSpec(server.name), no).encode_documents(DOCUMENTS)
    assert server.requests == []
    asked = Asked()
    encoder = EndpointEncoder(EncoderSpec(server.name), asked)
    encoder.encode_documents(DOCUMENTS)
    encoder.encode_queries(["one"])
    assert len(server.requests) == 2
    address = f"http://127.0.0.1:{server.port}/v1"
    assert asked == [Transfer(address, "bundled", 2, asked[0].tokens)]
    assert 10 <= asked[0].tokens <= 20


def test_a_data_set_is_announced_once_and_typed_queries_are_not(
    server: EndpointServer, tmp_path: Path
):
    texts = [{"_id": f"d{i}", "text": f"text {i}"} for i in range(20)]
    data = write_dataset(tmp_path / "toy", texts)
    asked = Asked()
    space = Workspace(tmp_path / "space", asked)
    registration = space.resolve(str(data), encoder=EncoderSpec(server.name))
    space.open(registration)
    assert [transfer.texts for transfer in asked] == [21]  # and the query
    space.register(registration)
    space = Workspace(tmp_path / "space")  # as the dashboard, which cannot ask
    collection = space.open("toy")
    assert len(server.texts) == 21  # the vectors are stored
    collection.encode("a typed question")
    assert server.texts[21:] == ["text 0", "a typed question"]
    with pytest.raises(EncoderError, match=r"^9 texts are not sent"):
        collection.encoder.encode_queries(["x"] * 9)
    write_dataset(tmp_path / "more", [*texts, {"_id": "new", "text": "new"}])
    (data / "corpus.jsonl").write_bytes((tmp_path / "more" / "corpus.jsonl").read_bytes())
    with pytest.raises(EncoderError, match=r"^1 text is not sent"):
        space.open("toy")
    assert len(server.texts) == 23
    files = [path.read_bytes() for path in space.root.rglob("*") if path.is_file()]
    assert not any(KEY.encode() in content for content in files)


def test_an_interrupted_encode_resumes_at_its_last_shard(
    server: EndpointServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imrnns_core.encoding.sharded.SHARD", 32)
    texts = [{"_id": f"d{i:02}", "text": f"text {i:02}"} for i in range(70)]
    data = write_dataset(tmp_path / "toy", texts)
    space = Workspace(tmp_path / "space", Asked())
    registration = space.resolve(str(data), encoder=EncoderSpec(server.name))
    server.refuse_after = 2
    with pytest.raises(EncoderError, match=r"enough; check the model 'bundled' .* encoded is kept"):
        space.open(registration)
    server.refuse_after = None
    assert len(server.texts) == 64
    space.open(registration)
    assert server.texts[64:] == [*(f"text {i:02}" for i in range(64, 70)), "which?"]
