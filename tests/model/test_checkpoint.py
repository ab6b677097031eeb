"""Adapter files of this and of the reference package, and files that are refused."""

from __future__ import annotations

import io
import json
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from imrnns_core.config import SearchConfig
from imrnns_core.errors import AdapterError
from imrnns_core.model.adapter_card import CARD_SCHEMA, AdapterCard, TrainingOutcome, TrainingTexts
from imrnns_core.model.checkpoint import (
    Adapter,
    check_dimensions,
    load_adapter,
    save_adapter,
    tensors_digest,
)
from imrnns_core.model.corpus_transform import transform_corpus
from imrnns_core.model.scoring import score_candidates
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import STAGES
from tests.toys import (
    REFERENCE_NAMES,
    PlainAdapter,
    adapter,
    collection,
    random_model,
    stage_scores,
    still_model,
)

CARD = AdapterCard(
    name="mine",
    input_dim=6,
    output_dim=4,
    encoder="all-MiniLM-L6-v2",
    recipe="reference",
    dataset="sample",
    dataset_digest="abc",
    train_split="train",
    texts=TrainingTexts(["0a", "0b"], ["0c"], ["whitening"], ["0d"]),
    config={"margin": 0.05},
    history=[{"number": 0, "loss": None, "validation": 0.5, "best": True}],
    outcome=TrainingOutcome("trained", 3, validation=0.5, base_validation=0.4, notes=["a note"]),
)


@given(st.integers(0, 2**31), st.integers(2, 9), st.integers(2, 9))
def test_save_and_load_give_equal_tensors_and_card(
    tmp_path_factory: pytest.TempPathFactory, seed: int, a: int, b: int
):
    n, m = max(a, b), min(a, b)
    model, path = (
        random_model(seed, n, m),
        tmp_path_factory.mktemp("adapter") / "new" / "mine.safetensors",
    )
    card = AdapterCard(**{**vars(CARD), "input_dim": n, "output_dim": m})
    save_adapter(Adapter(model, card), path)
    loaded = load_adapter(path)
    assert loaded.card == card
    assert loaded.model.config == model.config
    state = model.state_dict()
    assert list(loaded.model.state_dict()) == list(state)
    for name, tensor in loaded.model.state_dict().items():
        assert torch.equal(tensor, state[name]), name
    assert sorted(p.name for p in path.parent.iterdir()) == ["mine.safetensors"]
    assert not loaded.model.training
    assert not any(p.requires_grad for p in loaded.model.parameters())


def old_pair(
    folder: Path, model: Any, card: str | None, metadata: dict[str, str] | None = None
) -> Path:
    """Write the tensors and a separate card file, as versions before 0.1.0 did."""
    save_file(model.state_dict(), folder / "a.safetensors", metadata)
    if card is not None:
        (folder / "a.json").write_text(card)
    return folder / "a.safetensors"


def test_a_file_without_a_card_gets_its_name_and_dimensions(tmp_path: Path):
    assert load_adapter(old_pair(tmp_path, random_model(0, 6, 4), None)).card == AdapterCard(
        "a", 6, 4
    )


def test_an_adapter_with_a_separate_card_file_loads(tmp_path: Path):
    assert (
        load_adapter(old_pair(tmp_path, random_model(0, 6, 4), json.dumps(asdict(CARD)))).card
        == CARD
    )


def test_the_card_file_of_another_adapter_is_refused(tmp_path: Path):
    ours, other = random_model(0, 6, 4), random_model(1, 6, 4)
    card = json.dumps({**asdict(CARD), "tensors_sha256": tensors_digest(ours.state_dict())})
    assert load_adapter(old_pair(tmp_path, ours, card)).card == CARD
    expected = (
        "a.json: the card does not belong to the tensors in a.safetensors; train or copy the "
        "adapter again"
    )
    assert refusal(old_pair(tmp_path, other, card)) == expected


def test_a_json_file_of_another_command_is_not_taken_as_the_card(tmp_path: Path):
    save_adapter(Adapter(random_model(0, 6, 4), CARD), tmp_path / "a.safetensors")
    (tmp_path / "a.json").write_text(
        '{"schema": 1, "query_ids": []}'
    )  # as `evaluate --json a.json` writes it
    assert load_adapter(tmp_path / "a.safetensors").card == CARD


def test_the_digest_detects_a_changed_tensor(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    save_adapter(Adapter(random_model(0, 6, 4), CARD), path)
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    assert refusal(path) == (
        "a.safetensors: the card does not belong to the tensors in a.safetensors; train or copy "
        "the adapter again"
    )


def test_the_digest_of_the_card_detects_a_changed_letter(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    save_adapter(Adapter(random_model(0, 6, 4), replace(CARD, recipe="paper")), path)
    raw = path.read_bytes()
    assert raw.count(b"paper") == 1
    path.write_bytes(raw.replace(b"paper", b"piper"))
    assert refusal(path) == (
        "a.safetensors: not an adapter card (it has changed since it was written); train or copy "
        "the adapter again"
    )


def test_a_card_of_schema_1_is_read(tmp_path: Path):
    measures = {
        "best_epoch": 3,
        "shipped": "trained",
        "validation": 0.5,
        "base_validation": 0.4,
        "notes": ["a note"],
    }
    record = {**asdict(CARD), "measures": measures, "schema": 1}
    del record["outcome"]
    assert load_adapter(old_pair(tmp_path, random_model(0, 6, 4), json.dumps(record))).card == CARD
    plain = {"name": "a", "input_dim": 6, "output_dim": 4, "measures": {}, "schema": 1}
    card = load_adapter(old_pair(tmp_path, random_model(0, 6, 4), json.dumps(plain))).card
    assert card == AdapterCard("a", 6, 4)


def test_a_card_of_schema_2_is_converted(tmp_path: Path):
    record = {
        **asdict(CARD),
        "schema": 2,
        "config": {"start": "pretrained", "kept": 0.9, "memory": {"sentences": 9, "words": 4}},
        "history": [{"number": 0, "phase": "start"}, {"number": 1, "phase": "train"}],
        "outcome": {"shipped": "start", "best_epoch": 0, "start": {"sentences": 7}},
    }
    card = load_adapter(old_pair(tmp_path, random_model(0, 6, 4), json.dumps(record))).card
    assert card.outcome == TrainingOutcome("initialization", 0, initialization={"sentences": 7})
    assert card.config == {
        "initialization": "pretrained",
        "weight_interpolation": 0.9,
        "memory": {"max_sentences": 9, "min_words": 4},
    }
    assert [epoch["phase"] for epoch in card.history] == ["initialization", "train"]
    assert card.schema == CARD_SCHEMA == 4


def test_unknown_keys_of_a_later_card_are_ignored(tmp_path: Path):
    record = {**asdict(CARD), "mood": "fine"}
    assert (
        load_adapter(old_pair(tmp_path, random_model(0, 6, 4), json.dumps(record))).card.texts
        == CARD.texts
    )


@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_an_adapter_file_has_the_permissions_of_any_new_file(tmp_path: Path, umask: int):
    previous = os.umask(umask)
    try:
        save_adapter(adapter(random_model(0, 6, 4)), tmp_path / "a.safetensors")
    finally:
        os.umask(previous)
    assert (tmp_path / "a.safetensors").stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_tensor_that_is_not_finite_is_refused(tmp_path: Path, value: float):
    model = random_model(0, 6, 4)
    with torch.no_grad():
        model.query_norm.bias[2] = value
    save_adapter(Adapter(model, CARD), tmp_path / "a.safetensors")
    assert refusal(tmp_path / "a.safetensors") == (
        "a.safetensors: tensor 'query_norm.bias' holds NaN or infinity; train or copy the "
        "adapter again"
    )


# Files that are refused


def refusal(path: Path) -> str:
    with pytest.raises(AdapterError) as caught:
        load_adapter(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path.parent))
    return message.removeprefix(f"{path.parent}/")


def test_saving_under_another_suffix_names_the_right_one(tmp_path: Path):
    with pytest.raises(AdapterError) as caught:
        save_adapter(adapter(still_model(2)), tmp_path / "a.pt")
    assert (
        str(caught.value)
        == f"{tmp_path}/a.pt: adapters are written as .safetensors; name the file a.safetensors"
    )
    assert list(tmp_path.iterdir()) == []


def test_loading_another_suffix(tmp_path: Path):
    (tmp_path / "a.bin").write_bytes(b"")
    expected = (
        "a.bin: unknown file type '.bin'; name a .safetensors file, or a .pt file of the "
        "reference package"
    )
    assert refusal(tmp_path / "a.bin") == expected


def test_a_missing_file_names_the_command(tmp_path: Path):
    assert (
        refusal(tmp_path / "a.pt")
        == "a.pt: file not found; train one with: imrnns-lens train DATA --out a.safetensors"
    )


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)


REFUSED = "name a .pt file that has only tensors and plain metadata"
METADATA = {"checkpoint_format": "imrnns-final-v1"}


@pytest.mark.parametrize("part", ["alone", "metadata", "model_state"])
@pytest.mark.parametrize("kind", ["torch", "old torch", "pickle"])
def test_a_command_in_a_pickle_never_runs(tmp_path: Path, part: str, kind: str):
    target = tmp_path / "ran"
    payload: Any = Payload(target)
    if part != "alone":
        payload = {"metadata": dict(METADATA), "model_state": {}}
        payload[part]["projector.weight"] = Payload(target)
    path = tmp_path / "bad.pt"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(payload, 2))
    else:
        torch.save(payload, path, _use_new_zipfile_serialization=kind == "torch")
    assert refusal(path) == f"bad.pt: not an adapter of the reference package; {REFUSED}"
    assert not target.exists()
    if kind == "pickle":  # check of the test itself: plain unpickling does run the command
        pickle.loads(path.read_bytes())
        assert target.exists()


class Thing:
    pass


BAD_PAYLOADS = {
    "an object": (Thing(), f"not an adapter of the reference package; {REFUSED}"),
    "an object in the metadata": (
        {"metadata": {**METADATA, "x": Thing()}, "model_state": {}},
        f"not an adapter of the reference package; {REFUSED}",
    ),
    "a tensor": (torch.ones(2), f"not an adapter of the reference package; {REFUSED}"),
    "a list": ([1], f"not an adapter of the reference package; {REFUSED}"),
    "no state": ({"metadata": METADATA}, f"not an adapter of the reference package; {REFUSED}"),
    "another format": (
        {"metadata": {"checkpoint_format": "v9"}, "model_state": {}},
        "format 'v9' is unknown; known formats: imrnns-final-v1, imrnns-adapter-only-v1",
    ),
    "a number for a tensor": (
        {"metadata": METADATA, "model_state": {"projector.weight": 3}},
        f"unexpected entry 'projector.weight'; {REFUSED}",
    ),
    "an unknown tensor": (
        {"metadata": METADATA, "model_state": {"other.weight": torch.ones(1)}},
        f"unexpected entry 'other.weight'; {REFUSED}",
    ),
    "no tensors": (
        {"metadata": METADATA, "model_state": {}},
        "tensor 'projector.weight' is missing; train or copy the adapter again",
    ),
}


@pytest.mark.parametrize("case", BAD_PAYLOADS)
def test_anything_but_tensors_is_refused(tmp_path: Path, case: str):
    payload, expected = BAD_PAYLOADS[case]
    torch.save(payload, tmp_path / "bad.pt")
    assert refusal(tmp_path / "bad.pt") == f"bad.pt: {expected}"


@pytest.mark.parametrize("raw", [b"", b"hello", b"PK\x03\x04rubbish"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_a_random_file_gives_a_one_line_error(tmp_path: Path, raw: bytes, suffix: str):
    (tmp_path / f"bad{suffix}").write_bytes(raw)
    assert refusal(tmp_path / f"bad{suffix}").startswith(f"bad{suffix}: not a")


def test_a_truncated_file_gives_a_one_line_error(tmp_path: Path):
    handle = io.BytesIO()
    torch.save(
        {"metadata": METADATA, "model_state": {"projector.weight": torch.ones(50, 50)}}, handle
    )
    (tmp_path / "half.pt").write_bytes(handle.getvalue()[: len(handle.getvalue()) // 2])
    assert refusal(tmp_path / "half.pt").startswith(
        "half.pt: not an adapter of the reference package"
    )


@pytest.mark.parametrize("raw", [b"epoch,loss\n", b"sorry", b"\x80\x02J\x01"])
def test_a_random_file_that_torch_takes_for_a_pickle_gives_a_one_line_error(
    tmp_path: Path, raw: bytes
):
    (tmp_path / "bad.pt").write_bytes(raw)
    assert refusal(tmp_path / "bad.pt").startswith(
        "bad.pt: not an adapter of the reference package"
    )


@pytest.mark.filterwarnings("error")
def test_a_pickle_of_the_current_protocol_is_refused_without_a_warning(tmp_path: Path):
    (tmp_path / "bad.pt").write_bytes(pickle.dumps({"a": 1}, 4))
    assert refusal(tmp_path / "bad.pt").startswith(
        "bad.pt: not an adapter of the reference package"
    )


def test_tensors_that_do_not_fit_together(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    save_adapter(adapter(random_model(0, 6, 4)), path)
    state = load_file(path)
    save_file({**state, "query_norm.weight": torch.ones(5)}, path)
    message = refusal(path)
    assert message.startswith("a.safetensors: the tensors do not fit together (")
    assert "query_norm.weight" in message
    save_file({k: v for k, v in state.items() if k != "projector.weight"}, path)
    assert (
        refusal(path)
        == "a.safetensors: tensor 'projector.weight' is missing; train or copy the adapter again"
    )
    save_file({k: v for k, v in state.items() if k != "query_norm.bias"}, path)
    assert "query_norm.bias" in refusal(path)


def test_a_card_with_wrong_dimensions_names_both_numbers(tmp_path: Path):
    save_adapter(Adapter(random_model(0, 8, 4), CARD), tmp_path / "a.safetensors")
    assert refusal(tmp_path / "a.safetensors") == "a.safetensors: " + (
        expected
        := "the card says 6→4 dimensions, the tensors have 8→4; train or copy the adapter again"
    )
    assert (
        refusal(old_pair(tmp_path, random_model(0, 8, 4), json.dumps(asdict(CARD))))
        == f"a.json: {expected}"
    )


@pytest.mark.parametrize("card", ["{", "[]", "{}", '{"name": "x"}'])
def test_a_damaged_card_gives_a_one_line_error(tmp_path: Path, card: str):
    message = refusal(old_pair(tmp_path, random_model(0, 6, 4), card))
    assert message.startswith("a.json: not an adapter card (")
    assert message.endswith("); copy it again or delete it")
    message = refusal(old_pair(tmp_path, random_model(0, 6, 4), None, {"card": card}))
    assert message.startswith("a.safetensors: not an adapter card (")
    assert message.endswith("); train or copy the adapter again")


def test_an_adapter_with_wrong_dimensions_names_both_numbers():
    expected = (
        "toy: the adapter expects 2 dimensions, these embeddings have 3; prepare the data with "
        "the adapter's encoder "
        "(not named in the file) or use another adapter"
    )
    with pytest.raises(AdapterError) as caught:
        check_dimensions(adapter(still_model(2)), 3)
    assert str(caught.value) == expected
    with pytest.raises(AdapterError) as caught:
        Ranker(collection([[1, 0, 0]]), adapter(still_model(2)))
    assert str(caught.value) == expected
    check_dimensions(adapter(still_model(2)), 2)


# Files of the reference package


def test_the_current_format_of_the_reference_package(test_data: Path):
    card = load_adapter(test_data / "peer" / "imrnns-minilm-scifact.pt").card
    assert (card.name, card.input_dim, card.output_dim) == ("imrnns-minilm-scifact", 384, 384)
    assert card.source == "reference package (format imrnns-final-v1)"
    assert card.texts is None


@pytest.fixture(scope="module")
def golden(test_data: Path) -> list[dict[str, Any]]:
    return json.loads((test_data / "peer" / "golden-scifact.json").read_text())["queries"]


def test_every_golden_score_is_matched(golden: list[dict[str, Any]], scifact_ranker: Ranker):
    world = scifact_ranker.collection
    assert len(golden) == 25
    rows = np.stack([world.documents.rows(q["candidates"]) for q in golden])
    vectors = world.query_vectors([q["query_id"] for q in golden])
    ranker = scifact_ranker
    scores = score_candidates(
        ranker.adapter.model,
        ranker.transform,
        torch.from_numpy(ranker.collection.unit_documents),
        torch.from_numpy(vectors),
        torch.from_numpy(rows),
    ).numpy()
    for q, query_scores in zip(golden, scores, strict=True):
        position = {d: i for i, d in enumerate(q["candidates"])}
        columns = [position[r["document_id"]] for r in q["ranked"]]
        np.testing.assert_allclose(
            query_scores[0, columns],
            [r["base_score"] for r in q["ranked"]],
            atol=1e-5,
            err_msg=q["query_id"],
        )
        np.testing.assert_allclose(
            query_scores[3, columns],
            [r["adapted_score"] for r in q["ranked"]],
            atol=1e-5,
            err_msg=q["query_id"],
        )


def test_every_golden_order_is_matched(golden: list[dict[str, Any]], scifact_ranker: Ranker):
    for q in golden:
        comparison = scifact_ranker.compare(q["query_id"])
        assert set(comparison.document_ids) == set(q["candidates"])
        assert [h.document_id for h in comparison.ranking("modulated")] == [
            r["document_id"] for r in q["ranked"]
        ], q["query_id"]
        by_base = sorted(q["ranked"], key=lambda r: -r["base_score"])
        base = [h.score for h in comparison.ranking("base")]
        np.testing.assert_allclose(base, [r["base_score"] for r in by_base], atol=1e-5)


@pytest.mark.parametrize(
    "name",
    ["legacy-imrnns-minilm-msmarco", "legacy-imrnns-minilm-scifact", "imrnns-minilm-scifact"],
)
def test_reference_files_score_by_the_equations_of_the_method(
    name: str, test_data: Path, scifact: Collection
):
    """Compare with scores that plain numpy computes in double precision from the file's tensors."""
    path = test_data / "peer" / f"{name}.pt"
    loaded = load_adapter(path)
    assert (loaded.card.input_dim, loaded.card.output_dim) == (
        384,
        256 if name.startswith("legacy") else 384,
    )
    plain = PlainAdapter.of(torch.load(path, weights_only=True)["model_state"], REFERENCE_NAMES)
    few = collection(scifact.documents.vectors[:300], scifact.queries.vectors[:6])
    ranker = Ranker(few, loaded, SearchConfig(50))
    for i in range(6):
        comparison = ranker.compare(f"q{i}")
        expected = plain.scores(few.queries.vectors[i], few.documents.vectors[comparison.rows])
        for s, stage in enumerate(STAGES):
            np.testing.assert_allclose(
                stage_scores(comparison)[s], expected[s], atol=2e-6, err_msg=stage
            )


def test_a_reference_file_is_converted_with_equal_values(test_data: Path, tmp_path: Path):
    first = load_adapter(test_data / "peer" / "legacy-imrnns-minilm-scifact.pt")
    save_adapter(first, tmp_path / "ours.safetensors")
    converted = load_adapter(tmp_path / "ours.safetensors")
    assert converted.card == first.card
    base = torch.from_numpy(np.eye(384, dtype=np.float32))
    assert torch.equal(
        transform_corpus(first.model, base).effect, transform_corpus(converted.model, base).effect
    )
