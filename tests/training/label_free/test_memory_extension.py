"""Documents that a sentence memory was not built from: what they lose, and how they are added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.errors import TrainingError
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.reporting import answers
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.training.config import TrainConfig
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.label_free.memory_extension import (
    _parts,
    extend_adapter,
    left_out_gain,
    missing_rows,
)
from imrnns_core.training.trainer import Trainer
from imrnns_core.types import FloatArray
from tests.training.label_free.test_sentence_memory import told


def part(whole: Collection, rows: Sequence[int]) -> Collection:
    """Return the collection with these documents only."""
    documents = tuple(whole.dataset.documents[row] for row in rows)
    ids = tuple(d.id for d in documents)
    return replace(
        whole,
        dataset=replace(whole.dataset, documents=documents, splits={}),
        documents=EmbeddingMatrix(ids, whole.documents.vectors[list(rows)]),
    )


def trained(collection: Collection) -> Adapter:
    training = Trainer(collection, TrainConfig(recipe="unlabeled"))
    with pytest.MonkeyPatch.context() as patch:
        # these texts have no meaning, so the check without judgments would reject the memory
        patch.setattr(HarmCheck, "is_better", lambda check, values: True)
        for _ in training.epochs():
            pass
    return training.adapter("memory")


@pytest.fixture(scope="module")
def whole() -> Collection:
    return told(judged=False)


def encode(collection: Collection) -> object:
    def encoded(texts: Sequence[str]) -> FloatArray:
        return collection.encoder.encode_queries(texts)

    return encoded


def test_missing_documents_are_those_whose_text_was_not_used(whole: Collection):
    rows = [row for row in range(len(whole.documents)) if row % 4 != 3]
    adapter = trained(part(whole, rows))
    assert missing_rows(adapter.card, whole.dataset) == [
        row for row in range(len(whole.documents)) if row % 4 == 3
    ]
    assert missing_rows(adapter.card, part(whole, rows).dataset) == []
    # other texts under the same ids: the memory has none of them, so none is at a disadvantage
    others = tuple(replace(d, text=f"another {d.id}") for d in whole.dataset.documents)
    assert missing_rows(adapter.card, replace(whole.dataset, documents=others)) == []


def test_an_extended_memory_treats_new_documents_as_the_others(whole: Collection):
    """Queries that repeat a sentence of a new document: lost without it, found after it."""
    rows = [row for row in range(len(whole.documents)) if row % 4 != 3]
    new = [row for row in range(len(whole.documents)) if row % 4 == 3]
    adapter = trained(part(whole, rows))
    extended = extend_adapter(adapter, whole, encode(whole))
    complete = trained(whole)
    gains = {}
    for name, candidate in (("old", adapter), ("extended", extended), ("complete", complete)):
        ranker = Ranker(whole, candidate)
        changes = []
        for row in new:
            sentence = whole.dataset.documents[row].body
            vector = whole.encoder.encode_queries([sentence])[0]
            comparison = ranker.compare(sentence, vector=vector)
            position = comparison.document_ids.index(whole.dataset.documents[row].id)
            others = np.delete(np.arange(len(comparison.document_ids)), position)
            change = comparison.score("modulated") - comparison.score("base")
            changes.append(change[position] - change[others].mean())
        gains[name] = float(np.mean(changes))
    assert gains["extended"] > gains["old"] + 0.02
    assert gains["extended"] == pytest.approx(gains["complete"], abs=0.05)
    card = extended.card
    assert missing_rows(card, whole.dataset) == []
    assert card.outcome.initialization["sentences"] == len(
        extended.model.query_adapter.layers[0].weight
    )


def test_what_the_memory_had_before_stays(whole: Collection):
    rows = [row for row in range(len(whole.documents)) if row % 4 != 3]
    adapter = trained(part(whole, rows))
    extended = extend_adapter(adapter, whole, encode(whole))
    old, new = adapter.model.query_adapter.layers, extended.model.query_adapter.layers
    count = len(old[0].weight)
    assert len(new[0].weight) > count
    assert torch.equal(new[0].weight[:count], old[0].weight)
    # the stored directions become those of a memory of all documents
    missing = [row for row in range(len(whole.documents)) if row % 4 == 3]
    vectors = extended.model.project(torch.from_numpy(whole.documents.vectors[missing]))
    leaks = [
        float((weight[:, :count].T @ vectors.T).abs().mean() / weight[:, :count].norm())
        for weight in (old[2].weight, new[2].weight)
    ]
    assert leaks[1] < leaks[0]
    assert torch.equal(extended.model.projector.weight, adapter.model.projector.weight)
    assert new[0].bias.unique().tolist() == old[0].bias.unique().tolist()


def test_a_memory_without_missing_documents_is_returned_as_it_is(whole: Collection):
    adapter = trained(whole)
    assert extend_adapter(adapter, whole, encode(whole)) is adapter


def test_a_memory_that_cannot_be_extended_says_so(whole: Collection):
    adapter = trained(part(whole, range(len(whole.documents) - 1)))
    card = replace(
        adapter.card,
        config={
            **adapter.card.config,
            "memory": {**adapter.card.config["memory"], "max_sentences": 0},
        },
    )
    with pytest.raises(TrainingError, match="memory lacks 1 documents and cannot be extended"):
        extend_adapter(replace(adapter, card=card), whole, encode(whole))


def test_parts_have_equal_sizes_and_keep_the_relevant_documents_of_a_query_together():
    qrels = {"q1": {"d0": 1, "d1": 2}, "q2": {"d1": 1, "d2": 1, "d9": 0}, "q3": {"d3": 1}}
    row_of = {f"d{i}": i for i in range(100)}
    documents, queries = _parts(qrels, row_of, np.arange(100), 3)
    assert sorted(np.bincount(documents)) == [20, 20, 20, 20, 20]
    assert len({*documents[:3], *queries[:2]}) == 1
    assert documents[3] == queries[2]
    assert not np.array_equal(documents, _parts(qrels, row_of, np.arange(100), 4)[0])
    near = np.arange(100)
    near[[3, 50, 51]] = 3
    documents, queries = _parts(qrels, row_of, near, 3)
    assert len({documents[3], *documents[50:52], queries[2]}) == 1


def test_few_queries_have_no_interval_on_the_card():
    whole = told(judged=True)
    values = [torch.linspace(0, 1, 60)] * 5
    (qrels,) = whole.dataset.splits.values()
    few = dict(list(qrels.items())[:19])
    gain = left_out_gain([v[:19] for v in values], few, whole.dataset)
    assert gain.change_ci95 is None
    assert left_out_gain(values, qrels, whole.dataset).change_ci95 is not None
    assert "95 % interval unknown (few queries)" in answers.left_out(gain)


def test_the_card_says_what_the_memory_does_for_documents_that_it_lacks():
    """Each query is the sentence of its document, so without the sentence the document is lost."""
    training = Trainer(told(judged=True), TrainConfig(recipe="fine-tuned", epochs=1), "train")
    for _ in training.epochs():
        pass
    gain = training.adapter("x").card.outcome.left_out
    assert gain is not None
    assert gain.queries == 60
    assert gain.complete > gain.base + 0.1
    assert gain.left_out < gain.complete - 0.1
    assert gain.extended == pytest.approx(gain.complete, abs=0.05)
    assert gain.others == pytest.approx(gain.complete, abs=0.05)
    assert gain.change_ci95 is not None
    low, high = gain.change_ci95
    assert low <= gain.left_out - gain.base <= high
