"""The application: `/search`, `/effective_query`, `/rerank` and `/healthz`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import numpy as np
from fastapi import HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi_offline import FastAPIOffline
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from imrnns_core import __version__
from imrnns_core.errors import LensError
from imrnns_core.retrieval.batch import rank
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.stages import finite
from imrnns_core.serving.records import (
    EffectiveQueryRequest,
    EffectiveQueryResponse,
    Health,
    RerankRequest,
    RerankResponse,
    Result,
    SearchRequest,
    SearchResponse,
)
from imrnns_core.types import FloatArray, IntArray

MOST_BYTES = 2_000_000
"""Size of a request; larger ones are refused. 64 vectors of 1,024 numbers have about 1.3 MB."""
DESCRIPTION = (
    "The modulated ranking of a whole corpus. A search with the query gives base candidates, which "
    "refine the query; a second search with the effective query, on the same base embeddings, "
    "gives the documents that the adapter ranks high. All documents found are scored exactly."
)


_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class Service:
    """Answers requests for one data set and adapter.

    Args:
        ranker: Its scope is the corpus.

    Raises:
        AdapterError: If it has no adapter.
    """

    def __init__(self, ranker: Ranker) -> None:
        self.ranker, self.collection = ranker, ranker.collection
        self.adapter = ranker.adapter
        self._lock = Lock()
        # the first request does not wait for the transform of the corpus
        self.ranker.rank_batch(self.collection.documents.vectors[:1])

    def vectors(self, queries: Sequence[str | list[float]]) -> FloatArray:
        """Return the base embeddings (B, n) of texts and vectors.

        Raises:
            HTTPException: A vector has another length.
            EncoderError: The encoder of a text did not make the collection's embeddings.
        """
        dimension = self.collection.documents.dimension
        found = []
        for query in queries:
            if isinstance(query, str):
                vector = self.collection.encode(query)
            else:
                with np.errstate(over="ignore"):
                    vector = np.array(query, np.float32)
                if not np.isfinite(vector).all():
                    raise HTTPException(422, "a vector has a number that float32 does not have")
            if vector.shape != (dimension,):
                problem = f"a vector has {len(vector)} numbers; this data set needs {dimension}"
                raise HTTPException(422, problem)
            found.append(vector)
        return np.stack(found)

    def search(self, request: SearchRequest) -> list[SearchResponse]:
        """Rank the whole corpus for each query."""
        with self._lock:
            ranker = self.ranker.with_scope("corpus", request.k)
            batch = ranker.rank_batch(self.vectors(request.queries))
        return [
            SearchResponse(
                results=self._results(ranked.rows[: request.k], ranked.scores[: request.k]),
                certainty=certainty.proof,
            )
            for ranked, certainty in zip(batch.ranked("modulated"), batch.certainty, strict=True)
        ]

    def effective_query(self, request: EffectiveQueryRequest) -> list[EffectiveQueryResponse]:
        """Refine each query by its base candidates."""
        with self._lock:
            answers = []
            for vector in self.vectors(request.queries):
                rows = self.collection.candidates(vector[None], self.ranker.config.candidates, [""])
                stored = np.asarray(self.collection.ranked.vectors)[rows[0]]
                refined = self.adapter.refine(vector, stored)
                finite(refined.vector, self.adapter.card.name)
                documents = self.collection.ranked.documents[rows[0]].tolist()
                ids = [self.collection.dataset.document_ids[row] for row in documents]
                answers.append(
                    EffectiveQueryResponse(vector=refined.vector.tolist(), candidates=ids)
                )
            return answers

    def rerank(self, request: RerankRequest) -> RerankResponse:
        """Score the named documents, which refine the query, by their best passages.

        Raises:
            HTTPException: The corpus does not have a document.
        """
        known = self.collection.documents.row
        unknown = next((i for i in request.ids if i not in known), None)
        if unknown is not None:
            raise HTTPException(422, f"the data set has no document {unknown!r}")
        rows = np.array([known[i] for i in dict.fromkeys(request.ids)], dtype=np.int64)
        with self._lock:
            (vector,) = self.vectors([request.query])
            vector_rows = self._ranked_rows(vector, rows)
            stored = np.asarray(self.collection.ranked.vectors)[vector_rows]
            scores = finite(
                self.adapter.refine(vector, stored).score(stored), self.adapter.card.name
            )
            index = self.collection.ranked.index
            scores = index.equalized(scores[None], vector_rows[None])[0]
        order = np.argsort(rank(scores, self.collection.tie_ranks[rows]))
        return RerankResponse(results=self._results(rows[order], scores[order]))

    def _ranked_rows(self, query: FloatArray, documents: IntArray) -> IntArray:
        """Return the rows (R,) of the vectors by which documents (R,) are ranked for a query."""
        ranked = self.collection.ranked
        if ranked.parts:
            (unit,) = self.collection.base_queries(query[None])
            documents = ranked.best_rows(ranked.index.products(unit))[documents]
        return documents

    def _results(self, rows: IntArray, scores: FloatArray) -> list[Result]:
        documents = self.collection.dataset.documents
        return [
            Result(id=documents[row].id, title=documents[row].title, rank=n, score=score)
            for n, (row, score) in enumerate(zip(rows.tolist(), scores.tolist(), strict=True), 1)
        ]

    def health(self) -> Health:
        """Say what is served."""
        return Health(
            data=self.collection.dataset.name,
            adapter=self.adapter.card.name,
            documents=len(self.collection.dataset.documents),
            dimensions=self.collection.documents.dimension,
        )


def create_app(ranker: Ranker) -> ASGIApp:
    """Return the application for a ranker with an adapter.

    Raises:
        AdapterError: If there is no adapter.
    """
    service = Service(ranker.with_scope("corpus"))
    app = FastAPIOffline(title="IMRNNs Lens", version=__version__, description=DESCRIPTION)

    # not `async`: they compute, so they run in threads, and `/healthz` answers meanwhile
    @app.post("/search")
    def search(request: SearchRequest) -> list[SearchResponse]:
        """Rank the whole corpus for each query by its modulated scores."""
        return _answer(service.search, request)

    @app.post("/effective_query")
    def effective_query(request: EffectiveQueryRequest) -> list[EffectiveQueryResponse]:
        """Return one vector per query for a search in your own vector store."""
        return _answer(service.effective_query, request)

    @app.post("/rerank")
    def rerank(request: RerankRequest) -> RerankResponse:
        """Rank documents that another engine found."""
        return _answer(service.rerank, request)

    @app.exception_handler(RequestValidationError)
    async def refuse(_: Request, error: RequestValidationError) -> Response:
        # without the input, which may have half of a surrogate pair: it cannot be sent back
        problems = [{k: problem[k] for k in ("loc", "msg", "type")} for problem in error.errors()]
        return Response(json.dumps({"detail": problems}), 422, media_type="application/json")

    @app.get("/healthz")
    async def healthz() -> Health:
        """Say what is served."""
        return service.health()

    return Bounded(app, MOST_BYTES)


def _answer(function: Callable[[_Request], _Response], request: _Request) -> _Response:
    """Return the answer; errors that a user can fix have status 422."""
    try:
        return function(request)
    except LensError as error:
        raise HTTPException(422, str(error)) from None


class Bounded:
    """Refuses requests whose body is larger than a number of bytes, whether or not they say it."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with status 413."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = b""
        while True:
            message: Message = await receive()
            body += message.get("body", b"")
            if len(body) > self.most:
                await _refuse(send, self.most)
                return
            if message["type"] != "http.request" or not message.get("more_body"):
                break
        whole: Message = {**message, "body": body} if message["type"] == "http.request" else message
        messages = iter([whole])

        async def replay() -> Message:
            return next(messages, None) or await receive()

        await self.app(scope, replay, send)


async def _refuse(send: Send, most: int) -> None:
    detail = b'{"detail":"the request has more than %d bytes; send fewer queries at once"}' % most
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": detail})
