"""The command `imrnns-lens faithfulness`."""

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
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.errors import LensError
from imrnns_core.io import write_checked_json
from imrnns_core.reporting.formatting import counted

if TYPE_CHECKING:
    from imrnns_core.explanation.deletion_records import DeletionTest
    from imrnns_core.retrieval.ranker import Ranker

TestedSplit = Annotated[
    str | None,
    typer.Option(help="Split whose queries are tested (default: dev, or else the first split)."),
]
Pairs = Annotated[
    int,
    typer.Option(
        min=2,
        help=(
            "Number of query-document pairs to test. Half of the documents are promoted by the "
            "adapter, half are demoted."
        ),
    ),
]


def faithfulness(
    data: Data,
    adapter: AdapterOption,
    split: TestedSplit = None,
    pairs: Pairs = 60,
    json_file: JsonFile = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Test the explanations: does the score drop when the words they name are deleted?

    The test takes 5 to 20 seconds per pair of a query and a document. The
    dashboard shows the result, and so do HTML reports that you write afterwards.
    """
    from imrnns_core.explanation.deletion_test import record_key
    from imrnns_core.reporting import explanation_tables as tables
    from imrnns_core.storage.data_sets.uses import note_use

    check_outputs("faithfulness", force, json_file)
    options = (embeddings, encoder, query_prefix, document_prefix, workspace)
    space, registration = resolve(data, *options)
    ranker = open_ranker(space, registration, adapter)
    collection = ranker.collection
    split = split or collection.dataset.first_split("dev")
    if split not in collection.dataset.splits:
        known = ", ".join(collection.dataset.splits) or "none"
        raise LensError(
            f"{collection.dataset.name} has no split {split!r}; available splits: {known} "
            "(use --split)"
        )
    result = _run(ranker, split, pairs)
    show(tables.faithfulness(result))
    # where the dashboard and the reports look for it, also without --json
    path = space.faithfulness_path(record_key(ranker))
    note_use(space.root, collection.dataset.name, path)
    write_checked_json(path, result.to_json())
    if json_file:
        write_record(json_file, "faithfulness", result.to_json())


def _run(ranker: Ranker, split: str, count: int) -> DeletionTest:
    """Run the deletion test; after Ctrl-C, the result has the pairs that are finished."""
    from imrnns_core.explanation.deletion_records import DeletionTest
    from imrnns_core.explanation.deletion_test import run_pairs, sample_pairs
    from imrnns_core.explanation.word_attribution import WordExplainer

    sampled, explainer = sample_pairs(ranker, split, count), WordExplainer(ranker)
    result = DeletionTest(ranker.collection.dataset.name, split, ranker.adapter.card.name)
    with progress_bar() as progress:
        task = progress.add_task("pairs tested", total=len(sampled))
        try:
            for tested in run_pairs(explainer, sampled):
                result.pairs.append(tested)
                progress.advance(task)
        except KeyboardInterrupt:
            err.print(f"stopped; the result covers {counted(len(result.pairs), 'pair')}")
    if not result.pairs:
        raise LensError("stopped before the first pair was finished; there is no result")
    return result
