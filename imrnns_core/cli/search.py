"""The command `imrnns-lens search`."""

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
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.config import SearchConfig
from imrnns_core.types import STAGES, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imrnns_core.data.records import Document
    from imrnns_core.retrieval.comparison import Comparison

_DEFAULTS = SearchConfig()
Question = Annotated[
    str, typer.Argument(metavar="QUERY", help="A question, or the id of a query in the data set.")
]
TopK = Annotated[int, typer.Option("-k", min=1, help="Number of documents per ranking.")]


def search(
    data: Data,
    query: Question,
    adapter: AdapterOption,
    top_k: TopK = _DEFAULTS.top_k,
    json_file: JsonFile = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Print the base and the modulated ranking of one query."""
    from imrnns_core.reporting import terminal as tables

    check_outputs("search", force, json_file)
    options = (embeddings, encoder, query_prefix, document_prefix, workspace)
    space, registration = resolve(data, *options)
    ranker = open_ranker(space, registration, adapter)
    collection, comparison = ranker.collection, ranker.compare(query)
    rankings = {
        stage: _hits(comparison, stage, top_k, collection.dataset.document) for stage in STAGES
    }
    out.print(Text(comparison.query.text, style="bold"))
    shown: tuple[tuple[Stage, Stage], ...] = (("base", "modulated"), ("modulated", "base"))
    for stage, other_stage in shown:
        other_ranks = _ranks(comparison, other_stage)
        out.print(tables.hits(stage, rankings[stage], other_stage, other_ranks))
    if json_file:
        query_fields = {"query_id": comparison.query.id or None, "query": comparison.query.text}
        record = {
            "schema": 1,
            **query_fields,
            "adapter": ranker.adapter.card.name,
            "rankings": rankings,
        }
        write_record(json_file, "search", record)


def _ranks(comparison: Comparison, stage: str) -> dict[str, int]:
    """Return each candidate's rank in a stage."""
    return dict(zip(comparison.document_ids, comparison.rank(stage).tolist(), strict=True))


def _hits(
    comparison: Comparison, stage: str, top_k: int, documents: Mapping[str, Document]
) -> list[dict[str, Any]]:
    """Return the top documents of a ranking, each with its title and base rank."""
    base_rank = _ranks(comparison, "base")
    return [
        {
            **asdict(hit),
            "title": documents[hit.document_id].title,
            "base_rank": base_rank[hit.document_id],
        }
        for hit in comparison.ranking(stage, top_k)
    ]
