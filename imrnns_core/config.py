"""Settings of encoder, adapter and search, and the names of the sample and its adapter."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import platformdirs

MEASURES = ("nDCG@10", "R@10", "RR@10", "AP", "R@100", "Success@1")
"""Measures of every evaluation, in the notation of ir-measures.

As in trec_eval, nDCG uses linear gains.
"""


LONGEST_TYPED = 10_000
"""Characters of a text that is typed in; encoders read about the first 2,000."""


@dataclass(frozen=True)
class EncoderSpec:
    """Name of a frozen encoder, and the prefixes that it expects.

    A prefix is put before each query or document, as E5 and BGE models require. A document is
    encoded as its title and its text, joined by a newline.
    """

    name: str = "all-MiniLM-L6-v2"
    revision: str | None = None
    query_prefix: str = ""
    document_prefix: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON record."""
        return asdict(self)


@dataclass(frozen=True)
class AdapterConfig:
    """Layer sizes of an IMRNN.

    Attributes:
        input_dim: Encoder dimensions n.
        output_dim: Working dimensions m. An adapter of the paper has m ≤ n.
        hidden_dims: Widths of the two hidden layers of both adapters.
        query_hidden_dims: Widths for the query adapter if they differ, as with a sentence memory.
    """

    input_dim: int
    output_dim: int
    hidden_dims: tuple[int, int] = (128, 64)
    query_hidden_dims: tuple[int, int] | None = None

    @property
    def parameters(self) -> int:
        """Number of weights of the projector, both adapters and both norms."""
        n, m = self.input_dim, self.output_dim
        adapters = (self.hidden_dims, self.query_hidden_dims or self.hidden_dims)
        sizes = [
            wide * (m + 1) + narrow * (wide + 1) + 2 * m * (narrow + 1) for wide, narrow in adapters
        ]
        return m * (n + 1) + 4 * m + sum(sizes)

    def to_json(self) -> dict[str, Any]:
        """Return the settings as a JSON record."""
        return asdict(self)


Scope = Literal["candidates", "corpus"]
"""What an adapter ranks: the candidates of the base retriever, or the whole corpus."""
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class SearchConfig:
    """Sizes of the candidate list and of the result list, and what an adapter ranks.

    Attributes:
        candidates: Number of candidates that the base retriever returns (k in the paper).
        top_k: Number of documents that are shown.
        scope: What an adapter ranks. With "corpus", the candidates still refine the query.
        exact_pass: Whether all documents are scored if the top k is not proven otherwise.
    """

    candidates: int = 100
    top_k: int = 10
    scope: Scope = "candidates"
    exact_pass: bool = True


def workspace_root() -> Path:
    """Return the folder named by `IMRNNS_WORKSPACE`, or else the platform's cache folder."""
    return Path(os.environ.get("IMRNNS_WORKSPACE") or platformdirs.user_cache_dir("imrnns-lens"))


NO_ADAPTER = "none"
"""The name that stands for no adapter, in links, in the workspace and for --adapter."""
ENCODER_BASE = "encoder"
"""The name of the base that ranks by the vectors; runs have other names."""
RUN_PREFIX = "run:"
"""Stands before the name of a run where a workspace expects the name of an adapter."""
CORPUS_PREFIX = "corpus:"
"""Stands before the name of an adapter that ranks the whole corpus, in the dashboard's services."""
SAMPLE = "sample"
SAMPLE_ADAPTER = "sample-adapter"
REPORT_GENERATOR = "imrnns-lens explain"
EVALUATION_GENERATOR = "imrnns-lens evaluate"
"""Written into the head of each report, so that a later run recognises the file as its own."""
