"""Options that several commands share, and opening a data set by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imrnns_core.cli.console import encoding, progress_bar
from imrnns_core.config import EncoderSpec

if TYPE_CHECKING:
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.storage.registry import Registration
    from imrnns_core.storage.workspace import Workspace


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help=(
            "A registered name such as sample, or a folder or zip in the BEIR layout; ./NAME is "
            "always a path."
        ),
    ),
]
AdapterOption = Annotated[
    str, typer.Option("--adapter", help="An adapter's file, or its name in the workspace.")
]
Embeddings = Annotated[
    Path | None,
    typer.Option(
        help=(
            "A folder of precomputed vectors: documents.npy, document_ids.txt, queries.npy, "
            "query_ids.txt."
        )
    ),
]
EncoderName = Annotated[
    str | None,
    typer.Option(
        "--encoder", help="A sentence-transformers folder or hub name (default all-MiniLM-L6-v2)."
    ),
]
QueryPrefix = Annotated[str, typer.Option(help="Put before each query, as E5 and BGE want.")]
DocumentPrefix = Annotated[str, typer.Option(help="Put before each document.")]
WorkspaceFolder = Annotated[
    Path | None,
    typer.Option(
        "--workspace", envvar="IMRNNS_WORKSPACE", help="Where vectors, maps and adapters are kept."
    ),
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")]
Force = Annotated[
    bool, typer.Option("--force", help="Overwrite files that another command or a person made.")
]


Split = Annotated[
    str, typer.Option(help="The judged split; unjudged: the queries without judgments.")
]
Measures = Annotated[
    list[str] | None,
    typer.Option(
        "--measure", help="Further measures, as ir-measures writes them; may be repeated."
    ),
]
Against = Annotated[
    str | None,
    typer.Option(help="Another adapter (name or file), or a TREC run, to compare query by query."),
]
QrelsFile = Annotated[
    Path | None,
    typer.Option("--qrels", help="Judgments (BEIR or TREC) to use in place of the split's."),
]
RunFolder = Annotated[
    Path | None, typer.Option("--run-out", help="A folder for a TREC run of each stage.")
]
QrelsOut = Annotated[
    Path | None, typer.Option(help="Write the judgments that were used, as TREC has them.")
]
HtmlFile = Annotated[
    Path | None, typer.Option("--html", help="Write a report that opens without a network.")
]
AdapterFile = Annotated[
    Path, typer.Option("--out", help="Where to write the adapter, NAME.safetensors.")
]


def resolve(
    data: str,
    embeddings: Path | None,
    encoder: str | None,
    query_prefix: str,
    document_prefix: str,
    workspace: Path | None,
) -> tuple[Workspace, Registration]:
    """Return the workspace, and what the options say of the data set."""
    from imrnns_core.encoding.bundled import BUNDLED_NAME
    from imrnns_core.storage.workspace import Workspace

    space = Workspace(workspace)
    given = encoder or query_prefix or document_prefix
    if encoder and encoder != BUNDLED_NAME and Path(encoder).expanduser().is_dir():
        encoder = str(Path(encoder).expanduser().resolve())  # it is used again from other folders
    spec = (
        EncoderSpec(
            encoder or BUNDLED_NAME, query_prefix=query_prefix, document_prefix=document_prefix
        )
        if given
        else None
    )
    return space, space.resolve(
        data, embeddings.expanduser().resolve() if embeddings else None, spec
    )


def open_collection(space: Workspace, registration: Registration) -> Collection:
    """Open a data set, with progress where texts have to be encoded."""
    with progress_bar() as progress:
        return space.open(registration, encoding(progress))
