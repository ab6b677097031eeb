"""Train an adapter on vectors that were made once: nothing is encoded inside the loop, and nothing is printed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import ir_measures
import numpy as np
import torch
from torch import Tensor

from imrnns_core.adapter import IMRNN
from imrnns_core.checkpoint import Adapter, AdapterCard
from imrnns_core.config import AdapterConfig, SearchConfig, TrainConfig
from imrnns_core.dataset import Qrels
from imrnns_core.errors import TrainingError
from imrnns_core.evaluation import measure_rankings, ranked_ids
from imrnns_core.ranking import Ranker
from imrnns_core.records import IntArray, Stage
from imrnns_core.workspace import Collection

RECIPES = ("reference",)
SELECTION = ("nDCG@10", "R@10", "RR@10")
"""An epoch is chosen by the mean of these on the validation queries, as in the reference package."""


@dataclass(frozen=True)
class Epoch:
    """One pass over the training queries; epoch 0 is the adapter before training. `loss` is its mean, None for epoch 0."""

    number: int
    loss: float | None
    validation: float
    best: bool


@dataclass(frozen=True)
class Examples:
    """Q training queries: rows of the queries (Q,), and of a positive and its negatives (Q, 1 + negatives)."""

    queries: IntArray
    documents: IntArray


class Training:
    """One run. Iterate `epochs()`, stop whenever you like, then take `adapter()`: the best epoch so far.

    Args:
        collection: The vectors and judgments.
        config: Recipe and hyper-parameters.
        train_split: The split with the training judgments.
        valid_split: The split that chooses the epoch; None carves one out of the training split that
            shares no relevant document with the rest.

    Raises TrainingError where there is nothing to learn from.
    """

    def __init__(self, collection: Collection, config: TrainConfig, train_split: str = "train", valid_split: str | None = None) -> None:
        if config.recipe not in RECIPES:
            raise TrainingError(f"recipe {config.recipe!r} does not exist; there are: {', '.join(RECIPES)}")
        self.collection, self.config, self.train_split = collection, config, train_split
        qrels = judged_positive(collection.dataset.qrels(train_split))
        if valid_split is None:
            self.train_qrels, self.valid_qrels = split_disjoint(qrels, config.validation_share, config.seed)
        else:
            self.train_qrels, self.valid_qrels = qrels, judged_positive(collection.dataset.qrels(valid_split))
        if not self.train_qrels or not self.valid_qrels:
            raise TrainingError(
                f"{collection.dataset.name}: {len(self.train_qrels)} training and {len(self.valid_qrels)} validation queries have a "
                "relevant document; judge more queries, or name another split with --train-split or --valid-split"
            )
        if len(collection.documents) < 2:
            raise TrainingError(f"{collection.dataset.name}: one document cannot be ranked; add documents to the corpus")
        self.examples = mine_examples(collection, self.train_qrels, config.negatives)
        torch.manual_seed(config.seed)
        n = collection.documents.dimension
        self.model = IMRNN(AdapterConfig(n, n))
        self.history: list[Epoch] = []
        self._best = copy.deepcopy(self.model.state_dict())

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield a record after each epoch, epoch 0 first; stops early when nothing improves."""
        config = self.config
        generator = torch.Generator().manual_seed(config.seed)
        optimizer = torch.optim.Adam(self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay)
        yield self._record(0, None)
        while len(self.history) <= config.epochs:
            self.model.train()
            order = torch.randperm(len(self.examples.queries), generator=generator).numpy()
            losses = [self._step(order[i : i + config.batch_size], optimizer) for i in range(0, len(order), config.batch_size)]
            yield self._record(len(self.history), float(np.mean(losses)))
            if self.history[-1].number - self.best_epoch.number >= config.patience:
                return

    @property
    def best_epoch(self) -> Epoch:
        """The epoch with the best validation value so far, the earliest of equals."""
        return max(self.history, key=lambda epoch: (epoch.validation, -epoch.number))

    def adapter(self, name: str) -> Adapter:
        """Return the best epoch so far, with its card."""
        model = IMRNN(self.model.config)
        model.load_state_dict(self._best)
        dataset, config = self.collection.dataset, self.model.config
        card = AdapterCard(
            name=name,
            input_dim=config.input_dim,
            output_dim=config.output_dim,
            encoder=self.collection.encoder.spec.name,
            recipe=self.config.recipe,
            dataset=dataset.name,
            dataset_digest=dataset.digest,
            train_split=self.train_split,
            training_positives=[self.collection.documents.ids[row] for row in np.unique(self.examples.documents[:, 0])],
            config=self.config.to_json(),
            history=[asdict(epoch) for epoch in self.history],
            measures={
                "best_epoch": self.best_epoch.number,
                "validation": self.best_epoch.validation,
                "base_validation": self._base_validation(),
            },
        )
        return Adapter(model.eval().requires_grad_(False), card)

    def _step(self, chosen: IntArray, optimizer: torch.optim.Optimizer) -> float:
        queries = torch.from_numpy(self.collection.queries.vectors[self.examples.queries[chosen]])
        documents = torch.from_numpy(self.collection.documents.vectors[self.examples.documents[chosen]])
        out = self.model(queries, documents)
        scores = torch.einsum("bm,bkm->bk", out.modulated_query, out.modulated_documents)
        base = torch.einsum("bn,bkn->bk", out.query, out.documents)
        loss = improvement_margin(scores, base, self.config.margin)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return float(loss.detach())

    def _record(self, number: int, loss: float | None) -> Epoch:
        value = self._validate("modulated")
        best = not self.history or value > self.best_epoch.validation
        if best:
            self._best = copy.deepcopy(self.model.state_dict())
        self.history.append(Epoch(number, loss, value, best))
        return self.history[-1]

    def _base_validation(self) -> float:
        return self._validate("base")

    def _validate(self, stage: Stage) -> float:
        card = AdapterCard("validation", self.model.config.input_dim, self.model.config.output_dim)
        ranker = Ranker(self.collection, Adapter(self.model.eval(), card))
        ids = tuple(self.valid_qrels)
        batch = ranker.rank_batch(self.collection.queries.vectors[self.collection.queries.rows(ids)])
        rankings = ranked_ids(self.collection.dataset, ids, batch.ranked_rows(stage))
        return float(measure_rankings([ir_measures.parse_measure(m) for m in SELECTION], self.valid_qrels, rankings).mean())


def improvement_margin(scores: Tensor, base: Tensor, margin: float) -> Tensor:
    """Return mean relu(margin + base margin − modulated margin); scores (B, 1 + negatives), the positive first.

    The reference package's loss: the modulated ranking must beat the base one by a margin, pair by pair.
    """
    return torch.relu(margin + (base[:, :1] - base[:, 1:]) - (scores[:, :1] - scores[:, 1:])).mean()


def judged_positive(qrels: Qrels) -> dict[str, Mapping[str, int]]:
    """Keep the queries with a relevant document."""
    return {q: judged for q, judged in qrels.items() if any(g > 0 for g in judged.values())}


def split_disjoint(qrels: Qrels, share: float, seed: int) -> tuple[dict[str, Mapping[str, int]], dict[str, Mapping[str, int]]]:
    """Split queries into training and validation parts that share no relevant document.

    Queries that share one, directly or through others, stay together; whole groups, in random order,
    go to validation until it holds `share` of the queries.
    """
    groups: list[tuple[set[str], list[str]]] = []
    for query_id, judged in qrels.items():
        relevant, members = {d for d, g in judged.items() if g > 0}, [query_id]
        apart = []
        for documents, queries in groups:
            if documents & relevant:
                relevant, members = relevant | documents, queries + members
            else:
                apart.append((documents, queries))
        groups = [*apart, (relevant, members)]
    wanted, validation = share * len(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(groups)):
        if len(validation) + len(groups[i][1]) <= max(wanted, 1):
            validation.update(groups[i][1])
    return {q: j for q, j in qrels.items() if q not in validation}, {q: j for q, j in qrels.items() if q in validation}


def mine_examples(collection: Collection, qrels: Qrels, negatives: int) -> Examples:
    """Pair each query's best-judged document with its hardest dense negatives.

    Negatives are the base top 100 less all relevant documents, the most similar first; where there are too
    few, the last is repeated, as in the reference package.
    """
    ids: Sequence[str] = tuple(qrels)
    rows = collection.queries.rows(ids)
    found = collection.index.search(collection.queries.vectors[rows], SearchConfig().candidates)
    documents = np.empty((len(ids), 1 + negatives), dtype=np.int64)
    for i, judged in enumerate(qrels.values()):
        relevant = {collection.documents.row[d] for d, g in judged.items() if g > 0}
        hard = [row for row in found[i].tolist() if row not in relevant][:negatives]
        if not hard:
            raise TrainingError(f"query {ids[i]!r}: all candidates are relevant, there is no negative; add documents or remove the query")
        best = min(judged, key=lambda d: (-judged[d], d))
        documents[i] = [collection.documents.row[best], *hard, *hard[-1:] * (negatives - len(hard))]
    return Examples(rows, documents)
