"""A data set in memory, with the vectors of its documents and queries, and their encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix, unit
from imrnns_core.data.records import Query
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.errors import EncoderError
from imrnns_core.retrieval.dense import DenseIndex
from imrnns_core.types import FloatArray

FINGERPRINT_ROWS = 4096
LENGTH_CHECKS = 3
"""Texts that are encoded again where the stored vectors are not of length 1."""


@dataclass(frozen=True)
class Collection:
    """A data set with the vectors of its documents and queries, in the data set's order."""

    dataset: Dataset
    documents: EmbeddingMatrix
    queries: EmbeddingMatrix
    encoder: Encoder

    @cached_property
    def index(self) -> DenseIndex:
        """The exact index of the document vectors; built on first use."""
        return DenseIndex.build(self.documents.vectors)

    @cached_property
    def unit_documents(self) -> FloatArray:
        """(N, n) unit base embeddings."""
        return unit(self.documents.vectors)

    @cached_property
    def fingerprint(self) -> str:
        """A SHA-256 over ids and texts of all documents, and over every value of their vectors."""
        sha = hashlib.sha256(
            f"{self.dataset.corpus_digest} {self.documents.vectors.shape}".encode()
        )
        for start in range(
            0, len(self.documents), FINGERPRINT_ROWS
        ):  # a mapped file is not read whole
            sha.update(
                np.ascontiguousarray(self.documents.vectors[start : start + FINGERPRINT_ROWS]).data
            )
        return sha.hexdigest()

    def query_vectors(self, query_ids: Sequence[str]) -> FloatArray:
        """Return (B, n) base embeddings of known queries.

        A KeyError names the first unknown one.
        """
        return np.asarray(self.queries.vectors[self.queries.rows(query_ids)])

    def query_vector(self, query: Query) -> FloatArray:
        """Return the (n,) base embedding of a query.

        The stored one or, for a new text, that of the encoder.
        """
        return self.query_vectors([query.id])[0] if query.id else self.encode(query.text)

    def encode(self, text: str) -> FloatArray:
        """Return the (n,) base embedding of a query that was typed in, as long as the stored ones.

        Raises EncoderError if the encoder is not the one that made this collection's vectors.
        """
        self.check_encoder()
        length = self.query_length
        vector = self.encoder.encode_queries([text], unit=length is not None)[0]
        return np.asarray(vector if length in (None, 1.0) else np.float32(length) * vector)

    @cached_property
    def document_length(self) -> float | None:
        """How long an encoded document must be to stand beside the stored ones.

        None: as long as the encoder makes it.

        Cosines do not see lengths, but a projector with a bias does. Raises EncoderError where the
        stored vectors are
        neither all of one length nor as long as the encoder makes them: then nobody knows.
        """
        some = self.dataset.documents[:LENGTH_CHECKS]
        return self._length(
            "documents", self.documents, lambda: self.encoder.encode_documents(some, unit=False)
        )

    @cached_property
    def query_length(self) -> float | None:
        """The same for a query; where the collection has none, what holds for its documents."""
        some = [query.text for query in list(self.dataset.queries.values())[:LENGTH_CHECKS]]
        if not some:
            return self.document_length
        return self._length(
            "queries", self.queries, lambda: self.encoder.encode_queries(some, unit=False)
        )

    def _length(
        self, what: str, stored: EmbeddingMatrix, encode: Callable[[], FloatArray]
    ) -> float | None:
        common = stored.common_length
        if common == 1.0:
            return common
        made = np.linalg.norm(encode(), axis=1)
        if np.allclose(made, np.linalg.norm(stored.vectors[: len(made)], axis=1), rtol=0.02):
            return None
        if common is None:
            raise EncoderError(
                f"the {what} of {self.dataset.name} have vectors of different lengths, and not "
                f"those that {self.encoder.spec.name} makes: "
                "a new text cannot be put beside them; store unit vectors, or the encoder's own"
            )
        return common

    def check_encoder(self) -> None:
        """Raise EncoderError if the encoder is not the one that made this collection's vectors."""
        if "_encoder_checked" in self.__dict__:
            return
        document = self.dataset.documents[0]
        again = self.encoder.encode_documents([document])[0]
        stored = self.documents.vectors[0]
        name = self.encoder.spec.name
        if again.shape != stored.shape:
            raise EncoderError(
                f"{name} makes {again.shape[0]} dimensions, the embeddings of "
                f"{self.dataset.name} have {stored.shape[0]}; "
                "name their encoder with --encoder"
            )
        cosine = float(unit(again) @ unit(stored))
        if cosine < 0.98:
            raise EncoderError(
                f"{name} did not make the embeddings of {self.dataset.name} (cosine "
                f"{cosine:.2f} for document {document.id!r}); "
                "name their encoder and its prefixes with --encoder, --query-prefix and "
                "--document-prefix"
            )
        self.__dict__["_encoder_checked"] = True
