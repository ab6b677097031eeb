"""Settings of training: recipes, pretraining without judgments, and sentence memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from imrnns_core.errors import TrainingError


@dataclass(frozen=True)
class Recipe:
    """A training recipe; `docs/training-study.md` says what each recipe reaches.

    Attributes:
        loss: "improvement" (a margin over the base margin, as in the reference package), "margin"
            (a fixed margin, as in the paper) or "softmax" (listwise).
        initialization: "identity"; "whitened", with a projector computed from the corpus; or
            "pretrained", with this projector and then training on titles as queries. Neither needs
            judgments.
        negatives_from: "dense" (the base ranking), "lexical" (BM25) or "batch" (the base ranking
            and the documents of the other queries in the batch).
        negatives: Number of negatives per query.
        epochs: Maximum number of epochs.
        patience: Number of epochs without improvement after which training stops.
        batch_size: Queries per batch.
        learning_rate: Learning rate of Adam.
        weight_decay: Weight decay of Adam.
        margin: Margin of the losses "improvement" and "margin".
        temperature: Temperature of the softmax loss.
        modulation_only: Freeze the projector and the two LayerNorms.
        neutrality: Weight of the penalty that keeps the mean modulation neutral.
        weight_interpolation: Share of the trained weights in their interpolation with the initial
            weights (Wortsman et al., CVPR 2022, "Robust fine-tuning of zero-shot models").
        refit: Train again on all judged queries, for the number of epochs that validation selected.
        supervised: Whether training uses judgments.
    """

    loss: Literal["improvement", "margin", "softmax"] = "softmax"
    initialization: Literal["identity", "whitened", "pretrained"] = "identity"
    negatives_from: Literal["dense", "lexical", "batch"] = "dense"
    negatives: int = 63
    epochs: int = 30
    patience: int = 7
    batch_size: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    margin: float = 0.05
    temperature: float = 0.05
    modulation_only: bool = False
    neutrality: float = 0.0
    weight_interpolation: float = 1.0
    refit: bool = False
    supervised: bool = True


BEST = "best"
"""The recipe that cross-validates all of `RECIPES` and trains with the best of them."""
FINE_TUNED = "fine-tuned"
"""The recipe that `best` trains first, and returns if recipes cannot be compared."""
FOLDS = 3
"""Number of folds in which `best` compares the recipes."""

# simple before complex: of two recipes with equal measures, `best` chooses the first
RECIPES: dict[str, Recipe] = {
    "unlabeled": Recipe(initialization="pretrained", supervised=False, epochs=0),
    "modulation-only": Recipe(
        negatives_from="batch",
        negatives=15,
        learning_rate=1e-3,
        epochs=14,
        patience=14,
        modulation_only=True,
        neutrality=1.0,
        weight_interpolation=0.7,
        refit=True,
    ),
    # docs/method.md, "Recipes: the paper and the reference package"
    "reference": Recipe(loss="improvement"),
    # arXiv 2601.20084, section 3.2 and appendix B: BM25 negatives, max(0, γ − cos⁺ + cos⁻)
    "paper": Recipe(loss="margin", negatives_from="lexical", margin=0.3, patience=5),
    "contrastive": Recipe(),
    FINE_TUNED: Recipe(
        initialization="pretrained",
        negatives_from="batch",
        negatives=15,
        epochs=14,
        patience=14,
        weight_interpolation=0.9,
        refit=True,
    ),
}

RECIPE_PURPOSES: dict[str, str] = {
    BEST: "compares all other recipes by cross-validation and trains with the best one",
    "contrastive": "trains with a softmax loss and 63 negatives from the base ranking",
    FINE_TUNED: "builds initial models from the documents, chooses one by the judged queries, "
    "then trains it on them",
    "modulation-only": "trains the two adapters and keeps the projector fixed",
    "paper": "uses the margin loss of the paper and negatives from BM25",
    "reference": "uses the loss of the reference package: the positive must lead by more than in "
    "the base ranking",
    "unlabeled": "uses the documents and their titles, but no judgments",
}
"""What each recipe does, in words that follow its name."""


@dataclass(frozen=True)
class PretrainConfig:
    """Initialization without judgments: whitening of the corpus, then training on titles.

    Attributes:
        power, shrinkage, centring: The projector is c · (Σ + shrinkage · mean variance)^(−power),
            applied to x − centring · mean, with the covariance Σ and the mean of the documents.
        weak_power: A weaker power that is also tried without judgments.
        judged_powers: Powers among which judged queries select.
        deflation: Share of the title's vector that is subtracted from its document, so that the
            title does not retrieve the document by its own words.
        candidates: Base candidates per query; they are its negatives and its feedback documents.
        max_titles: Maximum number of titles that are encoded.
        min_titles: With fewer titles, the model is only whitened.
        epochs: Epochs of the training on titles.
        batch_size: Titles per batch.
        learning_rate: Learning rate of Adam.
        weight_decay: Weight decay of Adam.
        temperature: Temperature of the softmax loss.
    """

    power: float = 0.2
    weak_power: float = 0.1
    judged_powers: tuple[float, ...] = (0.15, 0.3)
    shrinkage: float = 0.1
    centring: float = 0.5
    deflation: float = 0.3
    candidates: int = 12
    max_titles: int = 6000
    min_titles: int = 100
    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    temperature: float = 0.05


@dataclass(frozen=True)
class MemoryConfig:
    """Settings of the sentence memory: sentences of the collection inside the query adapter.

    Attributes:
        max_sentences: A collection with more sentences gets no memory. A memory of only some of
            them would favour their documents.
        min_words: A sentence with fewer words is joined to the next one.
        neighbours: Sets the activation threshold. It is the median similarity of a sentence to its
            neighbour of this rank in other documents.
        offsets: Offsets of the threshold among which judged queries select; the first is the
            default.
        strengths: Strengths of the memory among which judged queries select; the first is the
            default.
        unjudged_strength: Strength without judgments: a weaker memory risks less.
        sharpness: Share of the mean variance that is added to every variance before inversion; it
            limits the values of the memory.
        feedback: Weight of the mean candidate in the refined query.
        constant: Length of the constant part of the refined query relative to the rest; scales
            change scores through this part.
    """

    max_sentences: int = 12_000
    min_words: int = 4
    neighbours: int = 5
    offsets: tuple[float, ...] = (0.0, -0.05, 0.05, 0.1)
    strengths: tuple[float, ...] = (2.0, 1.0, 0.5)
    unjudged_strength: float = 1.0
    sharpness: float = 1.0
    feedback: float = 0.4
    constant: float = 1.0


@dataclass(frozen=True)
class TrainConfig:
    """A recipe and settings that override it.

    Attributes:
        recipe: The name of a recipe, or "best".
        epochs, patience, negatives, learning_rate, batch_size: Values that replace those of the
            recipe; None keeps the recipe's value.
        validation_share: Share of the judged queries that are held out for validation.
        seed: Seed of the weights, the splits and the order of the examples.
        pretrain: Settings of the initialization without judgments.
        memory: Settings of the sentence memory.
    """

    recipe: str = "best"
    epochs: int | None = None
    patience: int | None = None
    negatives: int | None = None
    learning_rate: float | None = None
    batch_size: int | None = None
    validation_share: float = 0.15
    seed: int = 42
    pretrain: PretrainConfig = PretrainConfig()
    memory: MemoryConfig = MemoryConfig()

    def resolved(self) -> Recipe:
        """Return the recipe with the values that are set here; for `best`, the one it trains first.

        Raises:
            TrainingError: If there is no recipe of this name.
        """
        if self.recipe not in (BEST, *RECIPES):
            names = ", ".join((BEST, *RECIPES))
            raise TrainingError(
                f"recipe {self.recipe!r} does not exist; available recipes: {names}"
            )
        recipe = RECIPES[FINE_TUNED if self.recipe == BEST else self.recipe]
        settings = ("epochs", "patience", "negatives", "learning_rate", "batch_size")
        return replace(
            recipe, **{n: getattr(self, n) for n in settings if getattr(self, n) is not None}
        )

    def to_json(self) -> dict[str, Any]:
        """Return the settings and the values of the recipe as a JSON record.

        Raises:
            TrainingError: If there is no recipe of this name.
        """
        return {**asdict(self), **asdict(self.resolved())}

    @property
    def max_epochs(self) -> int:
        """Maximum number of epochs, without epoch 0.

        Raises:
            TrainingError: If there is no recipe of this name.
        """
        if self.recipe == BEST:
            return self._max_epochs_of_best
        recipe, settings = self.resolved(), self.pretrain
        if not recipe.supervised:
            return 2 + settings.epochs  # memory, two whitenings, and training on titles
        models_per_power = {"identity": 0, "whitened": 1, "pretrained": 1 + settings.epochs}[
            recipe.initialization
        ]
        memories = int(recipe.initialization == "pretrained")
        initial_models = models_per_power * len(settings.judged_powers) + memories
        return initial_models + recipe.epochs * (1 + recipe.refit)

    @property
    def _max_epochs_of_best(self) -> int:
        """Maximum number of epochs of all runs of `best`.

        `fine-tuned` is trained first. Each recipe is trained once per fold; `unlabeled`, which does
        not depend on judgments, only once. Then recipes are trained on all queries until validation
        accepts one.
        """
        maximum = {name: replace(self, recipe=name).max_epochs for name in RECIPES}
        supervised = {n: count for n, count in maximum.items() if RECIPES[n].supervised}
        return sum(maximum.values()) + FOLDS * sum(supervised.values())
