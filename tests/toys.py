"""Small collections and adapters for the tests, and the method in plain numpy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st

from imrnns_core.config import AdapterConfig, EncoderSpec, SearchConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Document, Query
from imrnns_core.model.adapter_card import AdapterCard, TrainingTexts
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import STAGES, FloatArray, IntArray

# Collections


class FakeEncoder:
    """Encodes a text by its letters, and records the texts that it encodes."""

    def __init__(
        self,
        spec: EncoderSpec | None = None,
        dimension: int = 4,
        stop_after: int | None = None,
        turn: float = 0.0,
    ) -> None:
        self.spec, self.dimension, self.max_tokens = spec or EncoderSpec("fake"), dimension, 256
        self.weights_digest = ""
        self.stop_after, self.turn, self.texts, self.calls = stop_after, turn, list[str](), 0

    def encode_documents(
        self, documents: Sequence[Document], progress: Any = None, unit: bool = True
    ) -> FloatArray:
        return self._encode([f"{d.title}|{d.text}" for d in documents], unit)

    def encode_queries(
        self, texts: Sequence[str], progress: Any = None, unit: bool = True
    ) -> FloatArray:
        return self._encode(list(texts), unit)

    def _encode(self, texts: list[str], unit: bool) -> FloatArray:
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        self.texts += texts
        vectors = letters(texts, self.dimension, self.turn)
        return (
            vectors
            if unit
            else vectors * (1.0 + np.array([[len(t) % 7] for t in texts], np.float32))
        )


def letters(texts: Sequence[str], dimension: int = 4, turn: float = 0.0) -> FloatArray:
    """Return (N, dimension) unit vectors that depend on every letter.

    A different `turn` simulates a different encoder.
    """
    sums = [
        [
            sum(np.cos(ord(c) * (j + 1) + i + turn * (j + 1)) for i, c in enumerate(t)) + 0.01
            for j in range(dimension)
        ]
        for t in texts
    ]
    vectors = np.array(sums, dtype=np.float32).reshape(len(texts), dimension)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def collection(
    documents: Any,
    queries: Any = (),
    qrels: Mapping[str, Mapping[str, int]] | None = None,
    encoder: Any = None,
    split: str = "test",
) -> Collection:
    """Return a collection of documents d0, d1 … and queries q0, q1 … with these vectors."""
    vectors = np.asarray(documents, dtype=np.float32)
    query_vectors = np.asarray(queries, dtype=np.float32).reshape(-1, vectors.shape[1])
    dataset = Dataset(
        "toy",
        Path("toy"),
        tuple(document(f"d{i}") for i in range(len(vectors))),
        {f"q{i}": Query(f"q{i}", f"question {i}") for i in range(len(query_vectors))},
        {split: qrels or {}},
    )
    matrix, query_matrix = (
        EmbeddingMatrix(dataset.document_ids, vectors),
        EmbeddingMatrix(tuple(dataset.queries), query_vectors),
    )
    return Collection(
        dataset, matrix, query_matrix, encoder or FakeEncoder(dimension=vectors.shape[1])
    )


def write_dataset(
    folder: Path,
    documents: Sequence[Mapping[str, Any]] = (),
    queries: Sequence[Mapping[str, Any]] = (),
    qrels: str | None = None,
) -> Path:
    """Write a BEIR folder, by default two documents and one judged query."""
    documents = documents or [
        {"_id": "d1", "title": "One", "text": "first"},
        {"_id": "d2", "title": "", "text": "second"},
    ]
    queries = queries or [{"_id": "q1", "text": "which?"}]
    (folder / "qrels").mkdir(parents=True)
    for name, records in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text(
            "".join(json.dumps(r) + "\n" for r in records), encoding="utf-8"
        )
    text = "query-id\tcorpus-id\tscore\nq1\td1\t2\n" if qrels is None else qrels
    (folder / "qrels" / "test.tsv").write_text(text, encoding="utf-8")
    return folder


# Adapters


def document(document_id: str) -> Document:
    """Return the document `dI` of `collection`."""
    return Document(document_id, f"title {document_id[1:]}", f"text {document_id[1:]}")


def adapter(
    model: IMRNN,
    positives: list[str] | None = None,
    name: str = "toy",
    *,
    used: list[str] | None = None,
    validation: list[str] | None = None,
) -> Adapter:
    """Return an adapter whose card lists documents of `collection`; None lists no texts at all."""
    config, texts = model.config, None
    if positives is not None:
        texts = TrainingTexts(
            [document(d).text_hash for d in positives],
            [document(d).text_hash for d in used or []],
            ["negatives"] if used else [],
            [Query(q, f"question {q[1:]}").text_hash for q in validation or []],
        )
    card = AdapterCard(name, config.input_dim, config.output_dim, texts=texts)
    return Adapter(model.eval().requires_grad_(False), card)


def still_model(n: int, m: int | None = None) -> IMRNN:
    """Return a model with all scales ½ and all biases 0, so that only LayerNorm has an effect.

    In two dimensions, LayerNorm keeps only the sign of x₁ − x₂: every modulated vector is
    ±(1, −1)/√2.
    """
    model = IMRNN(AdapterConfig(n, m or n, (3, 2)))
    with torch.no_grad():
        for net in (model.query_adapter, model.document_adapter):
            for parameter in net.parameters():
                parameter.zero_()
    return model.eval().requires_grad_(False)


def random_model(seed: int, n: int, m: int) -> IMRNN:
    """Return a model with random weights of the size that training produces."""
    model = IMRNN(AdapterConfig(n, m, (7, 5)))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.3 * noise if name.endswith("norm.weight") else 0.5 * noise)
    return model.eval().requires_grad_(False)


def stage_scores(comparison: Comparison) -> FloatArray:
    """Return (4, K) scores of the candidates at the stages."""
    return np.stack([comparison.score(stage) for stage in STAGES])


def stage_ranks(comparison: Comparison) -> IntArray:
    """Return (4, K) ranks of the candidates at the stages."""
    return np.stack([comparison.rank(stage) for stage in STAGES])


@dataclass(frozen=True)
class World:
    """A random adapter and a random collection."""

    seed: int
    n: int
    m: int
    documents: int
    queries: int
    candidates: int

    def ranker(self) -> Ranker:
        rng = np.random.default_rng(self.seed)
        documents = rng.normal(size=(self.documents, self.n)) * rng.uniform(
            0.5, 2, size=(self.documents, 1)
        )
        queries = rng.normal(size=(self.queries, self.n))
        judged = {
            f"q{i}": {f"d{rng.integers(self.documents)}": int(rng.integers(1, 4))}
            for i in range(self.queries)
        }
        model = random_model(self.seed, self.n, self.m)
        return Ranker(
            collection(documents, queries, judged),
            adapter(model, ["d0"]),
            SearchConfig(self.candidates),
        )


@st.composite
def worlds(draw: st.DrawFn, min_documents: int = 1, min_dim: int = 8, max_dim: int = 24) -> World:
    """Draw a world whose working dimensions are at most the encoder dimensions."""
    n = draw(st.integers(min_dim, max_dim))
    documents = draw(st.integers(min_documents, 30))
    return World(
        seed=draw(st.integers(0, 2**31)),
        n=n,
        m=draw(st.one_of(st.just(n), st.integers(min_dim, n))),
        documents=documents,
        queries=draw(st.sampled_from([1, 2, 17, 20])),  # more and fewer than one scoring batch
        candidates=draw(st.integers(min_documents, documents)),
    )


# The method, in plain numpy and double precision (docs/method.md, "The two adapters";
# docs/method.md, "Stages and score")

Layers = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class PlainAdapter:
    """The tensors of one adapter, with the names of docs/method.md, "Notation"."""

    projector: tuple[np.ndarray, np.ndarray]
    query_adapter: Layers
    document_adapter: Layers
    query_norm: tuple[np.ndarray, np.ndarray]
    document_norm: tuple[np.ndarray, np.ndarray]

    @classmethod
    def of(cls, state: Mapping[str, torch.Tensor], names: Mapping[str, str]) -> PlainAdapter:
        """Return the tensors of a state dict.

        `names` maps each part to its prefix; the prefix of an MLP has {} for the layer.
        """

        def pair(prefix: str) -> tuple[np.ndarray, np.ndarray]:
            return state[f"{prefix}.weight"].double().numpy(), state[
                f"{prefix}.bias"
            ].double().numpy()

        def layers(prefix: str) -> Layers:
            numbers = names["layers"].split()
            return [pair(prefix.format(number)) for number in numbers]

        return cls(
            pair(names["projector"]),
            layers(names["query_adapter"]),
            layers(names["document_adapter"]),
            pair(names["query_norm"]),
            pair(names["document_norm"]),
        )

    def scores(
        self, query: np.ndarray, documents: np.ndarray, feedback: np.ndarray | None = None
    ) -> np.ndarray:
        """Return (4, K) cosines of one query (n,) with K documents (K, n) at the four stages."""
        q, d = query.astype(np.float64), documents.astype(np.float64)
        q_p, d_p = self._project(q), self._project(d)
        s_q, b_q = self._affine(self.query_adapter, q_p)
        d_mod = self._layer_norm(s_q * d_p + b_q, self.document_norm)
        s_i, b_i = self._affine(self.document_adapter, d_p)
        mask = np.ones(len(d), dtype=bool) if feedback is None else feedback
        q_mod = self._layer_norm(s_i[mask].mean(0) * q_p + b_i[mask].mean(0), self.query_norm)
        return np.stack(
            [_cosine(q, d), _cosine(q_p, d_p), _cosine(q_p, d_mod), _cosine(q_mod, d_mod)]
        )

    def _project(self, x: np.ndarray) -> np.ndarray:
        weight, bias = self.projector
        y = x @ weight.T + bias
        return y / np.linalg.norm(y, axis=-1, keepdims=True)

    @staticmethod
    def _affine(layers: Layers, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        for i, (weight, bias) in enumerate(layers):
            x = x @ weight.T + bias
            x = np.maximum(x, 0) if i < len(layers) - 1 else x
        scale, bias = np.split(x, 2, axis=-1)
        return 1 / (1 + np.exp(-scale)), np.tanh(bias)

    @staticmethod
    def _layer_norm(x: np.ndarray, affine: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return (
            centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * affine[0] + affine[1]
        )


def _cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (b @ a) / (np.linalg.norm(a) * np.linalg.norm(b, axis=-1))


OUR_NAMES = {
    "projector": "projector",
    "query_adapter": "query_adapter.layers.{}",
    "document_adapter": "document_adapter.layers.{}",
    "query_norm": "query_norm",
    "document_norm": "document_norm",
    "layers": "0 2 4",
}
REFERENCE_NAMES = {
    "projector": "projector",
    "query_adapter": "query_hypernet.hypernet.{}",
    "document_adapter": "doc_hypernet.hypernet.{}",
    "query_norm": "query_norm",
    "document_norm": "doc_norm",
    "layers": "0 3 6",
}
