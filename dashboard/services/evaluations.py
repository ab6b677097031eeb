"""Evaluations, outcomes and diagnoses."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
import torch

from dashboard.selection import Selection
from dashboard.services import caching, catalog, comparisons
from dashboard.services.caching import shared
from dashboard.services.computation import Computation
from dashboard.services.measuring import Measuring
from imrnns_core.config import MEASURES
from imrnns_core.data.records import Query
from imrnns_core.encoding.endpoint import is_endpoint
from imrnns_core.errors import EncoderError
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.baselines import Baselines
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition, decompose_change
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, measure_bm25
from imrnns_core.evaluation.gain_decomposition import GainDecomposition, decompose_gain
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.rank_overlap import RankOverlap, measure_overlap, unjudged_queries
from imrnns_core.evaluation.unjudged import UnjudgedRange, unjudged_range
from imrnns_core.io import identity
from imrnns_core.remedies.advice import Advice, advise
from imrnns_core.remedies.bench import Bench, measure_remedies
from imrnns_core.remedies.causes import (
    Diagnosis,
    TriedRemedies,
    causes_of,
    diagnose,
    try_remedies,
)
from imrnns_core.remedies.remedy import Search
from imrnns_core.reporting.evaluation_html import evaluation_to_html
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.storage.sentences import sentence_paths, stored_sentences
from imrnns_core.types import LabelledProgress, relevant_ids


@shared(8)
def _measuring(data: str, adapter_name: str) -> Measuring:
    """Measure what new judgments change; the other splits were measured before."""
    latest = _latest_measuring(data, adapter_name)
    latest[:] = [Measuring.start(catalog.ranker(data, adapter_name), *latest)]
    return latest[0]


@shared(8, judged=False)
def _latest_measuring(data: str, adapter_name: str) -> list[Measuring]:
    """Return the last measurement with these files and this adapter, whatever was judged."""
    return []


def _measured(data: str, adapter_name: str, split: str) -> Evaluation:
    job = _measuring(data, adapter_name)
    # the job measures in the background from the first page on; wait only if it is not done yet
    if not job.splits[split].done():
        # ends the delay that the job grants to the first page
        job.hurry.set()
        with st.spinner("Measuring all judged queries …"):
            job.splits[split].exception()
    return job.splits[split].result()


def outcomes(data: str, adapter_name: str, top_k: int) -> dict[str, Outcome] | None:
    """Return the outcome of each judged query, or None while they are being measured."""
    outcomes_by_query: dict[str, Outcome] = {}
    for split, future in _measuring(data, adapter_name).splits.items():
        if not future.done():
            # with this split missing, its queries would look as if they had no judgments
            return None
        if not future.exception():  # a split without a relevant document has no outcomes
            measured = evaluation(data, adapter_name, split, top_k)
            outcomes_by_query.update(zip(measured.query_ids, measured.outcomes(), strict=True))
    return outcomes_by_query


@shared(96)
def evaluation(data: str, adapter_name: str, split: str, top_k: int) -> Evaluation:
    """Return the evaluation of a split, with `top_k` as the limit for failed queries.

    The limit changes only the outcomes, so one measurement serves all limits.
    """
    return replace(_measured(data, adapter_name, split), top_k=top_k)


@shared(24, "Ranking by BM25 …")
def bm25(data: str, split: str) -> SystemMetrics:
    """Measure the lexical baseline, which no adapter changes."""
    dataset = catalog.dataset(data)
    return measure_bm25(dataset, dataset.judged_queries(split), catalog.lexical(data), MEASURES)


def baselines(data: str, adapter_name: str, split: str) -> Baselines:
    """Return the baselines on the queries of a split."""
    # sentences can be encoded while the server runs
    files = sentence_paths(caching.workspace().root, catalog.collection(data))
    return _baselines(data, adapter_name, split, identity(files))


@shared(24, "Measuring the baselines …")
def _baselines(data: str, adapter_name: str, split: str, sentence_files: str) -> Baselines:
    collection = catalog.collection(data)
    sentences = stored_sentences(caching.workspace().root, collection)
    measured = _measured(data, adapter_name, split)
    return measure_baselines(measured, collection, catalog.lexical(data), sentences)


@shared(8)
def remedies(data: str, adapter_name: str, split: str) -> Computation[Bench]:
    """Measure every remedy on the judged queries of a split, in the background."""
    ranker = catalog.ranker(data, adapter_name)

    def measure(report: LabelledProgress) -> Bench:
        report("BM25 index", 0, 1)
        return measure_remedies(ranker, catalog.lexical(data), split, report)

    return Computation.start(measure)


@shared(128, judged=False)
def remedies_of_query(
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
    vectors = None if query_id else comparisons.typed_vector(data, text)[None]
    ranker, query = catalog.ranker(data, adapter_name), Query(query_id, text)

    def measure(report: LabelledProgress) -> TriedRemedies:
        report("BM25 index", 0, 1)
        search = Search.of(ranker, catalog.lexical(data), [query], vectors)
        (tried,) = try_remedies(search, [relevant], report)
        return tried

    return Computation.start(measure)


def remedies_of(selection: Selection, comparison: Comparison) -> Computation[TriedRemedies] | None:
    """Return the remedies of a ranked query, or None if no document is known to be relevant."""
    relevant = frozenset(relevant_ids(comparison.judgments))
    query = comparison.query
    if not relevant or (selection.run and not query.id):
        return None  # a run has no line for a typed question
    # the remedies of an adapter are both of its scopes
    system = selection.system if selection.run else selection.adapter
    return remedies_of_query(selection.data, system, query.id, query.text, relevant)


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


@shared(8)
def causes(data: str, adapter_name: str, split: str) -> Computation[dict[str, TriedRemedies]]:
    """Try every remedy on each query of a split, in the background; see `causes_of`."""
    ranker = catalog.ranker(data, adapter_name)

    def measure(report: LabelledProgress) -> dict[str, TriedRemedies]:
        report("BM25 index", 0, 1)
        lexical = catalog.lexical(data)
        return causes_of(ranker, _measured(data, adapter_name, split), lexical, report)

    return Computation.start(measure)


@shared(24)
def shares(data: str, adapter_name: str, split: str) -> ChangeDecomposition | None:
    """Return each part's share of the score change, None for a single query."""
    measured = _measured(data, adapter_name, split)
    vectors = catalog.collection(data).query_vectors(measured.query_ids)
    return decompose_change(
        catalog.ranker(data, adapter_name),
        measured.batch,
        torch.from_numpy(vectors),
    )


@shared(24)
def gain(data: str, adapter_name: str, split: str) -> GainDecomposition | None:
    """Return each part of the change of nDCG@10, None for a single query."""
    measured = _measured(data, adapter_name, split)
    return decompose_gain(catalog.ranker(data, adapter_name), measured.batch, measured.qrels, NDCG)


@shared(24)
def ndcg_range(data: str, adapter_name: str, split: str) -> UnjudgedRange:
    """Return nDCG@10 under two assumptions about unjudged documents."""
    measured = _measured(data, adapter_name, split)
    return unjudged_range(catalog.dataset(data), measured.batch, measured.qrels, NDCG)


@shared(8, "Ranking the queries without judgments …")
def overlap(data: str, adapter_name: str, top_k: int) -> RankOverlap:
    """Return how much the rankings of the queries without judgments change.

    Without an adapter: how much base and BM25 differ.
    """
    ranker = catalog.ranker(data, adapter_name)
    queries = unjudged_queries(ranker.collection.dataset)
    return measure_overlap(ranker, queries, top_k, None if ranker.card else catalog.lexical(data))


def diagnoses(
    data: str,
    adapter_name: str,
    split: str,
    top_k: int,
    tried: dict[str, TriedRemedies] | None,
) -> list[Diagnosis]:
    """Return the diagnosis of each query of a split, with the result of `causes` if it is there."""
    measured = evaluation(data, adapter_name, split, top_k)
    return diagnose(measured, bm25(data, split), tried)


def report(data: str, adapter_name: str, split: str, top_k: int) -> str:
    """Return the evaluation of a split as one HTML file."""
    measured = replace(evaluation(data, adapter_name, split, top_k), bm25=bm25(data, split))
    if measured.has_adapter:
        measured = replace(
            measured,
            shares=shares(data, adapter_name, split),
            gain=gain(data, adapter_name, split),
            ndcg_range=ndcg_range(data, adapter_name, split),
        )
    compared = baselines(data, adapter_name, split)
    tried = causes(data, adapter_name, split).result()
    found = diagnoses(data, adapter_name, split, top_k, tried)
    return evaluation_to_html(measured, compared, found, catalog.dataset(data).queries)
