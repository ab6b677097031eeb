"""The words behind a score: estimated and measured, on texts of the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation.attention_trace import (
    TracedEncoder,
    attention_drop,
    attention_gradients,
)
from imrnns_core.explanation.explain import words_to_verify
from imrnns_core.explanation.occlusion import token_to_word
from imrnns_core.explanation.pair import Pair, reference_scores
from imrnns_core.explanation.score_accounting import account_words
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.explanation.word_drops import (
    RANDOM_DRAWS,
    Draw,
    VerifiedWord,
    WordDrops,
    random_draws,
    undecided_counts,
    verified_words,
)
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import Word, without
from imrnns_core.types import FloatArray
from tests import toys


@pytest.fixture(scope="module")
def ranker(sample: Collection) -> Ranker:
    # A random adapter changes scores more than a trained one, so rounding matters less
    return Ranker(sample, toys.adapter(toys.random_model(3, 384, 384)))


@pytest.fixture(scope="module")
def explainer(ranker: Ranker) -> WordExplainer:
    return WordExplainer(ranker)


@pytest.fixture(scope="module")
def pair(ranker: Ranker) -> Pair:
    comparison = ranker.compare("q054")
    return Pair(comparison, ranker.adapter.model, comparison.position["the-hague"])


@pytest.mark.parametrize("side", ["document", "query"])
def test_a_traced_text_has_the_embedding_of_the_encoder(explainer: WordExplainer, pair: Pair, side):
    text = explainer.text(pair, side)
    trace = explainer.traced.trace(text)
    with torch.no_grad():
        traced = torch.nn.functional.normalize(
            explainer.traced.pool(trace.outputs, torch.ones(1, len(trace.spans))), dim=-1
        )[0].numpy()
    assert traced == pytest.approx(explainer.encoder.encode_formatted([text])[0], abs=2e-6)
    assert all(
        layer.weights.sum(-1).allclose(torch.tensor(1.0), atol=1e-5) for layer in trace.attention
    )


def test_the_encoder_itself_is_left_as_it_was(explainer: WordExplainer):
    assert explainer.traced is explainer.traced
    model = explainer.encoder.model[0].auto_model
    assert model.config._attn_implementation != explainer.traced._model.config._attn_implementation
    assert (
        model.get_input_embeddings().weight.data_ptr()
        == explainer.traced._model.get_input_embeddings().weight.data_ptr()
    )


def test_no_attention_to_a_word_is_what_a_mask_does_in_one_layer(
    explainer: WordExplainer, pair: Pair
):
    """The drop is exact for a target that is linear in the last layer's attention output."""
    text = explainer.text(pair, "query")
    trace = explainer.traced.trace(text)
    word_of_token = token_to_word(trace, explainer.words(text, "query"))
    last = trace.attention[-1]
    direction = torch.randn(last.outputs.shape[1:], generator=torch.Generator().manual_seed(0))
    only_last = type(trace)(
        trace.spans, last.outputs[0].transpose(0, 1).flatten(1), [last]
    )  # (T, H · c)

    def pool(outputs: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
        return outputs.flatten()[None]

    weight = direction.transpose(0, 1).flatten()
    gradients = attention_gradients(only_last, lambda flat: (flat @ weight)[:, None], pool)
    drops = attention_drop(only_last, gradients, word_of_token)[:, 0]
    for word in range(int(word_of_token.max()) + 1):
        others = word_of_token != word
        masked = last.weights[:, :, others]
        outputs = (masked / masked.sum(-1, keepdim=True)) @ last.values[:, others]
        expected = ((last.outputs[0].detach() - outputs) * direction)[:, others].sum()
        assert float(drops[word]) == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize("side", ["document", "query"])
def test_estimates_follow_the_measured_drops(explainer: WordExplainer, pair: Pair, side):
    from scipy.stats import spearmanr

    drops = explainer.estimate(pair, side)
    assert len(drops.words) == len(drops.score) == len(drops.change) > 9
    lost = reference_scores(pair) - explainer.measure(
        pair, side, [without(drops.text, [w]) for w in drops.words]
    )
    assert spearmanr(drops.score, lost[:, 0]).statistic > 0.75
    best = lost[:, 0].max()
    assert lost[drops.top("score", 1)[0], 0] > 0.7 * best


def test_verified_words_drop_what_the_edited_text_loses(explainer: WordExplainer, pair: Pair):
    drops = explainer.estimate(pair, "document")
    first = explainer.verify(pair, "document", drops, drops.top("score", 3))
    for word in first:
        scores = explainer.measure(pair, "document", [without(drops.text, [word.word])])[0]
        assert word.drop == pytest.approx(tuple(reference_scores(pair) - scores), abs=1e-6)
        assert word.random_std[0] > 0
        at = [w.text for w in drops.words].index(word.word.text)
        assert word.estimate == (drops.score[at], drops.change[at])
    # the word with the largest estimate has a larger drop than all draws
    assert first[0].p[0] == 1 / 23
    assert first[0].verdict("score") == "confirmed"
    again = explainer.verify(pair, "document", drops, drops.top("score", 3))
    assert [w.random for w in again] == [w.random for w in first]


def test_masking_a_word_of_one_token_equals_deleting_it(explainer: WordExplainer, pair: Pair):
    """The tokens after it get the positions that they have without it."""
    text = explainer.text(pair, "query")
    words, trace = explainer.words(text, "query"), explainer.traced.trace(text)
    word_of_token = token_to_word(trace, words)
    single = [
        i for i in range(len(words)) if (word_of_token == i).sum() == 1 and len(words[i].spans) == 1
    ]
    assert len(single) > 4
    hidden = explainer.traced.encode_masked(
        text, (word_of_token == torch.tensor(single)[:, None]).float()
    ).numpy()
    assert hidden == pytest.approx(
        explainer.encoder.encode_formatted([without(text, [words[i]]) for i in single]), abs=2e-6
    )


@pytest.mark.parametrize(
    ("drop", "estimate", "p", "verdict"),
    [
        (0.1, 0.2, 0.05, "confirmed"),
        (-0.1, -0.2, 0.04, "confirmed"),
        (0.1, -0.2, 0.05, "opposite sign"),
        (0.1, 0.2, 0.051, "not confirmed"),
        (0.1, -0.2, 1.0, "not confirmed"),
        (0.1, 0.2, None, "not tested"),
    ],
)
def test_a_measured_drop_judges_its_estimate(
    drop: float, estimate: float, p: float | None, verdict: str
):
    word = VerifiedWord(
        Word("peso", ((0, 4),)), (0.0, drop), (0.0, 0.01), (0.0, 0.02), (0.0, estimate), (1.0, p)
    )
    assert word.verdict("change") == verdict
    assert word.verdict("score") == "not confirmed"
    assert word.to_json() == {
        "word": "peso",
        "drop": {"score": 0.0, "change": drop},
        "random": {"score": 0.0, "change": 0.01},
        "random_std": {"score": 0.0, "change": 0.02},
        "p_corrected": {"score": 1.0, "change": p},
        "verdict": {"score": "not confirmed", "change": verdict},
    }


def words_of(occurrences: Sequence[int], estimates: Sequence[float]) -> WordDrops:
    """Return a text in which word i occurs `occurrences[i]` times, with these estimates."""
    ends = np.cumsum(occurrences)
    words = [
        Word(f"w{i}", tuple((2 * n, 2 * n + 1) for n in range(end - count, end)))
        for i, (count, end) in enumerate(zip(occurrences, ends, strict=True))
    ]
    values = np.array(estimates, np.float32)
    return WordDrops("document", "x " * int(ends[-1]), words, values, values, 2 * int(ends[-1]))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_random_draws_are_different_words_and_leave_each_word_out_often_enough(count: int):
    drops = words_of([1, 2, 3] * 10, [0.0] * 30)
    draws = random_draws(drops, count, range(30))
    assert len({frozenset(draw) for draw in draws}) == len(draws)
    assert all(sum(map(len, draw.values())) == count for draw in draws)
    assert all(set(spans) <= set(drops.words[i].spans) for d in draws for i, spans in d.items())
    # as long as a word is left that occurs as often, a draw is all of its occurrences
    like = {i for i in range(30) if len(drops.words[i].spans) == count}
    assert {i for draw in draws[: len(like)] for i in draw} == like
    assert all(sum(i not in draw for draw in draws) >= RANDOM_DRAWS for i in range(30))
    # the draws of fewer words are the same ones
    fewer = random_draws(drops, count, [0])
    assert fewer == draws[: len(fewer)]


def test_a_short_text_has_fewer_draws():
    drops = words_of([1] * 12, [0.0] * 12)
    assert len(random_draws(drops, 1, [0])) == 12
    assert random_draws(drops, 13, [0]) == []
    unread = replace(drops, characters_read=6)
    assert {i for draw in random_draws(unread, 1, [0]) for i in draw} == {0, 1, 2}


def random_drops(draws: Sequence[Draw], sizes: FloatArray) -> FloatArray:
    """Return (D, 2) drops of D draws."""
    values = [sum(len(spans) * float(sizes[i]) for i, spans in draw.items()) for draw in draws]
    return np.repeat(np.array(values, np.float32)[:, None], 2, axis=1)


def verdicts(drops: WordDrops, sizes: FloatArray, positions: Sequence[int]) -> list[str]:
    """Verify words whose drops are the sums of the sizes of their occurrences."""
    measured, random = dict[int, FloatArray](), dict[int, tuple[list[Draw], FloatArray]]()
    for i in positions:
        count = len(drops.words[i].spans)
        measured[i] = np.full(2, count * sizes[i], np.float32)
        draws = random_draws(
            drops, count, [j for j in positions if len(drops.words[j].spans) == count]
        )
        random[count] = draws, random_drops(draws, sizes)
    return [word.verdict("score") for word in verified_words(drops, measured, random)]


def test_words_are_tested_in_the_order_of_their_estimates_until_one_fails():
    sizes = np.full(40, 0.01, np.float32)
    sizes[:5] = 0.5, -0.6, 0.0, 0.7, 0.8
    estimates = [*(0.9, -0.8, 0.7, 0.6), *[0.1] * 36]
    found = verdicts(words_of([1] * 40, estimates), sizes, [3, 2, 1, 0])
    # the draws of 1/23 leave the word itself out, but may contain the others
    assert found[:2] == ["not confirmed", "not confirmed"]
    sizes[:5] = 0.8, 0.01, 0.01, 0.01, 0.01
    assert verdicts(words_of([1] * 40, estimates), sizes, [0, 1]) == ["confirmed", "not confirmed"]
    sizes[0] = -0.8
    assert verdicts(words_of([1] * 40, estimates), sizes, [0]) == ["opposite sign"]


def test_draws_that_decide_nothing_are_not_needed():
    rng = np.random.default_rng(0)
    for _ in range(20):
        sizes = rng.standard_t(2, 40).astype(np.float32)
        sizes[0] = 30
        drops = words_of([1, 2] * 20, (np.abs(sizes) + rng.random(40)).tolist())
        positions = drops.top("score", 10)
        measured = {
            i: np.full(2, len(drops.words[i].spans) * sizes[i], np.float32) for i in positions
        }
        whole, first = {}, {}
        for count in (1, 2):
            draws = random_draws(drops, count, positions)
            values = random_drops(draws, sizes)
            whole[count], first[count] = (draws, values), (draws, values[:10])
        undecided = undecided_counts(drops, measured, first)
        assert 1 in undecided
        enough = {n: whole[n] if n in undecided else first[n] for n in first}
        expected = [w.verdict("score") for w in verified_words(drops, measured, whole)]
        assert [w.verdict("score") for w in verified_words(drops, measured, enough)] == expected


def test_a_text_with_too_few_other_words_is_not_tested():
    sizes = np.full(40, 0.01, np.float32)
    sizes[0] = 0.9
    for count, verdict in ((22, "not tested"), (23, "confirmed")):
        drops = words_of([1] * count, [0.9, *[0.1] * (count - 1)])
        assert verdicts(drops, sizes, [0]) == [verdict]


def test_words_without_other_words_have_no_random_drop():
    (word,) = verified_words(words_of([1], [0.2]), {0: np.array([0.1, 0.2], np.float32)}, {})
    assert np.isnan([*word.random, *word.random_std]).all()
    assert word.to_json()["random"] == {"score": None, "change": None}
    assert word.verdict("change") == "not tested"


def test_random_words_get_a_verdict_in_at_most_one_text_of_twenty():
    """Drops with heavy tails, as real ones have, and estimates that know nothing of them."""
    rng, texts, with_verdict = np.random.default_rng(0), 2000, 0
    for _ in range(texts):
        sizes = rng.standard_t(2, 60).astype(np.float32)
        drops = words_of([1] * 60, rng.random(60).tolist())
        found = verdicts(drops, sizes, drops.top("score", 12))
        with_verdict += any(v != "not confirmed" for v in found)
    assert with_verdict / texts == pytest.approx(1 / 23, abs=0.01)
    assert with_verdict / texts <= 0.05


@pytest.mark.parametrize(
    ("occurrences", "preferred"),
    [([6] * 60, 1), ([1] * 60 + [4] * 30, 1), ([1] * 30 + [4] * 30, 4), ([1, 2, 3] * 30, 3)],
)
def test_repeated_words_get_a_verdict_as_rarely(occurrences: list[int], preferred: int):
    """The occurrences of a word have the same sign, so that their joint drop is large."""
    rng, texts, with_verdict = np.random.default_rng(0), 200, 0
    for _ in range(texts):
        sizes = rng.standard_t(2, len(occurrences)).astype(np.float32)
        # estimates that know nothing of the drops, but name words of some frequency first
        estimates = rng.random(len(occurrences)) + (np.array(occurrences) == preferred)
        drops = words_of(occurrences, estimates.tolist())
        found = verdicts(drops, sizes, drops.top("score", 12))
        with_verdict += any(v != "not confirmed" for v in found)
    assert with_verdict / texts <= 0.075  # 1/23, and two standard errors


def test_the_strongest_words_of_opposite_sign_are_verified_too():
    values = np.linspace(-1, 1, 30).astype(np.float32)
    drops = WordDrops(
        "document", "", [Word(f"w{i}", ((i, i + 1),)) for i in range(30)], values, -values, 30
    )
    assert words_to_verify(drops, ["score"], False) == [*range(29, 19, -1), 1, 0]
    assert words_to_verify(drops, ["change"], False) == [*range(10), 28, 29]
    # demoted: words that lower it come first
    assert words_to_verify(drops, ["change"], True) == [*range(29, 19, -1), 1, 0]
    short = replace(drops, words=drops.words[:11], score=values[:11], change=values[:11])
    assert words_to_verify(short, ["score"], False) == [*range(10, 0, -1), 0]
    # both shortlists, each word once
    both = words_to_verify(drops, ["change", "score"], False)
    assert both == [*range(10), 28, 29, *range(27, 19, -1)]


def test_the_shortlist_adds_one_standard_error():
    values = np.array([1.0, 0.8, 0.5, 0.45, 0.3, -0.2, 0.0], dtype=np.float32)
    places = [1, 1, 1, 9, 1, 1, 4]
    words = [
        Word(f"w{i}", tuple((10 * i + n, 10 * i + n + 1) for n in range(count)))
        for i, count in enumerate(places)
    ]
    drops = WordDrops("document", "", words, values, -values, 60)
    assert drops.top("score", 4) == [0, 1, 2, 3]
    assert drops.shortlist("score", 4) == [0, 1, 3, 2]  # .45 + .1 · √9 is above .5 + .1
    assert (
        drops.shortlist("score", 5)[4] == 4
    )  # the last word is not read, so its estimate has no error
    assert drops.shortlist("change", 4, negative=True) == [0, 1, 3, 2]
    assert drops.shortlist("change", 1) == [5]


def test_random_deletions_are_encoded_once_per_count(
    ranker: Ranker, pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    texts, explainer = list[str](), WordExplainer(ranker)
    explainer.check()
    encode = SentenceTransformerEncoder.encode_formatted
    monkeypatch.setattr(
        SentenceTransformerEncoder,
        "encode_formatted",
        lambda self, t, progress=None, unit=True: (
            texts.extend(t),
            encode(self, t, progress, unit),
        )[1],
    )
    drops = explainer.estimate(pair, "query")
    explainer.verify(pair, "query", drops, range(5))
    assert (
        len(texts) == len(set(texts)) == 11
        # each draw deletes one of eleven words, and no text is encoded twice
    )
    explainer.verify(pair, "query", drops, range(5))
    assert len(texts) == 11  # known now


def test_texts_encoded_before_a_stop_are_kept(ranker: Ranker, pair: Pair):
    explainer = WordExplainer(ranker)
    drops = explainer.estimate(pair, "document")
    heard: list[tuple[int, int]] = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total))
        if len(heard) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explainer.verify(pair, "document", drops, range(len(drops.words)), stop)
    first = heard[-1]
    assert 0 < first[0] < first[1]
    found = explainer.verify(
        pair, "document", drops, range(len(drops.words)), lambda *step: heard.append(step)
    )
    assert heard[2] == (0, first[1] - first[0])  # only the rest is encoded
    whole = WordExplainer(ranker).verify(pair, "document", drops, range(len(drops.words)))
    assert np.array([w.random for w in found]) == pytest.approx(
        np.array([w.random for w in whole]), abs=1e-6
    )


@pytest.mark.parametrize("side", ["document", "query"])
def test_the_word_accounting_sums_to_the_change(explainer: WordExplainer, ranker: Ranker, side):
    for query_id in ("q054", "q001", "q100"):
        comparison = ranker.compare(query_id)
        for at in (0, 7):
            found = Pair(comparison, ranker.adapter.model, at)
            text = explainer.text(found, side)
            trace = explainer.traced.trace(text)
            account = account_words(
                found, side, trace, token_to_word(trace, explainer.words(text, side)), 1.0
            )
            total = float(account.words.sum()) + account.other + account.constant
            assert total == pytest.approx(
                float(reference_scores(found)[1]), abs=2e-4
            )  # the sample's vectors are float16


def test_words_beyond_what_the_encoder_reads_drop_nothing(explainer: WordExplainer, pair: Pair):
    text = "Peso " * 300 + "nowhere"
    drops = explainer.estimate(pair, "document", text)
    assert [w.text for w in drops.words] == ["Peso", "nowhere"]
    assert drops.characters_read < len(text) - 7
    assert drops.change[1] == drops.score[1] == 0


def test_a_text_without_words_has_no_drops(explainer: WordExplainer, pair: Pair):
    drops = explainer.estimate(pair, "query", "…?!")
    assert drops.words == []
    assert drops.score.shape == (0,)
    assert drops.top("score", 5) == []
    assert explainer.verify(pair, "query", drops, []) == []


def test_other_encoders_say_what_is_not_available(sample: Collection):
    class Pooled(SentenceTransformerEncoder):
        pass

    encoder = Pooled(EncoderSpec())
    encoder.model[1].pooling_mode = "max"
    with pytest.raises(
        ExplanationError, match=r"its pooling is max, and only mean and cls pooling are supported"
    ):
        TracedEncoder(encoder)
    with pytest.raises(ExplanationError, match="sentence-transformers only"):
        WordExplainer(Ranker(toys.collection(np.eye(4)), toys.adapter(toys.random_model(0, 4, 4))))


def test_cls_pooling_is_explained_by_attention_only(sample: Collection, ranker: Ranker, pair: Pair):
    encoder = SentenceTransformerEncoder(EncoderSpec())
    encoder.model[1].pooling_mode = "cls"
    explainer = WordExplainer(ranker)
    explainer.encoder = encoder
    explainer.__dict__["traced"] = TracedEncoder(encoder)
    drops, account = explainer.estimate_and_account(pair, "query")
    assert account is None
    lost = explainer.measure(
        pair, "query", [drops.text, *(without(drops.text, [w]) for w in drops.words)]
    )
    measured = lost[0, 0] - lost[1:, 0]
    assert np.corrcoef(drops.score, measured)[0, 1] > 0.5


def test_another_encoder_than_the_vectors_is_refused(sample: Collection, ranker: Ranker):
    turned = Collection(
        sample.dataset,
        sample.documents,
        sample.queries,
        SentenceTransformerEncoder(EncoderSpec(document_prefix="x " * 50)),
    )
    with pytest.raises(EncoderError, match="did not make the embeddings"):
        WordExplainer(Ranker(turned, ranker.adapter)).check()


def test_a_stored_vector_of_another_text_is_refused(
    sample: Collection, ranker: Ranker, explainer: WordExplainer, pair: Pair
):
    explainer.check_pair(pair)
    vectors = np.array(sample.documents.vectors)
    row = sample.documents.row[pair.document_id]
    document = sample.dataset.document[pair.document_id]
    # such as vectors that were made from the texts without the titles
    vectors[row] = sample.encoder.encode_documents([replace(document, title="")])[0]
    other = replace(sample, documents=EmbeddingMatrix(sample.documents.ids, vectors))
    changed = Ranker(other, ranker.adapter)
    compared = changed.compare(pair.comparison.query)
    same = Pair(compared, changed.model, compared.position[pair.document_id])
    with pytest.raises(EncoderError, match="stored embedding of the document is not that of its"):
        WordExplainer(changed).check_pair(same)


def test_a_typed_query_is_explained_like_a_known_one(
    explainer: WordExplainer, ranker: Ranker, sample: Collection
):
    text = sample.dataset.queries["q054"].text
    typed = ranker.compare(Query("", text))
    known = ranker.compare("q054")
    drops = [
        explainer.estimate(Pair(c, ranker.adapter.model, c.position["the-hague"]), "query")
        for c in (typed, known)
    ]
    assert drops[0].score == pytest.approx(drops[1].score, abs=2e-3)
