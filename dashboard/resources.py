"""What is loaded once and shared by all sessions: read-only for everyone.

The only home of `st.cache_*`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import streamlit as st
import torch

from dashboard import jobs, state
from dashboard.jobs import Jobs, MapJob, Measuring, TrustJob
from dashboard.state import Selection
from imrnns_core.config import MEASURES
from imrnns_core.data.records import Query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import AdapterError, ExplanationError
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition, decompose_change
from imrnns_core.evaluation.diagnosis import Diagnosis, diagnose
from imrnns_core.evaluation.evaluate import (
    Bucket,
    Evaluation,
    evaluate,
    judged_queries,
    measure_bm25,
)
from imrnns_core.evaluation.rank_overlap import RankOverlap, measure_overlap, unjudged_queries
from imrnns_core.explanation.attention_trace import TracedEncoder
from imrnns_core.explanation.deletion_test import DeletionSummary, DeletionTest, record_key
from imrnns_core.explanation.dimension_words import DimensionWordIndex
from imrnns_core.explanation.explain import explain, to_verify
from imrnns_core.explanation.feedback_influence import FeedbackInfluence, feedback_influence
from imrnns_core.explanation.modulation_ranges import ModulationRanges, modulation_ranges
from imrnns_core.explanation.nearest_tokens import NamedToken, VocabularyView
from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.explanation.score_accounting import WordAccounting
from imrnns_core.explanation.word_attribution import Carried, VerifiedWord, WordDrops, WordExplainer
from imrnns_core.io import first_readable, identity
from imrnns_core.model.checkpoint import Adapter, AdapterCard
from imrnns_core.projection.corpus_map import CorpusMap, load_map, map_key
from imrnns_core.reporting.html import to_html
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray, Progress, Side

RANGE_QUERIES = 100
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def shared(
    entries: int, spinner: str | bool = False
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Keep results for all sessions, by arguments and by the content of the data set and the adapter that they name.

    A file that was replaced under its old name is read again, and so is everything that was made of it: a page never
    shows the card of one adapter beside the ranks of another.
    """

    def decorate(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        names = tuple(signature(function).parameters)

        def by_content(content: tuple[str, ...], *arguments: Any) -> Result:
            return function(*arguments)  # type: ignore[call-arg]

        by_content.__module__, by_content.__qualname__ = (
            function.__module__,
            function.__qualname__,
        )  # the name of its cache
        kept = st.cache_resource(show_spinner=spinner, max_entries=entries)(by_content)

        @wraps(function)
        def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
            given = signature(function).bind(*arguments, **named).arguments
            return kept(_content(given), *(given[name] for name in names))

        return call

    return decorate


def _content(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the identities of the data set and the adapter that are among a function's arguments."""
    key = arguments.get("key")
    data, adapter_name = (
        (key.data, key.adapter)
        if isinstance(key, PairKey)
        else (arguments.get("data"), arguments.get("adapter_name"))
    )
    space = workspace()
    found = [] if data is None else [space.data_identity(space.resolve(data))]
    return tuple(found if adapter_name is None else [*found, space.adapter_identity(adapter_name)])


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    return Workspace()


def settle_memory() -> None:
    """Tell Python's garbage collector that what is loaded stays.

    Streamlit has it look at everything after each run of a page; with torch and a corpus in memory
    that takes a third of a second, in which nothing is sent to the browser.
    """
    gc.freeze()


def data_names() -> list[str]:
    """Return the names of the registered data sets."""
    return list(workspace().registrations())


@shared(3, "Loading the data set …")
def collection(data: str) -> Collection:
    space = workspace()
    return space.open(space.resolve(data))


@shared(16)
def load_adapter(adapter_name: str) -> Adapter:
    return workspace().adapter(adapter_name)


def fitting_adapters(data: str) -> list[str]:
    """Return the names of the adapters with this data set's dimensions, those trained on it first."""
    dimension = collection(data).documents.dimension
    fitting = [name for name, card in adapter_cards().items() if card.input_dim == dimension]
    return sorted(fitting, key=lambda name: (adapter_cards()[name].dataset != data, name))


def adapter_cards() -> dict[str, AdapterCard]:
    """Return the cards of all adapters that can be read, by name."""
    return {
        name: load_adapter(name).card
        for name in workspace().adapter_paths()
        if adapter_error(name) is None
    }


def unreadable_adapters() -> dict[str, str]:
    """Return what is wrong with each adapter that cannot be read, by name."""
    found = {name: adapter_error(name) for name in workspace().adapter_paths()}
    return {name: error for name, error in found.items() if error is not None}


@shared(64)
def adapter_error(adapter_name: str) -> str | None:
    """Return what is wrong with an adapter's file, None if it can be read."""
    try:
        load_adapter(adapter_name)
    except AdapterError as error:
        return str(error)
    return None


@shared(4, "Running the adapter over the corpus …")
def ranker(data: str, adapter_name: str) -> Ranker:
    made = Ranker(collection(data), load_adapter(adapter_name))
    _ = made.transform, made.collection.index
    settle_memory()
    return made


@shared(8)
def _measuring(data: str, adapter_name: str) -> Measuring:
    return Measuring.start(ranker(data, adapter_name))


def _measured(data: str, adapter_name: str, split: str) -> Evaluation:
    job = _measuring(data, adapter_name)
    if not job.splits[split].done():
        job.hurry.set()
        with st.spinner("Measuring all judged queries …"):
            job.splits[split].exception()
    return job.splits[split].result()


def outcomes(data: str, adapter_name: str, top_k: int) -> dict[str, Bucket] | None:
    """Return what became of each judged query; None while that is being measured."""
    found: dict[str, Bucket] = {}
    for split, future in _measuring(data, adapter_name).splits.items():
        if not future.done():
            return None
        if not future.exception():  # a split without a relevant document has no outcomes
            measured = evaluation(data, adapter_name, split, top_k)
            found.update(zip(measured.query_ids, measured.buckets(), strict=True))
    return found


@shared(96)
def evaluation(data: str, adapter_name: str, split: str, top_k: int) -> Evaluation:
    """Return the evaluation with the depth at which a query fails.

    Measured once, whatever the depth.
    """
    return replace(_measured(data, adapter_name, split), top_k=top_k)


@shared(3)
def _lexical(data: str) -> BM25Index:
    return workspace().lexical_index(collection(data).dataset)


@shared(24, "Ranking by BM25 …")
def bm25(data: str, split: str) -> SystemMetrics:
    """Measure the lexical baseline; no adapter changes it."""
    dataset = collection(data).dataset
    return measure_bm25(dataset, judged_queries(dataset, split), _lexical(data), MEASURES)


@shared(24)
def shares(data: str, adapter_name: str, split: str) -> ChangeDecomposition:
    measured = evaluation(data, adapter_name, split, 10)
    queries = collection(data).queries
    return decompose_change(
        ranker(data, adapter_name),
        measured.batch,
        torch.from_numpy(queries.vectors[queries.rows(measured.query_ids)]),
    )


@shared(8, "Ranking the queries without judgments …")
def overlap(data: str, adapter_name: str, top_k: int) -> RankOverlap:
    made = ranker(data, adapter_name)
    return measure_overlap(made, unjudged_queries(made.collection.dataset), top_k)


@shared(24, "Looking for causes …")
def _causes(data: str, adapter_name: str, split: str) -> list[Diagnosis]:
    return diagnose(
        ranker(data, adapter_name), _measured(data, adapter_name, split), bm25(data, split)
    )


@shared(256, "Looking for causes …")
def diagnosis(data: str, adapter_name: str, query_id: str) -> Diagnosis:
    """Return why one judged query fails, without measuring the others."""
    made = ranker(data, adapter_name)
    dataset = made.collection.dataset
    measured = evaluate(made, dataset.split_of[query_id], query_ids=[query_id])
    return diagnose(
        made, measured, measure_bm25(dataset, measured.qrels, _lexical(data), MEASURES)
    )[0]


def diagnoses(data: str, adapter_name: str, split: str, top_k: int) -> list[Diagnosis]:
    """Return why each query fails; the causes are looked for once, whatever the depth."""
    buckets = evaluation(data, adapter_name, split, top_k).buckets()
    return [
        replace(d, bucket=bucket)
        for d, bucket in zip(_causes(data, adapter_name, split), buckets, strict=True)
    ]


@shared(256)
def typed_vector(data: str, text: str) -> FloatArray:
    return collection(data).encode(text)


@shared(64)
def comparison(
    data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str]
) -> Comparison:
    """Return the Comparison of a known query (by id) or of a typed one (by text)."""

    if query_id:
        return ranker(data, adapter_name).compare(query_id, dropped)
    return ranker(data, adapter_name).compare(Query("", text), typed_vector(data, text), dropped)


@shared(64)
def influence(
    data: str, adapter_name: str, query_id: str, text: str, dropped: frozenset[str]
) -> FeedbackInfluence:
    return feedback_influence(
        comparison(data, adapter_name, query_id, text, dropped), load_adapter(adapter_name).model
    )


def has_mean(data: str) -> bool:
    """Say whether there are queries enough for a mean over them."""
    return len(collection(data).queries) > 1


@shared(8, "Measuring the adapter’s ranges …")
def ranges(data: str, adapter_name: str) -> ModulationRanges:
    """Measure the ranges over many queries.

    Where there are fewer than two, the documents stand for them.
    """
    vectors = (collection(data).queries if has_mean(data) else collection(data).documents).vectors
    step = max(1, len(vectors) // RANGE_QUERIES)
    return modulation_ranges(ranker(data, adapter_name), vectors[::step][:RANGE_QUERIES])


@shared(3, "Counting the words of the corpus …")
def words(data: str) -> DimensionWordIndex:
    index = DimensionWordIndex(collection(data).dataset.documents)
    return index


@st.cache_resource(show_spinner=False)
def _map_jobs() -> Jobs[MapJob]:
    return Jobs(state.is_connected)


@st.cache_resource(show_spinner=False, max_entries=4)
def _stored_map(paths: tuple[Path, ...], content: str) -> CorpusMap | None:
    return first_readable(paths, load_map)


@shared(8)
def linear_places(data: str, adapter_name: str, dimensions: int) -> FloatArray:
    """Return the (N, dimensions) PCA places of the corpus; its map must have been made."""
    made = corpus_map(data, adapter_name)
    assert made is not None
    return made.linear(ranker(data, adapter_name).transform.projected.numpy(), dimensions)


def corpus_map(data: str, adapter_name: str) -> CorpusMap | None:
    """Return the map if it was made and can be read, else None."""
    paths = workspace().map_paths(_map_key(data, adapter_name))
    return _stored_map(paths, identity(paths))


def map_job(data: str, adapter_name: str) -> tuple[MapJob | None, bool]:
    """Return the job that makes this map, if one runs or failed, and whether this session waits for it."""
    return _map_jobs().find(_map_path(data, adapter_name), state.session())


def wait_for_map(data: str, adapter_name: str) -> None:
    """Let this session wait for the map, which is made in the background as `imrnns-lens prepare` does."""
    path, documents = _map_path(data, adapter_name), len(collection(data).dataset.documents)
    _map_jobs().join(
        path,
        state.session(),
        lambda: MapJob.start(data, adapter_name, workspace().root, path, documents),
    )


def leave_map(data: str, adapter_name: str) -> None:
    """This session waits for the map no longer."""
    _map_jobs().leave(_map_path(data, adapter_name), state.session())


@shared(32)
def _map_key(data: str, adapter_name: str) -> str:
    return map_key(load_adapter(adapter_name), collection(data).fingerprint)


def _map_path(data: str, adapter_name: str) -> Path:
    return workspace().map_path(_map_key(data, adapter_name))


@shared(8)
def warm_encoder(data: str) -> None:
    """Load the encoder in the background, so that the first typed query does not wait for it."""
    loaded = collection(data)

    def work() -> None:
        time.sleep(jobs.FIRST_PAGE_SECONDS)
        if jobs.ending():
            return
        try:
            loaded.encode("warm-up")
            settle_memory()
        except Exception:  # the page that needs the encoder shows the error
            return

    jobs.start(work)


@shared(3)
def _traced(data: str) -> TracedEncoder:
    """Take the encoder of a data set apart, once for all its adapters.

    ExplanationError if it cannot be.
    """
    encoder = collection(data).encoder
    if not isinstance(encoder, SentenceTransformerEncoder):
        raise ExplanationError("words can be explained for encoders of sentence-transformers only")
    return TracedEncoder(encoder)


@shared(4)
def explainer(data: str, adapter_name: str) -> WordExplainer:
    return WordExplainer(ranker(data, adapter_name), _traced(data))


@dataclass(frozen=True)
class PairKey:
    """Names one pair of a Selection, with its texts edited where `query_text` and `document_text` say so."""

    data: str
    adapter: str
    query: str
    text: str
    dropped: frozenset[str]
    document: str
    query_text: str | None = None
    document_text: str | None = None

    @classmethod
    def of(cls, selection: Selection, document: str) -> PairKey:
        return cls(
            selection.data,
            selection.adapter,
            selection.query,
            selection.text,
            left_out(selection),
            document,
        )

    def formatted(self, side: Side) -> str | None:
        """Return the edited text as the encoder gets it, None where it is not edited."""
        spec = collection(self.data).encoder.spec
        if side == "query":
            return None if self.query_text is None else spec.query_prefix + self.query_text
        return None if self.document_text is None else spec.document_prefix + self.document_text


@shared(64)
def pair(key: PairKey) -> Pair:
    """Return the pair, scored with its edited texts."""
    found = comparison(key.data, key.adapter, key.query, key.text, key.dropped)
    texts = {side: key.formatted(side) for side in ("query", "document")}
    if any(text is not None for text in texts.values()):
        encode = explainer(key.data, key.adapter).encode
        query = None if texts["query"] is None else encode("query", [texts["query"]])[0]
        documents = (
            {}
            if texts["document"] is None
            else {key.document: encode("document", [texts["document"]])[0]}
        )
        found = rescore(found, load_adapter(key.adapter).model, query, documents)
    return Pair(found, load_adapter(key.adapter).model, found.position[key.document])


@shared(512)
def word_drops(key: PairKey, side: Side) -> tuple[WordDrops, WordAccounting | None]:
    """Return what each word of a text carries, estimated, and the account per word where the encoder has one."""
    return explainer(key.data, key.adapter).estimate_and_account(
        pair(key), side, key.formatted(side)
    )


def marked_spans(key: PairKey) -> list[tuple[int, int, float]]:
    """Return (start, end, drop of the change) of the words of a document, over title, newline and text."""
    drops = word_drops(key, "document")[0]
    prefix = len(collection(key.data).encoder.spec.document_prefix)
    return [
        (a - prefix, b - prefix, float(v))
        for word, v in zip(drops.words, drops.change, strict=True)
        for a, b in word.spans
    ]


def verified_words(
    key: PairKey, side: Side, carried: Carried, every: bool, progress: Progress
) -> list[VerifiedWord]:
    """Return the words of a pair that were deleted and measured: a shortlist, or every word.

    What is encoded once stays known to the explainer, also where the reader goes on before the end.
    """
    drops, found = word_drops(key, side)[0], pair(key)
    positions = range(len(drops.words)) if every else to_verify(drops, carried, found.fell)
    return explainer(key.data, key.adapter).verify(found, side, drops, list(positions), progress)


@shared(4, "Reading the vocabulary …")
def vocabulary(data: str, adapter_name: str) -> VocabularyView:
    return VocabularyView(ranker(data, adapter_name))


@shared(64)
def named_tokens(key: PairKey, side: Side) -> list[NamedToken]:
    return vocabulary(key.data, key.adapter).name(pair(key), side)


def report(key: PairKey) -> str:
    """Return the explanation of a pair as one HTML file."""
    made = ranker(key.data, key.adapter)
    which = (
        key.data,
        key.adapter,
    )  # asked for by explain, which says so in the report where there is none
    explained = explain(
        made,
        pair(key).comparison,
        key.document,
        True,
        lambda _: explainer(*which),
        lambda _: vocabulary(*which),
    )
    return to_html(explained, trust(key.data, key.adapter))


@shared(32)
def _record_key(data: str, adapter_name: str) -> str:
    return record_key(ranker(data, adapter_name))


def trust(data: str, adapter_name: str) -> DeletionSummary | None:
    """Return the deletion test of this adapter, None where it was not run."""
    key = _record_key(data, adapter_name)
    return first_readable(workspace().faithfulness_paths(key), DeletionSummary.read)


@st.cache_resource(show_spinner=False)
def _trust_jobs() -> Jobs[TrustJob]:
    return Jobs(state.is_connected)


def _trust_path(data: str, adapter_name: str) -> Path:
    return workspace().faithfulness_path(_record_key(data, adapter_name))


def trust_job(data: str, adapter_name: str) -> tuple[TrustJob | None, bool]:
    """Return the deletion test that runs for this adapter, or failed, and whether this session waits for it."""
    return _trust_jobs().find(_trust_path(data, adapter_name), state.session())


def wait_for_trust(data: str, adapter_name: str, split: str, pairs: int) -> None:
    """Let this session wait for the deletion test, which runs in the background and leaves its record in the workspace."""
    path, words_of = _trust_path(data, adapter_name), explainer(data, adapter_name)
    record = DeletionTest(data, split, adapter_name)
    _trust_jobs().join(path, state.session(), lambda: TrustJob.start(words_of, record, pairs, path))


def leave_trust(data: str, adapter_name: str) -> None:
    """This session waits for the deletion test no longer."""
    _trust_jobs().leave(_trust_path(data, adapter_name), state.session())


def selected_comparison(selection: Selection) -> Comparison:
    """Return the Comparison of the selected query.

    A typed query that the data set has is taken from there.
    """
    return comparison(
        selection.data, selection.adapter, selection.query, selection.text, left_out(selection)
    )


def left_out(selection: Selection) -> frozenset[str]:
    """Return the ids of the feedback documents that shall not refine the selected query."""
    if not selection.dropped:
        return frozenset()
    everyone = comparison(
        selection.data, selection.adapter, selection.query, selection.text, frozenset()
    )
    return state.left_out(selection.dropped, everyone.document_ids)
