"""Evaluations, outcomes and diagnoses."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
import torch

from dashboard.services import caching, catalog
from dashboard.services.caching import shared
from dashboard.services.measuring import Measuring
from imrnns_core.config import MEASURES
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.baselines import Baselines
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition, decompose_change
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, measure_bm25
from imrnns_core.evaluation.gain_decomposition import GainDecomposition, decompose_gain
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.rank_overlap import RankOverlap, measure_overlap, unjudged_queries
from imrnns_core.evaluation.unjudged import UnjudgedRange, unjudged_range
from imrnns_core.io import identity
from imrnns_core.remedies.causes import (
    Diagnosis,
    TriedRemedies,
    diagnose,
)
from imrnns_core.reporting.evaluation_html import evaluation_to_html
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.storage.sentences import sentence_paths, stored_sentences


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


def measured(data: str, adapter_name: str, split: str) -> Evaluation:
    """Return the measures of the judged queries of a split."""
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
            own = evaluation(data, adapter_name, split, top_k)
            outcomes_by_query.update(zip(own.query_ids, own.outcomes(), strict=True))
    return outcomes_by_query


@shared(96)
def evaluation(data: str, adapter_name: str, split: str, top_k: int) -> Evaluation:
    """Return the evaluation of a split, with `top_k` as the limit for failed queries.

    The limit changes only the outcomes, so one measurement serves all limits.
    """
    return replace(measured(data, adapter_name, split), top_k=top_k)


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
    own = measured(data, adapter_name, split)
    return measure_baselines(own, collection, catalog.lexical(data), sentences)


@shared(24)
def shares(data: str, adapter_name: str, split: str) -> ChangeDecomposition | None:
    """Return each part's share of the score change, None for a single query."""
    own = measured(data, adapter_name, split)
    vectors = catalog.collection(data).query_vectors(own.query_ids)
    return decompose_change(
        catalog.ranker(data, adapter_name),
        own.batch,
        torch.from_numpy(vectors),
    )


@shared(24)
def gain(data: str, adapter_name: str, split: str) -> GainDecomposition | None:
    """Return each part of the change of nDCG@10, None for a single query."""
    own = measured(data, adapter_name, split)
    return decompose_gain(catalog.ranker(data, adapter_name), own.batch, own.qrels, NDCG)


@shared(24)
def ndcg_range(data: str, adapter_name: str, split: str) -> UnjudgedRange:
    """Return nDCG@10 under two assumptions about unjudged documents."""
    own = measured(data, adapter_name, split)
    return unjudged_range(catalog.dataset(data), own.batch, own.qrels, NDCG)


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
    own = evaluation(data, adapter_name, split, top_k)
    return diagnose(own, bm25(data, split), tried)


def report(
    data: str, adapter_name: str, split: str, top_k: int, tried: dict[str, TriedRemedies]
) -> str:
    """Return the evaluation of a split, with the causes of its queries, as one HTML file."""
    own = replace(evaluation(data, adapter_name, split, top_k), bm25=bm25(data, split))
    if own.has_adapter:
        own = replace(
            own,
            shares=shares(data, adapter_name, split),
            gain=gain(data, adapter_name, split),
            ndcg_range=ndcg_range(data, adapter_name, split),
        )
    compared = baselines(data, adapter_name, split)
    found = diagnoses(data, adapter_name, split, top_k, tried)
    return evaluation_to_html(own, compared, found, catalog.dataset(data).queries)
