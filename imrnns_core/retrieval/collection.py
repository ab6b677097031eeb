"""A data set in memory, with its embeddings and their encoder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from imrnns_core.config import EncoderSpec
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix, tie_ranks, unit
from imrnns_core.data.records import Query
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.errors import AdapterError, EncoderError
from imrnns_core.retrieval.dense import DenseIndex
from imrnns_core.retrieval.passages import Passages, RankedVectors
from imrnns_core.types import FloatArray, IntArray, Similarity

FINGERPRINT_ROWS = 4096
"""Vectors per block of the hash."""
LENGTH_CHECKS = 3
"""Number of texts that are encoded again if the stored vectors do not have length 1."""
_OF_DOCUMENTS = ("ranked", "tie_ranks", "unit_documents", "fingerprint", "_encoder_checked")


@dataclass(frozen=True)
class Collection:
    """A data set, the embeddings of its documents and queries in its order, and their encoder.

    With passages, the documents that were split are ranked by their best passage.
    """

    dataset: Dataset
    documents: EmbeddingMatrix
    queries: EmbeddingMatrix
    encoder: Encoder
    similarity: Similarity = "cosine"
    passages: Passages | None = None

    def with_queries(self, dataset: Dataset, added: FloatArray) -> Collection:
        """Return the same documents with more queries and other judgments.

        No index is built again.

        Args:
            dataset: The data set with B more queries, which are its last ones.
            added: (B, n) their base embeddings.
        """
        stored = self.queries.vectors
        vectors = np.concatenate([stored, added.astype(stored.dtype)]) if len(added) else stored
        changed = replace(
            self, dataset=dataset, queries=EmbeddingMatrix(tuple(dataset.queries), vectors)
        )
        own = self.__dict__
        changed.__dict__.update({name: own[name] for name in _OF_DOCUMENTS if name in own})
        return changed

    @cached_property
    def ranked(self) -> RankedVectors:
        """The vectors by which documents are ranked, with their index, built on first use.

        Raises:
            EncoderError: If the collection has no vectors.
        """
        self.require_vectors()
        return RankedVectors.of(
            self.documents.vectors, self.tie_ranks, self.similarity, self.passages
        )

    @property
    def index(self) -> DenseIndex:
        """The exact index of the vectors by which documents are ranked."""
        return self.ranked.index

    def without_passages(self) -> Collection:
        """Return the collection with one vector per document."""
        return self if self.passages is None else replace(self, passages=None)

    def candidates(self, vectors: FloatArray, k: int, query_ids: Sequence[str]) -> IntArray:
        """Return (B, up to k) rows, in `ranked`, of the nearest documents, nearest first.

        Without passages, these are corpus rows. A document that is the query itself is left out. If
        the data set has such documents, all queries have at most N − 1 candidates, because all must
        have the same number.

        Args:
            vectors: (B, n) base embeddings of the queries.
            k: Number of candidates.
            query_ids: (B,) ids of the queries; empty for a typed one.
        """
        return self.ranked.search(vectors, k, self.dataset.left_out_rows(query_ids))

    @cached_property
    def tie_ranks(self) -> IntArray:
        """(N,) order of the documents where scores are equal."""
        return tie_ranks(self.documents.ids)

    @cached_property
    def unit_documents(self) -> FloatArray:
        """(N, n) base embeddings of the documents, as unit vectors."""
        return unit(self.documents.vectors)

    def base_queries(self, vectors: FloatArray) -> FloatArray:
        """Return the (B, n) vectors of queries whose products with the index are base scores."""
        return unit(vectors) if self.similarity == "cosine" else vectors

    @property
    def has_vectors(self) -> bool:
        """Whether the texts have embeddings; without them, only runs rank the documents."""
        return self.documents.dimension > 0

    def require_vectors(self) -> None:
        """Check that the texts have embeddings.

        Raises:
            EncoderError: If they have none.
        """
        if not self.has_vectors:
            name = self.dataset.name
            raise EncoderError(
                f"{name} has no vectors, which this needs; make them with: "
                f"imrnns-lens prepare {name} --encoder {EncoderSpec().name}"
            )

    def require_cosine(self, use: str = "adapters work") -> None:
        """Check that the base scores are cosines, which `use` needs.

        Raises:
            AdapterError: If the documents are ranked by dot product.
        """
        if self.similarity != "cosine":
            raise AdapterError(
                f"{self.dataset.name} is ranked by dot product, but {use} only with cosines; use "
                "another page or command, or prepare the data again with --similarity cosine"
            )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the ids, texts and embeddings of all documents."""
        sha = hashlib.sha256(
            f"{self.dataset.corpus_digest} {self.documents.vectors.shape}".encode()
        )
        # maps of older versions, which had cosines only, keep their key
        if self.similarity != "cosine":
            sha.update(self.similarity.encode())
        # in blocks, so that a memory-mapped file is never in memory as a whole
        for start in range(0, len(self.documents), FINGERPRINT_ROWS):
            sha.update(
                np.ascontiguousarray(self.documents.vectors[start : start + FINGERPRINT_ROWS]).data
            )
        return sha.hexdigest()

    @cached_property
    def warnings(self) -> list[str]:
        """What a reader must know about the embeddings, one sentence each."""
        matrices = {"document": self.documents, "query": self.queries}
        return [
            f"{len(matrix.zero_ids)} of {len(matrix)} {kind} vectors are zero, the first one of "
            f"{matrix.zero_ids[0]!r}: a zero vector has no direction, so its ranking has no meaning"
            for kind, matrix in matrices.items()
            if matrix.zero_ids and self.has_vectors
        ]

    def query_vectors(self, query_ids: Sequence[str]) -> FloatArray:
        """Return (B, n) base embeddings of the data set's own queries.

        Raises:
            KeyError: If an id is unknown; it names the first one.
        """
        return np.asarray(self.queries.vectors[self.queries.rows(query_ids)])

    def query_vector(self, query: Query) -> FloatArray:
        """Return the (n,) base embedding of a query: the stored one, or encode a new text.

        Raises:
            KeyError: If the query has an unknown id.
            EncoderError: If the text is new and the encoder did not make this collection's
                embeddings.
        """
        return self.query_vectors([query.id])[0] if query.id else self.encode(query.text)

    def encode(self, text: str) -> FloatArray:
        """Return the (n,) base embedding of a new query, with the length of the stored ones.

        Raises:
            EncoderError: If the encoder did not make this collection's embeddings.
        """
        self.check_encoder()
        length = self.query_length
        vector = self.encoder.encode_queries([text], unit=length is not None)[0]
        return np.asarray(vector if length in (None, 1.0) else np.float32(length) * vector)

    @cached_property
    def document_length(self) -> float | None:
        """The length that a newly encoded document needs; None means the encoder's own length.

        Cosines ignore lengths, but a projector with a bias depends on them.

        Raises:
            EncoderError: If the stored vectors have different lengths that are not the encoder's.
        """
        sampled = self.dataset.documents[:LENGTH_CHECKS]
        return self._length(
            "documents", self.documents, lambda: self.encoder.encode_documents(sampled, unit=False)
        )

    @cached_property
    def query_length(self) -> float | None:
        """The length that a newly encoded query needs; None means the encoder's own length.

        A collection without queries uses the length for documents.

        Raises:
            EncoderError: If the stored vectors have different lengths that are not the encoder's.
        """
        sampled = [query.text for query in list(self.dataset.queries.values())[:LENGTH_CHECKS]]
        if not sampled:
            return self.document_length
        return self._length(
            "queries", self.queries, lambda: self.encoder.encode_queries(sampled, unit=False)
        )

    def _length(
        self, kind: str, stored: EmbeddingMatrix, encode: Callable[[], FloatArray]
    ) -> float | None:
        common = stored.common_length
        # the encoder can make unit vectors itself, so its own lengths do not matter
        if common == 1.0:
            return common
        encoder_lengths = np.linalg.norm(encode(), axis=1)
        stored_lengths = np.linalg.norm(stored.vectors[: len(encoder_lengths)], axis=1)
        if np.allclose(encoder_lengths, stored_lengths, rtol=0.02):
            return None
        if common is None:
            raise EncoderError(
                f"the vectors of the {kind} of {self.dataset.name} have different lengths, which "
                f"{self.encoder.spec.name} does not produce, so new texts cannot be encoded to "
                "match them; store unit vectors, or the vectors of the encoder unchanged"
            )
        return common

    def check_encoder(self) -> None:
        """Encode the first document again and compare it with the stored embedding, once.

        Raises:
            EncoderError: If the encoder did not make this collection's embeddings.
        """
        if "_encoder_checked" in self.__dict__:
            return
        self.require_vectors()
        document = self.dataset.documents[0]
        encoded = self.encoder.encode_documents([document])[0]
        stored = self.documents.vectors[0]
        name = self.encoder.spec.name
        if encoded.shape != stored.shape:
            raise EncoderError(
                f"{name} makes {encoded.shape[0]} dimensions, the embeddings of "
                f"{self.dataset.name} have {stored.shape[0]}; "
                "name their encoder with --encoder"
            )
        cosine = float(unit(encoded) @ unit(stored))
        if cosine < 0.98:
            raise EncoderError(
                f"{name} did not make the embeddings of {self.dataset.name} (cosine "
                f"{cosine:.2f} for document {document.id!r}); "
                "name their encoder and its prefixes with --encoder, --query-prefix and "
                "--document-prefix"
            )
        # the dataclass is frozen, so the flag bypasses its `__setattr__`
        self.__dict__["_encoder_checked"] = True
