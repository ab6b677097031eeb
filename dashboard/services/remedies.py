"""Remedies of a split and of a query, causes, and advice to authors."""

from __future__ import annotations

from dashboard.access import editors_only
from dashboard.selection import Selection
from dashboard.services import caching, catalog, comparisons, evaluations
from dashboard.services.caching import shared
from dashboard.services.computation import Computation
from imrnns_core.config import CORPUS_PREFIX
from imrnns_core.data.records import Query
from imrnns_core.encoding.endpoint import is_endpoint
from imrnns_core.errors import EncoderError
from imrnns_core.io import identity
from imrnns_core.remedies.advice import Advice, advise
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.causes import TriedRemedies, causes_of, try_remedies
from imrnns_core.remedies.measuring import measure_remedies
from imrnns_core.remedies.remedy import Alternatives, Search
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.storage.alternatives import (
    alternative_files,
    encode_alternatives,
    number_to_encode,
    stored_alternatives,
)
from imrnns_core.types import LabelledProgress, relevant_ids


def measured(data: str, adapter_name: str, split: str) -> Computation[Bench]:
    """Measure every remedy on the judged queries of a split, in the background."""
    # the scope of the adapter does not change what its remedies do
    return _measured(data, adapter_name.removeprefix(CORPUS_PREFIX), split, _others(data))


@shared(8)
def _measured(data: str, adapter_name: str, split: str, others: str) -> Computation[Bench]:
    ranker = catalog.ranker(data, adapter_name)

    def measure(report: LabelledProgress) -> Bench:
        report("BM25 index", 0, 1)
        lexical, found = catalog.lexical(data), _alternatives(data, others)
        return measure_remedies(ranker, lexical, split, report, found)

    return Computation.start(measure)


def of_query(
    data: str, adapter_name: str, query_id: str, text: str, relevant: frozenset[str]
) -> Computation[TriedRemedies]:
    """Try every remedy on one query, in the background.

    Args:
        data: The data set.
        adapter_name: The adapter, or the run that is the base.
        query_id: The query; empty if it was typed.
        text: Its text.
        relevant: Ids of its relevant documents.
    """
    return _of_query(data, adapter_name, query_id, text, relevant, _others(data))


@shared(128, judged=False)
def _of_query(
    data: str,
    adapter_name: str,
    query_id: str,
    text: str,
    relevant: frozenset[str],
    others: str,
) -> Computation[TriedRemedies]:
    vectors = None if query_id else comparisons.typed_vector(data, text)[None]
    ranker, query = catalog.ranker(data, adapter_name), Query(query_id, text)

    def measure(report: LabelledProgress) -> TriedRemedies:
        report("BM25 index", 0, 1)
        lexical, found = catalog.lexical(data), _alternatives(data, others)
        search = Search.of(ranker, lexical, [query], vectors, found)
        (tried,) = try_remedies(search, [relevant], report)
        return tried

    return Computation.start(measure)


def of_selection(selection: Selection, comparison: Comparison) -> Computation[TriedRemedies] | None:
    """Return the remedies of a ranked query, or None if no document is known to be relevant."""
    relevant = frozenset(relevant_ids(comparison.judgments))
    query = comparison.query
    if not relevant or (selection.run and not query.id):
        return None  # a run has no line for a typed question
    # the remedies of an adapter are both of its scopes
    system = selection.system if selection.run else selection.adapter
    return of_query(selection.data, system, query.id, query.text, relevant)


def causes(data: str, adapter_name: str, split: str) -> Computation[dict[str, TriedRemedies]]:
    """Try every remedy on each query of a split, in the background; see `causes_of`."""
    return _causes(data, adapter_name.removeprefix(CORPUS_PREFIX), split, _others(data))


@shared(8)
def _causes(
    data: str, adapter_name: str, split: str, others: str
) -> Computation[dict[str, TriedRemedies]]:
    ranker = catalog.ranker(data, adapter_name)

    def measure(report: LabelledProgress) -> dict[str, TriedRemedies]:
        report("BM25 index", 0, 1)
        lexical, found = catalog.lexical(data), _alternatives(data, others)
        base = evaluations.measured(data, adapter_name, split)
        return causes_of(ranker, base, lexical, report, found)

    return Computation.start(measure)


def advice_of(selection: Selection, comparison: Comparison) -> Computation[Advice | None] | None:
    """Return the advice to the authors of the best relevant document of the selected query.

    None if no document is known to be relevant, if the base is a run, or if an endpoint encodes:
    nothing is sent to it that nobody asked for.
    """
    relevant = frozenset(relevant_ids(comparison.judgments))
    encoder = catalog.collection(selection.data).encoder.spec.name
    if not relevant or selection.run or is_endpoint(encoder):
        return None
    dropped = comparisons.excluded_ids(selection)
    return _advice(
        *(selection.data, selection.system, selection.query, selection.text), dropped, relevant
    )


@shared(128, judged=False)
def _advice(
    data: str,
    adapter_name: str,
    query_id: str,
    text: str,
    dropped: frozenset[str],
    relevant: frozenset[str],
) -> Computation[Advice | None]:
    ranker = catalog.ranker(data, adapter_name)
    compared = comparisons.comparison(data, adapter_name, query_id, text, dropped)

    def measure(report: LabelledProgress) -> Advice | None:
        try:
            return advise(ranker, catalog.lexical(data), compared, relevant)
        except EncoderError:  # the encoder of precomputed embeddings is not at hand
            return None

    return Computation.start(measure)


def documents_to_encode(data: str) -> int:
    """Return how many documents must be encoded to try other titles; 0 if they are encoded."""
    return _documents_to_encode(data, _others(data))


@shared(8, judged=False)
def _documents_to_encode(data: str, others: str) -> int:
    collection = catalog.collection(data)
    if not collection.has_vectors or is_endpoint(collection.encoder.spec.name):
        return 0
    space = caching.workspace()
    return number_to_encode(space, space.resolve(data), collection)


@editors_only
def encode(data: str) -> Computation[None]:
    """Encode the documents with other titles and in passages, in the background."""
    return _encode(data, _others(data))


@shared(4, judged=False)
def _encode(data: str, others: str) -> Computation[None]:
    collection, space = catalog.collection(data), caching.workspace()
    return Computation.start(
        lambda report: encode_alternatives(space, space.resolve(data), collection, report)
    )


def _others(data: str) -> str:
    """Return a cache key of the other adapters and vectors, which can change as the server runs."""
    space = caching.workspace()
    adapters = [name + space.adapter_identity(name) for name in catalog.own_adapters(data)]
    files = alternative_files(space, space.resolve(data), catalog.collection(data))
    return f"{adapters} {identity(files)}"


@shared(4, judged=False)
def _alternatives(data: str, others: str) -> Alternatives:
    space, collection = caching.workspace(), catalog.collection(data)
    adapters = [catalog.ranker(data, name) for name in catalog.own_adapters(data)]
    return stored_alternatives(space, space.resolve(data), collection, adapters)
