"""Sentences of a collection as a memory inside the query adapter, written in closed form.

Nothing is trained.

A document's one vector says what it is about; a question often asks for one of its sentences. The
query adapter
is a network with room for them: the units of its first layer are the sentences (how near is the
query to each?), those of its second the sum of what the near ones stand for, a direction towards
their documents. The scales s_q that come out move the documents that own such a sentence towards
the query. The encoder is asked once for each sentence, in training; a query costs nothing but the
wider layer.

How scales can add to a score: s_q ∘ d_p is compared with q_mod. Let q_mod hold, beside the refined
query, a constant C·c with c = (1, −1, 1, …). All d_p are orthogonal to c and to (1, …, 1), so that
scales of ½ leave every score as it was, up to a factor, and scales ½ + c ∘ v / C add v · d_p (and a
disturbance 1 / C of its size, with no direction).

Shapes: N documents, S sentences, n encoder dimensions, m working dimensions, r ≤ m − 2 of them
used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import EncoderError
from imrnns_core.model.imrnn import IMRNN, HyperNet
from imrnns_core.retrieval.collection import Collection
from imrnns_core.text.sentences import split_sentences
from imrnns_core.training.config import MemoryConfig
from imrnns_core.training.resume import ReplayLog

OFFSET = 4.0
"""Added before a ReLU that is to let negative values pass, and taken away after it."""
SAMPLED = 500
SMALLEST = 8
"""With fewer dimensions, the two that the memory takes for itself would be missed."""


@dataclass(frozen=True)
class Sentences:
    """Vectors (S, n) of the sentences, and the rows (S,) of their documents."""

    vectors: Tensor
    rows: Tensor


def sentences(collection: Collection, config: MemoryConfig, journal: ReplayLog) -> Sentences | str:
    """Encode all sentences of the collection as queries, each once.

    Return why not where that cannot be done.
    """
    found = [
        (row, text)
        for row, document in enumerate(collection.dataset.documents)
        for text in split_sentences(document.body, config.words)
    ]
    if collection.documents.dimension < SMALLEST or not found:
        return f"{len(found)} sentences in {collection.documents.dimension} dimensions"
    if len(found) > config.sentences:
        return f"{len(found)} sentences, more than {config.sentences}"
    try:
        collection.check_encoder()
        vectors = torch.from_numpy(
            journal.encode(
                "sentences", [text for _, text in found], collection.encoder.encode_queries
            )
        )
    except EncoderError as error:
        return str(error)
    length = float(
        np.linalg.norm(collection.documents.vectors, axis=1).mean()
    )  # 1 for most encoders
    return Sentences(length * vectors, torch.tensor([row for row, _ in found]))


@dataclass(frozen=True)
class SentenceMemory:
    """What the memories of one projector share: only threshold and strength are left to choose."""

    projector: tuple[Tensor, Tensor]  # (m, n) and (m,)
    keys: Tensor  # (S, m)
    values: Tensor  # (S, m)
    axes: Tensor  # (64, m) main directions of the documents
    constant: Tensor  # (m,) the c above
    threshold: float
    config: MemoryConfig

    @classmethod
    @torch.no_grad()
    def of(
        cls, start: IMRNN, documents: Tensor, found: Sentences, config: MemoryConfig, seed: int
    ) -> SentenceMemory:
        """Take the projector of `start` without the two directions of least spread."""
        m = start.config.output_dim
        _, directions = torch.linalg.eigh(_moment(start.project(documents).double()))
        constant = torch.where(torch.arange(m) % 2 == 0, 1.0, -1.0).double()
        constant -= constant.mean()
        fixed = torch.stack([torch.ones(m, dtype=torch.float64), constant], dim=1)
        basis = torch.linalg.qr(torch.cat([fixed, torch.eye(m, dtype=torch.float64)], dim=1)).Q[
            :, 2:m
        ]  # (m, r), orthogonal to both
        turn = basis @ directions[:, 2:].T  # (m, m): onto those directions, then away from 1 and c
        weight, bias = turn @ start.projector.weight.double(), turn @ start.projector.bias.double()
        projected = F.normalize(documents.double() @ weight.T + bias, dim=-1)  # (N, m)
        keys = F.normalize(found.vectors.double() @ weight.T + bias, dim=-1)
        moment = _moment(projected)
        values = projected @ torch.linalg.inv(
            moment * m + config.sharpness * torch.eye(m, dtype=torch.float64)
        )
        values /= (
            (values * projected).sum(1).abs().mean()
        )  # a whole value adds a cosine of 1 to its own document
        axes = torch.linalg.eigh(moment).eigenvectors[:, -min(start.config.hidden_dims) :].T
        threshold = _threshold(keys, found.rows, config.neighbours, seed)
        return cls(
            (weight.float(), bias.float()),
            keys.float(),
            values[found.rows].float(),
            axes.float(),
            constant.float(),
            threshold,
            config,
        )

    @torch.no_grad()
    def adapter(self, offset: float, strength: float) -> IMRNN:
        """Write the memory into a new IMRNN.

        Sentences nearer than the threshold + offset speak up.
        """
        m, n = self.projector[0].shape
        model = IMRNN(AdapterConfig(n, m, query_hidden_dims=(len(self.keys), m)))
        model.projector.weight.copy_(self.projector[0])
        model.projector.bias.copy_(self.projector[1])
        model.query_norm.bias.copy_(self.config.constant * self.constant)
        # ½ + δ: LayerNorm makes the refined query √m long, and the scales that say nothing are ½;
        # sigmoid'(0) is ¼
        slope = 2 * m**0.5 / (self.config.constant * self.constant)
        self._write(
            model.query_adapter,
            (self.keys, -max(self.threshold + offset, 0.0)),
            (strength * self.values.T, OFFSET),
            torch.diag(slope),
            0,
        )
        # the mean candidate, along the main directions: b̄ = feedback / 2 · mean d_p beside ½ q_p
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
        at: int,
    ) -> None:
        """Set an MLP to third · (relu(second · relu(first · x + its bias) + its bias) − OFFSET).

        It is written from output `at` on.
        """
        one, two, three = (layer for layer in adapter.layers if isinstance(layer, nn.Linear))
        for parameter in adapter.parameters():
            parameter.zero_()
        for layer, (weight, bias) in ((one, first), (two, second)):
            layer.weight[: weight.shape[0], : weight.shape[1]] = weight
            layer.bias[: weight.shape[0]] = bias
        three.weight[at : at + len(third), : third.shape[1]] = third
        three.bias[at : at + len(third)] = -OFFSET * third.sum(1)


def _moment(vectors: Tensor) -> Tensor:
    return vectors.T @ vectors / len(vectors)


def _threshold(keys: Tensor, rows: Tensor, neighbours: int, seed: int) -> float:
    """Return the median similarity of a sentence to its neighbour of this rank.

    Neighbours are sentences of other documents.
    """
    chosen = torch.from_numpy(np.random.default_rng(seed).permutation(len(keys))[:SAMPLED])
    near = keys[chosen] @ keys.T
    near[rows[chosen].unsqueeze(1) == rows.unsqueeze(0)] = -1.0
    return max(float(near.topk(min(neighbours, len(keys)), dim=1).values[:, -1].median()), 0.0)
