"""A memory of the collection's sentences in the query adapter, written in closed form.

Nothing is trained. The vector of a document describes its topic, but a question often asks about
one of its sentences. The query adapter stores the sentences. Each unit of its first layer holds one
sentence and is active if the query is similar to it. The second layer adds up the values of the
active sentences; a value is a direction towards the document of its sentence. The third layer turns
the sum into scales s_q, which increase the scores of these documents. The encoder encodes each
sentence once, in training. At query time, only the first layer is larger.

How a scale adds to a score: the score compares s_q ∘ d_p with q_mod. The memory adds a constant C·c
with c = (1, −1, 1, …) to the refined query in q_mod. All d_p are made orthogonal to c and to
(1, …, 1). Scales of ½ then change all scores by the same factor, and scales ½ + c ∘ v / C add
v · d_p, plus an undirected error of about 1 / C of its size.

Shapes: N documents, S sentences, n encoder dimensions, m working dimensions, of which r ≤ m − 2 are
used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import EncoderError
from imrnns_core.model.imrnn import IMRNN, HyperNet
from imrnns_core.retrieval.collection import Collection
from imrnns_core.text.sentences import sentences_of
from imrnns_core.training.config import MemoryConfig
from imrnns_core.types import FloatArray

OFFSET = 4.0
"""Added before a ReLU so that negative values pass it, and subtracted after it."""
THRESHOLD_SAMPLE = 500
"""Number of sentences from which the activation threshold is estimated."""
SAME_SENTENCE = 0.95
"""Cosine from which two stored sentences say the same."""
MIN_DIMENSIONS = 8
"""The memory gives up two dimensions; with fewer in total, their loss would harm the ranking."""


@dataclass(frozen=True)
class Sentences:
    """Vectors (S, n) of the sentences, and corpus rows (S,) of their documents."""

    vectors: Tensor
    rows: Tensor


EncodeSentences = Callable[[Sequence[str]], FloatArray]
"""Returns unit vectors (S, n) of S sentences."""


def encode_sentences(
    collection: Collection, config: MemoryConfig, encode: EncodeSentences, rows: Iterable[int]
) -> Sentences | str:
    """Encode all sentences of the documents in `rows`, or return why that is not possible."""
    sentences = sentences_to_encode(collection, config, rows)
    if isinstance(sentences, str):
        return sentences
    sentence_rows, texts = sentences
    try:
        collection.check_encoder()
        vectors = torch.from_numpy(encode(texts))
    except EncoderError as error:
        return str(error)
    # the projector has a bias, so sentences need the length of documents (1 for most encoders)
    length = float(np.linalg.norm(collection.documents.vectors, axis=1).mean())
    return Sentences(length * vectors, torch.tensor(sentence_rows))


def sentences_to_encode(
    collection: Collection, config: MemoryConfig, rows: Iterable[int]
) -> tuple[list[int], list[str]] | str:
    """Return corpus rows and texts of the sentences of documents, or why they cannot be used."""
    documents = collection.dataset.documents
    sentence_rows, texts = sentences_of(((i, documents[i].body) for i in rows), config.min_words)
    if collection.documents.dimension < MIN_DIMENSIONS or not texts:
        return f"{len(texts)} sentences in {collection.documents.dimension} dimensions"
    if len(texts) > config.max_sentences:
        return f"{len(texts)} sentences, more than {config.max_sentences}"
    return sentence_rows, texts


@dataclass(frozen=True)
class SentenceMemory:
    """A sentence memory, except for the offset of its threshold and its strength.

    Attributes:
        projector: Weight (m, n) and bias (m,) of the projector.
        keys: (S, m) projected sentences.
        values: (S, m) direction that each sentence adds towards its document.
        axes: (h, m) main directions of the documents; h is the narrower hidden layer.
        constant: (m,) the vector c of the module's docstring.
        threshold: Similarity above which a query activates a sentence.
        config: The settings of the memory.
    """

    projector: tuple[Tensor, Tensor]
    keys: Tensor
    values: Tensor
    axes: Tensor
    constant: Tensor
    threshold: float
    config: MemoryConfig

    @classmethod
    @torch.no_grad()
    def build(
        cls,
        whitened: IMRNN,
        documents: Tensor,
        sentences: Sentences,
        config: MemoryConfig,
        seed: int,
    ) -> SentenceMemory:
        """Build the memory from a whitened model and documents (N, n).

        Its projector is that of the model without the two directions of least variance.
        """
        m = whitened.config.output_dim
        _, directions = torch.linalg.eigh(_moment(whitened.project(documents).double()))
        constant = torch.where(torch.arange(m) % 2 == 0, 1.0, -1.0).double()
        constant -= constant.mean()
        fixed = torch.stack([torch.ones(m, dtype=torch.float64), constant], dim=1)
        basis = torch.linalg.qr(torch.cat([fixed, torch.eye(m, dtype=torch.float64)], dim=1)).Q[
            :, 2:m
        ]  # (m, r), orthogonal to both
        rotation = basis @ directions[:, 2:].T  # (m, m), orthogonal to (1, …, 1) and c
        weight = rotation @ whitened.projector.weight.double()
        bias = rotation @ whitened.projector.bias.double()
        projected = F.normalize(documents.double() @ weight.T + bias, dim=-1)  # (N, m)
        keys = F.normalize(sentences.vectors.double() @ weight.T + bias, dim=-1)
        values, _ = memory_values(projected, config.sharpness)
        axes = (
            torch.linalg.eigh(_moment(projected))
            .eigenvectors[:, -min(whitened.config.hidden_dims) :]
            .T
        )
        return cls(
            (weight.float(), bias.float()),
            keys.float(),
            values[sentences.rows].float(),
            axes.float(),
            constant.float(),
            _threshold(keys, sentences.rows, config.neighbours, seed),
            config,
        )

    def settings(self, offset: float, strength: float) -> dict[str, float]:
        """Return the settings of `adapter(offset, strength)` for the adapter card."""
        return {
            "sentences": len(self.keys),
            "threshold": self.threshold + offset,
            "offset": offset,
            "strength": strength,
        }

    @torch.no_grad()
    def adapter(self, offset: float, strength: float) -> IMRNN:
        """Return a new IMRNN that contains the memory.

        Args:
            offset: Added to the activation threshold.
            strength: Factor of the values.
        """
        m, n = self.projector[0].shape
        model = IMRNN(AdapterConfig(n, m, query_hidden_dims=(len(self.keys), m)))
        model.projector.weight.copy_(self.projector[0])
        model.projector.bias.copy_(self.projector[1])
        model.query_norm.bias.copy_(self.config.constant * self.constant)
        # LayerNorm gives the refined query length √m, neutral scales are ½ and sigmoid'(0) is ¼;
        # the slope combines these factors
        slope = 2 * m**0.5 / (self.config.constant * self.constant)
        self._write(
            model.query_adapter,
            (self.keys, -max(self.threshold + offset, 0.0)),
            (strength * self.values.T, OFFSET),
            torch.diag(slope),
            0,
        )
        # q_mod becomes ½ q_p + b̄, with b̄ = feedback / 2 · mean d_p along the main directions
        feedback = self.config.feedback / 2 * self.axes.T
        self._write(
            model.document_adapter,
            (self.axes, OFFSET),
            (torch.eye(len(self.axes)), 0.0),
            feedback,
            m,
        )
        return model.eval()

    @staticmethod
    def _write(
        adapter: HyperNet,
        first: tuple[Tensor, float],
        second: tuple[Tensor, float],
        third: Tensor,
        first_output: int,
    ) -> None:
        """Set the weights of an MLP to W₃ · (relu(W₂ · relu(W₁ x + b₁) + b₂) − OFFSET).

        Args:
            adapter: The MLP; all its other weights become 0.
            first: W₁ and the bias of all its units.
            second: W₂ and the bias of all its units.
            third: W₃.
            first_output: Output of the MLP at which the rows of W₃ begin.
        """
        layer_1, layer_2, layer_3 = (x for x in adapter.layers if isinstance(x, nn.Linear))
        for parameter in adapter.parameters():
            parameter.zero_()
        for layer, (weight, bias) in ((layer_1, first), (layer_2, second)):
            layer.weight[: weight.shape[0], : weight.shape[1]] = weight
            layer.bias[: weight.shape[0]] = bias
        outputs = slice(first_output, first_output + len(third))
        layer_3.weight[outputs, : third.shape[1]] = third
        layer_3.bias[outputs] = -OFFSET * third.sum(1)


def memory_values(projected: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
    """Return for each document, from projected (N, m), the direction (N, m) towards it.

    On average, a direction adds a cosine of 1 to the score of its own document. The second result
    is the matrix (m, m) that makes the directions: projected @ matrix.
    """
    m = projected.shape[1]
    ridge = sharpness * torch.eye(m, dtype=torch.float64)
    matrix: Tensor = torch.linalg.inv(_moment(projected) * m + ridge)
    matrix /= (projected @ matrix * projected).sum(1).abs().mean()
    return projected @ matrix, matrix


def _moment(vectors: Tensor) -> Tensor:
    """Return the second moment (m, m) of vectors (N, m)."""
    return vectors.T @ vectors / len(vectors)


def _threshold(keys: Tensor, rows: Tensor, neighbours: int, seed: int) -> float:
    """Return the median similarity of a sentence to its neighbour of rank `neighbours`.

    Neighbours are sentences of other documents that do not say the same: with many versions of a
    page, the same sentence in each of them would leave no query similar enough. `keys` are (S, m)
    and `rows` (S,).
    """
    permutation = np.random.default_rng(seed).permutation(len(keys))
    sample = torch.from_numpy(permutation[:THRESHOLD_SAMPLE])
    similarity = keys[sample] @ keys.T
    same = similarity >= SAME_SENTENCE
    similarity[(rows[sample].unsqueeze(1) == rows.unsqueeze(0)) | same] = -1.0
    nearest = similarity.topk(min(neighbours, len(keys)), dim=1).values
    return max(float(nearest[:, -1].median()), 0.0)
