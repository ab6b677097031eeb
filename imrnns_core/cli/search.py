"""The command `imrnns-lens search`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from imrnns_core.cli.console import out
from imrnns_core.cli.options import (
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    Force,
    JsonFile,
    OptionalAdapter,
    QueryPrefix,
    WorkspaceFolder,
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.config import SearchConfig

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
    adapter: OptionalAdapter = None,
    top_k: TopK = _DEFAULTS.top_k,
    json_file: JsonFile = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Print two rankings of one query: base and modulated.

    Without an adapter, they are base and the reciprocal rank fusion of base and
    BM25.
    """
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.retrieval.hybrid import RANK_FUSION, Hybrid

    check_outputs("search", force, json_file)
    options = (embeddings, encoder, query_prefix, document_prefix, workspace)
    space, registration = resolve(data, *options)
    ranker = open_ranker(space, registration, adapter)
    collection, comparison = ranker.collection, ranker.compare(query)
    if ranker.card is None:
        index = space.lexical_index(collection.dataset)
        comparison = Hybrid.of(collection, comparison, index).add_to(comparison)
    rankings = {
        system: _hits(comparison, system, top_k, collection.dataset.document)
        for system in comparison.rankings
    }
    out.print(Text(comparison.query.text, style="bold"))
    second = RANK_FUSION if ranker.card is None else "modulated"
    for system, other in (("base", second), (second, "base")):
        ranks = _ranks(comparison, other)
        out.print(tables.hits(system, _named(rankings[system]), other, ranks))
    if json_file:
        query_fields = {"query_id": comparison.query.id or None, "query": comparison.query.text}
        record = {
            "schema": 1,
            **query_fields,
            "adapter": ranker.adapter_name,
            "rankings": rankings,
        }
        write_record(json_file, "search", record)


def _ranks(comparison: Comparison, system: str) -> dict[str, int]:
    """Return the rank of each document that a system ranks."""
    ranking = comparison.rankings[system]
    return dict(zip(ranking.document_ids, ranking.ranks.tolist(), strict=True))


def _hits(
    comparison: Comparison, system: str, top_k: int, documents: Mapping[str, Document]
) -> list[dict[str, Any]]:
    """Return the top documents of a ranking, each with its title and base rank."""
    base_rank = _ranks(comparison, "base")
    return [
        {
            **asdict(hit),
            "title": documents[hit.document_id].title,
            # BM25 also ranks documents that the base does not return
            "base_rank": base_rank.get(hit.document_id),
            **({"passage": best.to_json()} if best else {}),
        }
        for hit in comparison.ranking(system, top_k)
        for best in [comparison.passages.get(hit.document_id)]
    ]


def _named(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the hits with the best passage behind the title."""
    return [
        {**hit, "title": f"{hit['title']} (passage {best['number']} of {best['count']})".strip()}
        if (best := hit.get("passage"))
        else hit
        for hit in hits
    ]
