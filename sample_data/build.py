"""Compute the sample's embeddings, adapters, maps, deletion test and list of failed queries.

`make sample` runs it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from imrnns_core.config import SAMPLE, SAMPLE_ADAPTER
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.data.readers.load import load_dataset
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.explanation.deletion_records import DeletionTest
from imrnns_core.explanation.deletion_test import PAIRS, record_key, run_pairs, sample_pairs
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.io import write_json
from imrnns_core.model.checkpoint import Adapter, save_adapter
from imrnns_core.projection.corpus_map import fit_map, map_key, save_map
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER, SAMPLE_FOLDER
from imrnns_core.storage.sentences import encode_sentences, save_sentences, sentence_paths
from imrnns_core.storage.workspace import Workspace
from imrnns_core.training.config import TrainConfig
from imrnns_core.training.trainer import Trainer


def main() -> None:
    """Compute everything that ships with the texts of the sample."""
    dataset, encoder = load_dataset(SAMPLE_FOLDER), SentenceTransformerEncoder()
    vectors = SAMPLE_FOLDER / "embeddings"
    vectors.mkdir(exist_ok=True)
    documents = EmbeddingMatrix(dataset.document_ids, encoder.encode_documents(dataset.documents))
    queries = EmbeddingMatrix(
        tuple(dataset.queries), encoder.encode_queries([q.text for q in dataset.queries.values()])
    )
    save_embeddings(documents, vectors, "documents", "document", np.float16)
    save_embeddings(queries, vectors, "queries", "query", np.float16)

    workspace = Workspace(Path("unused"))
    collection = workspace.open(workspace.resolve(SAMPLE))
    write_failures(collection)
    write_sentences(collection)
    adapters = write_adapters(collection)
    shutil.rmtree(SAMPLE_FOLDER / "maps", ignore_errors=True)
    for adapter in adapters:
        write_map(collection, adapter)
    write_faithfulness(Ranker(collection, adapters[0]))


def write_adapters(collection: Collection) -> list[Adapter]:
    """Train and save the two adapters, as these commands do.

    imrnns-lens train sample --recipe fine-tuned --out sample-adapter.safetensors
    imrnns-lens train sample --recipe paper --valid-split train --out sample-paper.safetensors
    """
    adapters = []
    for name, recipe, valid_split in (
        (SAMPLE_ADAPTER, "fine-tuned", None),
        ("sample-paper", "paper", "train"),
    ):
        trainer = Trainer(collection, TrainConfig(recipe), valid_split=valid_split)
        for epoch in trainer.epochs():
            print(epoch)
        adapters.append(trainer.adapter(name))
        save_adapter(adapters[-1], ASSETS_FOLDER / f"{name}.safetensors")
    return adapters


def write_sentences(collection: Collection) -> None:
    """Encode and save the sentences, as `imrnns-lens prepare sample --sentences` does."""
    path = sentence_paths(Path("unused"), collection)[-1]
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.mkdir()
    save_sentences(encode_sentences(collection), path)


def write_map(collection: Collection, adapter: Adapter) -> None:
    """Compute and save the map of the projected documents."""
    maps = SAMPLE_FOLDER / "maps"
    ranker = Ranker(collection, adapter)
    corpus_map = fit_map(ranker.transform.projected.numpy(), collection.dataset.documents)
    save_map(corpus_map, maps / f"{map_key(adapter, collection.fingerprint)}.npz")


def write_faithfulness(ranker: Ranker) -> None:
    """Run the deletion test, as `imrnns-lens faithfulness sample --split test` does."""
    folder = SAMPLE_FOLDER / "faithfulness"
    shutil.rmtree(folder, ignore_errors=True)
    result = DeletionTest(SAMPLE, "test", ranker.adapter.card.name)
    result.pairs.extend(run_pairs(WordExplainer(ranker), sample_pairs(ranker, "test", PAIRS)))
    write_json(folder / f"{record_key(ranker)}.json", result.to_json())


def write_failures(collection: Collection) -> None:
    """Write the queries whose top document in the base ranking is not relevant."""
    dataset = collection.dataset
    lines = (SAMPLE_FOLDER / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = {record["_id"]: record["metadata"]["kind"] for record in map(json.loads, lines)}
    rows = collection.index.search(collection.queries.vectors, len(dataset.documents))
    with (SAMPLE_FOLDER / "base_failures.tsv").open("w", encoding="utf-8") as handle:
        handle.write("query-id\tkind\tfirst\tbest-relevant\trank\tquery\n")
        for query, ranked in zip(dataset.queries.values(), rows, strict=True):
            judged = dataset.judgments[query.id]
            ids = [dataset.document_ids[row] for row in ranked]
            rank, best = next((n, d) for n, d in enumerate(ids, 1) if judged.get(d, 0) > 0)
            if rank > 1:
                handle.write(
                    f"{query.id}\t{kinds[query.id]}\t{ids[0]}\t{best}\t{rank}\t{query.text}\n"
                )


if __name__ == "__main__":
    main()
