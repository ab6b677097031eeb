"""`imrnns-lens faithfulness`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from imrnns_core.cli.console import err, progress_bar, show
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
from imrnns_core.errors import LensError
from imrnns_core.io import write_json

if TYPE_CHECKING:
    from imrnns_core.explanation.deletion_records import DeletionTest
    from imrnns_core.retrieval.ranker import Ranker

TestedSplit = Annotated[str, typer.Option(help="The split whose queries are explained.")]
Pairs = Annotated[
    int, typer.Option(min=2, help="Pairs of a query and a document, risers and fallers in turn.")
]


def faithfulness(
    data: Data,
    adapter: AdapterOption,
    split: TestedSplit = "dev",
    pairs: Pairs = 60,
    json_file: JsonFile = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = "",
    document_prefix: DocumentPrefix = "",
    workspace: WorkspaceFolder = None,
) -> None:
    """Test the explanations by deletion: do the named words carry the score, and its change?

    Some twenty seconds a pair.
    """
    from imrnns_core.explanation.deletion_test import record_key
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.retrieval.ranker import Ranker

    check_outputs("faithfulness", force, json_file)
    options = (embeddings, encoder, query_prefix, document_prefix, workspace)
    space, registration = resolve(data, *options)
    collection = open_collection(space, registration)
    ranker = Ranker(collection, space.adapter(adapter))
    if split not in collection.dataset.splits:
        known = ", ".join(collection.dataset.splits) or "none"
        raise LensError(
            f"{collection.dataset.name} has no split {split!r}; its splits are: {known}"
        )
    result = _run(ranker, split, pairs)
    show(tables.faithfulness(result))
    write_json(space.faithfulness_path(record_key(ranker)), result.to_json())
    if json_file:
        write_record(json_file, "faithfulness", result.to_json())


def _run(ranker: Ranker, split: str, count: int) -> DeletionTest:
    """Run the deletion test; an interruption keeps the pairs that are done."""
    from imrnns_core.explanation.deletion_records import DeletionTest
    from imrnns_core.explanation.deletion_test import run_pairs, sample_pairs
    from imrnns_core.explanation.word_attribution import WordExplainer

    sampled, explainer = sample_pairs(ranker, split, count), WordExplainer(ranker)
    result = DeletionTest(ranker.collection.dataset.name, split, ranker.adapter.card.name)
    with progress_bar() as progress:
        task = progress.add_task("delete and encode again", total=len(sampled))
        try:
            for tested in run_pairs(explainer, sampled):
                result.pairs.append(tested)
                progress.advance(task)
        except KeyboardInterrupt:
            err.print(f"stopped; the figures are those of {len(result.pairs)} pairs")
    if not result.pairs:
        raise LensError("stopped before the first pair; nothing was measured")
    return result
