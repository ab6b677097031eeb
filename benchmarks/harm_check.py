"""Compare the check without judgments with judgments, for every model that it decides on.

    python -m benchmarks.harm_check FOLDER ... [--split dev] [--seed 42] [--workspace FOLDER]

Each line is a model. "judged" is its change of nDCG@10 on judged queries, "check" its change on the
keyword queries of the check; the numbers of standard errors stand in brackets.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.workspace import Workspace
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.label_free.initialization import Initialization
from imrnns_core.training.loop import TrainingLoop
from imrnns_core.training.resume import ReplayLog, SharedResults, open_state
from imrnns_core.training.splits import queries_with_relevant
from imrnns_core.training.validator import Validator


def initialization(collection: Collection, seed: int, folder: Path) -> Initialization:
    """Return what makes the models; `folder` keeps the vectors of titles and sentences."""
    torch.manual_seed(seed)
    n = collection.documents.dimension

    def train(
        model: IMRNN, examples: Examples, documents: Tensor, recipe: Recipe, label: str | None
    ) -> Iterator[float]:
        return TrainingLoop(model, documents, examples, recipe, seed)

    open_state(folder, f"{collection.fingerprint} {seed}")
    return Initialization(
        collection,
        TrainConfig(recipe="unlabeled", seed=seed),
        IMRNN(AdapterConfig(n, n)),
        ReplayLog(None),
        SharedResults(folder),
        train,
        [],
    )


def lines(collection: Collection, split: str, seed: int, folder: Path) -> Iterator[str]:
    """Yield the lines of a collection."""
    judged = Validator.from_qrels(
        collection, queries_with_relevant(collection.dataset.qrels(split))
    )
    base, made = judged.ndcg(), initialization(collection, seed, folder)
    yield f"{collection.dataset.name}, {split}: {len(base)} queries, base {base.mean():.4f}"
    check = made.harm_check()
    if not isinstance(check, HarmCheck):
        yield f"  no check: {check}"
        return
    shipped, best = "identity", 0.0
    for model, _, settings in made.unjudged_models():
        name = _name(settings)
        values = check.validator.ndcg(model)
        mean = float(values.mean())
        if check.is_better(values) and mean > best and not shipped.startswith("memory"):
            shipped, best = name, mean
        changes = (
            f"judged {_change(judged.ndcg(model) - base)}   check {_change(values - check.base)}"
        )
        yield f"  {name:24} {changes}"
    yield f"  shipped: {shipped}"


def _name(settings: dict[str, float]) -> str:
    if "sentences" in settings:
        return f"memory, {settings['sentences']} sentences"
    return f"whitening {settings['power']}, {settings.get('titles', 0)} epochs"


def _change(changes: Tensor) -> str:
    mean = float(changes.mean())
    return f"{mean:+.4f} ({mean / float(changes.std() / len(changes) ** 0.5):+5.1f})"


def main() -> None:
    """Print the lines of the collections that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    workspace = Workspace(options.workspace)
    for data in options.data:
        registration = workspace.resolve(data)
        collection = workspace.open(registration)
        state = workspace.root / "harm-check" / f"{registration.name}-{options.seed}"
        for line in lines(collection, options.split, options.seed, state):
            print(line, flush=True)


if __name__ == "__main__":
    main()
