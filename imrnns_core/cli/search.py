"""`imrnns-lens search`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from imrnns_core.cli.console import out
from imrnns_core.cli.options import (
    AdapterOption,
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    JsonFile,
    QueryPrefix,
    WorkspaceFolder,
    find_query,
    open_collection,
    resolve,
)
from imrnns_core.config import SearchConfig
from imrnns_core.io import write_json
from imrnns_core.types import STAGES

if TYPE_CHECKING:
    pass


def search(
    data: Data,
    query: Annotated[str, typer.Argument(help="A question, or the id of a query of the data set.")],
    adapter: AdapterOption,
    top_k: Annotated[
        int, typer.Option("-k", min=1, help="How many documents of each ranking.")
    ] = SearchConfig().top_k,
    json_file: JsonFile = None,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = "",
    document_prefix: DocumentPrefix = "",
    workspace: WorkspaceFolder = None,
) -> None:
    """Print the base and the modulated ranking of one query."""
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.retrieval.ranker import Ranker

    space, registration = resolve(
        data, embeddings, encoder, query_prefix, document_prefix, workspace
    )
    loaded = space.adapter(adapter)
    collection = open_collection(space, registration)
    ranker = Ranker(collection, loaded)
    asked = find_query(collection, query)
    comparison = ranker.compare(
        asked, collection.vector(asked.id) if asked.id else collection.encode(asked.text)
    )
    record: dict[str, Any] = {
        "schema": 1,
        "query_id": asked.id or None,
        "query": asked.text,
        "adapter": loaded.card.name,
        "rankings": {},
    }
    out.print(Text(asked.text, style="bold"))
    for stage in STAGES:
        hits = comparison.hits(stage, top_k)
        record["rankings"][stage] = [
            {
                **asdict(hit),
                "title": collection.dataset.document[hit.document_id].title,
                "base_rank": int(comparison.ranks[0, comparison.position[hit.document_id]]),
            }
            for hit in hits
        ]
        if stage in ("base", "modulated"):
            out.print(tables.hits(stage, record["rankings"][stage], bool(comparison.judgments)))
    if json_file:
        write_json(json_file, record)
