"""The paper's vocabulary view: tokens near the back-projected change of a text.

It describes a direction of the embedding space, not a cause (docs/method.md, "Explanations that
hold up"). A token counts as more than chance only if it beats two null models: an untrained adapter
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
"""Number of draws of each null model: untrained adapters, and other queries."""
SIGNIFICANCE_LEVEL = 1 / (NULL_DRAWS + 1)
MIN_LETTERS = 3


@dataclass(frozen=True)
class NamedToken:
    """A whole word of the vocabulary near the back-projected change.

    The nearest of thousands of tokens is near to any direction. So each token is compared with the
    nearest token of every null draw.

    Attributes:
        token: The word.
        cosine: Its cosine with the back-projected change.
        p_untrained: Share of draws (the real one included) in which some token is at least as near,
            with an untrained adapter.
        p_shuffled: The same with another query. For a query's change, with the change of another
            query.
    """

    token: str
    cosine: float
    p_untrained: float
    p_shuffled: float

    @property
    def spurious(self) -> bool:
        """True where the token does not beat both null models."""
        return max(self.p_untrained, self.p_shuffled) > SIGNIFICANCE_LEVEL + 1e-9


class Vocabulary:
    """The whole words among an encoder's tokens, with their input embeddings.

    Raises:
        ExplanationError: Token and text embeddings have different dimensions.
    """

    def __init__(self, encoder: SentenceTransformerEncoder) -> None:
        table = encoder.input_embeddings()
        if table.shape[1] != encoder.dimension:
            raise ExplanationError(
                f"the vocabulary view is not available for {encoder.spec.name!r}: its token "
                f"embeddings have {table.shape[1]} dimensions, its text embeddings "
                f"{encoder.dimension}"
            )
        tokens = encoder.tokenizer.get_vocab()
        # Some tokenizers mark the start of a word, the others mark its continuations by ##
        marks_starts = any(token.startswith(("▁", "Ġ")) for token in tokens)
        words: dict[str, int] = {}
        for token, row in sorted(tokens.items(), key=lambda item: item[1]):
            starts = not marks_starts or token[:1] in "▁Ġ"
            word = (token[1:] if marks_starts else token) if starts else ""
            if len(word) >= MIN_LETTERS and word.isalpha() and word.casefold() not in stop_words():
                words.setdefault(word, row)
        self.words = list(words)
        self.table = F.normalize(table[list(words.values())], dim=-1)  # (V, n)


class VocabularyView:
    """The tokens near the change of a text, for the pairs of one ranker.

    Raises:
        ExplanationError: The encoder is not one of sentence-transformers, its token and text
            embeddings have different dimensions, or there are too few other queries.
    """

    def __init__(self, ranker: Ranker) -> None:
        queries = len(np.unique(ranker.collection.queries.vectors, axis=0))
        if queries <= NULL_DRAWS:
            raise ExplanationError(
                f"the vocabulary view compares with {NULL_DRAWS} other queries, and "
                f"{ranker.collection.dataset.name} has {queries} different ones; add queries"
            )
        if not isinstance(ranker.collection.encoder, SentenceTransformerEncoder):
            raise ExplanationError(
                "the vocabulary view is available for encoders of sentence-transformers only"
            )
        self.ranker, self.vocabulary = ranker, Vocabulary(ranker.collection.encoder)

    def name(self, pair: Pair, side: Side, count: int = 10) -> list[NamedToken]:
        """Return the tokens nearest to P⁺(modulated − projected), computed on unit vectors.

        A document's change is its modulation by the pair's query; a query's change is its
        refinement.
        """
        model, queries = self.ranker.adapter.model, self._queries
        no_queries = queries[:0]
        # the pair's own query is no other one
        own = torch.isclose(queries, pair.comparison.modulation.stored_query, atol=1e-6).all(1)
        others = queries[~own][:NULL_DRAWS]
        cosines = self._cosines(model, self._inverse, pair, side, no_queries)[0]
        shuffled = self._cosines(model, self._inverse, pair, side, others)[1:]
        untrained = torch.cat(
            [
                self._cosines(fresh, inverse, pair, side, no_queries)
                for fresh, inverse in self._untrained
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
        """Return (1 + O, V) cosines of V tokens with the change.

        The first row is for the pair's query, the others for the O other queries (O, n).
        """
        modulation = pair.comparison.modulation
        queries = torch.cat([modulation.stored_query[None], others])  # (1 + O, n)
        documents = modulation.stored_documents.expand(len(queries), -1, -1)
        feedback = torch.from_numpy(pair.comparison.feedback).expand(len(queries), -1)
        changed = model(queries, documents, feedback)
        if side == "document":
            change = (
                changed.modulated_documents[:, pair.position]
                - changed.projected_documents[:, pair.position]
            )
        else:
            change = changed.modulated_query - changed.projected_query
        near: Tensor = F.normalize(change @ inverse.T, dim=-1) @ self.vocabulary.table.T
        return near

    @cached_property
    def _inverse(self) -> Tensor:
        """(n, m) pseudo-inverse of the projector."""
        inverse: Tensor = torch.linalg.pinv(self.ranker.adapter.model.projector.weight.detach())
        return inverse

    @cached_property
    def _queries(self) -> Tensor:
        """(NULL_DRAWS + 1, n) a fixed sample of the different queries.

        One more than the draws, because the query that is explained may be one of them.
        """
        vectors = np.unique(self.ranker.collection.queries.vectors, axis=0)
        rows = np.random.default_rng(0).permutation(len(vectors))[: NULL_DRAWS + 1]
        return torch.from_numpy(np.asarray(vectors, dtype=np.float32)[rows])

    @cached_property
    def _untrained(self) -> list[tuple[IMRNN, Tensor]]:
        return [
            (model, torch.linalg.pinv(model.projector.weight.detach()))
            for model in untrained_models(self.ranker, NULL_DRAWS)
        ]


def untrained_models(ranker: Ranker, count: int) -> list[IMRNN]:
    """Return `count` untrained adapters of the same shape, one per seed."""
    return [
        untrained_model(ranker.adapter.model.config, seed).eval().requires_grad_(False)
        for seed in range(count)
    ]
