"""Compare our engine with the reference package `imrnns` 0.2.3, side by side.

    python -m benchmarks.against_reference --json FILE

Both get the same vectors, checkpoint and candidates of SciFact dev. The results are compared first.
Then both sides run in turn, so that other work on the machine affects both. A ratio is the median
over the pairs of runs. It counts only if the machine was quiet: a load below .5 before the run,
and ratios within 10 % of their median.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from benchmarks.engine import DATA
from benchmarks.reference import flat_index, reference_split
from benchmarks.whole_corpus import exact_top
from imrnns_core.config import SearchConfig
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.model.checkpoint import Adapter, load_adapter
from imrnns_core.model.scoring import score_candidates
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.dense import DenseIndex
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import measure
from imrnns_core.storage.workspace import Workspace

Work = Callable[[], Any]
PAIRS = 7
LOAD, SPREAD = 0.5, 0.1
"""A machine is quiet below this load, and if three quarters of the ratios lie within this share."""
SAME = 2e-5
"""Scores of both sides differ by less than this: they round differently."""
FEW = slice(0, 34)
"""The queries for which the reference package scores the whole corpus: it takes long."""
MEASURES = ("nDCG@10", "R@10", "RR@10")


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        key: Its name.
        what: What is compared.
        value: Median of the ratios.
        unit: What the ratio divides by what.
        first: Median milliseconds of the first side.
        second: Median milliseconds of the second side.
        quiet: Whether the machine was quiet.
        load: The load before the run.
        spread: Half of the range of the middle half of the ratios, relative to the median.
    """

    key: str
    what: str
    value: float
    unit: str
    first: float
    second: float
    quiet: bool
    load: float
    spread: float


def compare(key: str, what: str, load: float, unit: str, first: Work, second: Work) -> Row:
    """Run both sides in turn; return the ratio of the first to the second."""
    first(), second()
    times = [(_seconds(first), _seconds(second)) for _ in range(PAIRS)]
    ratios = sorted(a / b for a, b in times)
    median = statistics.median(ratios)
    quarter = len(ratios) // 4
    spread = max(ratios[-1 - quarter] / median - 1, 1 - ratios[quarter] / median)
    sides = [1e3 * statistics.median(column) for column in zip(*times, strict=True)]
    row = Row(*(key, what, median, unit, *sides, load < LOAD and spread <= SPREAD, load, spread))
    print(
        f"{key}: {median:.2f} ({unit}; {sides[0]:.2f} and {sides[1]:.2f} ms; "
        f"{'quiet' if row.quiet else 'NOT QUIET'}, load {load:.2f}, spread {spread:.0%})",
        flush=True,
    )
    return row


def _seconds(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Sides:
    """The reference package and our engine, with the same vectors, checkpoint and queries."""

    def __init__(self) -> None:
        from imrnns.checkpoints import load_model

        checkpoint = DATA / "peer" / "imrnns-minilm-scifact.pt"
        self.workspace = Workspace(Path(tempfile.mkdtemp()))
        self.collection: Collection = self.workspace.open(
            self.workspace.resolve(str(DATA / "scifact"), DATA / "scifact" / "embeddings")
        )
        self.adapter: Adapter = load_adapter(checkpoint)
        self.model = load_model(checkpoint)[0]
        self.qrels = self.collection.dataset.qrels("dev")
        self.ids = tuple(self.qrels)
        self.vectors = self.collection.query_vectors(self.ids)
        self.split = reference_split(self.collection, self.qrels)
        self.ranker = Ranker(self.collection, self.adapter)
        self.corpus = Ranker(self.collection, self.adapter, SearchConfig(scope="corpus"))
        self.candidates = self.collection.candidates(self.vectors, 100, self.ids)
        stored = self.collection.documents.vectors
        self.stacked = torch.from_numpy(stored[self.candidates])  # (B, 100, n)
        self.all = torch.from_numpy(stored)
        self.flat = flat_index(self.collection.index.vectors)

    def check(self) -> None:
        """Compare the scores of candidates, the measures and the top of the corpus."""
        ours = self.our_candidates(slice(None))[:, 3].numpy()
        with torch.inference_mode():
            theirs = self.model(torch.from_numpy(self.vectors), self.stacked)[2].numpy()
        difference = float(np.abs(ours - theirs).max())
        assert difference < SAME, difference
        measured, expected = self.our_evaluation(False), self.their_evaluation()
        print(f"scores of candidates differ by at most {difference:.1e}")
        print(f"measures, ours {measured}, theirs {expected}")
        assert np.abs(np.array(measured) - np.array(expected)).max() < 1e-6

    def our_candidates(self, numbers: slice) -> torch.Tensor:
        """Score the candidates of some queries at all four stages, from the stored transform."""
        return score_candidates(
            self.adapter.model,
            self.ranker.transform,
            torch.from_numpy(self.ranker.collection.unit_documents),
            torch.from_numpy(self.vectors[numbers]),
            torch.from_numpy(self.candidates[numbers]),
        )

    def their_candidates(self, numbers: slice) -> None:
        """Score the candidates of some queries in one batch."""
        with torch.inference_mode():
            self.model(torch.from_numpy(self.vectors[numbers]), self.stacked[numbers])

    def our_evaluation(self, cold: bool) -> list[float]:
        """Search, rank at all stages and measure; cold includes index and corpus transform."""
        ranker = self.ranker
        if cold:
            stored = self.collection.documents.vectors
            DenseIndex.build(stored, self.collection.tie_ranks)
            ranker = Ranker(self.collection, self.adapter)
        batch = ranker.rank_queries(self.ids)
        names = self.collection.dataset.document_ids
        values = []
        for stage in ("base", "modulated"):
            ranking = {
                q: [names[row] for row in rows.tolist()]
                for q, rows in zip(self.ids, batch.ranked_rows(stage), strict=True)
            }
            values += measure(MEASURES, self.qrels, ranking).values.mean(axis=0).tolist()
        return values

    def their_evaluation(self) -> list[float]:
        """Search, rank and measure by the reference package."""
        from imrnns.evaluation import evaluate_model_with_baseline

        adapted, base = evaluate_model_with_baseline(self.model, self.split, "cpu", 100, 100, [10])
        return [m[name] for m in (base, adapted) for name in ("NDCG@10", "Recall@10", "MRR@10")]

    def their_corpus(self) -> None:
        """Rank the whole corpus for each query, refined by its candidates: score all documents."""
        with torch.inference_mode():
            for vector, stacked in zip(self.vectors[FEW], self.stacked[FEW], strict=True):
                query = torch.from_numpy(vector[None])
                refined = self.model(query, stacked[None])[0]
                modulated = self.model(query, self.all[None])[1][0]
                scores = F.normalize(modulated, dim=-1) @ F.normalize(refined, dim=-1)[0]
                scores.topk(100)

    def two_searches(self) -> None:
        """Search the flat index of FAISS twice for the whole batch."""
        for _ in range(2):
            self.flat_search()

    def flat_search(self) -> None:
        """Search the flat index of FAISS once for the whole batch."""
        self.flat.search(self.vectors, 100)

    def our_search(self) -> None:
        """Search the base candidates of the whole batch."""
        self.collection.candidates(self.vectors, 100, self.ids)


def explanation(sides: Sides) -> tuple[Work, Work]:
    """Return the explanation of the words of a document without deletions, and one encode of it."""
    ranker = sides.ranker
    comparison = ranker.compare(sides.ids[0])
    pair = Pair(comparison, ranker.model, 0)
    explainer = WordExplainer(ranker)
    document = ranker.collection.dataset.document[comparison.document_ids[0]]
    encoder = ranker.collection.encoder
    return (
        lambda: explainer.estimate_and_account(pair, "document"),
        lambda: encoder.encode_documents([document]),
    )


def rows(sides: Sides, load: float) -> list[Row]:
    """Return all comparisons; `load` is that of the machine before the run."""
    batch, single, ratio = slice(0, 50), slice(0, 1), "reference / ours"
    of_corpus = partial(sides.corpus.rank_queries, sides.ids)
    what = {
        "evaluate_ratio": "evaluation of SciFact dev: index, transform, search, measures",
        "evaluate_warm_ratio": "the same, with our index and transform in memory",
        "search_ratio": "top 100 of all documents by the base",
        "candidates_ratio": "100 candidates of 50 queries",
        "candidates_single_ratio": "100 candidates of one query",
        "corpus_ratio": "modulated top 100 of all documents, 34 queries",
        "corpus_over_two_scans": "modulated top 100 of all documents, two flat searches",
        "explain_over_encode": "explanation of a document, one encode of it",
    }
    pairs: dict[str, tuple[str, Work, Work]] = {
        "evaluate_ratio": (ratio, sides.their_evaluation, partial(sides.our_evaluation, True)),
        "evaluate_warm_ratio": (
            *(ratio, sides.their_evaluation),
            partial(sides.our_evaluation, False),
        ),
        "search_ratio": ("flat FAISS index / ours", sides.flat_search, sides.our_search),
        "candidates_ratio": (
            *(ratio, partial(sides.their_candidates, batch)),
            partial(sides.our_candidates, batch),
        ),
        "candidates_single_ratio": (
            *(ratio, partial(sides.their_candidates, single)),
            partial(sides.our_candidates, single),
        ),
        "corpus_ratio": (
            *(ratio, sides.their_corpus),
            partial(sides.corpus.rank_queries, sides.ids[FEW]),
        ),
        "corpus_over_two_scans": ("ours / two searches", of_corpus, sides.two_searches),
        "explain_over_encode": ("explanation / encode", *explanation(sides)),
    }
    return [compare(key, what[key], load, *pair) for key, pair in pairs.items()]


def found(sides: Sides) -> dict[str, float]:
    """Return the share of the true top 10 that is found, and of queries proven or exact."""
    config = replace(sides.corpus.config, exact_pass=False)
    batch = Ranker(sides.collection, sides.adapter, config).rank_queries(sides.ids)
    true = exact_top(sides.corpus, sides.ids, config.top_k)
    top = [ranked[: config.top_k] for ranked in batch.ranked_rows("modulated")]
    shares = [len({*a} & {*b}) / len(b) for a, b in zip(top, true, strict=True)]
    proven = [each.proof != "not proven" for each in batch.certainty]
    return {"top10_found": float(np.mean(shares)), "proven": float(np.mean(proven))}


def main(arguments: list[str] | None = None) -> None:
    """Print all rows, and write them as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    load = os.getloadavg()[0]
    sides = Sides()
    sides.check()
    record = {"rows": [asdict(row) for row in rows(sides, load)], **found(sides)}
    print(f"top 10 found: {record['top10_found']:.4f}; proven: {record['proven']:.3f}")
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
