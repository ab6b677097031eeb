"""Titles as queries: training without judgments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.errors import EncoderError
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import PretrainConfig, Recipe
from imrnns_core.training.examples import Examples
from imrnns_core.training.resume import ReplayLog
from imrnns_core.training.validator import Validator


@dataclass(frozen=True)
class PseudoQueries:
    """Titles as queries.

    Their vectors (P, n), the rows of their documents (P,), and all N documents less their titles.
    """

    vectors: Tensor
    rows: Tensor
    documents: Tensor

    def examples(self, collection: Collection, chosen: Tensor, candidates: int) -> Examples:
        """Return those `chosen`; the document of a title is its one positive."""
        found = torch.from_numpy(collection.index.search(self.vectors[chosen].numpy(), candidates))
        return Examples(self.vectors[chosen], found, self.rows[chosen].unsqueeze(1))

    def validation(self, collection: Collection, chosen: Tensor, candidates: int) -> Validator:
        """Measure on those `chosen`, in the documents as they are.

        Less their titles, whitening would look bad.
        """
        found = torch.from_numpy(collection.index.search(self.vectors[chosen].numpy(), candidates))
        documents = torch.from_numpy(collection.documents.vectors)
        return Validator(
            self.vectors[chosen], found, documents, [{row: 1} for row in self.rows[chosen].tolist()]
        )


def title_queries(
    collection: Collection, config: PretrainConfig, seed: int, journal: ReplayLog
) -> PseudoQueries | str:
    """Encode up to `config.texts` titles, each once; return why not where that cannot be done.

    A document is not encoded again without its title: its vector less a part of the title's vector
    serves.
    """
    titled = np.array(
        [
            i
            for i, d in enumerate(collection.dataset.documents)
            if d.title.strip() and d.text.strip()
        ],
        dtype=np.int64,
    )
    if len(titled) < config.minimum:
        return f"{len(titled)} documents have a title and a text, fewer than {config.minimum}"
    rows = np.sort(np.random.default_rng(seed).permutation(titled)[: config.texts])
    titles = [collection.dataset.documents[i].title for i in rows]
    try:
        collection.check_encoder()
        vectors = torch.from_numpy(
            journal.encode("titles", titles, collection.encoder.encode_queries)
        )
    except EncoderError as error:
        return str(error)
    documents = torch.from_numpy(collection.documents.vectors).clone()
    lengths = torch.linalg.vector_norm(documents, dim=-1, keepdim=True)  # 1 for most encoders
    documents[rows] = lengths[rows] * F.normalize(
        documents[rows] / lengths[rows] - config.deflation * vectors, dim=-1
    )
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
