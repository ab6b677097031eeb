"""The command `imrnns-lens prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from imrnns_core.cli.console import encoding, err, out, progress_bar
from imrnns_core.cli.options import (
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    QueryPrefix,
    WorkspaceFolder,
    open_collection,
    resolve,
)
from imrnns_core.errors import MissingExtraError
from imrnns_core.io import first_readable
from imrnns_core.reporting.formatting import counted

if TYPE_CHECKING:
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.storage.workspace import Workspace


def prepare(
    data: Data,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = "",
    document_prefix: DocumentPrefix = "",
    adapter: Annotated[
        list[str] | None,
        typer.Option("--adapter", help="Compute the UMAP map for this adapter. Can be repeated."),
    ] = None,
    sentences: Annotated[
        bool,
        typer.Option(
            "--sentences", help="Encode all sentences, too, for the baseline sentence max-sim."
        ),
    ] = False,
    workspace: WorkspaceFolder = None,
) -> None:
    """Encode a data set, register its name, and compute its UMAP maps.

    Each adapter has a map of its own. Without --adapter, the command computes
    the maps of all adapters that were trained on the data set. After an
    interruption, run the command again: it continues where it stopped.
    """
    space, registration = resolve(
        data, embeddings, encoder, query_prefix, document_prefix, workspace
    )
    collection = open_collection(space, registration)
    # after it opened, so that a faulty data set does not enter the list
    space.register(registration)
    dataset = collection.dataset
    splits = ", ".join(f"{name} ({len(qrels)})" for name, qrels in dataset.splits.items()) or "none"
    counts = (
        f"{counted(len(dataset.documents), 'document')}, "
        f"{counted(len(dataset.queries), 'query', 'queries')}, "
        f"{counted(collection.documents.dimension, 'dimension')}"
    )
    out.print(f"{dataset.name}: {counts}; judged splits: {splits}")
    if sentences:
        _prepare_sentences(space, collection)
    names = adapter or [
        name for name, loaded in space.adapters()[0].items() if loaded.card.dataset == dataset.name
    ]
    for name in names:
        try:
            _prepare_map(space, collection, name)
        except MissingExtraError as error:
            if adapter:  # the user asked for a map
                raise
            err.print(f"imrnns-lens: {error}", soft_wrap=True)


def _prepare_sentences(space: Workspace, collection: Collection) -> None:
    from imrnns_core.storage.sentences import stored_or_encoded_sentences

    with progress_bar() as progress:
        encoded = stored_or_encoded_sentences(space.root, collection, encoding(progress))
    out.print(f"{counted(len(encoded.rows), 'sentence')}: ready")


def _prepare_map(space: Workspace, collection: Collection, name: str) -> None:
    from imrnns_core.projection.corpus_map import fit_map, load_map, map_key, save_map

    with progress_bar() as progress:
        ranker = space.ranker(collection, name, encoding(progress))
    adapter = ranker.adapter
    key = map_key(adapter, collection.fingerprint)
    if first_readable(space.map_paths(key), load_map) is None:
        seconds = 5 + len(collection.documents) // 60
        # Text stops rich from reading markup in the status
        with out.status(
            Text(
                f"computing the map of {counted(len(collection.documents), 'document')} for "
                f"{adapter.card.name} (UMAP, about {seconds} s)"
            )
        ):
            save_map(
                fit_map(ranker.transform.projected.numpy(), collection.dataset.documents),
                space.map_path(key),
            )
    out.print(f"Map for {adapter.card.name}: ready")
