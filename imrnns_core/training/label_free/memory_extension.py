"""Documents that a sentence memory was not built from: add them, and measure what they lose.

A memory raises the scores of documents whose sentences it stores. A document that was added to the
collection later has none, so it is demoted. `extend_adapter` stores its sentences, too. The
projector and everything that the memory stores remain as they are.

Shapes: N documents, S sentences, Q queries, n encoder dimensions, m working dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import TrainingError
from imrnns_core.model.adapter_card import AdapterCard, LeftOutGain
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.statistics.significance import paired_tests
from imrnns_core.training.config import MemoryConfig
from imrnns_core.training.label_free.sentence_memory import (
    EncodeSentences,
    Sentences,
    encode_sentences,
    memory_values,
)
from imrnns_core.training.splits import QrelsDict
from imrnns_core.training.validator import Validator
from imrnns_core.types import relevant_ids

FOLDS = 5
"""Number of memories that `left_out_values` builds, each without the documents of some queries."""


def missing_rows(card: AdapterCard, dataset: Dataset) -> list[int]:
    """Return the corpus rows of documents that the memory of an adapter lacks.

    Empty without a memory, and for a collection that shares no document with the memory: all of its
    documents have the same disadvantage, so none is demoted.
    """
    if not card.has_memory or card.texts is None:
        return []
    stored = {*card.texts.used, *card.texts.positives}
    missing = [row for row, text in enumerate(dataset.text_hashes) if text not in stored]
    return missing if len(missing) < len(dataset.text_hashes) else []


def extend_adapter(adapter: Adapter, collection: Collection, encode: EncodeSentences) -> Adapter:
    """Return the adapter with the sentences of all documents that its memory lacks.

    Args:
        adapter: An adapter with a sentence memory.
        collection: The collection that it was trained on, with added or changed documents.
        encode: Encodes sentences as queries.

    Raises:
        TrainingError: The sentences cannot be encoded, or there are too many.
    """
    card, rows = adapter.card, missing_rows(adapter.card, collection.dataset)
    if not rows or card.texts is None or card.outcome is None:
        return adapter
    config = MemoryConfig(**card.config["memory"])
    sentences = encode_sentences(collection, config, encode, rows)
    if isinstance(sentences, str):
        raise TrainingError(
            f"{card.name}: the sentence memory lacks {len(rows)} documents and cannot be extended "
            f"({sentences}); these documents are ranked too low; train the adapter again"
        )
    settings = card.outcome.initialization
    documents = torch.from_numpy(np.asarray(collection.documents.vectors))
    model = add_sentences(
        adapter.model, documents, sentences, settings["strength"], config.sharpness
    )
    hashes = {collection.dataset.text_hashes[row] for row in rows}
    texts = replace(card.texts, used=sorted({*card.texts.used, *hashes}))
    count = settings["sentences"] + len(sentences.rows)
    outcome = replace(card.outcome, initialization={**settings, "sentences": count})
    return Adapter(model, replace(card, texts=texts, outcome=outcome))


@torch.no_grad()
def add_sentences(
    model: IMRNN,
    documents: Tensor,
    sentences: Sentences,
    strength: float,
    sharpness: float,
) -> IMRNN:
    """Return a copy of a model whose query adapter stores further sentences.

    Args:
        model: A model with a sentence memory.
        documents: (N, n) base embeddings of all documents.
        sentences: The further sentences.
        strength: Factor of the values.
        sharpness: As in `MemoryConfig`.
    """
    projected = model.project(documents).double()
    values = strength * memory_values(projected, sharpness)[sentences.rows].float()
    keys = model.project(sentences.vectors)
    first, second = [x for x in model.query_adapter.layers if isinstance(x, nn.Linear)][:2]
    # all units have the same threshold, unless the memory was trained further
    biases = first.bias.median().expand(len(keys))
    sizes = (first.out_features + len(keys), second.out_features)
    extended = IMRNN(replace(model.config, query_hidden_dims=sizes))
    extended.load_state_dict(
        {
            **model.state_dict(),
            "query_adapter.layers.0.weight": torch.cat([first.weight, keys]),
            "query_adapter.layers.0.bias": torch.cat([first.bias, biases]),
            "query_adapter.layers.2.weight": torch.cat([second.weight, values.T], dim=1),
        }
    )
    return extended.eval().requires_grad_(False)


def left_out_values(
    collection: Collection,
    qrels: QrelsDict,
    sentences: Sentences,
    build: Callable[[Tensor, Sentences], IMRNN],
    extend: Callable[[IMRNN, Sentences], IMRNN],
    seed: int,
) -> list[Tensor]:
    """Return nDCG@10 (Q,) of judged queries: base, complete, left-out and extended memory.

    The queries are divided into five parts. For each part, a memory is built without the relevant
    documents of its queries, and then extended by these documents.

    Args:
        collection: All documents.
        qrels: The judged queries.
        sentences: The sentences of all documents.
        build: Builds a model from documents (N', n) and their sentences.
        extend: Adds sentences to a model; their rows are those of the whole collection.
        seed: Seed of the division.
    """
    ids, row_of = list(qrels), collection.documents.row
    documents = torch.from_numpy(np.asarray(collection.documents.vectors))
    every = Validator.from_qrels(collection, qrels)
    complete = build(documents, sentences)
    left_out, extended = torch.zeros(len(ids)), torch.zeros(len(ids))
    for part in np.array_split(np.random.default_rng(seed).permutation(len(ids)), FOLDS):
        if not len(part):
            continue
        part_qrels = {ids[i]: qrels[ids[i]] for i in part}
        missing = [row_of[d] for judged in part_qrels.values() for d in relevant_ids(judged)]
        present = torch.ones(len(documents), dtype=torch.bool)
        present[missing] = False
        kept = present[sentences.rows]
        new_rows = present.cumsum(0) - 1  # row in the collection → row among the documents left
        model = build(
            documents[present],
            Sentences(sentences.vectors[kept], new_rows[sentences.rows[kept]]),
        )
        validator = Validator.from_qrels(collection, part_qrels)
        left_out[part] = validator.ndcg(model)
        added = Sentences(sentences.vectors[~kept], sentences.rows[~kept])
        extended[part] = validator.ndcg(extend(model, added))
    return [every.ndcg(), every.ndcg(complete), left_out, extended]


def left_out_gain(values: Sequence[Tensor]) -> LeftOutGain:
    """Return the means and the test of what `left_out_values` returned."""
    base, complete, left_out, extended = (v.double() for v in values)
    (test,) = paired_tests((left_out - base).numpy()[:, None])
    return LeftOutGain(
        queries=len(base),
        base=float(base.mean()),
        complete=float(complete.mean()),
        left_out=float(left_out.mean()),
        extended=float(extended.mean()),
        change_ci95=test.ci95,
        p=test.p,
    )
