"""Judgments of people: what counts, what is kept, and many people at once."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from imrnns_core.data.dataset import JUDGED_SPLIT, Dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError, LensError
from imrnns_core.storage.database import FILE, REMOVALS, VARIABLE
from imrnns_core.storage.judged import (
    import_qrels,
    judged_dataset,
    placed_judgments,
    with_judgments,
)
from imrnns_core.storage.judgments import JudgmentStore, clean_name
from imrnns_core.storage.workspace import Workspace
from tests import toys

SECRET = "s3cret-word"


def dataset(**changes: object) -> Dataset:
    plain = Dataset(
        "toy",
        Path("toy"),
        tuple(Document(f"d{i}", f"title {i}", f"text {i}") for i in range(4)),
        {f"q{i}": Query(f"q{i}", f"question {i}") for i in range(3)},
        {"test": {"q0": {"d0": 1}}, "train": {"q0": {"d1": 1}, "q1": {"d1": 1}}},
    )
    return replace(plain, **changes)


@pytest.fixture
def store(tmp_path: Path) -> JudgmentStore:
    return JudgmentStore(tmp_path)


def grades(store: JudgmentStore, name: str = "toy") -> dict[tuple[str, str], tuple[int, str]]:
    return {(j.query_id, j.document_id): (j.grade, j.who) for j in store.current(name)}


def test_the_last_judgment_of_a_pair_counts_and_the_history_is_kept(store: JudgmentStore) -> None:
    assert (store.current("toy"), store.version("toy")) == ([], (0, 0))
    assert not store.database.exists(), "reading makes no file"
    store.add(dataset(), [("q0", "d0", 3), ("q0", "d1", 0)], "anna")
    store.add(dataset(), [("q0", "d0", 1)], "ben")
    assert grades(store) == {("q0", "d0"): (1, "ben"), ("q0", "d1"): (0, "anna")}
    assert [(j.document_id, j.grade) for j in store.history("toy")] == [
        ("d0", 3),
        ("d1", 0),
        ("d0", 1),
    ]
    assert store.version("toy") == (3, 0)
    assert store.current("another") == []


def test_undo_brings_the_judgment_before_back(store: JudgmentStore) -> None:
    first, second = (store.add(dataset(), [("q0", "d0", g)], "anna")[0] for g in (2, 0))
    assert store.undo("toy", second, "anna")
    assert grades(store) == {("q0", "d0"): (2, "anna")}
    assert store.undo("toy", first, "anna")
    assert grades(store) == {}
    assert store.version("toy") == (4, 0), "an undo is a row of its own"
    assert not store.undo("toy", 99, "anna")
    assert not store.undo("another", first, "anna")


def test_a_question_has_one_id_whoever_keeps_it(store: JudgmentStore) -> None:
    kept = store.keep("toy", "  What IS it? \n", "anna")
    assert store.keep("toy", "what is it", "ben").id == kept.id
    assert [(q.id, q.text) for q in store.questions("toy")] == [(kept.id, "What IS it?")]
    with pytest.raises(LensError, match="empty"):
        store.keep("toy", " \n", "anna")


def test_a_question_is_removed_and_brought_back_with_its_judgments(store: JudgmentStore) -> None:
    kept, other = (store.keep("toy", text, "anna") for text in ("what is it", "who is it"))
    store.add(judged_dataset(store, dataset()), [(kept.id, "d1", 3)], "anna")
    assert store.remove_question("toy", kept.id, "ben")
    assert [q.id for q in store.questions("toy")] == [other.id]
    (removed,) = store.removed_questions("toy")
    assert (removed.query, removed.who) == (kept, "ben")
    without = judged_dataset(store, dataset())
    assert (without.kept, JUDGED_SPLIT in without.splits) == ((other.id,), False)
    assert not store.remove_question("toy", kept.id, "ben"), "it is removed already"
    assert not store.remove_question("toy", "q0", "ben"), "a query of the files"
    assert not store.remove_question("another", kept.id, "ben")
    # someone else, who had it open, judged one more document meanwhile
    store.add(dataset(queries={kept.id: kept}), [(kept.id, "d2", 1)], "anna")
    assert store.restore_question("toy", kept.id, "anna")
    assert not store.restore_question("toy", kept.id, "anna")
    back = judged_dataset(store, dataset())
    assert (back.kept, store.removed_questions("toy")) == ((kept.id, other.id), [])
    assert back.splits[JUDGED_SPLIT] == {kept.id: {"d1": 3, "d2": 1}}
    assert store.version("toy") == (2, 4), "each change is a row of its own"


def test_a_removed_question_that_is_kept_again_is_back(store: JudgmentStore) -> None:
    kept = store.keep("toy", "what is it", "anna")
    store.remove_question("toy", kept.id, "anna")
    assert store.keep("toy", "What is it?", "ben") == kept
    assert store.questions("toy") == [kept]


def test_a_database_without_the_newest_table_is_read_and_completed(store: JudgmentStore) -> None:
    kept = store.keep("toy", "what is it", "anna")
    store.add(dataset(), [("q0", "d0", 3)], "anna")
    with store.database.writing() as connection:
        REMOVALS.drop(connection)
    assert (store.questions("toy"), store.version("toy")) == ([kept], (1, 1))
    assert grades(store) == {("q0", "d0"): (3, "anna")}
    assert store.remove_question("toy", kept.id, "ben")
    assert (store.questions("toy"), store.version("toy")) == ([], (1, 2))


def test_people_who_remove_and_keep_at_once_lose_nothing(tmp_path: Path) -> None:
    texts = [f"question number {n}" for n in range(6)]
    kept = [JudgmentStore(tmp_path).keep("toy", text, "anna") for text in texts]
    answers: list[bool] = []

    def work(who: str) -> None:
        store = JudgmentStore(tmp_path)
        for question in kept:
            answers.append(store.remove_question("toy", question.id, who))
            store.add(dataset(queries={question.id: question}), [(question.id, "d0", 2)], who)
            store.restore_question("toy", question.id, who)

    threads = [threading.Thread(target=work, args=(f"p{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = JudgmentStore(tmp_path)
    assert (store.questions("toy"), store.removed_questions("toy")) == (kept, [])
    assert len(store.history("toy")) == 36
    assert sum(answers) >= 6


def test_what_cannot_be_stored_is_refused(store: JudgmentStore) -> None:
    with pytest.raises(LensError, match="4 is no grade; use 0, 1, 2 or 3"):
        store.add(dataset(), [("q0", "d0", 4)], "anna")
    with pytest.raises(KeyError):
        store.add(dataset(), [("q0", "unknown", 1)], "anna")
    assert not store.database.exists()


@pytest.mark.parametrize(
    ("typed", "stored"),
    [(" Anna\n Lee ", "Anna Lee"), ("\x1b[31mred\ud800", "[31mred"), ("", "unknown")],
)
def test_names_are_one_printable_line(typed: str, stored: str) -> None:
    assert clean_name(typed) == stored
    assert len(clean_name("x" * 500)) == 80


JUDGE_MANY = """
import sys
from pathlib import Path
from tests.storage.test_judgments import judge_many
judge_many(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
"""
REPOSITORY = Path(__file__).resolve().parents[2]


def judge_many(root: Path, who: str, count: int) -> None:
    store, judged = JudgmentStore(root), dataset()
    for n in range(count):
        store.add(judged, [(f"q{n % 3}", f"d{n % 4}", n % 4)], who)


def test_threads_that_judge_at_once_lose_nothing(tmp_path: Path) -> None:
    """Also the first judgment of each, which makes the database."""
    threads = [threading.Thread(target=judge_many, args=(tmp_path, f"p{n}", 25)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = JudgmentStore(tmp_path).history("toy")
    assert len(history) == 200
    for n in range(8):
        own = [j.grade for j in history if j.who == f"p{n}"]
        assert own == [i % 4 for i in range(25)]


def test_processes_that_judge_at_once_lose_nothing(tmp_path: Path) -> None:
    running = [
        subprocess.Popen(
            [sys.executable, "-c", JUDGE_MANY, str(tmp_path), f"p{n}", "20"],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        for n in range(3)
    ]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert JudgmentStore(tmp_path).version("toy") == (60, 0)
    journal = sqlite3.connect(tmp_path / FILE).execute("PRAGMA journal_mode").fetchone()
    assert journal == ("wal",)


# In the data set


def test_a_judgment_replaces_that_of_the_file_in_each_split_of_its_query(
    store: JudgmentStore,
) -> None:
    store.add(dataset(), [("q0", "d0", 0), ("q0", "d2", 3), ("q2", "d3", 2)], "anna")
    question = store.keep("toy", "a new question", "anna")
    asked = judged_dataset(store, dataset())
    store.add(asked, [(question.id, "d1", 3)], "anna")
    judged = judged_dataset(store, dataset())
    assert judged.splits == {
        "test": {"q0": {"d0": 0, "d2": 3}},
        "train": {"q0": {"d1": 1, "d0": 0, "d2": 3}, "q1": {"d1": 1}},
        JUDGED_SPLIT: {"q2": {"d3": 2}, question.id: {"d1": 3}},
    }
    assert list(judged.queries) == ["q0", "q1", "q2", question.id]
    assert judged.kept == (question.id,)
    assert [judged.judged_by_people(s) for s in ("test", "train", JUDGED_SPLIT)] == [2, 2, 2]
    assert judged.judged_by_people("missing") == 0
    assert dataset().splits["test"] == {"q0": {"d0": 1}}, "the data set itself stays as it is"
    assert judged.digest == dataset().digest, "the vectors stay valid"
    kinds = [(f.kind, f.records, f.read) for f in judged.report.files]
    assert kinds == [("queries", 1, 1), ("judgments", 4, 4)]


def test_a_judgment_follows_its_texts(store: JudgmentStore) -> None:
    judged = [("q0", "d0", 1), ("q0", "d1", 2), ("q0", "d2", 3), ("q1", "d3", 1)]
    store.add(dataset(), judged, "anna")
    changed = dataset(
        documents=(
            Document("d0", "title 0", "Text  0"),  # case and spaces are no change
            Document("d1", "title 1", "another text"),
            Document("new-2", "title 2", "text 2"),
        ),
        queries={"q0": Query("q0", "Question 0?"), "q1": Query("q1", "something else")},
        splits={},
    )
    placed = placed_judgments(store, changed)
    assert [(p.query_id, p.document_id, p.changed) for p in placed] == [
        ("q0", "d0", False),
        ("q0", "d1", True),
        ("q0", "new-2", False),
        (None, None, False),
    ]
    today = judged_dataset(store, changed)
    assert today.people == {"q0": {"d0": 1, "d1": 2, "new-2": 3}}
    (report,) = today.report.files
    assert (report.records, report.read, report.rejected) == (4, 3, 1)
    assert [(i.action, i.problem, i.count, i.example) for i in report.irregularities] == [
        ("kept", "of a document whose text changed since", 1, "d1 for q0"),
        (
            "rejected",
            "of a query that the data set does not have, or that has another text now",
            1,
            "d3 for q1",
        ),
    ]


def test_a_file_of_judgments_is_imported_once(store: JudgmentStore, tmp_path: Path) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text(
        "query-id\tcorpus-id\tscore\nq0\td0\t2\nq1\td2\t0\nq1\td1\t7\nq9\td1\t1\nq1\tgone\t1\n"
    )
    new, report = import_qrels(store, judged_dataset(store, dataset()), path, "ben")
    assert (len(new), report.records, report.rejected) == (3, 5, 2)
    assert grades(store) == {
        ("q0", "d0"): (2, "ben"),
        ("q1", "d1"): (3, "ben"),  # above the highest grade
        ("q1", "d2"): (0, "ben"),
    }
    again, _ = import_qrels(store, judged_dataset(store, dataset()), path, "ben")
    assert again == []
    assert store.version("toy") == (3, 0)


# In the workspace


def test_an_open_data_set_has_judgments_and_kept_questions(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    before = space.open("sample")
    store = JudgmentStore(tmp_path)
    known = before.dataset.judgments["q128"]
    document = next(d for d in before.dataset.document_ids if d not in known)
    store.add(before.dataset, [("q128", document, 3)], "anna")
    question = store.keep("sample", "where do rivers meet", "anna")
    after = space.open("sample")
    assert after.dataset.judgments["q128"] == {**known, document: 3}
    assert JUDGED_SPLIT not in after.dataset.splits
    vector = after.query_vector(after.dataset.queries[question.id])
    assert vector.tolist() == pytest.approx(before.encode(question.text).tolist(), abs=1e-6)
    assert after.fingerprint == before.fingerprint
    (stored,) = (tmp_path / "asked").iterdir()
    first = stored.stat().st_mtime_ns
    assert (space.open("sample").queries.vectors[-1] == after.queries.vectors[-1]).all()
    assert stored.stat().st_mtime_ns == first, "the stored vector is used"


def test_a_question_that_cannot_be_encoded_is_left_out_and_named(tmp_path: Path) -> None:
    collection = toys.collection([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0]])
    store = JudgmentStore(tmp_path)
    store.keep("toy", "a question", "anna")
    opened = with_judgments(tmp_path, collection)  # the letters of the toy give other vectors
    assert list(opened.dataset.queries) == ["q0"]
    (report,) = opened.dataset.report.files
    assert (report.kind, report.rejected) == ("queries", 1)
    assert "cannot be encoded" in report.irregularities[0].problem


# Errors


def test_a_damaged_database_is_one_line(store: JudgmentStore, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("no database " * 500)
    for use in (
        lambda: store.current("toy"),
        lambda: store.add(dataset(), [("q0", "d0", 1)], "anna"),
    ):
        with pytest.raises(DataError, match=r"not a database; .*doctor --repair") as raised:
            use()
        assert "\n" not in str(raised.value)
    assert (tmp_path / FILE).read_text().startswith("no database")


@pytest.mark.parametrize(
    "address", [f"mysql://u:{SECRET}@h/d", f"no address {SECRET}", f"postgresql://u:{SECRET}@h:x/d"]
)
def test_another_address_is_refused_without_naming_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(VARIABLE, address)
    with pytest.raises(LensError, match=f"{VARIABLE} is not the address of a PostgreSQL") as raised:
        JudgmentStore(tmp_path)
    assert SECRET not in str(raised.value)


def test_a_server_that_does_not_answer_is_one_line_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv(VARIABLE, f"postgresql://anna:{SECRET}@127.0.0.1:9/team?x_pass={SECRET}")
    store = JudgmentStore(tmp_path)
    with pytest.raises(LensError, match=f"correct or unset {VARIABLE}") as raised:
        store.current("toy")
    assert str(raised.value).startswith("postgresql://127.0.0.1:9/team: ")
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)
