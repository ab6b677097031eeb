"""What an adapter does to queries and documents: influence, ranges, words of dimensions."""

from __future__ import annotations

from dashboard.selection import Selection
from dashboard.services import catalog, comparisons
from dashboard.services.caching import shared
from imrnns_core.explanation.dimension_words import DimensionWordIndex
from imrnns_core.explanation.feedback_influence import FeedbackInfluence, feedback_influence
from imrnns_core.explanation.modulation_ranges import ModulationRanges, modulation_ranges

RANGE_QUERIES = 100  # bounds the time of the first look at Modulation


def influence(selection: Selection) -> FeedbackInfluence:
    """Return the influence of each feedback document on the refinement of the query."""
    return _influence(
        selection.data,
        selection.system,
        selection.query,
        selection.text,
        comparisons.excluded_ids(selection),
    )


@shared(64, judged=False)
def _influence(
    data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str]
) -> FeedbackInfluence:
    comparison = comparisons.comparison(data, adapter_name, query_id, text, dropped)
    return feedback_influence(comparison, catalog.ranker(data, adapter_name).adapter.model)


def has_mean(data: str) -> bool:
    """Return whether the data set has at least two queries, as a mean over them needs."""
    return len(catalog.collection(data).queries) > 1


@shared(8, "Measuring the adapter’s ranges …", judged=False)
def ranges(data: str, adapter_name: str) -> ModulationRanges:
    """Measure the ranges over many queries, or over documents if there are too few queries."""
    loaded = catalog.collection(data)
    vectors = (loaded.queries if has_mean(data) else loaded.documents).vectors
    # evenly spaced, because the queries of a file are often sorted by subject
    step = max(1, len(vectors) // RANGE_QUERIES)
    return modulation_ranges(catalog.ranker(data, adapter_name), vectors[::step][:RANGE_QUERIES])


@shared(3, "Counting the words of the corpus …", judged=False)
def words(data: str) -> DimensionWordIndex:
    """Return the index of the words of the corpus and the documents that contain them."""
    return DimensionWordIndex(catalog.dataset(data).documents)
