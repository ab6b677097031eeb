"""A small `/v1/embeddings` server for the tests, with the bundled encoder behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder

KEY = "sk-very-secret-123"
MODEL = "bundled"


@dataclass
class EndpointServer:
    """What a running server received, and which faults it still makes.

    Attributes:
        port: Its port.
        requests: The texts of each request that was answered with vectors.
        faults: Answers (status, body) of the next requests.
        refuse_after: Number of requests after which all are refused.
    """

    port: int = 0
    requests: list[list[str]] = field(default_factory=list)
    faults: list[tuple[int, Any]] = field(default_factory=list)
    refuse_after: int | None = None

    @property
    def name(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1#{MODEL}"

    @property
    def texts(self) -> list[str]:
        return [text for request in self.requests for text in request]


@contextmanager
def serving(encoder: SentenceTransformerEncoder) -> Iterator[EndpointServer]:
    """Run a server that accepts `KEY`."""
    state = EndpointServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = self.answer(body)
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(raw)

        def answer(self, body: dict[str, Any]) -> tuple[int, Any]:
            if self.path != "/v1/embeddings":
                return 404, {"error": {"message": f"no path {self.path}"}}
            if self.headers["Authorization"] != f"Bearer {KEY}":
                return 401, {"error": {"message": f"wrong key {self.headers['Authorization']}"}}
            if body["model"] != MODEL:
                return 404, {"error": {"message": f"no model {body['model']} for {KEY}"}}
            if state.faults:
                return state.faults.pop(0)
            if state.refuse_after is not None and len(state.requests) >= state.refuse_after:
                return 400, {"error": {"message": "enough"}}
            state.requests.append(body["input"])
            # three times as long: the client must make unit vectors itself
            vectors = 3 * encoder.encode_formatted(body["input"])
            data = [
                {"object": "embedding", "index": i, "embedding": v.tolist()}
                for i, v in enumerate(vectors)
            ]
            return 200, {"object": "list", "model": MODEL, "data": data[::-1]}

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
