"""All defaults of the package; nothing else spells a default value."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

MEASURES = ("nDCG@10", "R@10", "RR@10", "R@100")
"""Measures of every evaluation, as ir-measures writes them; nDCG uses linear gains, as trec_eval does."""


@dataclass(frozen=True)
class EncoderSpec:
    """Name a frozen encoder and how texts are given to it.

    `prefix`es are put before the text, as E5 and BGE models want; a document is its title and its
    text joined by a newline.
    """

    name: str = "all-MiniLM-L6-v2"
    revision: str | None = None
    query_prefix: str = ""
    document_prefix: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class AdapterConfig:
    """Shape of an IMRNN: encoder dimensions n, working dimensions m ≤ n, widths of the adapters' MLPs."""

    input_dim: int
    output_dim: int
    hidden_dims: tuple[int, int] = (128, 64)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SearchConfig:
    """How many candidates the base retriever hands on (k of the paper), and how many are shown."""

    candidates: int = 100
    top_k: int = 10


@dataclass(frozen=True)
class TrainConfig:
    """Hyper-parameters of the reference recipe (METHOD: Adam 1e-4, margin .05, 63 dense negatives)."""

    recipe: str = "reference"
    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 1e-5
    negatives: int = 63
    margin: float = 0.05
    patience: int = 7
    validation_share: float = 0.15
    seed: int = 42

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def workspace_root() -> Path:
    """Return the workspace folder: `IMRNNS_WORKSPACE`, else the platform's cache folder."""
    return Path(os.environ.get("IMRNNS_WORKSPACE") or platformdirs.user_cache_dir("imrnns-lens"))
