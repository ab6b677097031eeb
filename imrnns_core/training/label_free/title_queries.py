"""Titles as queries, for training without judgments."""

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
from imrnns_core.training.resume import SharedResults
from imrnns_core.types import IntArray


@dataclass(frozen=True)
class PseudoQueries:
    """P titles as queries.

    Attributes:
        vectors: (P, n) vectors of the titles.
        rows: (P,) corpus rows of their documents.
        documents: (N, n) vectors of all documents, without the part of their title.
    """

    vectors: Tensor
    rows: Tensor
    documents: Tensor

    def examples(self, collection: Collection, positions: Tensor, candidates: int) -> Examples:
        """Return training examples of the titles at positions (R,); their document is positive."""
        vectors = self.vectors[positions]
        rows = torch.from_numpy(collection.index.search(vectors.numpy(), candidates))
        return Examples(vectors, rows, self.rows[positions].unsqueeze(1))


def title_queries(
    collection: Collection, config: PretrainConfig, seed: int, shared: SharedResults
) -> PseudoQueries | str:
    """Encode up to `config.max_titles` titles as queries, or return why that is not possible.

    Documents are not encoded again without their title. Instead, a share of the title's vector is
    subtracted from the document's vector.
    """
    chosen = titles_to_encode(collection, config, seed)
    if isinstance(chosen, str):
        return chosen
    rows, titles = chosen
    try:
        collection.check_encoder()
        vectors = torch.from_numpy(
            shared.encode("titles", titles, collection.encoder.encode_queries)
        )
    except EncoderError as error:
        return str(error)
    documents = torch.from_numpy(collection.documents.vectors).clone()
    lengths = torch.linalg.vector_norm(documents, dim=-1, keepdim=True)  # 1 for most encoders
    documents[rows] = lengths[rows] * F.normalize(
        documents[rows] / lengths[rows] - config.deflation * vectors, dim=-1
    )
    return PseudoQueries(lengths.mean() * vectors, torch.from_numpy(rows), documents)


def titles_to_encode(
    collection: Collection, config: PretrainConfig, seed: int
) -> tuple[IntArray, list[str]] | str:
    """Return the corpus rows and titles that serve as queries, or why there are too few."""
    documents = collection.dataset.documents
    titled = np.array(
        [i for i, d in enumerate(documents) if d.title.strip() and d.text.strip()], dtype=np.int64
    )
    if len(titled) < config.min_titles:
        return f"{len(titled)} documents have a title and a text, fewer than {config.min_titles}"
    rows = np.sort(np.random.default_rng(seed).permutation(titled)[: config.max_titles])
    return rows, [documents[row].title for row in rows]


def title_recipe(config: PretrainConfig) -> Recipe:
    """Return the recipe for the training on titles."""
    return Recipe(
        negatives_from="batch",
        epochs=config.epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        temperature=config.temperature,
    )
