"""A check without judgments of whether an adapter does harm.

Words of documents serve as keyword queries. The reciprocal rank fusion of BM25 and the base ranking
is the reference: it needs no judgments, and on most collections it is at least as good as either
ranking. An adapter passes if its rankings are closer to the reference than the base rankings are.
docs/training-study.md, "A check without judgments", compares it with other checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imrnns_core.config import SearchConfig
from imrnns_core.errors import EncoderError
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.fusion import reciprocal_rank_fusion
from imrnns_core.text.stop_words import tokenize
from imrnns_core.training.validator import CUTOFF, Validator, exceeds_standard_error
from imrnns_core.types import FloatArray

QUERIES = 1000
"""Maximum number of documents whose words serve as a query."""
MIN_QUERIES = 30
"""With fewer queries, the standard error itself is too uncertain for a verdict."""
WORDS = 4
"""Words per query."""


@dataclass(frozen=True)
class HarmCheck:
    """Q keyword queries with the first documents of the fusion.

    Attributes:
        validator: Measures a model; the grade of a document is 1 / its rank in the fusion.
        base: (Q,) nDCG@10 of the base rankings with these grades.
    """

    validator: Validator
    base: Tensor

    @classmethod
    def build(
        cls, collection: Collection, encode: Callable[[Sequence[str]], FloatArray], seed: int
    ) -> HarmCheck | str:
        """Return the check of a collection, or why it is not possible.

        Args:
            collection: The documents.
            encode: Returns unit vectors (Q, n) of Q queries.
            seed: Seed of the documents and their words.
        """
        texts = keyword_queries(collection, seed)
        if len(texts) < MIN_QUERIES:
            return f"{len(texts)} documents contain words, fewer than {MIN_QUERIES}"
        try:
            collection.check_encoder()
            # a projector with a bias depends on lengths (1 for most encoders)
            length = np.linalg.norm(collection.documents.vectors, axis=1).mean()
            vectors = np.float32(length) * encode(texts)
        except EncoderError as error:
            return str(error)
        candidates = collection.index.search(vectors, SearchConfig().candidates)
        matches = BM25Index(collection.dataset.documents).matches(texts, candidates.shape[1])
        fused = [
            reciprocal_rank_fusion(pair, CUTOFF, collection.tie_ranks).rows
            for pair in zip(candidates, matches, strict=True)
        ]
        validator = Validator(
            torch.from_numpy(vectors),
            torch.from_numpy(candidates),
            torch.from_numpy(collection.documents.vectors),
            [{int(row): 1 / rank for rank, row in enumerate(rows, start=1)} for rows in fused],
            torch.from_numpy(collection.tie_ranks),
        )
        return cls(validator, validator.ndcg())

    def is_better(self, values: Tensor) -> bool:
        """Return whether nDCG@10 values (Q,) of a model are reliably higher than the base's."""
        return exceeds_standard_error(values - self.base)


def keyword_queries(collection: Collection, seed: int) -> list[str]:
    """Return the queries: words of random documents, rare and repeated words more often."""
    documents = collection.dataset.documents
    tokens = tokenize([f"{d.title}\n{d.text}" for d in documents])
    document_frequency = Counter(word for words in tokens for word in set(words))
    generator, queries = np.random.default_rng(seed), []
    for row in generator.permutation(len(documents))[:QUERIES]:
        # sorted, so that the order of the words in the text does not matter
        counts = sorted(Counter(tokens[row]).items())
        if counts:
            weights = np.array(
                [
                    (1 + np.log(n)) * np.log1p(len(documents) / document_frequency[word])
                    for word, n in counts
                ]
            )
            chosen = generator.choice(
                len(counts), min(WORDS, len(counts)), replace=False, p=weights / weights.sum()
            )
            queries.append(" ".join(counts[i][0] for i in chosen))
    return queries
