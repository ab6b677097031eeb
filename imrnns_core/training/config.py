"""Settings of training: recipes, label-free initialization, sentence memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from imrnns_core.errors import TrainingError


@dataclass(frozen=True)
class Recipe:
    """How to train; `docs/training-study.md` has the figures behind the values.

    Attributes:
        loss: "improvement" (beat the base margin), "margin" (the paper: a fixed margin),
            "softmax" (listwise).
        start: "identity"; "whitened", a projector computed from the corpus; "pretrained", that
            projector and then titles as queries (no judgment is used for either).
        negatives_from: "dense" (the base ranking), "lexical" (BM25) or "batch" (the base ranking,
            and the documents of the other queries of the batch).
        negatives: Documents a query, without its positive.
        modulation_only: Keep the projector and the two LayerNorms as they are.
        neutrality: Weight of the penalty that keeps the mean modulation neutral.
        kept: Share of the way from the start to the trained weights that is kept (Wortsman et al.,
            CVPR 2022, "Robust fine-tuning of zero-shot models").
        refit: Train once more on all judged queries, for as many epochs as validation chose.
        supervised: Use judgments at all.
    """

    loss: Literal["improvement", "margin", "softmax"] = "softmax"
    start: Literal["identity", "whitened", "pretrained"] = "identity"
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
    kept: float = 1.0
    refit: bool = False
    supervised: bool = True


RECIPES: dict[str, Recipe] = {
    # docs/method.md, "Recipes: the paper and the reference package"
    "reference": Recipe(loss="improvement"),
    # arXiv 2601.20084, section 3.2 and appendix B: BM25 negatives, max(0, γ − cos⁺ + cos⁻)
    "paper": Recipe(loss="margin", negatives_from="lexical", margin=0.3, patience=5),
    "contrastive": Recipe(),
    "unlabeled": Recipe(start="pretrained", supervised=False, epochs=0),
    "modulation-only": Recipe(
        negatives_from="batch",
        negatives=15,
        learning_rate=1e-3,
        epochs=14,
        patience=14,
        modulation_only=True,
        neutrality=1.0,
        kept=0.7,
        refit=True,
    ),
    "best": Recipe(
        start="pretrained",
        negatives_from="batch",
        negatives=15,
        epochs=14,
        patience=14,
        kept=0.9,
        refit=True,
    ),
}


@dataclass(frozen=True)
class PretrainConfig:
    """Label-free start: whitening of the corpus, then titles as queries.

    Attributes:
        power, shrinkage, centring: The projector is c · (Σ + shrinkage · mean variance)^(−power),
            applied to x − centring · mean.
        judged_powers: Powers to choose from where there are judgments.
        deflation: What part of its own title's vector is taken out of a document, so that the title
            does not find it by its own words.
        candidates: Base candidates a query, which are its negatives and refine it.
        texts: At most so many titles are encoded.
        minimum: With fewer titles, only the whitening is used.
    """

    power: float = 0.2
    judged_powers: tuple[float, ...] = (0.15, 0.3)
    shrinkage: float = 0.1
    centring: float = 0.5
    deflation: float = 0.3
    candidates: int = 12
    texts: int = 6000
    minimum: int = 100
    epochs: int = 3
    batch_size: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    temperature: float = 0.05


@dataclass(frozen=True)
class MemoryConfig:
    """Sentences of the collection as a memory of the query adapter.

    Attributes:
        sentences: A collection with more has no memory: a part of it would favour the documents it
            knows.
        words: A sentence has at least so many, or else it is joined to the next one.
        neighbours: A sentence of the memory speaks up for a query that is nearer to it than half of
            all sentences are to their neighbour of this rank in another document.
        offsets, strengths: What to choose from, beside and for the first of each, where there are
            judgments.
        sharpness: Share of the mean variance that keeps the values of the memory from being blown
            up.
        feedback: Weight of the mean candidate in the refined query.
        constant: Length of the constant part of the refined query, through which scales move a
            score, in units of the rest.
    """

    sentences: int = 12_000
    words: int = 4
    neighbours: int = 5
    offsets: tuple[float, ...] = (0.0, -0.05, 0.05, 0.1)
    strengths: tuple[float, ...] = (2.0, 1.0, 0.5)
    sharpness: float = 1.0
    feedback: float = 0.4
    constant: float = 1.0


@dataclass(frozen=True)
class TrainConfig:
    """A recipe by name, and what may be set beside it; None is what the recipe says."""

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
        """Return the recipe with what is set here; TrainingError if there is none of this name."""
        if self.recipe not in RECIPES:
            raise TrainingError(
                f"recipe {self.recipe!r} does not exist; there are: {', '.join(RECIPES)}"
            )
        names = ("epochs", "patience", "negatives", "learning_rate", "batch_size")
        return replace(
            RECIPES[self.recipe],
            **{n: getattr(self, n) for n in names if getattr(self, n) is not None},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the settings, the recipe included, as a record."""
        return {**asdict(self), **asdict(self.resolved())}

    @property
    def most_epochs(self) -> int:
        """How many epochs there can be at most, epoch 0 not counted."""
        recipe, settings = self.resolved(), self.pretrain
        if not recipe.supervised:
            return settings.epochs
        passes = {"identity": 0, "whitened": 1, "pretrained": 1 + settings.epochs}[recipe.start]
        starts = passes * len(settings.judged_powers) + (recipe.start == "pretrained")
        return starts + recipe.epochs * (1 + recipe.refit)
