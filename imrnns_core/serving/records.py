"""What the service receives and returns; its OpenAPI description is made of these records."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from imrnns_core.data.recognition import LONE_SURROGATE
from imrnns_core.retrieval.batch import Proof

MOST_QUERIES, MOST_DOCUMENTS, MOST_RESULTS = 64, 1_000, 100
"""Largest numbers of queries, of documents to re-rank, and of results per query."""


def _encodable(text: str) -> str:
    """Return a text that can be written as UTF-8.

    Raises:
        ValueError: If it has half of a surrogate pair, which no encoder accepts.
    """
    if LONE_SURROGATE.search(text):
        raise ValueError("the text has half of a surrogate pair")
    return text


Text = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(_encodable)]
Vector = Annotated[list[float], Field(min_length=1, max_length=16_384)]
Queries = Annotated[
    list[Text | Vector],
    Field(
        min_length=1,
        max_length=MOST_QUERIES,
        description="Questions, or their base embeddings.",
    ),
]


class _Record(BaseModel):
    # an unknown name is a mistake of the caller, not something to ignore
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class SearchRequest(_Record):
    """Queries to rank the whole corpus for."""

    queries: Queries
    k: Annotated[int, Field(ge=1, le=MOST_RESULTS, description="Number of documents.")] = 10


class Result(_Record):
    """A document with its modulated score."""

    id: str
    title: str
    rank: int
    score: float


class SearchResponse(_Record):
    """The modulated ranking of the whole corpus for one query."""

    results: list[Result]
    certainty: Annotated[
        Proof,
        Field(
            description="Whether the top k is that of all documents: “proven” by the bounds of "
            "the scores, “exact” if all documents were scored."
        ),
    ]


class EffectiveQueryRequest(_Record):
    """Queries to refine by the base candidates."""

    queries: Queries


class EffectiveQueryResponse(_Record):
    """The effective query: a search for it on the base embeddings ranks nearly as the adapter."""

    vector: Annotated[list[float], Field(description="The effective query at unit length.")]
    candidates: Annotated[
        list[str], Field(description="Ids of the base candidates, which refined the query.")
    ]


class RerankRequest(_Record):
    """Documents that another engine found for a query."""

    query: Text | Vector
    ids: Annotated[list[Text], Field(min_length=1, max_length=MOST_DOCUMENTS)]


class RerankResponse(_Record):
    """The documents in the order of their modulated scores; together they refined the query."""

    results: list[Result]


class Health(_Record):
    """What is served."""

    data: str
    adapter: str
    documents: int
    dimensions: int
