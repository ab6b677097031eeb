"""Options that several commands share, and the functions that open a data set with them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imrnns_core.cli.agreement import agree
from imrnns_core.cli.console import encoding, err, progress_bar
from imrnns_core.config import ENCODER_BASE, NO_ADAPTER, RUN_PREFIX, EncoderSpec, Scope
from imrnns_core.errors import LensError
from imrnns_core.types import Similarity

if TYPE_CHECKING:
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.storage.registry import Registration
    from imrnns_core.storage.workspace import Workspace


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help=(
            "Data set: “sample”, the name of a prepared data set, or the path of a table of "
            "documents (CSV, TSV, Excel, OpenDocument, JSON, JSONL, Parquet), of a folder of "
            "Markdown, text or HTML files, or of a folder or zip in BEIR layout. If a data set "
            "and a folder have the same name, NAME is the data set and ./NAME is the folder."
        ),
    ),
]
AdapterOption = Annotated[str, typer.Option("--adapter", help="Name of an adapter, or its file.")]
OptionalAdapter = Annotated[
    str | None,
    typer.Option(
        "--adapter", help="Name of an adapter, or its file (default: none: the base alone)."
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--base",
        help=(
            "Name of a run of the data set (add it with prepare --run). Its ranking is the base; "
            "the ranking by the vectors is then shown as “encoder”."
        ),
    ),
]
ScopeChoice = Annotated[
    Scope,
    typer.Option("--scope", help="What the adapter ranks: the base candidates, or all documents."),
]
SimilarityChoice = Annotated[
    Similarity | None,
    typer.Option(
        help=(
            "How documents are ranked: by cosine, or by dot product, for encoders that were "
            "trained with it. Adapters need cosine (default: cosine)."
        )
    ),
]
KeepOwn = Annotated[
    bool | None,
    typer.Option(
        "--keep-own/--leave-out-own",
        help=(
            "A query may also be a document of the corpus (same id and text). Keep this document "
            "in the rankings of its query, or leave it out (default: leave out)."
        ),
    ),
]
RunFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--run",
        metavar="[NAME=]FILE",
        help=(
            "Add the ranking of another search engine, which can then be the base: a TREC run, or "
            "a table of query, document and score. Its name is that of the file, or NAME. Can be "
            "repeated."
        ),
    ),
]
NoVectors = Annotated[
    bool,
    typer.Option("--no-vectors", help="Do not encode the texts: only runs rank the documents."),
]
Embeddings = Annotated[
    Path | None,
    typer.Option(
        help=(
            "Precomputed embeddings: a folder of documents.npy, document_ids.txt, queries.npy and "
            "query_ids.txt; an .npz file of documents, document_ids, queries and query_ids; or "
            "Parquet files with the columns id and vector. If the vectors of the queries are "
            "missing, the encoder computes them."
        )
    ),
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help=(
            "Encoder: a sentence-transformers folder or hub name, or an endpoint: "
            "https://HOST/v1#MODEL (default: all-MiniLM-L6-v2)."
        ),
    ),
]
QueryPrefix = Annotated[
    str | None,
    typer.Option(
        help=(
            "Text before each query, as encoders such as E5 and BGE need it (default: the "
            "encoder's own prompt)."
        )
    ),
]
DocumentPrefix = Annotated[
    str | None,
    typer.Option(help="Text before each document (default: the encoder's own prompt)."),
]
WorkspaceFolder = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        envvar="IMRNNS_WORKSPACE",
        help="Folder for embeddings, UMAP maps and adapters.",
    ),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="Write the result to this JSON file.")
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help=(
            "Also overwrite files that this command did not write. Without --force, it "
            "overwrites only files from its own earlier runs."
        ),
    ),
]


Split = Annotated[
    str | None,
    typer.Option(
        help=(
            "Split to evaluate, or `unjudged`: the queries without judgments (default: test, or "
            "else the first split)."
        )
    ),
]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure",
        help="Additional measure in ir-measures notation, such as P@5. Can be repeated.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        help="Also compare with this system: an adapter (name or file) or a run (name or file)."
    ),
]
QrelsFile = Annotated[
    Path | None,
    typer.Option("--qrels", help="File of judgments (BEIR or TREC) to use instead of a split."),
]
RunFolder = Annotated[
    Path | None,
    typer.Option(
        "--run-out",
        help="Write a TREC run of each ranking to this folder; blanks in ids become %20.",
    ),
]
QrelsOut = Annotated[
    Path | None,
    typer.Option(help="Write the judgments to this file in TREC format; blanks in ids become %20."),
]
HtmlFile = Annotated[
    Path | None, typer.Option("--html", help="Write an HTML report that works without a network.")
]
AdapterFile = Annotated[Path, typer.Option("--out", help="File for the adapter, NAME.safetensors.")]


def resolve(
    data: str,
    embeddings: Path | None,
    encoder: str | None,
    query_prefix: str | None,
    document_prefix: str | None,
    workspace: Path | None,
    yes: bool = False,
) -> tuple[Workspace, Registration]:
    """Return the workspace, and the registration of the data set from the options.

    What the options do not name stays as it is registered. With `yes`, texts are sent to an
    endpoint without asking.
    """
    space = open_workspace(workspace, yes)
    registration = space.resolve(data, embeddings.expanduser().resolve() if embeddings else None)
    if encoder is None and query_prefix is None and document_prefix is None:
        return space, registration
    spec = chosen_encoder(registration.encoder, encoder, query_prefix, document_prefix)
    registration = replace(registration, encoder=spec, without_vectors=False)
    if encoder and not embeddings and not space.made_by_encoder(registration):
        err.print(
            f"imrnns-lens: {spec.name} did not make the vectors in {registration.embeddings}, so "
            "they are not used; the texts are encoded",
            soft_wrap=True,
        )
        registration = replace(registration, embeddings=None)
    return space, registration


def open_workspace(folder: Path | None, yes: bool = False) -> Workspace:
    """Return the workspace; before texts are sent to an endpoint, the user is asked."""
    from imrnns_core.storage.workspace import Workspace

    return Workspace(folder, partial(agree, yes=yes))


def chosen_encoder(
    registered: EncoderSpec,
    encoder: str | None,
    query_prefix: str | None,
    document_prefix: str | None,
) -> EncoderSpec:
    """Return the registered encoder with the named changes, or the spec of another encoder."""
    from imrnns_core.encoding.sentence_transformers import encoder_spec

    if encoder:
        spec = encoder_spec(encoder, query_prefix, document_prefix)
        if spec.name != registered.name:
            return spec
    given = {"query_prefix": query_prefix, "document_prefix": document_prefix}
    return replace(registered, **{key: text for key, text in given.items() if text is not None})


def open_collection(space: Workspace, registration: Registration) -> Collection:
    """Open a data set; progress is shown while texts are encoded."""
    with progress_bar() as progress:
        collection = space.open(registration, encoding(progress))
    for warning in collection.warnings:
        err.print(f"imrnns-lens: {warning}", soft_wrap=True)
    return collection


def open_ranker(
    space: Workspace,
    registration: Registration,
    adapter: str | None,
    base: str | None = ENCODER_BASE,
) -> Ranker:
    """Open a data set, with the named adapter or base; progress is shown while it is encoded.

    If the base is None, a data set without vectors takes its first run.
    """
    from imrnns_core.storage.extensions import memory_warnings

    if adapter is None or adapter == NO_ADAPTER:
        collection = open_collection(space, registration)
        return space.ranker(collection, _base(space, collection, base))
    if base not in (None, ENCODER_BASE):
        raise LensError(
            f"--adapter and --base {base}: an adapter ranks the candidates of the encoder, and a "
            "run has no vectors; leave out one of them"
        )
    space.adapter(adapter)  # before any text is encoded: this rejects an unknown adapter
    collection = open_collection(space, registration)
    with progress_bar() as progress:
        ranker = space.ranker(collection, adapter, encoding(progress))
    for warning in memory_warnings(ranker.adapter, collection):
        err.print(f"imrnns-lens: {warning}", soft_wrap=True)
    return ranker


def _base(space: Workspace, collection: Collection, base: str | None) -> str:
    """Return what ranks without an adapter: the run of this name, or the vectors.

    Without vectors, the first run of the data set is the base if none is named.
    """
    name = collection.dataset.name
    if base is None and not collection.has_vectors and (runs := space.runs.files(name)):
        base = next(iter(runs))
        err.print(
            f"imrnns-lens: {name} has no vectors, so its run {base} is the base", soft_wrap=True
        )
    return NO_ADAPTER if base in (None, ENCODER_BASE) else f"{RUN_PREFIX}{base}"
