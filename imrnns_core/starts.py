"""Adapters before any judgment is used: the exact identity, the whitening of a corpus, and titles as queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.adapter import IMRNN
from imrnns_core.config import AdapterConfig, PretrainConfig, Recipe
from imrnns_core.errors import EncoderError
from imrnns_core.examples import Examples
from imrnns_core.journal import Journal
from imrnns_core.validation import Validation
from imrnns_core.workspace import Collection


def identity_adapter(dimension: int) -> IMRNN:
    """Return the adapter whose every stage ranks as the base does, to float32 rounding.

    A LayerNorm takes the mean of a vector away, and so one of its dimensions. The projector therefore maps
    n → n + 1 dimensions, isometrically, onto the vectors whose mean is zero (columns of the Householder
    reflection that takes the last axis to (1, …, 1)); all scales are ½, all biases 0.
    """
    model = IMRNN(AdapterConfig(dimension, dimension + 1))
    m = dimension + 1
    normal = torch.full((m,), -(m**-0.5), dtype=torch.float64)
    normal[-1] += 1.0
    reflection = torch.eye(m, dtype=torch.float64) - 2 * torch.outer(normal, normal) / (normal @ normal)
    with torch.no_grad():
        model.projector.weight.copy_(reflection[:, :dimension])
        for adapter in (model.query_adapter, model.document_adapter):
            for parameter in adapter.parameters():
                parameter.zero_()
    return model


@torch.no_grad()
def whiten(model: IMRNN, documents: Tensor, config: PretrainConfig, power: float | None = None) -> None:
    """Set a square projector to the soft whitening of (N, n) documents.

    Directions in which all documents spread tell little about one of them: they count less. The shrinkage keeps
    directions without spread, as in a corpus smaller than its dimensions, from being blown up. (A half-way
    form of Su et al. 2021, "Whitening sentence representations", arXiv 2103.15316.)
    """
    mean = documents.mean(0)
    centred = (documents - mean).double()
    variance, axes = torch.linalg.eigh(centred.T @ centred / len(documents))
    variance = variance.clamp_min(0)
    shrunk = (variance + config.shrinkage * variance.mean()).clamp_min(1e-12)
    weight = axes @ torch.diag(shrunk ** -(config.power if power is None else power)) @ axes.T
    weight *= weight.shape[0] ** 0.5 / torch.linalg.matrix_norm(weight)
    model.projector.weight.copy_(weight)
    model.projector.bias.copy_(-config.centring * (weight.float() @ mean))


@dataclass(frozen=True)
class PseudoQueries:
    """Titles as queries: their vectors (P, n), the rows of their documents (P,), and all N documents less their titles."""

    vectors: Tensor
    rows: Tensor
    documents: Tensor

    def examples(self, collection: Collection, chosen: Tensor, candidates: int) -> Examples:
        """Return those `chosen`; the document of a title is its one positive."""
        found = torch.from_numpy(collection.index.search(self.vectors[chosen].numpy(), candidates))
        return Examples(self.vectors[chosen], found, self.rows[chosen].unsqueeze(1))

    def validation(self, collection: Collection, chosen: Tensor, candidates: int) -> Validation:
        """Measure on those `chosen`, in the documents as they are: less their titles, whitening would look bad."""
        found = torch.from_numpy(collection.index.search(self.vectors[chosen].numpy(), candidates))
        documents = torch.from_numpy(collection.documents.vectors)
        return Validation(self.vectors[chosen], found, documents, [{row: 1} for row in self.rows[chosen].tolist()])


def title_queries(collection: Collection, config: PretrainConfig, seed: int, journal: Journal) -> PseudoQueries | str:
    """Encode up to `config.texts` titles, each once; return why not where that cannot be done.

    A document is not encoded again without its title: its vector less a part of the title's vector serves.
    """
    titled = np.array([i for i, d in enumerate(collection.dataset.documents) if d.title.strip() and d.text.strip()], dtype=np.int64)
    if len(titled) < config.minimum:
        return f"{len(titled)} documents have a title and a text, fewer than {config.minimum}"
    rows = np.sort(np.random.default_rng(seed).permutation(titled)[: config.texts])
    titles = [collection.dataset.documents[i].title for i in rows]
    try:
        collection.check_encoder()
        vectors = torch.from_numpy(journal.encode("titles", titles, collection.encoder.encode_queries))
    except EncoderError as error:
        return str(error)
    documents = torch.from_numpy(collection.documents.vectors).clone()
    lengths = torch.linalg.vector_norm(documents, dim=-1, keepdim=True)  # 1 for most encoders
    documents[rows] = lengths[rows] * F.normalize(documents[rows] / lengths[rows] - config.deflation * vectors, dim=-1)
    return PseudoQueries(lengths.mean() * vectors, torch.from_numpy(rows), documents)


def title_recipe(config: PretrainConfig) -> Recipe:
    """Return the recipe of the training on titles."""
    return Recipe(
        negatives_from="batch",
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        temperature=config.temperature,
    )
