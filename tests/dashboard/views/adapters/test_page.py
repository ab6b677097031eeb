"""The page Adapters without a browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.services import background, caching
from dashboard.services.adapters import files as adapter_files
from dashboard.services.adapters import trainings
from dashboard.services.adapters.training_job import Request
from dashboard.views.adapters import progress
from dashboard.views.adapters.cards import card_facts
from dashboard.views.adapters.side_by_side import measure_frame
from imrnns_core.errors import AdapterError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.evaluation.system_comparison import compare_with_adapter
from imrnns_core.model.checkpoint import load_adapter, tensors_digest
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests.noisy_data import write_noisy_data

SECONDS = 240


def adapters_page() -> None:
    from dashboard import state
    from dashboard.views.adapters import page

    state.start()
    page.show()


def said(app: AppTest) -> str:
    return " ".join(str(box.proto) for box in (*app.get("html"), *app.caption))


def keys(app: AppTest) -> set[str]:
    return {str(button.key) for button in app.button}


@pytest.fixture
def noisy(fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set whose training takes seconds, without an adapter."""
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)
    folder = write_noisy_data(tmp_path / "noisy", dimension=32)
    space = caching.workspace()
    space.register(space.resolve(str(folder), folder))
    return "noisy"


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_function(adapters_page, default_timeout=SECONDS)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def wait_until(reached: Any) -> None:
    deadline = time.monotonic() + SECONDS
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_training_is_stopped_continued_and_used(noisy: str) -> None:
    app = opened(data=noisy, recipe="reference")
    assert "There is nothing to compare yet" in said(app)
    app.button(key="train").click().run()
    job, _ = trainings.job()
    assert job is not None
    wait_until(lambda: len(job.epochs) >= 2)
    app.run()
    assert keys(app) == {"train_stop"}
    app.button(key="train_stop").click().run()
    assert job.finished
    before = job.epochs
    assert before[-1].done < before[-1].total
    assert "“noisy-reference” is not finished" in said(app)
    assert "train" in keys(app)
    assert trainings.taken("noisy-reference").startswith("A training with this name was stopped")

    app = opened(data=noisy)  # another session, such as after a restart of the server
    app.button(key="continue_noisy-reference").click().run()
    resumed, _ = trainings.job()
    assert resumed is not None
    wait_until(lambda: resumed.finished)
    assert resumed.error == ""
    app.run()
    assert "“noisy-reference” is trained" in said(app)
    assert {"train_open", "train"} <= keys(app)
    history = load_adapter(caching.workspace().adapter_paths()["noisy-reference"]).card.history
    assert [e["validation"] for e in history[: len(before)]] == [e.validation for e in before]
    assert trainings.unfinished(noisy) == []
    assert trainings.taken("noisy-reference").startswith("An adapter has this name already")


def test_a_stopped_training_can_be_discarded(noisy: str) -> None:
    request = Request(noisy, "mine", "reference", 1, "train")
    trainings.start(request)
    job, _ = trainings.job()
    assert job is not None
    wait_until(lambda: job.epochs)
    trainings.leave()
    app = opened(data=noisy)
    assert [found.request for found in trainings.unfinished(noisy)] == [request]
    app.button(key="discard_mine").click().run()
    assert trainings.unfinished(noisy) == []
    assert not request.folder(caching.workspace().root).exists()


def test_a_training_that_fails_says_why_and_another_one_can_start(
    noisy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # a failure is shown in the session that waited for the work
    monkeypatch.setattr(state, "session", lambda: "reader")
    trainings.start(Request(noisy, "mine", "reference", 1, "nowhere"))
    job, _ = trainings.job()
    assert job is not None
    wait_until(lambda: job.finished)
    app = opened(data=noisy)
    assert "“mine” could not be trained" in said(app)
    assert "available splits: train" in said(app)
    assert "train" in keys(app)


def test_the_time_left_needs_some_epochs_and_counts_only_those_of_this_process() -> None:
    class Job(trainings.TrainingJob):
        epochs: Any = ()

    job = Job.__new__(Job)
    job.started = time.time() - 10

    def logged(*ages_and_done: tuple[float, int]) -> list[Any]:
        return [
            progress.LoggedEpoch(
                done, 0.1, 0.5, False, run="a", base=None, done=done, total=20,
                time=time.time() - age,
            )
            for age, done in ages_and_done
        ]  # fmt: skip

    job.epochs = logged((500, 0), (400, 4), (8, 5), (6, 6))
    assert job.seconds_left() is None
    job.epochs = logged((500, 0), (400, 4), (8, 5), (6, 6), (4, 7))
    assert job.seconds_left() == pytest.approx(2 * 13 - 4, abs=0.5)
    assert (progress.duration(22.4), progress.duration(125)) == ("22 s", "2 min")


@pytest.mark.parametrize("name", ["", "a/b", "..", " a", "a*b"])
def test_names_that_are_no_file_names_are_refused(fresh: None, name: str) -> None:
    assert trainings.taken(name).startswith("A name consists of")


def test_a_new_name_is_free(fresh: None) -> None:
    assert trainings.free_name("my data", "best") == "my_data-best"
    root = caching.workspace().root
    Request("x", "my_data-best", "best", 1).folder(root).mkdir(parents=True)
    assert trainings.free_name("my data", "best") == "my_data-best-2"
    assert trainings.taken("sample-adapter").startswith("An adapter has this name already")


def test_a_checkpoint_is_imported_exported_deleted_and_brought_back(
    fresh: None, tmp_path: Path
) -> None:
    exported = adapter_files.exported("sample", "sample-paper", ".pt")
    path = tmp_path / "theirs.pt"
    path.write_bytes(exported)
    app = opened(adapter="sample-paper")
    app.text_input(key="adapter_path").set_value(str(path)).run()
    assert "384 → 384 dimensions" in said(app)
    app.button(key="adapter_import").click().run()
    assert "“theirs” is imported" in said(app)
    paths = caching.workspace().adapter_paths()
    digests = {
        tensors_digest(load_adapter(paths[n]).model.state_dict())
        for n in ("theirs", "sample-paper")
    }
    assert len(digests) == 1
    assert "adapter_delete" not in keys(app), "shipped adapters cannot be deleted"
    app = opened(adapter="theirs")
    app.button(key="adapter_delete").click().run()
    assert adapter_files.deleted() == ["theirs"]
    app.button(key="undo_theirs").click().run()
    assert adapter_files.deleted() == []
    assert "theirs" in caching.workspace().adapter_paths()


def test_an_import_says_in_one_line_what_is_wrong(fresh: None, tmp_path: Path) -> None:
    app = opened(adapter="sample-paper")
    for name, content, message in (
        ("none.pt", None, "none.pt: file not found"),
        ("odd.pt", b"no", "odd.pt: not an adapter of the reference package"),
        (
            "sample-adapter.pt",
            adapter_files.exported("sample", "sample-paper", ".pt"),
            "another adapter has this name",
        ),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        app.text_input(key="adapter_path").set_value(str(tmp_path / name)).run()
        assert message in said(app)
        assert "adapter_import" not in keys(app)
    with pytest.raises(AdapterError, match="cannot be deleted"):
        adapter_files.delete("sample-adapter")


def test_the_table_has_the_figures_of_the_command_line() -> None:
    space = Workspace()
    collection = space.open("sample")
    first, other = (
        Ranker(collection, space.adapter(n)) for n in ("sample-paper", "sample-adapter")
    )
    compared = compare_with_adapter(evaluate(first, "dev"), other)
    frame, record = measure_frame(compared, "one", "two"), compared.to_json()
    every = frame[frame["n"] == len(compared.evaluation.query_ids)].set_index("measure")
    for measure, test in record["significance"].items():
        assert every.loc[measure, "difference"] == test["change"]
        assert every.loc[measure, "p"] == test["p_holm"]
        assert np.isclose(every.loc[measure, "one"] - every.loc[measure, "two"], test["change"])
        assert every.loc[measure, "two"] == record["measures"][measure]


def test_a_card_says_what_training_used() -> None:
    space = Workspace()
    digest = space.open("sample").dataset.digest
    facts = dict(card_facts(space.adapter("sample-adapter"), digest))
    card = space.adapter("sample-adapter").card
    assert facts["Seed"] == str(card.config["seed"])
    assert (
        facts["Trained on"] == "sample, split train. The data set in the sidebar has the same texts"
    )
    assert facts["Documents"].startswith(f"{len(card.texts.positives):,} were relevant")
    assert facts["Validation queries"] == f"{len(card.texts.validation_queries):,}"
    assert f"{card.outcome.validation:.4f}" in facts["Validation score"]
    assert f"{card.outcome.left_out.p:.4f}" in facts["Gain for new documents"] or (
        "p < 0.0001" in facts["Gain for new documents"]
    )
    assert facts["Dimensions"] == "384 → 384"
    other = dict(card_facts(space.adapter("sample-adapter"), "another"))
    assert "The data set in the sidebar has other texts" in other["Trained on"]
