"""The paper's vocabulary view, compared with its null models."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.nearest_tokens import (
    NULL_DRAWS,
    NamedToken,
    VocabularyView,
    untrained_models,
)
from imrnns_core.explanation.pair import Pair
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.stop_words import stop_words
from tests import toys


@pytest.fixture(scope="module")
def view(sample: Collection) -> VocabularyView:
    return VocabularyView(Ranker(sample, toys.adapter(toys.random_model(3, 384, 384))))


def planted(sample: Collection, token: str, strength: float) -> VocabularyView:
    """Return the view of an adapter that moves documents towards one token's input embedding."""
    model = untrained_models(Ranker(sample, toys.adapter(toys.random_model(3, 384, 384))), 1)[0]
    made = VocabularyView(Ranker(sample, toys.adapter(model)))
    direction = made.vocabulary.table[made.vocabulary.words.index(token)]
    with torch.no_grad():
        model.document_norm.bias.add_(strength * direction)
    return made


def test_only_whole_words_are_named(view: VocabularyView):
    words = view.vocabulary.words
    assert {"currency", "mexico", "parliament"} <= set(words)
    assert not set(words) & stop_words()
    assert all(w.isalpha() and len(w) >= 3 for w in words)
    assert view.vocabulary.table.norm(dim=1).allclose(torch.tensor(1.0), atol=1e-4)


def test_a_planted_direction_is_named_first_and_beats_the_untrained_null(sample: Collection):
    made = planted(sample, "currency", 5.0)
    comparison = made.ranker.compare("q001")
    first = made.name(Pair(comparison, made.ranker.adapter.model, 0), "document")[0]
    assert first.token == "currency"
    assert first.cosine > 0.9
    assert first.p_untrained == pytest.approx(1 / (NULL_DRAWS + 1))
    # every query moves every document there: it says nothing of this query
    assert first.spurious


def test_an_untrained_adapter_does_not_beat_its_null(sample: Collection):
    model = untrained_models(Ranker(sample, toys.adapter(toys.random_model(3, 384, 384))), 5)[4]
    made = VocabularyView(Ranker(sample, toys.adapter(model)))
    named = made.name(Pair(made.ranker.compare("q054"), model, 0), "document")
    assert len(named) == 10
    assert all(token.spurious for token in named)


def test_shares_and_verdicts():
    assert NamedToken("a", 0.2, 1 / 21, 1 / 21).spurious is False
    assert NamedToken("a", 0.2, 2 / 21, 1 / 21).spurious is True
    assert NamedToken("a", 0.2, 1 / 21, 0.3).spurious is True


def test_cosines_fall_and_are_repeatable(view: VocabularyView):
    pair = Pair(view.ranker.compare("q054"), view.ranker.adapter.model, 1)
    once, again = view.name(pair, "query", 6), view.name(pair, "query", 6)
    assert once == again
    assert [t.cosine for t in once] == sorted((t.cosine for t in once), reverse=True)


def test_spaces_that_differ_are_refused(sample: Collection, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        type(sample.encoder), "input_embeddings", lambda self: torch.zeros(30522, 128)
    )
    with pytest.raises(
        ExplanationError, match="its token embeddings have 128 dimensions, its text embeddings 384"
    ):
        VocabularyView(Ranker(sample, toys.adapter(toys.random_model(3, 384, 384))))


def test_untrained_models_are_the_same_whatever_other_threads_draw(
    sample: Collection, monkeypatch: pytest.MonkeyPatch
):
    ranker = Ranker(sample, toys.adapter(toys.random_model(3, 384, 384)))
    expected, normal = untrained_models(ranker, 1)[0], torch.nn.init.normal_

    def disturbed(*args: object, **options: object) -> torch.Tensor:
        torch.rand(7)  # as another thread does, between two draws of this one
        return normal(*args, **options)

    monkeypatch.setattr(torch.nn.init, "normal_", disturbed)
    found = untrained_models(ranker, 1)[0]
    assert all(
        torch.equal(a, b) for a, b in zip(found.parameters(), expected.parameters(), strict=True)
    )


@pytest.mark.parametrize("different", [20, 21])
def test_repeated_queries_do_not_take_the_place_of_others(sample: Collection, different: int):
    """As in a query log: one query is asked again and again, and twenty others are still drawn."""
    vectors = sample.queries.vectors[:100].copy()
    vectors[different:] = vectors[0]
    repeated = replace(sample, queries=EmbeddingMatrix(sample.queries.ids[:100], vectors))
    ranker = Ranker(repeated, toys.adapter(toys.random_model(3, 384, 384)))
    if different <= NULL_DRAWS:
        with pytest.raises(ExplanationError, match="has 20 different ones"):
            VocabularyView(ranker)
        return
    drawn = VocabularyView(ranker)._queries
    assert len(torch.unique(drawn, dim=0)) == NULL_DRAWS + 1
