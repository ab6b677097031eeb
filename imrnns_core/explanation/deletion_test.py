"""The deletion test: do the named words carry the score, and its change?

docs/method.md, "Explanations that hold up".

Words are deleted from the text, the text is encoded again and scored within the same candidates.
With `random` as many randomly chosen occurrences and `best` the words of the largest measured drops
of their own, F = Σ (drop − random) / Σ (best − random) over the pairs: 0 is chance, 1 is as good as
trying every word. `stepwise` is
the stricter bound for several words: each next word is tried together with those deleted before.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.nearest_tokens import untrained_models
from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.explanation.word_attribution import (
    SHORTLIST,
    WordDrops,
    WordExplainer,
    random_deletion,
    reference_scores,
)
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import without
from imrnns_core.types import FloatArray, Progress, Side

SCHEMA = 2
SIDES: tuple[Side, ...] = ("document", "query")
DELETED: dict[Side, tuple[int, int]] = {"document": (1, 5), "query": (1, 2)}
"""How many words the test deletes."""
TARGETS = ("score", "delta")
PAIRS = 60
RANDOM_DRAWS = 5
STEP_WIDTH = 10
"""Words that each step of the stepwise search tries, by their drop alone."""
NAMED = 10
BOOTSTRAP = 2000
METHODS = ("explanation", "verified", "b1")

Result = dict[tuple[Side, str, int, str], tuple[float, float, float, float]]
"""(side, target, words deleted, method) → drop, drop of matched random deletion, best drop in order, best drop stepwise."""


@dataclass(frozen=True)
class PairResult:
    """What the test found for one pair.

    `rho` is the rank correlation of estimated and measured drops of Δ.

    `encode_milliseconds` is the time to encode the document once, in the same run: what the other
    times compare with. `untrained_jaccard` is how much of the ten words named for a document an
    untrained adapter names too; `measured_jaccard` the same of the ten words with the largest
    measured drops: what a faithful explanation shows.
    """

    query_id: str
    document_id: str
    riser: bool
    drops: Result
    rho: dict[Side, float]
    milliseconds: dict[Side, float]
    encode_milliseconds: float
    untrained_jaccard: float
    measured_jaccard: float


@dataclass(frozen=True)
class DeletionTest:
    """The deletion test over the pairs of one split."""

    dataset: str
    split: str
    adapter: str
    pairs: list[PairResult] = field(default_factory=list)

    def f(self, side: Side, target: str, count: int, method: str = "explanation") -> float:
        """Return F, a ratio of sums over the pairs."""
        return float(_ratio(self._table(side, target, count, method)))

    def f_stepwise(self, side: Side, target: str, count: int) -> float:
        """Return F against stepwise deletion."""
        return float(_ratio(self._table(side, target, count, "explanation")[:, [0, 1, 3]]))

    def interval(self, side: Side, target: str, count: int) -> list[float]:
        """Return the 95 % bootstrap interval of F, pairs drawn."""
        table = self._table(side, target, count, "explanation")
        return _interval(lambda rows: _ratio(table[rows]), len(table))

    def random_margin(self, side: Side, target: str, count: int) -> list[float]:
        """Return the 95 % interval of the mean of drop − matched random drop."""
        table = self._table(side, target, count, "explanation")
        return _interval(lambda rows: (table[rows, 0] - table[rows, 1]).mean(), len(table))

    def b1_margin(self, side: Side, target: str, count: int) -> list[float]:
        """Return the 95 % interval of F less the F of the adapter-blind control B1."""
        own, blind = (
            self._table(side, target, count, "explanation"),
            self._table(side, target, count, "b1"),
        )
        return _interval(lambda rows: _ratio(own[rows]) - _ratio(blind[rows]), len(own))

    def rho(self, side: Side) -> float:
        """Return the mean rank correlation with deleting every word, on Δ."""
        return float(np.nanmean([pair.rho[side] for pair in self.pairs]))

    def milliseconds(self, side: Side) -> float:
        """Return the median time of one explanation without verification."""
        return float(np.median([pair.milliseconds[side] for pair in self.pairs]))

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens faithfulness --json` writes."""

        pairs = self.pairs
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "split": self.split,
            "adapter": self.adapter,
            **_each(self.f),
            "ci95": _each(self.interval),
            "stepwise": _each(self.f_stepwise),
            "rho": {side: self.rho(side) for side in SIDES},
            "matched_random": _each(self._chance),
            "b1": _each(lambda side, target, count: self.f(side, target, count, "b1")),
            "b1_query_delta_margin_ci95": self.b1_margin("query", "delta", 1),
            "verified": {side: self._verified(side) for side in SIDES},
            "untrained_top10_jaccard": float(np.mean([p.untrained_jaccard for p in pairs])),
            "untrained_top10_jaccard_measured": float(np.mean([p.measured_jaccard for p in pairs])),
            "ms_per_explanation": self.milliseconds("document"),
            "ms": {
                **{side: self.milliseconds(side) for side in SIDES},
                "encode_document": float(np.median([p.encode_milliseconds for p in pairs])),
            },
            "n_pairs": len(pairs),
            "n_risers": sum(pair.riser for pair in pairs),
        }

    def _chance(self, side: Side, target: str, count: int) -> dict[str, Any]:
        drop, random, best, _ = self._table(side, target, count, "explanation").mean(0)
        margin = self.random_margin(side, target, count)
        return {"drop": drop, "random": random, "best": best, "margin_ci95": margin}

    def _verified(self, side: Side) -> dict[str, Any]:
        first = {target: {"k1": self.f(side, target, 1, "verified")} for target in TARGETS}
        return {"encodes": SHORTLIST[side], **first}

    def _table(self, side: Side, target: str, count: int, method: str) -> NDArray[np.float64]:
        return np.array([pair.drops[side, target, count, method] for pair in self.pairs])


def _each(value: Callable[[Side, str, int], Any]) -> dict[str, Any]:
    """Return a value for each text, target and number of deleted words."""
    return {
        side: {
            target: {f"k{k}": value(side, target, k) for k in DELETED[side]} for target in TARGETS
        }
        for side in SIDES
    }


@dataclass(frozen=True)
class DeletionSummary:
    """What pages and reports say of a deletion test, read from the record that it wrote.

    `named`, `verified` and `rho` hold a value for each text: F on the change of the first word that
    is named, the same after verification, and the rank correlation with deleting every word.
    """

    dataset: str
    split: str
    pairs: int
    named: dict[Side, float]
    verified: dict[Side, float]
    rho: dict[Side, float]

    @classmethod
    def read(cls, path: Path) -> DeletionSummary:
        """Read a record.

        Raises OSError, KeyError, TypeError or ValueError where it is not one of this schema.
        """
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["schema"] != SCHEMA:
            raise ValueError(f"schema {record['schema']}")
        return cls(
            str(record["dataset"]),
            str(record["split"]),
            int(record["n_pairs"]),
            {side: float(record[side]["delta"]["k1"]) for side in SIDES},
            {side: float(record["verified"][side]["delta"]["k1"]) for side in SIDES},
            {side: float(record["rho"][side]) for side in SIDES},
        )


def record_key(ranker: Ranker) -> str:
    """Return a name for the deletion test of this adapter on this collection."""
    collection = ranker.collection
    sha = hashlib.sha256(f"{SCHEMA} {collection.fingerprint} {collection.dataset.digest}".encode())
    sha.update(np.ascontiguousarray(collection.queries.vectors).data)
    for parameter in ranker.adapter.model.parameters():
        sha.update(parameter.detach().numpy().tobytes())
    return sha.hexdigest()[:16]


def sample_pairs(ranker: Ranker, split: str, count: int) -> list[Pair]:
    """Return pairs of a split, risers and fallers in turn, one a query.

    A riser is the document that rises most into the modulated top ten, a faller the one that falls
    most out of the base top ten. Raises ExplanationError if no document changes its rank.
    """
    dataset = ranker.collection.dataset
    queries = sorted(dataset.splits.get(split) or dataset.queries)
    pairs: list[Pair] = []
    for query_id in np.random.default_rng(0).permutation(queries):
        comparison = ranker.compare(dataset.queries[str(query_id)])
        base, modulated = comparison.rank("base"), comparison.rank("modulated")
        rise, rising = base - modulated, len(pairs) % 2 == 0
        shown = (modulated if rising else base) <= NAMED
        gain = np.where(shown, rise if rising else -rise, 0)
        if gain.max() > 0:
            pairs.append(Pair(comparison, ranker.adapter.model, int(gain.argmax())))
        if len(pairs) == count:
            break
    if not pairs:
        raise ExplanationError(
            f"no document of split {split!r} changes its rank under "
            f"{ranker.adapter.card.name}: nothing to explain"
        )
    return pairs


def run_pairs(
    explainer: WordExplainer, pairs: Sequence[Pair], progress: Progress | None = None
) -> Iterator[PairResult]:
    """Run the deletion test, one pair at a time.

    `progress` hears of the texts of each step within a pair, and can stop it by raising.
    """
    untrained = untrained_models(explainer.ranker, 1)[0]
    # the first pass of a process is slow; it is not what is timed
    explainer.estimate(pairs[0], "query")
    for pair in pairs:
        yield _test_pair(explainer, pair, untrained, progress)


def _test_pair(
    explainer: WordExplainer, pair: Pair, untrained: IMRNN, progress: Progress | None
) -> PairResult:
    drops: Result = {}
    rho, milliseconds = dict[Side, float](), dict[Side, float]()
    encode_milliseconds, named = 0.0, list[set[int]]()
    for side in SIDES:
        start = time.perf_counter()
        estimated = explainer.estimate(pair, side)
        milliseconds[side] = 1000 * (time.perf_counter() - start)
        test = _Deletions(explainer, pair, estimated, progress)
        drops.update(test.results())
        rho[side] = _rank_correlation(estimated.change, test.single[:, 1])
        if side == "document":
            start = time.perf_counter()
            explainer.encoder.encode_formatted([estimated.text])
            encode_milliseconds = 1000 * (time.perf_counter() - start)
            blind = Pair(rescore(pair.comparison, untrained), untrained, pair.position)
            other = explainer.estimate(blind, side)
            # of texts that are encoded already
            measured = _Deletions(explainer, blind, other, progress).single[:, 1]
            compared = (estimated.change, other.change, test.single[:, 1], measured)
            named = [_largest(values) for values in compared]
    base, modulated = (pair.comparison.rank(stage) for stage in ("base", "modulated"))
    return PairResult(
        pair.comparison.query.id,
        pair.document_id,
        bool(base[pair.position] > modulated[pair.position]),
        drops,
        rho,
        milliseconds,
        encode_milliseconds,
        _jaccard(*named[:2]),
        _jaccard(*named[2:]),
    )


def _rank_correlation(estimated: FloatArray, measured: FloatArray) -> float:
    from scipy.stats import spearmanr  # slow to import

    return float(spearmanr(estimated, measured).statistic) if len(estimated) > 2 else np.nan


def _largest(drops: FloatArray) -> set[int]:
    return set(np.argsort(-drops, kind="stable")[:NAMED].tolist())


def _jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(1, len(one | other))


class _Deletions:
    """Measured drops of one text of one pair; each set of words is deleted at most once."""

    def __init__(
        self, explainer: WordExplainer, pair: Pair, estimated: WordDrops, progress: Progress | None
    ) -> None:
        self.explainer, self.pair, self.estimated, self.progress = (
            explainer,
            pair,
            estimated,
            progress,
        )
        self.known: dict[frozenset[int], FloatArray] = {}
        self.random_known: dict[int, FloatArray] = {}
        words = range(len(estimated.words))
        self.single = self.measure([frozenset({i}) for i in words])  # (W, 2)

    def results(self) -> Result:
        side, found = self.estimated.side, Result()
        blind = self._b1()
        for column, target in enumerate(TARGETS):
            estimate = self.estimated.score if column == 0 else self.estimated.change
            for count in DELETED[side]:
                first = frozenset(
                    np.argsort(-self.single[:, column], kind="stable")[:count].tolist()
                )
                best, stepwise = (
                    float(v)
                    for v in self.measure([first, self._stepwise(column, count)])[:, column]
                )
                shortlist = self.estimated.shortlist(
                    "score" if column == 0 else "change", SHORTLIST[side]
                )
                verified = np.full_like(estimate, -np.inf)
                verified[shortlist] = self.single[shortlist, column]
                for method, values in zip(METHODS, (estimate, verified, blind), strict=True):
                    chosen = frozenset(np.argsort(-values, kind="stable")[:count].tolist())
                    drop = float(self.measure([chosen])[0, column])
                    found[side, target, count, method] = (
                        drop,
                        float(self._random(chosen)[column]),
                        best,
                        stepwise,
                    )
        return found

    def measure(self, sets: Sequence[frozenset[int]]) -> FloatArray:
        """Return (S, 2) drops of modulated score and Δ without each set of words."""
        words, text = self.estimated.words, self.estimated.text
        missing = [s for s in dict.fromkeys(sets) if s not in self.known]
        if missing:
            lost = self._lost([without(text, [words[i] for i in s]) for s in missing])
            self.known.update(zip(missing, lost, strict=True))
        return np.array([self.known[s] for s in sets]).reshape(len(sets), 2)

    def _stepwise(self, column: int, count: int) -> frozenset[int]:
        order = np.argsort(-self.single[:, column], kind="stable").tolist()
        chosen = frozenset(order[:1])
        while len(chosen) < min(count, len(order)):
            tries = [chosen | {i} for i in [i for i in order if i not in chosen][:STEP_WIDTH]]
            chosen = tries[int(self.measure(tries)[:, column].argmax())]
        return chosen

    def _random(self, chosen: frozenset[int]) -> FloatArray:
        count = sum(len(self.estimated.words[i].spans) for i in chosen)
        if count not in self.random_known:
            generator = np.random.default_rng(count)
            self.random_known[count] = self._lost(
                [random_deletion(self.estimated, count, generator) for _ in range(RANDOM_DRAWS)]
            ).mean(0)
        return self.random_known[count]

    def _lost(self, texts: Sequence[str]) -> FloatArray:
        return reference_scores(self.pair) - self.explainer.measure(
            self.pair, self.estimated.side, texts, self.progress
        )

    def _b1(self) -> FloatArray:
        """Return (W,) cosines of each word alone with the other text.

        A control that does not know the adapter.
        """
        words = self.explainer.encoder.encode_formatted(
            [word.text for word in self.estimated.words]
        )
        modulation = self.pair.comparison.modulation
        other = (
            modulation.query
            if self.estimated.side == "document"
            else modulation.documents[self.pair.position]
        )
        return np.asarray(words @ other.numpy(), dtype=np.float32)


def _ratio(table: NDArray[np.float64]) -> float:
    drop, random, best = table[:, :3].sum(0)
    return float((drop - random) / (best - random)) if best != random else float("nan")


def _interval(statistic: Callable[[NDArray[np.int64]], float], count: int) -> list[float]:
    generator = np.random.default_rng(0)
    values = [statistic(generator.integers(0, count, count)) for _ in range(BOOTSTRAP)]
    return [float(v) for v in np.nanpercentile(values, [2.5, 97.5])]
