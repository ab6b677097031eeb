"""The texts that a training encodes, known before it begins: a user agrees before they are sent."""

from __future__ import annotations

from pathlib import Path

from imrnns_core.encoding.encoder import format_query
from imrnns_core.encoding.endpoint import Transfer, transfer
from imrnns_core.encoding.sharded import unsaved
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import RECIPES, TrainConfig
from imrnns_core.training.label_free.harm_check import MIN_QUERIES, keyword_queries
from imrnns_core.training.label_free.sentence_memory import sentences_to_encode
from imrnns_core.training.label_free.title_queries import titles_to_encode


def texts_to_encode(
    collection: Collection, config: TrainConfig, compares: bool, folder: Path | None
) -> list[str]:
    """Return the formatted texts that a training encodes at most.

    Args:
        collection: The documents.
        config: Recipe and settings.
        compares: Whether all recipes are compared.
        folder: Folder of the texts that an earlier training has encoded.
    """
    recipes = [config.resolved(), *(RECIPES.values() if compares else ())]
    texts, unjudged = dict[str, list[str]](), False
    if not all(recipe.supervised for recipe in recipes):
        keywords = keyword_queries(collection, config.seed)
        unjudged = len(keywords) >= MIN_QUERIES  # otherwise, this recipe ends there
        texts["keywords"] = keywords if unjudged else []
    if unjudged or any(r.supervised and r.initialization == "pretrained" for r in recipes):
        every = range(len(collection.documents))
        sentences = sentences_to_encode(collection, config.memory, every)
        titles = titles_to_encode(collection, config.pretrain, config.seed)
        texts["sentences"] = [] if isinstance(sentences, str) else sentences[1]
        texts["titles"] = [] if isinstance(titles, str) else titles[1]
    spec = collection.encoder.spec
    return [
        format_query(spec, text)
        for label, all_of in texts.items()
        for text in unsaved(folder, label, all_of)
    ]


def training_transfer(
    collection: Collection, config: TrainConfig, compares: bool, folder: Path | None
) -> Transfer | None:
    """Return what a training sends to the endpoint of its encoder at most; None for nothing.

    The arguments are those of `texts_to_encode`.
    """
    texts = texts_to_encode(collection, config, compares, folder)
    return transfer(collection.encoder.spec, texts) if texts else None
