"""Threads that share an encoder get the same results as a single thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.explanation.attention_trace import TracedEncoder

LONG = "the peso of Mexico and the guilder of Aruba " * 60
"""More than the 256 word pieces that the encoder reads: truncation decides about its vector."""


@pytest.fixture(scope="module")
def encoder() -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder()


def interrupted(
    encoder: SentenceTransformerEncoder,
    interfering_call: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
) -> threading.Thread:
    """Run `interfering_call` in a thread after the next call of the tokenizer sets its truncation.

    The call then waits half a second, which is enough for `interfering_call` to interfere.
    """
    tokenizer = encoder.model.tokenizer
    settings, thread = (
        tokenizer.set_truncation_and_padding,
        threading.Thread(target=interfering_call),
    )

    def stopped(*args: object, **options: object) -> None:
        settings(*args, **options)
        if thread.ident is None:
            thread.start()
            thread.join(0.5)

    monkeypatch.setattr(tokenizer, "set_truncation_and_padding", stopped)
    return thread


def test_a_traced_text_changes_no_vector_that_is_being_encoded(
    encoder: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
):
    traced, expected = TracedEncoder(encoder), encoder.encode_formatted([LONG])
    thread = interrupted(encoder, lambda: traced.trace(LONG, 40), monkeypatch)
    vectors = encoder.encode_formatted([LONG])
    thread.join()
    assert vectors == pytest.approx(expected, abs=1e-6)


def test_a_vector_that_is_encoded_changes_no_traced_text(
    encoder: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
):
    traced = TracedEncoder(encoder)
    thread = interrupted(encoder, lambda: encoder.encode_formatted([LONG]), monkeypatch)
    trace = traced.trace(LONG, 40)
    thread.join()
    assert len(trace.spans) == encoder.max_tokens + 40


def test_two_traced_texts_do_not_change_each_other(
    encoder: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
):
    traced = TracedEncoder(encoder)
    thread = interrupted(encoder, lambda: traced.trace(LONG, 40), monkeypatch)
    trace = traced.trace(LONG)
    thread.join()
    assert len(trace.spans) == encoder.max_tokens


def test_many_threads_return_the_vectors_of_one_thread(encoder: SentenceTransformerEncoder):
    traced, expected, ended = (
        TracedEncoder(encoder),
        encoder.encode_formatted([LONG, "peso"]),
        threading.Event(),
    )

    def trace() -> None:
        while not ended.is_set():
            traced.trace("peso " * 300, 2)

    thread = threading.Thread(target=trace)
    thread.start()
    try:
        for _ in range(40):
            assert np.abs(encoder.encode_formatted([LONG, "peso"]) - expected).max() < 1e-6
    finally:
        ended.set()
        thread.join()


def test_a_model_is_loaded_once(monkeypatch: pytest.MonkeyPatch):
    loads: list[int] = []

    def load(self: SentenceTransformerEncoder) -> object:
        loads.append(1)
        time.sleep(0.2)
        return object()

    monkeypatch.setattr(SentenceTransformerEncoder, "_load", load)
    encoder, models = SentenceTransformerEncoder(), list[object]()
    threads = [threading.Thread(target=lambda: models.append(encoder.model)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert models[0] is models[1]
