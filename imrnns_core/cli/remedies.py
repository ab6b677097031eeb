"""The command `imrnns-lens remedies`."""

from __future__ import annotations

from typing import Annotated

import typer

from imrnns_core.cli.console import labelled_bar, show
from imrnns_core.cli.options import (
    Base,
    Data,
    Embeddings,
    Force,
    JsonFile,
    OptionalAdapter,
    WorkspaceFolder,
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.errors import LensError

JudgedSplit = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="Split whose judged queries are measured (default: test, or else the first split).",
    ),
]
EncodeToo = Annotated[
    bool,
    typer.Option(
        "--encode",
        help=(
            "First encode the documents without titles, with their titles twice and, if they are "
            "long, in passages, so that these remedies are measured, too. The vectors are kept."
        ),
    ),
]
NOT_ENCODED = (
    "Not tried: titles left out, titles twice, passages. Their vectors are made with --encode, "
    "which encodes {} documents."
)
NO_JUDGMENTS = (
    "{} has no judgments, so no query is known to fail; judge documents on the page Judging, or "
    "add a file of judgments"
)


def remedies(
    data: Data,
    adapter: OptionalAdapter = None,
    base: Base = None,
    split: JudgedSplit = None,
    encode: EncodeToo = False,
    json_file: JsonFile = None,
    force: Force = False,
    embeddings: Embeddings = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Measure what would fix failing queries: BM25, an adapter and other changes.

    The table has the change that each remedy makes to the base ranking, and how
    many queries it fixes and breaks. With --base, the base is a run, the ranking
    of another search engine. Settings are chosen by cross-validation, so
    no query chooses the setting by which it is measured. A second table has groups
    of failing queries with the same cause. The last lines say what to do first, or
    that nothing is shown to help.
    """
    from imrnns_core.evaluation.evaluate import evaluate
    from imrnns_core.remedies.causes import causes_of
    from imrnns_core.remedies.groups import cause_groups
    from imrnns_core.remedies.measuring import measure_remedies
    from imrnns_core.reporting import remedies as tables
    from imrnns_core.storage.alternatives import (
        encode_alternatives,
        number_to_encode,
        own_adapters,
        stored_alternatives,
    )

    check_outputs("remedies", force, json_file)
    space, registration = resolve(data, embeddings, None, None, None, workspace)
    ranker = open_ranker(space, registration, adapter, base)
    if ranker.run_name is None:
        ranker.collection.require_vectors()
    dataset = ranker.collection.dataset
    if not dataset.splits:
        raise LensError(NO_JUDGMENTS.format(dataset.name))
    split = split or dataset.first_split("test")
    # before the slow work: this rejects a split that cannot be measured
    dataset.judged_queries(split)
    others = own_adapters(space, ranker.collection)
    with labelled_bar("BM25 index") as progress:
        lexical = space.lexical_index(dataset)
        if encode and ranker.collection.has_vectors:
            encode_alternatives(space, registration, ranker.collection, progress)
        found = stored_alternatives(space, registration, ranker.collection, others)
        bench = measure_remedies(ranker, lexical, split, progress, found)
        tried = causes_of(ranker, evaluate(ranker, split), lexical, progress, found)
    groups = cause_groups(bench, tried)
    show(tables.remedies(bench, groups))
    has_vectors = ranker.collection.has_vectors
    if has_vectors and (number := number_to_encode(space, registration, ranker.collection)):
        show([NOT_ENCODED.format(f"{number:,}")])
    if json_file:
        record = {**bench.to_json(), "cause_groups": [group.to_json() for group in groups]}
        write_record(json_file, "remedies", record)
