"""The sample with one document more, as a data set of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from imrnns_core.data.embeddings import EmbeddingMatrix, load_embeddings, save_embeddings
from imrnns_core.data.records import Document
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.storage.layout import SAMPLE_FOLDER

NEW = Document(
    "glow-worm",
    "Glow-worm",
    "The female glow-worm has no wings. She climbs a blade of grass and shines until a male lands.",
)


def write_grown_sample(folder: Path, of_another_encoder: bool = False) -> Path:
    """Write corpus, queries, judgments and vectors; the encoder encodes the new document only."""
    shutil.copytree(SAMPLE_FOLDER / "qrels", folder / "qrels")
    shutil.copy(SAMPLE_FOLDER / "queries.jsonl", folder)
    line = json.dumps({"_id": NEW.id, "title": NEW.title, "text": NEW.text})
    corpus = (SAMPLE_FOLDER / "corpus.jsonl").read_text(encoding="utf-8")
    (folder / "corpus.jsonl").write_text(f"{corpus}{line}\n", encoding="utf-8")
    stored, vectors = SAMPLE_FOLDER / "embeddings", folder / "embeddings"
    vectors.mkdir()
    documents = load_embeddings(stored, "documents", "document")
    new = SentenceTransformerEncoder().encode_documents([NEW])
    together = np.concatenate([documents.vectors, new])
    if of_another_encoder:
        together = np.roll(together, 1, axis=1)
    matrix = EmbeddingMatrix((*documents.ids, NEW.id), together)
    save_embeddings(matrix, vectors, "documents", "document")
    queries = load_embeddings(stored, "queries", "query")
    save_embeddings(queries, vectors, "queries", "query")
    return folder
