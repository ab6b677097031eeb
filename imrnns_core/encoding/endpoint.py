"""Encoders behind a `/v1/embeddings` endpoint, of a service or of a server of your own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embeddings import unit as unit_vectors
from imrnns_core.data.records import Document
from imrnns_core.encoding.encoder import Encoder, format_document, format_query
from imrnns_core.errors import EncoderError, MissingExtraError
from imrnns_core.types import FloatArray, IntArray, Progress

if TYPE_CHECKING:
    from openai import OpenAI

BATCH_SIZE = 32
"""Texts per request; some servers accept no more."""
RETRIES, SECONDS = 5, 60.0
"""Retries of a request, with growing pauses, and the time after which one has failed."""
FEW = 8
"""Texts that are sent without asking again, once a data set uses the endpoint: typed queries."""
SAMPLED = 200
"""Texts whose tokens are counted for an estimate."""
UNKNOWN_LIMIT = sys.maxsize
"""`max_tokens` of an endpoint, which does not say how much of a text it reads."""
KEY_VARIABLE = "OPENAI_API_KEY"
FORM = "write https://HOST/v1#MODEL"


@dataclass(frozen=True)
class Transfer:
    """Texts that are to be sent to an endpoint.

    Attributes:
        endpoint: Its address.
        model: The name of the model.
        texts: Number of texts.
        tokens: About how many tokens they have.
    """

    endpoint: str
    model: str
    texts: int
    tokens: int


Agree = Callable[[Transfer], None]
"""Asks whether texts may be sent; raises an EncoderError if not."""


def is_endpoint(name: str) -> bool:
    """Return whether the name of an encoder is the address of an endpoint."""
    return name.startswith(("https://", "http://"))


def split_endpoint(name: str) -> tuple[str, str]:
    """Return the address and the model of `https://HOST/v1#MODEL`.

    Raises:
        EncoderError: If the model is missing, or the address contains a key. The error does not
            repeat the address then.
    """
    address, _, model = name.partition("#")
    parts = urlsplit(address)
    if "@" in parts.netloc or parts.query:
        raise EncoderError(
            f"the address of an endpoint contains no key; set {KEY_VARIABLE}, and {FORM}"
        )
    if not model or not parts.netloc:
        raise EncoderError(f"{name}: names no model; {FORM}")
    return address.rstrip("/"), model


class EndpointEncoder:
    """An encoder that sends texts to a `/v1/embeddings` endpoint.

    The key is read from the environment variable OPENAI_API_KEY. It is neither stored nor shown.

    Args:
        spec: The encoder; its name is `https://HOST/v1#MODEL`.
        agree: Asks whether texts may be sent; None allows none.
        in_use: Whether a data set was prepared with this endpoint. Then a few texts at a time are
            sent without asking.

    Raises:
        EncoderError: If the name is faulty.
    """

    weights_digest = ""
    max_tokens = UNKNOWN_LIMIT

    def __init__(self, spec: EncoderSpec, agree: Agree | None = None, in_use: bool = False) -> None:
        self._spec, self._agree, self._in_use, self._agreed = spec, agree, in_use, False
        self._address, self._model = split_endpoint(spec.name)

    @property
    def spec(self) -> EncoderSpec:
        """Name of the encoder and its prefixes."""
        return self._spec

    @cached_property
    def dimension(self) -> int:
        """Number of dimensions n of an embedding; a fixed text is encoded for that.

        Raises:
            EncoderError: If the endpoint cannot be used.
        """
        return len(self._request(["text"])[0])

    def encode_documents(
        self, documents: Sequence[Document], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (N, n) float32 embeddings of documents, of length 1 with `unit`.

        Raises:
            EncoderError: If the endpoint cannot be used, or the user does not agree.
        """
        return self._encode([format_document(self._spec, d) for d in documents], progress, unit)

    def encode_queries(
        self, texts: Sequence[str], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (B, n) float32 embeddings of queries; see `encode_documents`."""
        return self._encode([format_query(self._spec, t) for t in texts], progress, unit)

    def count_tokens(
        self, documents: Sequence[Document], progress: Progress | None = None
    ) -> IntArray:
        """Return (N,) rough numbers of tokens: the endpoint does not say how it splits texts."""
        from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder

        bundled = replace(self._spec, name=EncoderSpec().name)
        return SentenceTransformerEncoder(bundled).count_tokens(documents, progress)

    def split_at_limit(self, document: Document) -> tuple[str, str]:
        """Return the whole document: what the endpoint cuts off is unknown."""
        return format_document(self._spec, document), ""

    def tokens_per_word(self, text: str) -> list[tuple[str, int]]:
        """Return nothing: how the endpoint splits words is unknown."""
        return []

    def announce(self, texts: Sequence[str]) -> None:
        """Ask whether these formatted texts, and those after them, may be sent.

        Raises:
            EncoderError: If not, or if nobody can be asked.
        """
        if self._agree is None:
            texts_are = "1 text is" if len(texts) == 1 else f"{len(texts):,} texts are"
            raise EncoderError(
                f"{texts_are} not sent to {self._address} without your consent; run imrnns-lens "
                f"prepare DATA --encoder {self._spec.name} in a terminal, which asks"
            )
        self._agree(transfer(self._spec, texts))
        self._agreed = True

    def _encode(self, texts: Sequence[str], progress: Progress | None, unit: bool) -> FloatArray:
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        if not self._agreed and not (self._in_use and len(texts) <= FEW):
            self.announce(texts)
        parts = []
        for start in range(0, len(texts), BATCH_SIZE):
            # services refuse empty texts
            batch = [text or " " for text in texts[start : start + BATCH_SIZE]]
            parts.append(np.array(self._request(batch), dtype=np.float32))
            if progress:
                progress(start + len(batch), len(texts))
        vectors = np.concatenate(parts)
        if not np.isfinite(vectors).all():
            raise self._error("returned NaN or infinity", "check the server")
        return unit_vectors(vectors) if unit else vectors

    def _request(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text.

        Raises:
            EncoderError: If the endpoint cannot be reached, refuses, or answers something else.
        """
        client = self._client  # first, because it says if the package is missing
        import openai

        try:
            answer = client.embeddings.create(
                model=self._model, input=texts, encoding_format="float"
            )
            vectors = [item.embedding for item in sorted(answer.data, key=lambda i: i.index)]
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            # the answer may repeat a part of the key
            raise self._error("the key is refused", f"set {KEY_VARIABLE}") from None
        except openai.APIConnectionError:
            remedy = "check the address and that the server runs; what is encoded is kept"
            raise self._error("cannot be reached", remedy) from None
        except openai.APIError as error:
            remedy = f"check the model {self._model!r} and the texts; what is encoded is kept"
            raise self._error(_first_line(error), remedy) from None
        except (TypeError, AttributeError, ValueError):
            raise self._error("the answer is no list of embeddings", FORM) from None
        if len(vectors) != len(texts) or len(set(map(len, vectors))) != 1 or not vectors[0]:
            problem = f"returned {len(vectors)} vectors for {len(texts)} texts, or empty ones"
            raise self._error(problem, "check the server")
        return vectors

    @cached_property
    def _client(self) -> OpenAI:
        try:
            from openai import OpenAI
        except ModuleNotFoundError:
            raise MissingExtraError("an encoder behind an endpoint", "endpoint") from None
        # a server of one's own needs no key, but the client does
        key = os.environ.get(KEY_VARIABLE) or "none"
        return OpenAI(base_url=self._address, api_key=key, max_retries=RETRIES, timeout=SECONDS)

    def _error(self, problem: str, remedy: str) -> EncoderError:
        key = os.environ.get(KEY_VARIABLE)
        problem = problem.replace(key, "…") if key else problem
        return EncoderError(f"{self._address}: {problem}; {remedy}")


def announce(encoder: Encoder, texts: Sequence[str]) -> None:
    """Ask whether formatted texts may be sent, if the encoder is behind an endpoint.

    Raises:
        EncoderError: If they may not.
    """
    if isinstance(encoder, EndpointEncoder) and texts:
        encoder.announce(texts)


def transfer(spec: EncoderSpec, texts: Sequence[str]) -> Transfer:
    """Return what these formatted texts are as a transfer to the endpoint of an encoder.

    Raises:
        EncoderError: If the name of the encoder is no endpoint.
    """
    return Transfer(*split_endpoint(spec.name), len(texts), estimated_tokens(texts))


def estimated_tokens(texts: Sequence[str]) -> int:
    """Return about how many tokens texts have, from counts of the bundled tokenizer."""
    from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder

    sampled = texts[:: max(1, len(texts) // SAMPLED)]
    tokenizer = SentenceTransformerEncoder().tokenizer
    tokens = sum(len(encoded.ids) for encoded in tokenizer.encode_batch(list(sampled)))
    share = sum(map(len, texts)) / max(1, sum(map(len, sampled)))
    return round(tokens * max(1.0, share))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
