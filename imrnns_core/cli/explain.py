"""The command `imrnns-lens explain`."""

from __future__ import annotations

from typing import Annotated

import typer

from imrnns_core.cli.console import out, show
from imrnns_core.cli.options import (
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    Force,
    HtmlFile,
    JsonFile,
    OptionalAdapter,
    QueryPrefix,
    ScopeChoice,
    WorkspaceFolder,
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.config import SearchConfig
from imrnns_core.io import first_readable, write_text

Question = Annotated[
    str, typer.Option("--query", help="A question, or the id of a query in the data set.")
]
Candidate = Annotated[
    str,
    typer.Option(
        "--document",
        help=(
            "The id of the document to explain. The base retriever must return it among its "
            f"{SearchConfig().candidates} candidates; `imrnns-lens search DATA QUERY -k "
            f"{SearchConfig().candidates}` lists them. With --scope corpus, it can also be one "
            f"of the {SearchConfig().candidates} other documents with the highest modulated "
            "scores."
        ),
    ),
]
Verify = Annotated[
    bool,
    typer.Option(
        "--verify",
        help="Measure the drops of the strongest words by deleting them and encoding again.",
    ),
]


def explain(
    data: Data,
    query: Question,
    document: Candidate,
    adapter: OptionalAdapter = None,
    scope: ScopeChoice = "candidates",
    verify: Verify = False,
    json_file: JsonFile = None,
    force: Force = False,
    html_file: HtmlFile = None,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Explain why a document has its rank for a query.

    Name the query with --query and the document with --document. The command
    shows the parts of the score change, the words of both texts behind the
    change, and the paper's vocabulary view. Without an adapter, it shows the
    words behind the base score.
    """
    from imrnns_core.explanation.deletion_records import DeletionSummary
    from imrnns_core.explanation.deletion_test import record_key
    from imrnns_core.explanation.explain import explain as explain_pair
    from imrnns_core.remedies.causes import remedies_of
    from imrnns_core.reporting import explanation_tables as tables
    from imrnns_core.reporting.html import to_html
    from imrnns_core.storage.alternatives import alternatives_of

    check_outputs("explain", force, json_file, html_file)
    options = (embeddings, encoder, query_prefix, document_prefix, workspace)
    space, registration = resolve(data, *options)
    ranker = open_ranker(space, registration, adapter).with_scope(scope)
    comparison = ranker.compare(query)
    with out.status("explaining"):
        explanation = explain_pair(ranker, comparison, document, verify)
    show(tables.explanation(explanation))
    if json_file:
        write_record(json_file, "explain", explanation.to_json())
    if html_file:
        paths = [] if ranker.card is None else space.faithfulness_paths(record_key(ranker))
        test = first_readable(paths, DeletionSummary.read)
        lexical = space.lexical_index(ranker.collection.dataset)
        others = alternatives_of(space, ranker.collection)
        tried = remedies_of(ranker, lexical, comparison, others)
        write_text(html_file, to_html(explanation, test, tried))
