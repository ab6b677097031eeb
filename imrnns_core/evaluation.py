"""Measures per query and stage, seen and unseen groups, significance, and where a change of scores comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import ir_measures
import numpy as np
import torch
from numpy.typing import NDArray

from imrnns_core.config import MEASURES, SearchConfig
from imrnns_core.dataset import Dataset, Qrels
from imrnns_core.errors import DataError, LensError
from imrnns_core.ranking import RankedBatch, Ranker
from imrnns_core.records import STAGES, Stage
from imrnns_core.scoring import QUERY_BATCH

SCHEMA = 1
RESAMPLES = 10_000
NDCG = "nDCG@10"

Group = Literal["seen", "unseen"]
Bucket = Literal["rescued", "broken", "improved", "worsened", "unchanged", "failing in ranking", "failing in the pool"]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Significance:
    """Modulated − base over queries: mean, 95 % bootstrap interval, two-sided p of a paired randomisation test."""

    delta: float
    ci95: tuple[float, float]
    p: float


@dataclass(frozen=True)
class Evaluation:
    """Q judged queries of one split.

    Attributes:
        dataset: Name of the data set.
        split: Name of the split.
        adapter: Name of the adapter.
        query_ids: (Q,) in the order of the judgments.
        measures: Names of the M measures.
        values: (4, Q, M) measure at each stage of `STAGES`.
        best_ranks: (4, Q) rank of the best relevant candidate, 0 where no candidate is relevant.
        groups: (Q,) "seen" or "unseen"; None where the adapter's card names no training positives.
        top_k: A query fails when no relevant document is among the first `top_k`.
        batch: The rankings behind it.
    """

    dataset: str
    split: str
    adapter: str
    query_ids: tuple[str, ...]
    measures: tuple[str, ...]
    values: Doubles
    best_ranks: NDArray[np.int64]
    groups: NDArray[np.str_] | None
    top_k: int
    batch: RankedBatch

    def column(self, stage: Stage, measure: str = NDCG) -> Doubles:
        """Return one measure (Q,) at a stage."""
        column: Doubles = self.values[STAGES.index(stage), :, self.measures.index(measure)]
        return column

    def mean(self, stage: Stage, mask: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """Return the mean of each measure at a stage, over all queries or those of a mask."""
        chosen = self.values[STAGES.index(stage)] if mask is None else self.values[STAGES.index(stage)][mask]
        return {m: float(v) for m, v in zip(self.measures, chosen.mean(axis=0), strict=True)}

    def group_masks(self) -> dict[Group, NDArray[np.bool_]]:
        """Return the queries of each group; empty where seen and unseen cannot be told apart."""
        if self.groups is None:
            return {}
        return {"seen": self.groups == "seen", "unseen": self.groups == "unseen"}

    def significance(self, measure: str, mask: NDArray[np.bool_] | None = None) -> Significance:
        """Test modulated against base on one measure."""
        difference = self.column("modulated", measure) - self.column("base", measure)
        return paired_significance(difference if mask is None else difference[mask])

    def buckets(self) -> list[Bucket]:
        """Return what happened to each query; `bucket` defines the names."""
        base, modulated = self.best_ranks[0], self.best_ranks[-1]
        delta = self.column("modulated") - self.column("base")
        return [bucket(int(b), int(m), float(d), self.top_k) for b, m, d in zip(base, modulated, delta, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens evaluate --json` writes (DESIGN, "Command line")."""
        groups = {
            name: {"n": int(mask.sum()), **({stage: self.mean(stage, mask) for stage in STAGES} if mask.any() else {})}
            for name, mask in self.group_masks().items()
        }
        queries = [
            {
                "query_id": query_id,
                "group": None if self.groups is None else str(self.groups[i]),
                **{stage: dict(zip(self.measures, self.values[s, i].tolist(), strict=True)) for s, stage in enumerate(STAGES)},
                "best_relevant_rank": {stage: int(self.best_ranks[s, i]) or None for s, stage in enumerate(STAGES)},
                "outcome": outcome,
            }
            for i, (query_id, outcome) in enumerate(zip(self.query_ids, self.buckets(), strict=True))
        ]
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "split": self.split,
            "adapter": self.adapter,
            "n_queries": len(self.query_ids),
            "top_k": self.top_k,
            "measures": {stage: self.mean(stage) for stage in STAGES},
            "groups": groups or None,
            "significance": {m: vars(self.significance(m)) for m in self.measures},
            "queries": queries,
        }


def bucket(base_rank: int, modulated_rank: int, delta: float, top_k: int) -> Bucket:
    """Name what an adapter did to a query.

    Args:
        base_rank: Rank of the best relevant candidate in the base ranking, 0 if no candidate is relevant.
        modulated_rank: The same in the modulated ranking.
        delta: Modulated − base nDCG@10.
        top_k: A ranking fails if no relevant document is among its first `top_k`.
    """
    if base_rank == 0:
        return "failing in the pool"
    base_found, modulated_found = base_rank <= top_k, modulated_rank <= top_k
    if modulated_found and not base_found:
        return "rescued"
    if base_found and not modulated_found:
        return "broken"
    if not modulated_found:
        return "failing in ranking"
    return "improved" if delta > 1e-9 else "worsened" if delta < -1e-9 else "unchanged"


def evaluate(ranker: Ranker, split: str, measures: Sequence[str] = MEASURES, top_k: int | None = None) -> Evaluation:
    """Rank and measure every judged query of a split.

    Raises DataError for an unknown split, a split without a relevant document, and an unknown measure.
    """
    collection = ranker.collection
    dataset = collection.dataset
    qrels = {q: judged for q, judged in dataset.qrels(split).items() if any(g > 0 for g in judged.values())}
    if not qrels:
        raise DataError(
            dataset.path / "qrels" / f"{split}.tsv", "no query has a relevant document", "judge at least one document with 1 to 3"
        )
    query_ids = tuple(qrels)
    batch = ranker.rank_batch(collection.queries.vectors[collection.queries.rows(query_ids)])
    names = tuple(dict.fromkeys((NDCG, *measures)))
    parsed = [_parse(name) for name in names]
    values = np.zeros((len(STAGES), len(query_ids), len(names)))
    for s, stage in enumerate(STAGES):
        values[s] = measure_rankings(parsed, qrels, ranked_ids(dataset, query_ids, batch.ranked_rows(stage)))
    positives = ranker.adapter.card.training_positives
    return Evaluation(
        dataset=dataset.name,
        split=split,
        adapter=ranker.adapter.card.name,
        query_ids=query_ids,
        measures=names,
        values=values,
        best_ranks=_best_ranks(dataset, qrels, batch),
        groups=None if positives is None else seen_groups(qrels, set(positives)),
        top_k=top_k or SearchConfig().top_k,
        batch=batch,
    )


def ranked_ids(dataset: Dataset, query_ids: Sequence[str], rows: NDArray[np.int64]) -> dict[str, list[str]]:
    """Return the ranked document ids of each query; rows (Q, K), best first."""
    ids = dataset.document_ids
    return {query_id: [ids[row] for row in ranked] for query_id, ranked in zip(query_ids, rows.tolist(), strict=True)}


def measure_rankings(measures: Sequence[Any], qrels: Qrels, rankings: Mapping[str, Sequence[str]]) -> Doubles:
    """Return (Q, M) values, queries in the order of `rankings`.

    Rankings are measured as they stand: the scores given to ir-measures are the negative ranks, so that
    its own rule for equal scores never reorders what is shown.
    """
    run = {q: {d: -float(n) for n, d in enumerate(ids)} for q, ids in rankings.items()}
    row, column = {q: i for i, q in enumerate(rankings)}, {m: j for j, m in enumerate(measures)}
    values = np.zeros((len(rankings), len(measures)))
    for metric in ir_measures.iter_calc(list(measures), {q: dict(qrels[q]) for q in rankings}, run):
        values[row[metric.query_id], column[metric.measure]] = metric.value
    return values


def seen_groups(qrels: Qrels, training_positives: set[str]) -> NDArray[np.str_]:
    """Return (Q,) "seen" where one of the query's relevant documents was a training positive, else "unseen"."""
    seen = [any(g > 0 and d in training_positives for d, g in judged.items()) for judged in qrels.values()]
    return np.where(seen, "seen", "unseen")


def paired_significance(difference: Doubles, seed: int = 0) -> Significance:
    """Test whether the mean of paired differences (Q,) is zero, by 10,000 sign flips and bootstrap resamples."""
    count = len(difference)
    if count == 0:
        return Significance(0.0, (0.0, 0.0), 1.0)
    rng = np.random.default_rng(seed)
    observed, flips, means = float(difference.mean()), [], []
    for _ in range(10):
        signs = rng.integers(0, 2, size=(RESAMPLES // 10, count), dtype=np.int8) * 2 - 1
        flips.append(signs @ difference / count)
        means.append(difference[rng.integers(0, count, size=(RESAMPLES // 10, count))].mean(axis=1))
    extreme = int((np.abs(np.concatenate(flips)) >= abs(observed) - 1e-12).sum())
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Significance(observed, (float(low), float(high)), (extreme + 1) / (RESAMPLES + 1))


@dataclass(frozen=True)
class ChangeShares:
    """Shares of the score change within queries; they sum to 1 (METHOD, "Where the reference adapter's gain comes from").

    Each is the covariance of one part of the change with the whole change, over the candidates of a
    query (a shift common to all of them moves no rank and does not count), divided by the whole's variance.
    """

    projector: float
    constant: float
    query_specific: float


@torch.inference_mode()
def change_shares(ranker: Ranker, batch: RankedBatch, queries: torch.Tensor) -> ChangeShares:
    """Split the change into projector, constant modulation (the mean over these queries) and the query-specific rest.

    Args:
        ranker: The ranker that made `batch`.
        batch: Rankings of B queries.
        queries: (B, n) their base embeddings.
    """
    model, corpus = ranker.adapter.model, ranker.transform
    query = model.project(queries)
    scale, bias = (x.mean(0, keepdim=True) for x in model.query_adapter(query))
    rows = torch.from_numpy(batch.rows)
    mean_effect = corpus.effect[rows.reshape(-1)].mean(0, keepdim=True).chunk(2, dim=-1)
    refined = torch.nn.functional.normalize(model.refine_query(query, *mean_effect), dim=-1)
    constant = np.empty(batch.rows.shape, dtype=np.float32)
    for i in range(0, len(queries), QUERY_BATCH):
        documents = corpus.projected[rows[i : i + QUERY_BATCH]]  # (b, K, m)
        moved = model.modulate_documents(documents, scale.expand(len(documents), -1), bias.expand(len(documents), -1))
        target = refined[i : i + QUERY_BATCH].unsqueeze(2)
        constant[i : i + QUERY_BATCH] = torch.bmm(torch.nn.functional.normalize(moved, dim=-1), target).squeeze(2).numpy()
    base, projected, modulated = batch.scores[:, 0], batch.scores[:, 1], batch.scores[:, 3]

    def within(x: NDArray[np.float32]) -> Doubles:
        return np.asarray(x - x.mean(axis=1, keepdims=True), dtype=np.float64)

    whole = within(modulated - base)
    variance = float((whole**2).sum())
    if variance < 1e-12:
        return ChangeShares(0.0, 0.0, 0.0)
    parts = (projected - base, constant - projected, modulated - constant)
    return ChangeShares(*(float((within(part) * whole).sum() / variance) for part in parts))


def _best_ranks(dataset: Dataset, qrels: Qrels, batch: RankedBatch) -> NDArray[np.int64]:
    """Return (4, Q) rank of the best relevant candidate, 0 where there is none."""
    ids = dataset.document_ids
    best = np.zeros((len(STAGES), len(qrels)), dtype=np.int64)
    for i, judged in enumerate(qrels.values()):
        relevant = [j for j, row in enumerate(batch.rows[i].tolist()) if judged.get(ids[row], 0) > 0]
        if relevant:
            best[:, i] = batch.ranks[i][:, relevant].min(axis=1)
    return best


def _parse(name: str) -> Any:
    try:
        measure = ir_measures.parse_measure(name)
        list(ir_measures.iter_calc([measure], {"q": {"d": 1}}, {"q": {"d": 1.0}}))  # some parse but cannot be computed
        return measure
    except Exception:  # each provider raises its own
        raise LensError(f"measure {name!r} is unknown; write it as ir-measures does, for example nDCG@10, R@100, RR@10, AP") from None
