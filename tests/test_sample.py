"""The sample data set and its adapter meet their requirements."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embeddings import unit
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.explanation.deletion_records import DeletionSummary
from imrnns_core.explanation.deletion_test import record_key
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace


def test_passages_of_forty_to_ninety_words_over_many_subjects(sample: Collection):
    documents = sample.dataset.documents
    words = np.array([len(d.text.split()) for d in documents])
    assert int(((words >= 40) & (words <= 90)).sum()) >= 400
    # the other passages are longer than the encoder reads, on purpose
    assert all(40 <= w <= 90 or w > 190 for w in words)
    subjects = Counter(d.subject for d in documents)
    assert "" not in subjects
    assert len(subjects) >= 12
    assert min(subjects.values()) >= 10
    assert (
        len({d.text for d in documents})
        == len({d.title for d in documents if d.title})
        == len(documents)
    )


def test_questions(sample: Collection):
    queries = list(sample.dataset.queries.values())
    assert len(queries) >= 240
    assert queries[0].text == "What currency is used in Mexico?"
    assert len({q.text for q in queries}) == len(queries)


def test_splits(sample: Collection):
    splits = sample.dataset.splits
    counts = {name: len(qrels) for name, qrels in splits.items()}
    assert set(counts) == {"train", "dev", "test"}
    total = sum(counts.values())
    assert total == len(sample.dataset.queries)  # every question is judged, in one split
    assert set().union(*splits.values()) == set(sample.dataset.queries)
    for name, share in (("train", 0.60), ("dev", 0.15), ("test", 0.25)):
        assert counts[name] / total == pytest.approx(share, abs=0.03)


def test_judgments_are_graded_and_every_question_has_an_answer(sample: Collection):
    judgments = sample.dataset.judgments
    grades = Counter(g for judged in judgments.values() for g in judged.values())
    assert {0, 1, 2} <= set(grades) <= {0, 1, 2, 3}
    assert all(max(judged.values()) > 0 for judged in judgments.values())
    assert judgments["q001"]["mexican-peso"] == max(grades)


def test_one_question_in_five_fails_at_rank_one_with_the_base_retriever(sample: Collection):
    ranker = Ranker(sample, Workspace().adapter("sample-adapter"))
    best = np.concatenate(
        [evaluate(ranker, split).best_ranks[0] for split in sample.dataset.splits]
    )
    assert len(best) == len(sample.dataset.queries)
    assert 0.2 <= float((best != 1).mean()) <= 0.6  # difficult but not impossible


def test_the_shipped_adapter_was_trained_on_these_texts(sample: Collection):
    card = Workspace().adapter("sample-adapter").card
    assert card.dataset_digest == sample.dataset.digest, (
        "the shipped adapter is stale: run make sample"
    )
    assert (card.recipe, card.outcome.shipped, card.train_split) == (
        "fine-tuned",
        "initialization",
        "train",
    )
    # judged queries selected the memory and rejected the trained epochs, so no query is seen
    assert card.texts.positives == []
    assert card.texts.uses == ["whitening", "sentence memory"]
    assert set(card.texts.used) == set(sample.dataset.text_hashes)
    assert card.outcome.initialization["sentences"] > 2 * len(sample.documents)


def test_the_shipped_adapter_helps_on_unseen_queries(sample: Collection):
    result = evaluate(Ranker(sample, Workspace().adapter("sample-adapter")), "dev")
    assert result.mean("modulated")["nDCG@10"] > 1.05 * result.mean("base")["nDCG@10"]


def test_the_shipped_vectors_come_from_the_bundled_encoder(sample: Collection):
    documents, encoder = sample.dataset.documents, SentenceTransformerEncoder(EncoderSpec())
    longest = max(range(len(documents)), key=lambda i: len(documents[i].text))
    rows = [0, len(documents) // 2, longest]
    encoded = encoder.encode_documents([documents[i] for i in rows])
    cosine = (unit(encoded) * sample.unit_documents[rows]).sum(1)
    assert cosine.min() > 0.999
    assert (
        encoder.count_tokens([documents[longest]])[0] > encoder.max_tokens == 256
    )  # longer than the encoder reads, on purpose
    query = sample.encode("What currency is used in Mexico?")  # also checks the encoder
    assert (
        float(query @ sample.query_vectors(["q001"])[0])
        / float(np.linalg.norm(query) * np.linalg.norm(sample.query_vectors(["q001"])[0]))
        > 0.999
    )


def test_the_shipped_deletion_test_belongs_to_the_shipped_adapter(sample: Collection):
    space = Workspace(Path("unused"))
    shipped = space.faithfulness_paths(record_key(Ranker(sample, space.adapter("sample-adapter"))))[
        1
    ]
    assert shipped.is_file(), "stale: run make sample"
    assert DeletionSummary.read(shipped).pairs == 60
    record = json.loads(shipped.read_text(encoding="utf-8"))
    change = "delta" if record["schema"] == 2 else "change"
    for side in ("document", "query"):
        assert record["matched_random"][side][change]["k1"]["margin_ci95"][0] > 0
