"""How training met the relevant documents of a query: the groups in which gains are reported."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.recognition import Fingerprints, KnownTexts
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.types import Qrels, relevant_ids

Group = Literal["seen", "text used", "unseen", "validation"]
"""How training met a query.

- seen: the query was trained on, or a relevant document was the positive of a training query;
- text used: no relevant document was, but the text of one was used without a judgment, for example
  in a sentence memory, in whitening or as a negative;
- unseen: training used no relevant document in any way;
- validation: its judgments chose which version of the adapter was kept, so its gain is too good.
"""
GROUPS: tuple[Group, ...] = get_args(Group)
MEANINGS: dict[Group, str] = {
    "seen": "a relevant document was a positive in training, or the query was trained on",
    "text used": (
        "training, or a later extension of the sentence memory, used the text of a relevant "
        "document, but no judgment of it was learned"
    ),
    "unseen": "training did not use any relevant document",
    "validation": "the query was among those by which training chose the best epoch or model",
}


def query_groups(qrels: Qrels, card: AdapterCard, dataset: Dataset) -> NDArray[np.str_] | None:
    """Return the group (Q,) of each query; None if the card does not list the training texts.

    Documents are recognised by their text, their shingles or their sentences, and queries by their
    words. So neither another data-set name, other ids, small changes nor another division into
    passages hide that training used a document.
    """
    if card.texts is None:
        return None
    texts = card.texts
    positives = KnownTexts(
        Fingerprints(texts.positives, texts.positive_shingles, texts.positive_sentences),
        common=dataset.common_runs,
    )
    used = KnownTexts(
        Fingerprints(texts.used, texts.used_shingles, texts.used_sentences),
        common=dataset.common_runs,
    )
    validation, trained_on = set(texts.validation_queries), set(texts.queries)

    def group(query_id: str) -> Group:
        hashes = dataset.queries[query_id].known_hashes
        if hashes & validation:
            return "validation"
        relevant = [
            dataset.document[d] for d in relevant_ids(qrels[query_id]) if d in dataset.document
        ]
        if hashes & trained_on or any(document in positives for document in relevant):
            return "seen"
        return "text used" if any(document in used for document in relevant) else "unseen"

    return np.array([group(query_id) for query_id in qrels])


def masks_of(groups: NDArray[np.str_] | None) -> dict[Group, NDArray[np.bool_]]:
    """Return the mask (Q,) of each group that has queries, from the groups (Q,) of the queries."""
    masks = {} if groups is None else {group: groups == group for group in GROUPS}
    return {group: mask for group, mask in masks.items() if mask.any()}


def merged_groups(first: NDArray[np.str_], second: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return the group (Q,) of each query for two adapters: the closer contact with training."""
    # in GROUPS, validation comes last but is a closer contact than a text without a judgment
    order = {name: i for i, name in enumerate(("seen", "validation", *GROUPS[1:-1]))}
    return np.array([min(pair, key=order.__getitem__) for pair in zip(first, second, strict=True)])
