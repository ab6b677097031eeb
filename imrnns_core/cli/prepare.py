"""The command `imrnns-lens prepare`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from imrnns_core.cli.agreement import Yes
from imrnns_core.cli.console import encoding, err, out, progress_bar
from imrnns_core.cli.from_store import StoreAddress, read_store
from imrnns_core.cli.options import (
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    KeepOwn,
    NoVectors,
    QueryPrefix,
    RunFiles,
    SimilarityChoice,
    WorkspaceFolder,
    chosen_encoder,
    open_collection,
    open_workspace,
    resolve,
)
from imrnns_core.data.import_report import ImportReport
from imrnns_core.data.readers.columns import ROLES
from imrnns_core.data.readers.load import load_dataset
from imrnns_core.encoding.endpoint import is_endpoint
from imrnns_core.errors import LensError, MissingExtraError
from imrnns_core.io import first_readable
from imrnns_core.reporting.formatting import SIMILARITIES, counted
from imrnns_core.reporting.import_lines import import_lines, length_line, own_document_lines
from imrnns_core.storage.registry import own_name

if TYPE_CHECKING:
    from imrnns_core.encoding.sharded import Cluster
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.storage.registry import Registration
    from imrnns_core.storage.workspace import Workspace

_COLUMN_ROLES = tuple(
    # the columns of a run are found by their names or their order
    dict.fromkeys(r for kind, roles in ROLES.items() for r in roles if kind != "ranked documents")
)
QueriesFile = Annotated[
    Path | None,
    typer.Option(
        "--queries",
        help=(
            "File of queries: a table, or TREC topics. A column with the id, address or title of "
            "the expected document makes judgments."
        ),
    ),
]
ColumnChoice = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="ROLE=NAME",
        help=(
            "Which column is what, such as title=heading. title= (no name) reads no column as "
            f"title. Can be repeated. Roles: {', '.join(_COLUMN_ROLES)}. document is the "
            "expected or judged document of a query; subject is a category, which is only shown."
        ),
    ),
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        help="Compute the UMAP map for this adapter; “none”: that of the base embeddings. "
        "Can be repeated.",
    ),
]
Sentences = Annotated[
    bool,
    typer.Option(
        "--sentences", help="Encode all sentences, too, for the baseline sentence max-sim."
    ),
]
SplitLong = Annotated[
    bool | None,
    typer.Option(
        "--passages/--no-passages",
        help=(
            "Split documents that the encoder does not read whole into passages, and rank them by "
            "their best passage (default: encode their beginning)."
        ),
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="End with an error if a record is irregular.")
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help=(
            "Encode on the machines of a Ray cluster, such as 10.0.0.1:6379, or “auto” for the "
            "one that this machine belongs to."
        ),
    ),
]
ENDPOINT = "--ray: the encoder is an endpoint, which no other machine calls; leave --ray out"
NAMED = "the name “{}” belongs to another data set; name this one “{}” in other commands"
NO_VECTORS = (
    "--no-vectors: --encoder, --embeddings, --store, --adapter and --sentences need vectors; leave "
    "them out"
)


def prepare(
    data: Data,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    queries: QueriesFile = None,
    column: ColumnChoice = None,
    similarity: SimilarityChoice = None,
    keep_own: KeepOwn = None,
    passages: SplitLong = None,
    strict: Strict = False,
    store: StoreAddress = None,
    run: RunFiles = None,
    no_vectors: NoVectors = False,
    adapter: Maps = None,
    sentences: Sentences = False,
    ray: RayAddress = None,
    yes: Yes = False,
    workspace: WorkspaceFolder = None,
) -> None:
    """Read and encode a data set, register its name, and compute its UMAP maps.

    The command lists what it read from each file, what it rejected, and why.
    Irregular records are accepted where that is possible; with --strict, they
    are an error.
    Each adapter has a map of its own. Without --adapter, the command computes
    the maps of all adapters that were trained on the data set. After an
    interruption, run the command again: it continues where it stopped.
    """
    columns = _columns(column)
    if no_vectors and (encoder or embeddings or store or adapter or sentences):
        raise LensError(NO_VECTORS)
    if store:
        space = open_workspace(workspace, yes)
        registration = read_store(space, data, store, embeddings, columns.pop("id", ""))
        spec = chosen_encoder(registration.encoder, encoder, query_prefix, document_prefix)
        registration = replace(registration, encoder=spec)
    else:
        space, registration = resolve(
            data, embeddings, encoder, query_prefix, document_prefix, workspace, yes
        )
    # a store is read anew, but these choices stay
    known = space.registrations().get(registration.name, registration)
    registration = replace(
        _with_tables(registration, queries, columns),
        similarity=similarity or registration.similarity,
        keep_own=known.keep_own if keep_own is None else keep_own,
        passages=known.passages if passages is None else passages,
        without_vectors=no_vectors or registration.without_vectors,
    )
    if strict:
        load_dataset(registration.source, strict=True)
    if ray:
        space.cluster = _cluster(ray, registration)
    collection = open_collection(space, registration)
    if (embeddings or store) and encoder:
        collection.check_encoder()
    added = _add_runs(space, collection, run or [], strict)
    # after it opened, so that a faulty data set does not enter the list
    space.register(registration)
    _print_content(collection, added)
    if Path(data).exists() and (usual := own_name(registration.path)) != registration.name:
        out.print(NAMED.format(usual, registration.name), soft_wrap=True)
    if sentences:
        _prepare_sentences(space, collection)
    _prepare_maps(space, collection, adapter)


def _cluster(address: str, registration: Registration) -> Cluster:
    """Return the Ray cluster that encodes a data set.

    Raises:
        LensError: If an endpoint encodes it, or no cluster answers.
    """
    from imrnns_core.scale.ray_cluster import RayCluster

    if is_endpoint(registration.encoder.name):
        raise LensError(ENDPOINT)
    return RayCluster(address)


def _print_content(collection: Collection, added: list[str]) -> None:
    """Print what was read from each file, what the collection contains, and lines about runs."""
    dataset, encoder = collection.dataset, collection.encoder.spec
    for line in import_lines(dataset.report):
        out.print(line, soft_wrap=True)
    if collection.has_vectors:
        out.print(length_line(collection), soft_wrap=True)
    for line in own_document_lines(dataset, dataset.queries):
        out.print(line, soft_wrap=True)
    splits = ", ".join(f"{name} ({len(qrels)})" for name, qrels in dataset.splits.items()) or "none"
    dimensions = counted(collection.documents.dimension, "dimension")
    counts = (
        f"{counted(len(dataset.documents), 'document')}, "
        f"{counted(len(dataset.queries), 'query', 'queries')}, "
        + (
            f"{dimensions}, {SIMILARITIES[collection.similarity]}"
            if collection.has_vectors
            else "no vectors"
        )
    )
    out.print(f"{dataset.name}: {counts}; judged splits: {splits}")
    for line in added:
        out.print(line, soft_wrap=True)
    if not collection.has_vectors:
        return
    texts = {"query": encoder.query_prefix, "document": encoder.document_prefix}
    prompts = [f"text before each {kind}: {text!r}" for kind, text in texts.items() if text]
    if prompts:
        out.print("; ".join(prompts), soft_wrap=True)


def _add_runs(
    space: Workspace, collection: Collection, choices: list[str], strict: bool
) -> list[str]:
    """Add runs to the data set, and return what was read of them.

    Raises:
        LensError: If a run cannot be added, or the data set has neither vectors nor runs.
    """
    dataset, lines = collection.dataset, list[str]()
    for choice in choices:
        name, _, file = ("", "", choice) if Path(choice).exists() else choice.rpartition("=")
        run = space.runs.add(Path(file), dataset, name, strict)
        lines += import_lines(ImportReport((run.report,)))
        lines.append(
            f"run {run.name}: ready as the base for "
            f"{counted(len(run.rankings), 'query', 'queries')}: --base {run.name}"
        )
    if not collection.has_vectors and not space.runs.files(dataset.name):
        raise LensError(
            f"{dataset.name}: without vectors, only a run can rank the documents; add one with "
            "--run FILE, or leave out --no-vectors"
        )
    return lines


def _columns(choices: list[str] | None) -> dict[str, str]:
    """Return role → column.

    Raises:
        LensError: If a column is not written as ROLE=NAME, or has no such role.
    """
    columns: dict[str, str] = {}
    for choice in choices or ():
        role, equals, name = choice.partition("=")
        if not equals or role not in _COLUMN_ROLES:
            raise LensError(
                f"--column {choice}: write ROLE=NAME; the roles are {', '.join(_COLUMN_ROLES)}"
            )
        columns[role] = name
    return columns


def _with_tables(
    registration: Registration, queries: Path | None, columns: Mapping[str, str]
) -> Registration:
    """Return the registration with the named file of queries and columns."""
    file = queries.expanduser().resolve() if queries else registration.queries
    return replace(registration, queries=file, columns={**registration.columns, **columns})


def _prepare_sentences(space: Workspace, collection: Collection) -> None:
    from imrnns_core.storage.sentences import stored_or_encoded_sentences

    with progress_bar() as progress:
        encoded = stored_or_encoded_sentences(space.root, collection, encoding(progress))
    out.print(f"{counted(len(encoded.rows), 'sentence')}: ready")


def _prepare_maps(space: Workspace, collection: Collection, adapters: list[str] | None) -> None:
    """Compute the maps of the named adapters, or else of those that were trained on the data."""
    names = adapters or [
        name
        for name, loaded in space.adapters()[0].items()
        if loaded.card.dataset == collection.dataset.name
        and collection.similarity == "cosine"
        and collection.has_vectors
    ]
    for name in names:
        try:
            _prepare_map(space, collection, name)
        except MissingExtraError as error:
            if adapters:  # the user asked for a map
                raise
            err.print(f"imrnns-lens: {error}", soft_wrap=True)


def _prepare_map(space: Workspace, collection: Collection, name: str) -> None:
    from imrnns_core.projection.corpus_map import fit_map, load_map, map_key, save_map
    from imrnns_core.storage.data_sets.uses import note_use

    with progress_bar() as progress:
        ranker = space.ranker(collection, name, encoding(progress))
    shown = ranker.adapter_name or "base embeddings"
    key = map_key(ranker.optional_adapter, collection.fingerprint)
    note_use(space.root, collection.dataset.name, space.map_path(key))
    if first_readable(space.map_paths(key), load_map) is None:
        seconds = 5 + len(collection.documents) // 60
        # Text stops rich from reading markup in the status
        with out.status(
            Text(
                f"computing the map of {counted(len(collection.documents), 'document')} for "
                f"{shown} (UMAP, about {seconds} s)"
            )
        ):
            save_map(
                fit_map(ranker.mapped_documents, collection.dataset.documents),
                space.map_path(key),
            )
    out.print(f"Map for {shown}: ready")
