"""The service answers over HTTP what the engine computes, and refuses what it cannot answer."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import numpy as np
import pytest

from imrnns_core.config import SearchConfig
from imrnns_core.errors import AdapterError
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.serving.app import MOST_BYTES, create_app
from imrnns_core.serving.records import MOST_QUERIES
from imrnns_core.storage.workspace import Workspace
from tests import toys
from tests.retrieval.test_passages import split

QUERIES = ("q128", "q054", "q708", "q068")


@pytest.fixture(scope="module", params=["sample-adapter", "sample-paper"])
def ranker(request: pytest.FixtureRequest, sample: Collection, tmp_path_factory) -> Ranker:
    workspace = Workspace(tmp_path_factory.mktemp("unused"))
    return Ranker(sample, workspace.adapter(request.param), SearchConfig(scope="corpus"))


@pytest.fixture(scope="module")
def client(ranker: Ranker) -> Client:
    return Client(ranker)


class Client:
    """Sends requests to the application, without a socket."""

    def __init__(self, ranker: Ranker) -> None:
        self.app = create_app(ranker)

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)

        # in a thread: after a browser test, this one has a running event loop
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: asyncio.run(send())).result()

    def post(self, path: str, **body: Any) -> Any:
        answer = self("POST", path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refusal(self, path: str, **body: Any) -> str:
        answer = self("POST", path, json=body)
        assert answer.status_code == 422
        return str(answer.json()["detail"])


def expected(ranker: Ranker, query_id: str, k: int) -> list[str]:
    return [hit.document_id for hit in ranker.compare(query_id).ranking("modulated", k)]


def ids(answer: dict[str, Any]) -> list[str]:
    assert [result["rank"] for result in answer["results"]] == [
        *range(1, len(answer["results"]) + 1)
    ]
    return [result["id"] for result in answer["results"]]


def test_search_ranks_the_whole_corpus_as_the_page_does(client: Client, ranker: Ranker):
    texts = [ranker.collection.dataset.queries[i].text for i in QUERIES]
    answers = client.post("/search", queries=texts, k=10)
    assert [ids(answer) for answer in answers] == [expected(ranker, i, 10) for i in QUERIES]
    assert {answer["certainty"] for answer in answers} <= {"proven", "exact"}
    first = ranker.compare(QUERIES[0]).ranking("modulated", 1)[0]
    assert answers[0]["results"][0]["score"] == pytest.approx(first.score, abs=1e-4)
    title = ranker.collection.dataset.document[first.document_id].title
    assert answers[0]["results"][0]["title"] == title


def test_vectors_and_texts_have_the_same_answers(client: Client, ranker: Ranker):
    text = ranker.collection.dataset.queries[QUERIES[0]].text
    vector = ranker.collection.encode(text).tolist()
    by_text, by_vector = client.post("/search", queries=[text, vector], k=3)
    assert ids(by_text) == ids(by_vector)
    assert len(by_text["results"]) == 3


def test_a_search_with_the_effective_query_finds_what_the_adapter_ranks(
    client: Client, ranker: Ranker
):
    collection = ranker.collection
    text = collection.dataset.queries[QUERIES[0]].text
    (answer,) = client.post("/effective_query", queries=[text])
    base = ranker.compare(QUERIES[0])
    assert set(answer["candidates"]) == set(base.candidate_ids)
    vector = np.array(answer["vector"], np.float32)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    nearest = np.argsort(-(collection.unit_documents @ vector))[:200]
    found = {collection.dataset.document_ids[row] for row in nearest}
    assert set(expected(ranker, QUERIES[0], 10)) <= found


def test_rerank_orders_the_documents_of_another_engine(client: Client, ranker: Ranker):
    compared = ranker.with_scope("candidates").compare(QUERIES[0])
    given = list(compared.document_ids)
    text = compared.query.text
    # the same candidates refine the query, in any order and if one is named twice
    answer = client.post("/rerank", query=text, ids=[*given[::-1], given[0]])
    assert ids(answer) == [hit.document_id for hit in compared.ranking("modulated", 100)]


def test_rerank_scores_the_best_passage_of_a_document(ranker: Ranker):
    counts = [3 if row % 3 == 0 else 0 for row in range(len(ranker.collection.documents))]
    collection = split(ranker.collection, counts, 0)
    parts = Ranker(collection, ranker.adapter)
    (query,) = collection.query_vectors(["q054"])
    batch = parts.rank_batch(query[None])
    (ranked,) = batch.ranked("modulated")
    ids = [collection.dataset.document_ids[row] for row in ranked.rows]
    assert (batch.vector_rows[0] != batch.rows[0]).any()
    shown = Client(parts).post("/rerank", query=query.tolist(), ids=ids[::-1])["results"]
    assert [r["score"] for r in shown] == pytest.approx(ranked.scores.tolist(), abs=2e-6)
    assert [r["id"] for r in shown[:10]] == ids[:10]


def test_copies_have_equal_scores_whatever_the_order_of_a_request():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(198, 384))
    vectors[99:] = vectors[:99]
    world = toys.collection(vectors, vectors[:1], {"q0": {"d0": 1}})
    client = Client(Ranker(world, toys.adapter(toys.random_model(0, 384, 384))))
    ties, query = world.tie_ranks, rng.normal(size=384).tolist()
    for order in (np.arange(198), rng.permutation(198)):
        body = {"query": query, "ids": [f"d{i}" for i in order]}
        results = client.post("/rerank", **body)["results"]
        by_id = {result["id"]: result for result in results}
        for i in range(99):
            first, copy = by_id[f"d{i}"], by_id[f"d{i + 99}"]
            assert first["score"] == copy["score"]
            assert (first["rank"] < copy["rank"]) == bool(ties[i] < ties[i + 99])


@pytest.mark.parametrize("path", ["/search", "/effective_query", "/rerank"])
def test_a_vector_that_is_too_long_for_a_score_is_refused(path: str):
    world = toys.collection(np.eye(4), np.eye(4)[:1], {"q0": {"d0": 1}})
    client = Client(Ranker(world, toys.adapter(toys.random_model(0, 4, 4))))
    vector = [3e38] * 4
    body = {"query": vector, "ids": ["d0"]} if path == "/rerank" else {"queries": [vector]}
    client.refusal(path, **body)


def test_health_says_what_is_served(client: Client, ranker: Ranker):
    answer = client("GET", "/healthz")
    assert answer.json() == {
        "data": "sample",
        "adapter": ranker.adapter.card.name,
        "documents": len(ranker.collection.dataset.documents),
        "dimensions": 384,
    }


def test_the_description_names_every_path(client: Client):
    described = client("GET", "/openapi.json").json()
    assert set(described["paths"]) == {"/search", "/effective_query", "/rerank", "/healthz"}


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/search", {"queries": [[1.0, 2.0]]}, "a vector has 2 numbers; this data set needs 384"),
        ("/search", {"queries": []}, "at least 1 item"),
        ("/search", {"queries": ["x"] * (MOST_QUERIES + 1)}, "at most 64 items"),
        ("/search", {"queries": ["x"], "k": 101}, "less than or equal to 100"),
        ("/search", {"queries": [""]}, "at least 1 character"),
        ("/search", {"queries": ["x"], "top": 3}, "Extra inputs"),
        ("/rerank", {"query": "x", "ids": ["no such"]}, "the data set has no document 'no such'"),
        ("/effective_query", {}, "Field required"),
    ],
)
def test_requests_that_cannot_be_answered(client: Client, path: str, body: Any, says: str):
    assert says in client.refusal(path, **body)


def test_numbers_that_are_none_are_refused(client: Client):
    content = '{"queries": [[NaN]]}'
    answer = client("POST", "/search", content=content)
    assert answer.status_code == 422


def test_queries_that_no_encoder_accepts_are_refused(client: Client, ranker: Ranker):
    vector = [1e39] * ranker.collection.documents.dimension
    assert "float32" in client.refusal("/search", queries=[vector])
    body = b'{"queries": ["half a pair: \\ud800"]}'
    answer = client("POST", "/search", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


def test_a_large_request_is_refused(client: Client):
    answer = client("POST", "/search", content=b" " * (MOST_BYTES + 1))
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith(f"the request has more than {MOST_BYTES} bytes")


def test_answers_to_requests_at_once_are_those_of_each(client: Client, ranker: Ranker):
    texts = [ranker.collection.dataset.queries[i].text for i in QUERIES]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda t: client.post("/search", queries=[t]), texts * 4))
    wanted = [expected(ranker, i, 10) for i in QUERIES] * 4
    assert [ids(answer) for (answer,) in answers] == wanted


def test_without_an_adapter_nothing_is_served(sample: Collection):
    with pytest.raises(AdapterError):
        create_app(Ranker(sample))


def test_the_description_of_the_fields_loads_nothing_from_other_hosts(client: Client):
    page = client("GET", "/docs").text
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) >= 3
    assert all(address.startswith("/") for address in named)
    assert all(client("GET", address).status_code == 200 for address in named)
    assert "://" not in page
