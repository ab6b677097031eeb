"""The page Adapters with an encoder behind an endpoint: nothing is sent that nobody agreed to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import background, caching, catalog
from dashboard.services.adapters import trainings
from dashboard.services.adapters.training_job import Request
from dashboard.services.warm_up import WarmUp
from imrnns_core.config import EncoderSpec
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.storage.workspace import Workspace
from tests.dashboard.views.adapters.test_page import opened, said, wait_until
from tests.encoding.endpoint_server import KEY, EndpointServer, serving
from tests.toys import write_dataset

CITIES = [
    "Oslo",
    "Lima",
    "Bern",
    "Rome",
    "Cairo",
    "Delhi",
    "Quito",
    "Sofia",
    "Accra",
    "Dakar",
    "Tunis",
]
RIVERS = ["wide", "narrow", "blue"]


@pytest.fixture
def server(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EndpointServer]:
    """An endpoint, whose data set “bridges” is prepared with consent."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)
    pairs = [(city, river) for city in CITIES for river in RIVERS]
    documents = [
        {"_id": f"d{n}", "text": f"{city} has {n + 2} old bridges over its {river} river."}
        for n, (city, river) in enumerate(pairs)
    ]
    folder = write_dataset(tmp_path / "bridges", documents)
    with serving(SentenceTransformerEncoder()) as started:
        space = Workspace(caching.workspace().root, agree=lambda transfer: None)
        registration = space.resolve(str(folder), encoder=EncoderSpec(started.name))
        space.open(registration)
        space.register(registration)
        yield started


def test_training_waits_for_consent_and_names_what_is_sent(server: EndpointServer) -> None:
    sent = len(server.texts)
    app: AppTest = opened(data="bridges", recipe="unlabeled")
    # 33 queries of the check without judgments, and 33 sentences
    transfer = trainings.transfer("bridges", "unlabeled", 42, None)
    assert transfer is not None
    assert (transfer.texts, transfer.model) == (66, "bundled")
    where = f"to http://127.0.0.1:{server.port}/v1, model bundled."
    assert f"It sends at most 66 texts (about {transfer.tokens:,} tokens) {where}" in said(app)
    assert app.button(key="train").disabled
    name = app.text_input(key="train_name_bridges_unlabeled").value
    app.checkbox(key=f"send_{name}").check().run()
    assert not app.button(key="train").disabled
    assert len(server.texts) == sent
    app.button(key="train").click().run()
    wait_until(lambda: trainings.finished("bridges") == name)
    # and the first document once more, to check the encoder
    assert len(server.texts) == sent + 66 + 1


def test_without_consent_nothing_is_sent_and_the_error_says_so(server: EndpointServer) -> None:
    sent = len(server.texts)
    trainings.start(Request("bridges", "alone", "unlabeled", 42))
    job, _ = trainings.job()
    assert job is not None
    wait_until(lambda: job.finished)
    assert "nothing was sent: 66 texts" in job.error
    assert len(server.texts) == sent


def test_other_recipes_and_an_encoder_on_this_machine_send_nothing(server: EndpointServer) -> None:
    assert trainings.transfer("bridges", "contrastive", 42, "test") is None
    assert trainings.transfer("sample", "unlabeled", 42, None) is None


def test_an_endpoint_is_not_warmed_up(server: EndpointServer) -> None:
    sent = len(server.texts)
    job = WarmUp.start(catalog.collection("bridges"))
    wait_until(lambda: job.finished)
    assert (len(server.texts), job.error) == (sent, "")
