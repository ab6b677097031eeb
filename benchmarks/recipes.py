"""Train recipes with several seeds, and print the rows of the training study.

    python -m benchmarks.recipes DATA [--recipes NAME …] [--seeds N …] [--split dev]

DATA is a folder in the BEIR layout, `sample`, or a name of the workspace. The recipes learn from
the split train. For the recipe `best`, the cross-validated nDCG@10 of all recipes is printed, too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from imrnns_core.data.dataset import Dataset
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.evaluation.change_decomposition import decompose_change
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.adapter_card import RecipeSelection
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.training.config import BEST, RECIPES, TrainConfig
from imrnns_core.training.trainer import Trainer
from imrnns_core.training.validator import Validator
from imrnns_core.types import FloatArray, relevant_ids


@dataclass(frozen=True)
class EncodeOnce:
    """An encoder that remembers the queries it has encoded: all runs encode the same texts."""

    encoder: Encoder
    vectors: dict[tuple[str, ...], FloatArray] = field(default_factory=dict)

    def encode_queries(self, texts: Sequence[str], unit: bool = True) -> FloatArray:
        """Return (N, n) vectors of N texts."""
        key = (str(unit), *texts)
        if key not in self.vectors:
            self.vectors[key] = self.encoder.encode_queries(texts, unit=unit)
        return self.vectors[key]

    def __getattr__(self, name: str) -> object:
        return getattr(self.encoder, name)


def seen_queries(dataset: Dataset, split: str) -> np.ndarray:
    """Return the mask (Q,) of queries with a document that is relevant for a training query."""
    trained = {d for judged in dataset.qrels("train").values() for d in relevant_ids(judged)}
    judged = dataset.judged_queries(split).values()
    return np.array([not trained.isdisjoint(relevant_ids(j)) for j in judged])


def measure(collection: Collection, config: TrainConfig, split: str) -> RecipeSelection | None:
    """Train, print a row, and return how `best` chose the recipe."""
    start, processor = time.perf_counter(), time.process_time()
    trainer = Trainer(collection, config)
    for _ in trainer.epochs():
        pass
    seconds, used = time.perf_counter() - start, time.process_time() - processor
    adapter = trainer.adapter("measured")
    ranker = Ranker(collection, adapter)
    result = evaluate(ranker, split)
    shares = decompose_change(
        ranker, result.batch, torch.from_numpy(collection.query_vectors(result.query_ids))
    )
    outcome = adapter.card.outcome
    assert outcome is not None  # training always has one
    parts = (shares.projector, shares.constant, shares.query_specific) if shares else ()
    print(
        f"{config.recipe:<16} {config.seed:>4} "
        f"{figures(result.column('modulated'), seen_queries(collection.dataset, split))} "
        f"{' / '.join(f'{100 * part:3.0f}' for part in parts):>15}  "
        f"{outcome.shipped:<14} {seconds:6.0f} {used:6.0f}",
        flush=True,
    )
    return outcome.selection


def figures(values: np.ndarray, seen: np.ndarray) -> str:
    """Return the means of values (Q,) over the seen, the unseen and all queries."""
    groups = (values[seen], values[~seen], values)
    return " ".join(f"{group.mean():8.4f}" if len(group) else f"{'':8}" for group in groups)


def print_selection(selection: RecipeSelection) -> None:
    """Print the cross-validated nDCG@10 of each recipe."""
    print(f"  chosen: {selection.recipe} ({selection.queries} queries, {selection.folds} folds)")
    print(f"  {'base':<16} {selection.base:.4f}")
    for name, recipe in selection.recipes.items():
        gain = recipe.ndcg - selection.base
        print(f"  {name:<16} {recipe.ndcg:.4f}  {gain:+.4f} ± {recipe.gain_error:.4f}")


def main() -> None:
    """Measure the recipes that the arguments name."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--embeddings", type=Path)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--recipes", nargs="+", default=[*RECIPES, BEST])
    parser.add_argument("--seeds", nargs="+", type=int, default=[TrainConfig().seed])
    parser.add_argument("--split", default="dev")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    workspace = Workspace(options.workspace)
    collection = workspace.open(workspace.resolve(options.data, options.embeddings))
    collection = replace(collection, encoder=EncodeOnce(collection.encoder))
    seen = seen_queries(collection.dataset, options.split)
    print(f"{len(seen)} queries of {options.split}, {seen.sum()} of them seen; nDCG@10")
    print(
        f"{'recipe':<16} {'seed':>4} {'seen':>8} {'unseen':>8} {'all':>8} {'shares':>15}  "
        f"{'shipped':<14} {'clock':>6} {'CPU s':>6}"
    )
    base = Validator.from_qrels(collection, collection.dataset.judged_queries(options.split)).ndcg()
    print(f"{'base':<16} {'':>4} {figures(base.numpy(), seen)}", flush=True)
    for recipe in options.recipes:
        for seed in options.seeds:
            selection = measure(collection, TrainConfig(recipe=recipe, seed=seed), options.split)
            if selection is not None:
                print_selection(selection)


if __name__ == "__main__":
    main()
