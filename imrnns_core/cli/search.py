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
    Force,
    JsonFile,
    QueryPrefix,
    WorkspaceFolder,
    open_collection,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.config import SearchConfig
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
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = "",
    document_prefix: DocumentPrefix = "",
    workspace: WorkspaceFolder = None,
) -> None:
    """Print the base and the modulated ranking of one query."""
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.retrieval.ranker import Ranker

    check_outputs("search", force, json_file)
    space, registration = resolve(
        data, embeddings, encoder, query_prefix, document_prefix, workspace
    )
    loaded = space.adapter(adapter)
    collection = open_collection(space, registration)
    ranker = Ranker(collection, loaded)
    comparison = ranker.compare(query)
    base_ranks = comparison.rank("base")
    record: dict[str, Any] = {
        "schema": 1,
        "query_id": comparison.query.id or None,
        "query": comparison.query.text,
        "adapter": loaded.card.name,
        "rankings": {},
    }
    out.print(Text(comparison.query.text, style="bold"))
    for stage in STAGES:
        hits = comparison.ranking(stage, top_k)
        record["rankings"][stage] = [
            {
                **asdict(hit),
                "title": collection.dataset.document[hit.document_id].title,
                "base_rank": int(base_ranks[comparison.position[hit.document_id]]),
            }
            for hit in hits
        ]
        if stage in ("base", "modulated"):
            out.print(tables.hits(stage, record["rankings"][stage], bool(comparison.judgments)))
    if json_file:
        write_record(json_file, "search", record)
