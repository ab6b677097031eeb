"""The page Data without a browser: name files, change a column, import, read the report."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import caching, catalog, computation
from dashboard.services.data_sets import counts, imports
from dashboard.services.data_sets.imports import Wanted
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.near_copies import copies
from imrnns_core.data.readers.load import DataSource, load_dataset
from imrnns_core.data.records import Document
from imrnns_core.errors import DataError
from imrnns_core.storage import workspace
from imrnns_core.types import IntArray, Progress
from tests.toys import write_dataset


def data_page() -> None:
    from dashboard import state
    from dashboard.views.data import page

    state.start()
    page.show()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    body = "Text about the same old house that nobody has painted since the end of the war"
    rows = [f"{i},Page {i},{body} {i}." for i in range(4)]
    table = "\n".join(["nr,head,body", *rows, "3,Page 3,Another text with this number.", ""])
    (tmp_path / "pages.csv").write_text(table)
    (tmp_path / "asked.csv").write_text("question,page\nwhich house?,Page 1\n")
    return tmp_path


def finished(wanted: Wanted) -> None:
    """Wait until the job of a data set has ended."""
    deadline = time.monotonic() + 120
    while (job := imports.job(wanted)[0]) is not None and not job.finished:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_table_is_previewed_imported_and_reported(fresh: None, files: Path) -> None:
    app = AppTest.from_function(data_page, default_timeout=120).run()
    assert not app.exception
    assert [box.value for box in app.header] == [
        *("Add a data set", "Data sets", "Runs", "What was read: sample"),
    ]
    app.text_input(key="new_path").set_value(str(files / "pages.csv"))
    app.text_input(key="new_queries").set_value(str(files / "asked.csv")).run()
    chosen = {box.label: box.value for box in app.selectbox}
    # these names are not known, and one number occurs twice: the reader is asked
    assert chosen == {
        "id": "—", "title": "—", "text": "body", "url": "—", "subject": "—",
        "query": "question", "query-id": "—", "document": "page", "grade": "—",
    }  # fmt: skip
    for role, column in (("id", "nr"), ("title", "head")):
        next(box for box in app.selectbox if box.label == role).set_value(column).run()
    app.button(key="new_import").click().run()
    assert not app.exception
    wanted = Wanted(
        str(files / "pages.csv"), str(files / "asked.csv"), columns={"id": "nr", "title": "head"}
    )
    finished(wanted)
    app.run()
    assert imports.registered(wanted) == "pages"
    app.button(key="new_open").click().run()
    assert [box.value for box in app.header] == [
        *("Add a data set", "Data sets", "Runs", "What was read: pages"),
    ]
    registered = caching.workspace().registrations()["pages"]
    assert (registered.columns, registered.queries) == (wanted.columns, files / "asked.csv")
    frames = [frame.value for frame in app.dataframe]
    irregular = next(frame for frame in frames if "problem" in frame)
    assert irregular["problem"].tolist() == ["with the id of an earlier document, but another text"]
    copies = next(frame for frame in frames if "group" in frame)
    assert copies["document"].tolist() == ["0", "1", "2", "3"]
    assert "1 query, judged queries per split: asked (1)." in "".join(c.value for c in app.caption)


def test_an_imported_data_set_is_read_once(
    fresh: None, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[object]()

    def count(source: DataSource) -> Dataset:
        read.append(source)
        return load_dataset(source)

    monkeypatch.setattr(workspace, "load_dataset", count)
    wanted = Wanted(str(files / "pages.csv"), str(files / "asked.csv"))
    imports.wait(wanted)
    finished(wanted)
    app = AppTest.from_function(data_page, default_timeout=120)
    app.query_params["data"] = "pages"
    app.run()
    assert "5 documents, 1 query" in " ".join(caption.value for caption in app.caption)
    assert len(read) == 1
    # a file that changed since is read again
    with (files / "pages.csv").open("a") as table:
        table.write("9,Page 9,A page that is new.\n")
    time.sleep(2 * caching.IDENTITY_SECONDS)
    app.run()
    assert "6 documents, 1 query" in " ".join(caption.value for caption in app.caption)
    assert len(read) == 2


def test_the_page_does_not_wait_for_what_is_counted(
    fresh: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def compare(documents: Sequence[Document], share: float, progress: Progress) -> IntArray:
        progress(20, len(documents))
        assert goes_on.wait(60)
        return copies(documents, share)

    monkeypatch.setattr(counts, "copies", compare)
    monkeypatch.setattr(computation, "SOON_SECONDS", 0.0)
    app = AppTest.from_function(data_page, default_timeout=120).run()
    assert not app.exception
    total = len(catalog.dataset("sample").documents)
    assert f"{total:,} documents" in " ".join(caption.value for caption in app.caption)
    job = counts.near_copies("sample")
    assert (job.label, job.done, job.total) == ("Comparing the documents", 20, total)
    bars = [bar.proto.text for bar in app.get("progress")]
    assert f"Comparing the documents: 20 of {total:,}." in bars
    goes_on.set()
    groups, lengths = job.result(), counts.lengths("sample").result()
    assert len(groups) == len(lengths.tokens) == total
    app.run()
    assert not app.get("progress")


def test_what_cannot_be_read_is_said(fresh: None, files: Path) -> None:
    app = AppTest.from_function(data_page, default_timeout=120).run()
    app.text_input(key="new_path").set_value(str(files / "nothing.csv")).run()
    assert "nothing.csv: not found" in "".join(str(box.proto) for box in app.get("html"))
    with pytest.raises(DataError, match="name a file of queries, or leave it empty"):
        _ = Wanted(str(files / "pages.csv"), str(files / "none.csv")).source
    assert imports.registered(Wanted(str(files / "nothing.csv"))) is None


def test_an_import_that_fails_says_why_and_enters_no_list(fresh: None, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("id,text\n")
    wanted = Wanted(str(tmp_path / "empty.csv"))
    imports.wait(wanted)
    finished(wanted)
    job, _ = imports.job(wanted)
    assert job is not None
    assert "contains no document" in job.error
    assert "empty" not in caching.workspace().registrations()
    imports.leave(wanted)


def test_queries_in_the_corpus_are_counted_listed_and_can_be_kept(
    fresh: None, tmp_path: Path
) -> None:
    texts = ["Eat less meat.", "Meat is good for you.", "Cities grow.", "Trains are fast."]
    documents = [{"_id": f"a{i}", "title": "", "text": text} for i, text in enumerate(texts)]
    queries = [{"_id": "a0", "text": texts[0]}, {"_id": "a2", "text": "Are trains fast?"}]
    folder = write_dataset(tmp_path / "debate", documents, queries, "q\td\ts\na0\ta1\t1\n")
    space = caching.workspace()
    space.register(space.resolve(str(folder)))
    app = AppTest.from_function(data_page, default_timeout=120)
    app.query_params["data"] = "debate"
    app.run()
    assert not app.exception
    said = " ".join(caption.value for caption in app.caption)
    assert "1 query is also in the corpus" in said
    assert "1 query has the id of a document, but another text" in said
    frame = next(f.value for f in app.dataframe if "query" in f.value)
    assert frame.to_dict("records") == [{"query": "a0", "text": "Eat less meat."}]
    ranker = catalog.ranker("debate", "none")
    assert "a0" not in ranker.compare("a0").document_ids
    app.button(key="keep_own").click().run()
    assert "You chose to keep" in " ".join(caption.value for caption in app.caption)
    assert catalog.ranker("debate", "none").compare("a0").document_ids[0] == "a0"
    app.button(key="keep_own").click().run()
    assert not space.registrations()["debate"].keep_own
    assert "a0" not in catalog.ranker("debate", "none").compare("a0").document_ids


def test_long_documents_are_split_if_the_reader_wants_it(fresh: None, tmp_path: Path) -> None:
    filler = "The committee met again and agreed to read the minutes of the last meeting. " * 25
    rows = ["id,title,text", f"d0,Minutes,{filler}Then they spoke about volcanoes."]
    path = tmp_path / "minutes.csv"
    path.write_text("\n".join([*rows, "d1,Note,A short note about volcanology.", ""]))
    app = AppTest.from_function(data_page, default_timeout=120).run()
    app.text_input(key="new_path").set_value(str(path)).run()
    app.checkbox(key="new_passages").check().run()
    app.button(key="new_import").click().run()
    wanted = Wanted(str(path), passages=True)
    finished(wanted)
    app.run()
    app.button(key="new_open").click().run()
    assert not app.exception
    said = " ".join(caption.value for caption in app.caption)
    assert "1 document is longer (50.0 %). Longer documents are split into 2 passages" in said
    frame = next(f.value for f in app.dataframe if "passages" in f.value)
    assert frame["passages"].tolist() == [2]
    best = catalog.ranker("minutes", "none").compare("volcanoes").passages["d0"]
    assert str(best) == "passage 2 of 2"
    # the beginning of the document is read again
    app.checkbox(key="new_passages").uncheck().run()
    app.button(key="new_import").click().run()
    finished(Wanted(str(path)))
    app.run()
    frame = next(f.value for f in app.dataframe if "not read" in f.value)
    assert frame["not read"].tolist() == (frame["tokens"] - 256).tolist()


def test_an_import_says_which_data_set_it_replaces(fresh: None, tmp_path: Path) -> None:
    pages, first, second = (tmp_path / name for name in ("pages.csv", "first.csv", "second.csv"))
    pages.write_text("id,text\na,Open a ticket.\nb,Sixteen weeks.\n")
    first.write_text("query,docs\nHow do I connect?,a\n")
    second.write_text("query,docs\nHow long?,b\n")
    app = AppTest.from_function(data_page, default_timeout=120).run()
    app.text_input(key="new_path").set_value(str(pages)).run()
    app.text_input(key="new_queries").set_value(str(first)).run()
    assert "replaces" not in notices_of(app)
    app.button(key="new_import").click().run()
    finished(Wanted(str(pages), str(first)))
    app.run()
    assert "“pages” is ready" in notices_of(app)
    app.button(key="new_open").click().run()
    assert "new_failures" in {button.key for button in app.button}
    app.text_input(key="new_queries").set_value(str(second)).run()
    assert "This replaces “pages”" in notices_of(app)


def notices_of(app: AppTest) -> str:
    return " ".join(str(box.proto) for box in app.get("html"))
