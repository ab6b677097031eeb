"""The option `--store` of `imrnns-lens prepare`: read a data set from a vector store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imrnns_core.cli.console import encoding, err, out, progress_bar
from imrnns_core.errors import LensError
from imrnns_core.reporting.formatting import counted, percent

if TYPE_CHECKING:
    from imrnns_core.storage.registry import Registration
    from imrnns_core.storage.store_import import StoreImport
    from imrnns_core.storage.workspace import Workspace

StoreAddress = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="ADDRESS",
        help=(
            "Read documents and vectors from a vector store, as the data set DATA: "
            "faiss:INDEX#TABLE (a file with one document per row), qdrant:FOLDER#COLLECTION, "
            "milvus:FILE#COLLECTION or "
            "postgresql://USER@HOST/DATABASE#TABLE."
        ),
    ),
]
OTHER_DISTANCE = (
    "the store ranks by a distance, and its vectors have different lengths; here documents are "
    "ranked by cosine, so the rankings can differ from those of the store"
)


def read_store(
    space: Workspace, name: str, address: str, embeddings: Path | None, id_field: str
) -> Registration:
    """Read the documents of a store into the workspace, and say what was read.

    Raises:
        LensError: If the name is a path, or the store cannot be read.
    """
    from imrnns_core.retrieval.stores.address import parse_address
    from imrnns_core.retrieval.stores.opening import open_store
    from imrnns_core.storage.store_import import import_store

    if embeddings is not None:
        raise LensError("--store and --embeddings: name one of them; a store has its own vectors")
    if Path(name).name != name or name in ("", ".", "..", "sample"):
        raise LensError(f"{name}: with --store, DATA is a new name for the data set, not a path")
    parsed = parse_address(address)
    with open_store(parsed) as store, progress_bar() as progress:
        imported = import_store(space, name, parsed, store, id_field, encoding(progress, "read"))
    _print(imported, str(parsed))
    return imported.registration


def _print(imported: StoreImport, address: str) -> None:
    out.print(f"{address}: {counted(imported.documents, 'document')} read", soft_wrap=True)
    if imported.is_distance:
        err.print(f"imrnns-lens: {OTHER_DISTANCE}", soft_wrap=True)
    if imported.agreement is not None:
        out.print(
            f"the store's own search returns {percent(imported.agreement)} of the exact results",
            soft_wrap=True,
        )
