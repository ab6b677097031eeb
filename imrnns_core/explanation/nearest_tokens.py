"""The paper's view.

Tokens of the encoder's vocabulary near the back-projected change, beside what chance would name.

It describes a direction of the embedding space, not a cause: docs/method.md, "Explanations that
hold up". A token is shown as more than chance only where it beats both nulls, an untrained adapter
and other queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.pair import Pair
from imrnns_core.model.imrnn import IMRNN, untrained_model
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.stop_words import stop_words
from imrnns_core.types import Side

NULL_DRAWS = 20
"""Untrained adapters, and other queries, that are asked the same."""
LEVEL = 1 / (NULL_DRAWS + 1)
MIN_LETTERS = 3


@dataclass(frozen=True)
class NamedToken:
    """A whole word of the vocabulary near the back-projected change.

    `p_untrained` and `p_shuffled` are the shares of null draws (the real one counted in) in which
    *some* token is at
    least as near: with an untrained adapter, and with another query (for a query's change: another
    query's change). The nearest of thousands of tokens is near to any direction, so that each is
    compared with the nearest of a draw.
    """

    token: str
    cosine: float
    p_untrained: float
    p_shuffled: float

    @property
    def spurious(self) -> bool:
        """True where the token does not beat both nulls."""
        return max(self.p_untrained, self.p_shuffled) > LEVEL + 1e-9


class Vocabulary:
    """The whole words among an encoder's tokens, with their input embeddings.

    Raises ExplanationError where token and text embeddings do not share a space.
    """

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        table = encoder.input_embeddings()
        if table.shape[1] != encoder.dimension:
            raise ExplanationError(
                f"the vocabulary view is not available for {encoder.spec.name!r}: its token "
                f"embeddings have {table.shape[1]} "
                f"dimensions, its texts {encoder.dimension}"
            )
        pieces = encoder.tokenizer.get_vocab()
        marked = any(
            piece.startswith(("▁", "Ġ")) for piece in pieces
        )  # word starts are marked, else continuations by ##
        words: dict[str, int] = {}
        for piece, row in sorted(pieces.items(), key=lambda item: item[1]):
            word = piece[1:] if marked and piece[:1] in "▁Ġ" else "" if marked else piece
            if len(word) >= MIN_LETTERS and word.isalpha() and word.casefold() not in stop_words():
                words.setdefault(word, row)
        self.words = list(words)
        self.table = F.normalize(table[list(words.values())], dim=-1)  # (V, n)


class VocabularyView:
    """Name the tokens near a pair's change, for one ranker."""

    def __init__(self, ranker: Ranker) -> None:
        if not isinstance(ranker.collection.encoder, SentenceTransformerEncoder):
            raise ExplanationError(
                "the vocabulary view is available for encoders of sentence-transformers only"
            )
        self.ranker, self.vocabulary = ranker, Vocabulary(ranker.collection.encoder)

    def name(self, pair: Pair, side: Side, count: int = 10) -> list[NamedToken]:
        """Return the tokens nearest to P⁺(modulated − projected), of unit vectors.

        A document's change is that under the pair's query, and under other queries for the null; a
        query's change is its refinement.
        """
        cosines = self._cosines(
            self.ranker.adapter.model, self._inverse, pair, side, self._queries[:0]
        )[0]
        shuffled = self._cosines(
            self.ranker.adapter.model, self._inverse, pair, side, self._queries
        )[1:]
        untrained = torch.cat(
            [
                self._cosines(model, inverse, pair, side, self._queries[:0])
                for model, inverse in self._untrained
            ]
        )
        best = torch.topk(cosines, min(count, len(cosines))).indices

        def p(null: Tensor, token: int) -> float:
            return float((1 + (null.amax(1) >= cosines[token]).sum()) / (1 + len(null)))

        return [
            NamedToken(self.vocabulary.words[i], float(cosines[i]), p(untrained, i), p(shuffled, i))
            for i in best.tolist()
        ]

    @torch.inference_mode()
    def _cosines(
        self, model: IMRNN, inverse: Tensor, pair: Pair, side: Side, others: Tensor
    ) -> Tensor:
        """Return (1 + O, V) cosines of every token with the change.

        Under the pair's query, then under O others.
        """
        modulation = pair.comparison.modulation
        queries = torch.cat([modulation.stored_query[None], others])  # (1 + O, n)
        documents = modulation.stored_documents.expand(len(queries), -1, -1)
        feedback = torch.from_numpy(pair.comparison.feedback).expand(len(queries), -1)
        made = model(queries, documents, feedback)
        if side == "document":
            change = (
                made.modulated_documents[:, pair.position]
                - made.projected_documents[:, pair.position]
            )
        else:
            change = made.modulated_query - made.projected_query
        near: Tensor = F.normalize(change @ inverse.T, dim=-1) @ self.vocabulary.table.T
        return near

    @cached_property
    def _inverse(self) -> Tensor:
        inverse: Tensor = torch.linalg.pinv(
            self.ranker.adapter.model.projector.weight.detach()
        )  # (n, m)
        return inverse

    @cached_property
    def _queries(self) -> Tensor:
        """(O, n) other queries.

        A fixed sample of the collection's, or of its documents where it has none.
        """
        collection = self.ranker.collection
        vectors = (
            collection.queries.vectors
            if len(collection.queries.vectors) > NULL_DRAWS
            else collection.documents.vectors
        )
        rows = np.random.default_rng(0).permutation(len(vectors))[:NULL_DRAWS]
        return torch.from_numpy(np.asarray(vectors, dtype=np.float32)[rows])

    @cached_property
    def _untrained(self) -> list[tuple[IMRNN, Tensor]]:
        return [
            (model, torch.linalg.pinv(model.projector.weight.detach()))
            for model in untrained_models(self.ranker, NULL_DRAWS)
        ]


def untrained_models(ranker: Ranker, count: int) -> list[IMRNN]:
    """Return fresh adapters of the same shape, as training would start from, one per seed."""
    return [
        untrained_model(ranker.adapter.model.config, seed).eval().requires_grad_(False)
        for seed in range(count)
    ]
