"""The engine of IMRNNs Lens: shows how an IMRNN adapter changes the ranking of a dense retriever.

Each public name is loaded when it is first used, so `import imrnns_core` is fast and does not load
torch:

    import imrnns_core as lens

    workspace = lens.Workspace()
    collection = workspace.open("sample")
    ranker = lens.Ranker(collection, workspace.adapter("sample-adapter"))
    comparison = ranker.compare("q128")
    explanation = lens.explain(ranker, comparison, "rio-grande", verify=True)

Names that are not in `__all__` may change between versions.
"""

import importlib
import os
from typing import TYPE_CHECKING

# By default, idle OpenMP threads spin and take cores from other processes (a browser, a second
# run). With PASSIVE they sleep. The variable has an effect only if it is set before torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022  # in the order of sorted()
    "Adapter",
    "AdapterCard",
    "AdapterConfig",
    "AdapterError",
    "Collection",
    "Comparison",
    "DataError",
    "Dataset",
    "Document",
    "EmbeddingMatrix",
    "Encoder",
    "EncoderError",
    "EncoderSpec",
    "Evaluation",
    "Explanation",
    "ExplanationError",
    "Hit",
    "IMRNN",
    "LensError",
    "MEASURES",
    "MissingExtraError",
    "Query",
    "RECIPES",
    "Ranker",
    "Registration",
    "STAGES",
    "SearchConfig",
    "SentenceTransformerEncoder",
    "Stage",
    "StoreError",
    "TrainConfig",
    "Trainer",
    "TrainingError",
    "Workspace",
    "evaluate",
    "explain",
    "load_adapter",
    "load_dataset",
    "load_embeddings",
    "save_adapter",
]

if TYPE_CHECKING:
    from imrnns_core.config import MEASURES, AdapterConfig, EncoderSpec, SearchConfig
    from imrnns_core.data.dataset import Dataset
    from imrnns_core.data.embeddings import EmbeddingMatrix, load_embeddings
    from imrnns_core.data.readers.load import load_dataset
    from imrnns_core.data.records import Document, Query
    from imrnns_core.encoding.encoder import Encoder
    from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
    from imrnns_core.errors import (
        AdapterError,
        DataError,
        EncoderError,
        ExplanationError,
        LensError,
        MissingExtraError,
        StoreError,
        TrainingError,
    )
    from imrnns_core.evaluation.evaluate import Evaluation, evaluate
    from imrnns_core.explanation.explain import Explanation, explain
    from imrnns_core.model.adapter_card import AdapterCard
    from imrnns_core.model.checkpoint import Adapter, load_adapter, save_adapter
    from imrnns_core.model.imrnn import IMRNN
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.retrieval.comparison import Comparison, Hit
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.storage.registry import Registration
    from imrnns_core.storage.workspace import Workspace
    from imrnns_core.training.config import RECIPES, TrainConfig
    from imrnns_core.training.trainer import Trainer
    from imrnns_core.types import STAGES, Stage
else:
    _MODULES = {  # public name → the module that defines it
        **dict.fromkeys(("MEASURES", "AdapterConfig", "EncoderSpec", "SearchConfig"), "config"),
        "Dataset": "data.dataset",
        **dict.fromkeys(("EmbeddingMatrix", "load_embeddings"), "data.embeddings"),
        "load_dataset": "data.readers.load",
        **dict.fromkeys(("Document", "Query"), "data.records"),
        "Encoder": "encoding.encoder",
        "SentenceTransformerEncoder": "encoding.sentence_transformers",
        **dict.fromkeys(
            (
                "AdapterError",
                "DataError",
                "EncoderError",
                "ExplanationError",
                "LensError",
                "MissingExtraError",
                "StoreError",
                "TrainingError",
            ),
            "errors",
        ),
        **dict.fromkeys(("Evaluation", "evaluate"), "evaluation.evaluate"),
        **dict.fromkeys(("Explanation", "explain"), "explanation.explain"),
        **dict.fromkeys(("Adapter", "load_adapter", "save_adapter"), "model.checkpoint"),
        "AdapterCard": "model.adapter_card",
        "IMRNN": "model.imrnn",
        "Collection": "retrieval.collection",
        **dict.fromkeys(("Comparison", "Hit"), "retrieval.comparison"),
        "Ranker": "retrieval.ranker",
        "Registration": "storage.registry",
        "Workspace": "storage.workspace",
        **dict.fromkeys(("RECIPES", "TrainConfig"), "training.config"),
        "Trainer": "training.trainer",
        **dict.fromkeys(("STAGES", "Stage"), "types"),
    }

    def __getattr__(name: str) -> object:
        """Load a public name when it is first used (PEP 562).

        Raises:
            AttributeError: If the name is not public.
        """
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """List the names that are loaded and all public names."""
        return sorted({*globals(), *__all__})
