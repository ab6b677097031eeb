"""Make what ships with the sample beside its texts: vectors, trained adapter and map. Run by `make sample`."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from imrnns_core.checkpoint import save_adapter
from imrnns_core.config import TrainConfig
from imrnns_core.dataset import load_dataset
from imrnns_core.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.encoder import SentenceTransformerEncoder
from imrnns_core.mapping import fit_map, map_key, save_map
from imrnns_core.ranking import Ranker
from imrnns_core.training import Training
from imrnns_core.workspace import ASSETS_FOLDER, SAMPLE, SAMPLE_ADAPTER, SAMPLE_FOLDER, Workspace


def main() -> None:
    dataset, encoder = load_dataset(SAMPLE_FOLDER), SentenceTransformerEncoder()
    vectors = SAMPLE_FOLDER / "embeddings"
    vectors.mkdir(exist_ok=True)
    documents = EmbeddingMatrix(dataset.document_ids, encoder.encode_documents(dataset.documents))
    queries = EmbeddingMatrix(tuple(dataset.queries), encoder.encode_queries([q.text for q in dataset.queries.values()]))
    save_embeddings(documents, vectors, "documents", "document", np.float16)
    save_embeddings(queries, vectors, "queries", "query", np.float16)

    workspace = Workspace(Path("unused"))
    collection = workspace.open(workspace.resolve(SAMPLE))
    training = Training(collection, TrainConfig(), "train", "dev")
    for epoch in training.epochs():
        print(epoch)
    adapter = training.adapter(SAMPLE_ADAPTER)
    save_adapter(adapter, ASSETS_FOLDER / f"{SAMPLE_ADAPTER}.safetensors")

    maps = SAMPLE_FOLDER / "maps"
    shutil.rmtree(maps, ignore_errors=True)
    ranker = Ranker(collection, adapter)
    save_map(fit_map(ranker.transform.projected.numpy()), maps / f"{map_key(adapter, collection.documents.vectors)}.npz")


if __name__ == "__main__":
    main()
