"""Settings of encoder, adapter and search, and the names of what ships with the package."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import platformdirs

MEASURES = ("nDCG@10", "R@10", "RR@10", "AP", "R@100", "Success@1")
"""Measures of every evaluation, as ir-measures writes them.

NDCG uses linear gains, as trec_eval does.
"""


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
        """Return the settings as a record."""
        return asdict(self)


@dataclass(frozen=True)
class AdapterConfig:
    """Shape of an IMRNN.

    Encoder dimensions n, working dimensions m ≤ n, widths of the adapters' MLPs.

    `query_hidden_dims` are those of the query adapter where they differ, as with a memory of
    sentences.
    """

    input_dim: int
    output_dim: int
    hidden_dims: tuple[int, int] = (128, 64)
    query_hidden_dims: tuple[int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a record."""
        return asdict(self)


@dataclass(frozen=True)
class SearchConfig:
    """How many candidates the base retriever hands on (k of the paper), and how many are shown."""

    candidates: int = 100
    top_k: int = 10


def workspace_root() -> Path:
    """Return the workspace folder: `IMRNNS_WORKSPACE`, else the platform's cache folder."""
    return Path(os.environ.get("IMRNNS_WORKSPACE") or platformdirs.user_cache_dir("imrnns-lens"))


SAMPLE = "sample"
SAMPLE_ADAPTER = "sample-adapter"
REPORT_GENERATOR = "imrnns-lens explain"
"""Named in the head of a report, so that a later run knows its own file."""
