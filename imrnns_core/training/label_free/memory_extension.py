"""Documents that a sentence memory was not built from: add them, and measure what they lose.

A memory raises the scores of documents whose sentences it stores. A document that was added to the
collection later has none, so it is demoted. `extend_adapter` stores its sentences, too, and turns
the stored directions so that they distinguish the new documents as well. The projector, the stored
sentences and the threshold remain as they are.

Shapes: N documents, S sentences, Q queries, n encoder dimensions, m working dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.near_copies import copies, copies_of_relevant
from imrnns_core.data.recognition import Fingerprints, KnownTexts
from imrnns_core.errors import TrainingError
from imrnns_core.model.adapter_card import AdapterCard, LeftOutGain
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.statistics.query_groups import connected_queries
from imrnns_core.statistics.significance import MIN_CLUSTERS, paired_tests
from imrnns_core.training.config import MemoryConfig
from imrnns_core.training.label_free.sentence_memory import (
    EncodeSentences,
    Sentences,
    encode_sentences,
    memory_values,
)
from imrnns_core.training.splits import QrelsDict
from imrnns_core.training.validator import Validator
from imrnns_core.types import IntArray, relevant_ids

UNRELATED = 500
"""Documents by which a collection without any unchanged document of a memory is recognised."""
FOLDS = 5
"""Number of memories that `left_out_values` builds, each without some documents."""


def missing_rows(card: AdapterCard, dataset: Dataset) -> list[int]:
    """Return the corpus rows of documents that the memory of an adapter lacks.

    A document that was changed a little is not lacking: the memory has the sentences of its other
    version. One that quotes a stored document, and has much else, is.
    Empty without a memory, and for a collection that shares no document with the memory: all of its
    documents have the same disadvantage, so none is demoted.
    """
    if not card.has_memory or card.texts is None:
        return []
    texts, documents = card.texts, dataset.documents
    stored = KnownTexts(
        Fingerprints(texts.used, texts.used_shingles, texts.used_sentences),
        Fingerprints(texts.positives, texts.positive_shingles, texts.positive_sentences),
        common=dataset.common_runs,
    )
    changed = [row for row, text in enumerate(dataset.text_hashes) if text not in stored.whole]
    if len(changed) == len(documents):
        # comparing sentences takes time: of an unrelated collection, a part is enough
        sampled = changed[:: max(1, len(changed) // UNRELATED)]
        if not any(documents[row] in stored for row in sampled):
            return []
    return [row for row in changed if not stored.covers(documents[row])]


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
    stored = torch.ones(len(documents), dtype=torch.bool)
    stored[rows] = False
    model = add_sentences(
        adapter.model, documents, stored, sentences, settings["strength"], config.sharpness
    )
    dataset = collection.dataset
    added = Fingerprints.of((dataset.documents[row] for row in rows), dataset.common_runs)
    texts = replace(
        card.texts,
        used=sorted({*card.texts.used, *added.whole}),
        used_shingles=sorted({*card.texts.used_shingles, *added.shingles}),
        used_sentences=sorted({*card.texts.used_sentences, *added.sentences}),
    )
    count = settings["sentences"] + len(sentences.rows)
    outcome = replace(card.outcome, initialization={**settings, "sentences": count})
    return Adapter(model, replace(card, texts=texts, outcome=outcome))


@torch.no_grad()
def add_sentences(
    model: IMRNN,
    documents: Tensor,
    stored: Tensor,
    sentences: Sentences,
    strength: float,
    sharpness: float,
) -> IMRNN:
    """Return a copy of a model whose query adapter stores further sentences.

    The directions towards the stored documents are nearly orthogonal to the other stored documents,
    but not to new ones: without a correction, they would raise the scores of new documents, too.
    They are multiplied by the matrix that turns them into the directions of a memory of all
    documents. Documents that were removed since the memory was built are not known here, so the
    matrix is exact only if none was.

    Args:
        model: A model with a sentence memory.
        documents: (N, n) base embeddings of all documents.
        stored: (N,) which documents the memory was built from.
        sentences: The further sentences.
        strength: Factor of the values.
        sharpness: As in `MemoryConfig`.
    """
    projected = model.project(documents).double()
    values, towards = memory_values(projected, sharpness)
    _, away = memory_values(projected[stored], sharpness)
    turn = torch.linalg.solve(away, towards)
    added = strength * values[sentences.rows].float()
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
            "query_adapter.layers.2.weight": torch.cat(
                [(turn.T @ second.weight.double()).float(), added.T], dim=1
            ),
        }
    )
    return extended.eval().requires_grad_(False)


def left_out_values(
    collection: Collection,
    qrels: QrelsDict,
    sentences: Sentences,
    build: Callable[[Tensor, Sentences], IMRNN],
    extend: Callable[[IMRNN, Tensor, Sentences], IMRNN],
    seed: int,
) -> list[Tensor]:
    """Return nDCG@10 (Q,) of judged queries: base, complete, left-out, extended memory, and others.

    The documents are divided into five parts. For each part, a memory is built without its
    documents, and then extended by them. A query is measured with the memories of the part that has
    its relevant documents. A part also has documents that are not relevant to its queries: if only
    relevant documents were added, a difference between stored and added documents would look like a
    gain. *Others* is measured with the extended memories of the other parts.

    Args:
        collection: All documents.
        qrels: The judged queries.
        sentences: The sentences of all documents.
        build: Builds a model from documents (N', n) and their sentences.
        extend: Adds sentences to a model that was built from some documents (N,); the rows of the
            sentences are those of the whole collection.
        seed: Seed of the division.
    """
    ids, row_of = list(qrels), collection.documents.row
    documents = torch.from_numpy(np.asarray(collection.documents.vectors))
    every = Validator.from_qrels(collection, qrels)
    complete = build(documents, sentences)
    left_out, extended, others = (torch.zeros(len(ids)) for _ in range(3))
    dataset = collection.dataset
    near = copies(dataset.documents, ignored=dataset.common_runs)
    document_parts, query_parts = _parts(qrels, row_of, near, seed)
    for number in range(FOLDS):
        part = torch.from_numpy(query_parts == number)
        present = torch.from_numpy(document_parts != number)
        kept = present[sentences.rows]
        new_rows = present.cumsum(0) - 1  # row in the collection → row among the documents left
        model = build(
            documents[present],
            Sentences(sentences.vectors[kept], new_rows[sentences.rows[kept]]),
        )
        left_out[part] = every.ndcg(model)[part]
        added = Sentences(sentences.vectors[~kept], sentences.rows[~kept])
        values = every.ndcg(extend(model, present, added))
        extended[part] = values[part]
        others[~part] += values[~part] / (FOLDS - 1)
    return [every.ndcg(), every.ndcg(complete), left_out, extended, others]


def _parts(
    qrels: QrelsDict, row_of: Mapping[str, int], near: IntArray, seed: int
) -> tuple[IntArray, IntArray]:
    """Return the part of each document (N,) and of each query (Q,), at random.

    Documents that are relevant to the same query are in one part, and so are near copies: `near`
    has the group (N,) of each document.
    """
    rows = {d: row_of[d] for judged in qrels.values() for d in relevant_ids(judged) if d in row_of}
    groups = connected_queries(qrels, {d: int(near[row]) for d, row in rows.items()})
    # the number of the unit of each group of near copies
    unit_of = {
        int(near[rows[d]]): int(group)
        for group, judged in zip(groups, qrels.values(), strict=True)
        for d in relevant_ids(judged)
        if d in rows
    }
    units = [list[int]() for _ in range(groups.max(initial=-1) + 1)]
    for row, copied in enumerate(near.tolist()):
        if unit_of.setdefault(copied, len(units)) == len(units):
            units.append([])
        units[unit_of[copied]].append(row)
    document_parts, sizes = np.zeros(len(near), dtype=np.int64), np.zeros(FOLDS, dtype=np.int64)
    part_of = np.zeros(len(units), dtype=np.int64)
    for unit in np.random.default_rng(seed).permutation(len(units)):
        part_of[unit] = smallest = int(sizes.argmin())
        document_parts[units[unit]] = smallest
        sizes[smallest] += len(units[unit])
    return document_parts, part_of[groups]


def left_out_gain(values: Sequence[Tensor], qrels: QrelsDict, dataset: Dataset) -> LeftOutGain:
    """Return the means and the test of what `left_out_values` returned for judged queries.

    Queries whose relevant documents are the same or near copies count as one in the test.
    """
    base, complete, left_out, extended, others = (v.double() for v in values)
    near = copies_of_relevant(dataset.document, qrels, dataset.common_runs)
    groups = connected_queries(qrels, near)
    (test,) = paired_tests((left_out - base).numpy()[:, None], groups)
    return LeftOutGain(
        queries=len(base),
        base=float(base.mean()),
        complete=float(complete.mean()),
        left_out=float(left_out.mean()),
        extended=float(extended.mean()),
        change_ci95=test.ci95 if test.clusters >= MIN_CLUSTERS else None,
        p=test.p,
        others=float(others.mean()),
    )
