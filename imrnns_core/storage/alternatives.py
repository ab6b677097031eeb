"""Other adapters and other vectors of a data set, which its remedies try.

    WORKSPACE/vectors/NAME/VECTORS, titles left out/    vectors of the documents that have a title
    WORKSPACE/vectors/NAME/VECTORS, titles twice/
    WORKSPACE/passages/KEY.npz                          those of the passages of long documents

The vectors of another encoder are there if the data set was prepared with it before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from imrnns_core.config import EncoderSpec
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Document
from imrnns_core.encoding.endpoint import is_endpoint
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.io import none_if_damaged, read_json
from imrnns_core.remedies.remedy import Alternatives, OtherVectors
from imrnns_core.remedies.vectors import PASSAGES, TITLES_TWICE, WITHOUT_TITLES
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.passages import passages_path, stored_passages, with_passages
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.vectors import stored_or_encoded_vectors, stored_vectors
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import LabelledProgress

TITLES: dict[str, Callable[[str], str]] = {
    WITHOUT_TITLES: lambda title: "",
    TITLES_TWICE: lambda title: f"{title} {title}",
}
"""Name of the vectors → the title that is encoded."""


def stored_alternatives(
    space: Workspace, registration: Registration, collection: Collection, adapters: Sequence[Ranker]
) -> Alternatives:
    """Return the other vectors that the workspace has, with the adapters of the data set.

    Args:
        space: The workspace.
        registration: The data set.
        collection: The same data set, opened.
        adapters: A ranker for each adapter that was trained on it.
    """
    if not collection.has_vectors:
        return Alternatives()
    return Alternatives(tuple(adapters), tuple(_stored(space, registration, collection)))


def alternatives_of(space: Workspace, collection: Collection) -> Alternatives:
    """Return the adapters of a data set, and its other vectors if it is registered."""
    registration = space.registrations().get(collection.dataset.name)
    adapters = own_adapters(space, collection)
    if registration is None:
        return Alternatives(tuple(adapters))
    return stored_alternatives(space, registration, collection, adapters)


def own_adapters(space: Workspace, collection: Collection) -> list[Ranker]:
    """Return a ranker for each adapter of the workspace that was trained on a data set."""
    if collection.similarity != "cosine" or not collection.has_vectors:
        return []
    own = [
        name
        for name, adapter in space.adapters()[0].items()
        if adapter.card.dataset == collection.dataset.name
        and adapter.card.input_dim == collection.documents.dimension
    ]
    return [space.ranker(collection, name) for name in own]


def encode_alternatives(
    space: Workspace,
    registration: Registration,
    collection: Collection,
    progress: LabelledProgress | None = None,
) -> None:
    """Encode the documents with other titles and, if they are long, in passages; keep the vectors.

    An interrupted encode resumes after its last finished shard.

    Args:
        space: The workspace.
        registration: The data set.
        collection: The same data set, opened.
        progress: Called with (label, done, total) while texts are encoded.

    Raises:
        EncoderError: If the encoder did not make the collection's embeddings.
    """
    collection.check_encoder()
    if _titled_rows(collection.dataset):
        for name in TITLES:
            own = _dataset(collection.dataset, name)
            folder, unit = _folder(space, registration, name), collection.similarity == "cosine"
            report = _naming(name, progress)
            stored_or_encoded_vectors(folder, own, collection.encoder, report, unit, space.cluster)
    if _can_split(collection):
        with_passages(space.root, collection, _naming(PASSAGES, progress), space.cluster)


def alternative_files(
    space: Workspace, registration: Registration, collection: Collection
) -> list[Path]:
    """Return the files that change when other vectors of a data set are encoded or deleted."""
    folder = space.vectors_folder(registration).parent
    passages = [passages_path(space.root, collection)] if _can_split(collection) else []
    return [*sorted(folder.glob("*/manifest.json")), *passages]


def number_to_encode(space: Workspace, registration: Registration, collection: Collection) -> int:
    """Return how many documents `encode_alternatives` would encode, passages not counted."""
    missing = [
        name for name in TITLES if _with_titles(space, registration, collection, name) is None
    ]
    return len(missing) * len(_titled_rows(collection.dataset))


def _stored(
    space: Workspace, registration: Registration, collection: Collection
) -> Iterator[OtherVectors]:
    for name in TITLES:
        titled = _with_titles(space, registration, collection, name)
        if titled is not None:
            yield OtherVectors(name, titled)
    if _can_split(collection):
        split = stored_passages(space.root, collection)
        if split is not None and split.passages is not None:
            yield OtherVectors(PASSAGES, split)
    yield from _other_encoders(space, registration, collection)


def _can_split(collection: Collection) -> bool:
    """Return whether the long documents are whole, and their encoder can split them."""
    is_local = isinstance(collection.encoder, SentenceTransformerEncoder)
    return collection.passages is None and is_local


def _with_titles(
    space: Workspace, registration: Registration, collection: Collection, name: str
) -> Collection | None:
    """Return the collection with the stored vectors of other titles; None if they are missing."""
    rows = _titled_rows(collection.dataset)
    if not rows:
        return None
    folder, unit = _folder(space, registration, name), collection.similarity == "cosine"
    own = _dataset(collection.dataset, name)
    vectors = stored_vectors(folder, own, collection.encoder, unit)
    if vectors is None:
        return None
    every = np.array(collection.documents.vectors, dtype=np.float32)
    every[rows] = vectors[0].vectors
    return replace(collection, documents=EmbeddingMatrix(collection.documents.ids, every))


def _dataset(dataset: Dataset, name: str) -> Dataset:
    """Return the documents that have a title, with another one; without queries."""

    def changed(document: Document) -> Document:
        return replace(document, title=TITLES[name](document.title))

    documents = tuple(changed(dataset.documents[row]) for row in _titled_rows(dataset))
    return replace(dataset, documents=documents, queries={}, splits={})


def _titled_rows(dataset: Dataset) -> list[int]:
    return [row for row, document in enumerate(dataset.documents) if document.title]


def _folder(space: Workspace, registration: Registration, name: str) -> Path:
    folder = space.vectors_folder(registration)
    return folder.with_name(f"{folder.name}, {name}")


def _naming(name: str, progress: LabelledProgress | None) -> LabelledProgress | None:
    """Return a progress that says which vectors are made."""
    if progress is None:
        return None
    return lambda label, done, total: progress(f"{label}, {name}", done, total)


def _other_encoders(
    space: Workspace, registration: Registration, collection: Collection
) -> Iterator[OtherVectors]:
    own, seen = collection.encoder.spec, set[str]()
    folder, dataset = space.vectors_folder(registration).parent, collection.dataset
    for path in sorted(folder.glob("*/manifest.json")):
        manifest = none_if_damaged(partial(read_json, path))
        if not isinstance(manifest, dict) or manifest.get("unit") is False:
            continue
        try:
            spec = EncoderSpec(**manifest["encoder"])
        except (KeyError, TypeError):
            continue
        if spec == own or is_endpoint(spec.name):
            continue
        encoder = SentenceTransformerEncoder(spec)
        vectors = stored_vectors(path.parent, dataset, encoder, True)
        name = f"encoder {spec.name}"
        if spec.name == own.name:
            name = f"query prefix “{spec.query_prefix}”"
        if vectors is not None and name not in seen:
            seen.add(name)
            yield OtherVectors(name, Collection(dataset, *vectors, encoder))
