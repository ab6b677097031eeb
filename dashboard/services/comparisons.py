"""The comparison of the base and the modulated ranking for one query."""

from __future__ import annotations

from dataclasses import replace

from dashboard import selection as selections
from dashboard.selection import Selection
from dashboard.services import catalog
from dashboard.services.caching import shared
from imrnns_core.config import NO_ADAPTER
from imrnns_core.data.records import Query
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.hybrid import LEXICAL, Hybrid
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import with_encoder
from imrnns_core.storage.judgments import GRADES
from imrnns_core.types import FloatArray


@shared(256, judged=False)
def typed_vector(data: str, text: str) -> FloatArray:
    """Return the vector of a typed query."""
    return catalog.collection(data).encode(text)


@shared(64)
def comparison(
    data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str]
) -> Comparison:
    """Return the Comparison of a known query (by id) or of a typed one (by text).

    Without an adapter, it also has the rankings of BM25 and of reciprocal rank fusion. If the base
    is a run, it has the ranking by the vectors, too.
    """
    ranker = catalog.ranker(data, adapter_name)
    if ranker.run_name is not None:
        return _of_run(data, ranker, query_id, text)
    if query_id:
        compared = ranker.compare(query_id, dropped)
    else:
        # the vector is cached apart: other adapters and other feedback need no new encoding
        compared = ranker.compare(Query("", text), dropped, vector=typed_vector(data, text))
    return compared if ranker.card else _hybrid(data, compared).add_to(compared)


def _of_run(data: str, ranker: Ranker, query_id: str, text: str) -> Comparison:
    compared = ranker.compare(query_id or Query("", text))
    compared = _hybrid(data, compared).add_to(compared)
    if not ranker.collection.has_vectors:
        return compared
    vector = None if query_id else typed_vector(data, text)
    return with_encoder(compared, catalog.ranker(data, NO_ADAPTER), vector)


def _hybrid(data: str, compared: Comparison) -> Hybrid:
    return Hybrid.of(catalog.collection(data), compared, catalog.lexical(data))


@shared(64)
def hybrid(data: str, adapter_name: str, query_id: str, text: str) -> Hybrid:
    """Return the mixes of base and BM25 for a query."""
    return _hybrid(data, comparison(data, adapter_name, query_id, text, frozenset()))


def second(compared: Comparison) -> str:
    """Return the ranking that pages show beside base: modulated or, without an adapter, BM25."""
    return "modulated" if "modulated" in compared.rankings else LEXICAL


def selected(selection: Selection) -> Comparison:
    """Return the Comparison of the selected query.

    The expected document of a typed question counts as judged with the highest grade.
    """
    found = comparison(
        selection.data, selection.system, selection.query, selection.text, excluded_ids(selection)
    )
    expected = selection.expected
    if selection.query or expected not in catalog.dataset(selection.data).document:
        return found
    return replace(found, judgments={expected: GRADES[-1]})


def excluded_ids(selection: Selection) -> frozenset[str]:
    """Return the ids of the feedback documents that do not refine the selected query."""
    if not selection.dropped:
        return frozenset()
    # the candidates are the same whatever is excluded, so this comparison has all their ids
    complete = comparison(
        selection.data, selection.system, selection.query, selection.text, frozenset()
    )
    return selections.excluded_ids(selection.dropped, complete.candidate_ids)
