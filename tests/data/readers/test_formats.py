"""The formats that people's data has, each read from a real file."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.readers import files as source_files
from imrnns_core.data.readers import unpacked_size
from imrnns_core.data.readers.load import DataSource, load_dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.reporting.import_lines import import_lines
from tests.data.readers.files import BEIR, pack, write
from tests.data.readers.test_irregular import complete

ROWS = [
    {
        "Page ID": "P-1",
        "Heading": "VPN",
        "Body": "Open a ticket, then wait.",
        "Link": "https://w.example.com/p-1",
    },
    {
        "Page ID": "P-2",
        "Heading": "Leave",
        "Body": 'Say "hello"\nto People Ops.',
        "Link": "https://w.example.com/p-2/",
    },
]
QUESTIONS = [
    {"Question": "how do I get in?", "Expected page": "https://www.w.example.com/P-1#top"},
    {"Question": "baby on the way", "Expected page": "Leave"},
    {"Question": "no such page", "Expected page": "https://w.example.com/p-9"},
    {"Question": "both", "Expected page": "P-1; p-2"},
]
DOCUMENTS = (
    Document("P-1", "VPN", "Open a ticket, then wait.", url="https://w.example.com/p-1"),
    Document("P-2", "Leave", 'Say "hello"\nto People Ops.', url="https://w.example.com/p-2/"),
)
MD = ".md"  # the full name of a page would be taken for a citation of a document here
JUDGED = {"q1": {"P-1": 1}, "q2": {"P-2": 1}, "q4": {"P-1": 1, "P-2": 1}}


def csv_of(rows: list[dict[str, str]], mark: str = ",") -> str:
    def cell(text: str) -> str:
        quoted = text.replace('"', '""')
        return f'"{quoted}"' if set(text) & set(f'"\n{mark}') else text

    table = [list(rows[0]), *([*row.values()] for row in rows)]
    return "\n".join(mark.join(map(cell, row)) for row in table) + "\n"


def write_table(path: Path, rows: list[dict[str, str]]) -> Path:
    """Write a table in the format that the name of the file says."""
    suffix = path.suffix
    if suffix == ".csv":
        path.write_text(csv_of(rows), encoding="utf-8")
    elif suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif suffix == ".json":
        path.write_text(json.dumps({"count": len(rows), "pages": rows}, indent=2))
    elif suffix == ".parquet":
        pa.parquet.write_table(pa.Table.from_pylist(rows), path)
    else:
        book = openpyxl.Workbook()
        for row in [list(rows[0]), *(list(row.values()) for row in rows)]:
            book.active.append(row)
        book.save(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".parquet", ".xlsx"])
def test_a_table_with_columns_of_other_names_and_a_sheet_of_questions(tmp_path: Path, suffix: str):
    table = write_table(tmp_path / f"pages{suffix}", ROWS)
    questions = write_table(tmp_path / f"asked{suffix}", QUESTIONS)
    dataset = load_dataset(DataSource(table, questions))
    assert dataset.documents == DOCUMENTS
    assert dataset.queries["q2"] == Query("q2", "baby on the way")
    assert dataset.splits == {"asked": JUDGED}
    documents, queries = dataset.report.files
    assert documents.columns == {"id": "Page ID", "title": "Heading", "text": "Body", "url": "Link"}
    assert queries.columns == {"query": "Question", "document": "Expected page"}
    assert [(kind.problem, kind.count, kind.example) for kind in queries.irregularities] == [
        ("whose expected document the corpus does not have", 1, "https://w.example.com/p-9")
    ]
    complete(dataset)


def test_the_same_table_and_questions_in_one_folder(tmp_path: Path):
    write_table(tmp_path / "export.csv", ROWS)
    write_table(tmp_path / "asked.csv", QUESTIONS)
    dataset = load_dataset(tmp_path)
    assert dataset.documents == DOCUMENTS
    assert dataset.splits == {"asked": JUDGED}


def test_a_small_table_changes_nothing_for_other_readers_of_the_process(tmp_path: Path):
    before = csv.field_size_limit()
    load_dataset(write(tmp_path, {"pages.csv": "id,text\n1,x\n"}))
    assert csv.field_size_limit() >= before


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators(tmp_path: Path, mark: str):
    rows = [{**ROWS[0], "Body": "no line break here, only a comma"}]
    name = "pages.tsv" if mark == "\t" else "pages.csv"
    write(tmp_path, {name: csv_of(rows, mark)})
    (document,) = load_dataset(tmp_path / name).documents
    assert (document.title, document.text) == ("VPN", "no line break here, only a comma")


def test_a_quotation_mark_in_a_tab_separated_text_is_a_part_of_it(tmp_path: Path):
    write(
        tmp_path, {"collection.tsv": '0\t"Quoted" at the start\n1\tplain\n2\t"a ""whole"" cell"\n'}
    )
    dataset = load_dataset(tmp_path / "collection.tsv")
    assert [d.text for d in dataset.documents] == [
        '"Quoted" at the start',
        "plain",
        'a "whole" cell',
    ]
    assert dataset.document_ids == ("0", "1", "2")  # MS MARCO: no header, id and text
    assert dataset.report.files[0].remarks == ["no header; columns are named by their number"]


def test_a_quotation_mark_that_is_never_closed_hides_no_line_silently(tmp_path: Path):
    write(tmp_path, {"pages.csv": 'id,text\n1,fine\n2,"never closed\n3,hidden\n4,hidden\n'})
    dataset = load_dataset(tmp_path / "pages.csv")
    assert dataset.document_ids == ("1",)
    (kind,) = dataset.report.files[0].irregularities
    assert (kind.problem, kind.line) == ("with a quotation mark that is never closed", 3)
    complete(dataset)


def test_a_role_can_have_no_column(tmp_path: Path):
    table = write_table(tmp_path / "pages.csv", ROWS)
    first = load_dataset(DataSource(table, columns={"title": "", "id": ""})).documents[0]
    assert (first.title, first.id, first.text) == ("", ROWS[0]["Link"], ROWS[0]["Body"])


def test_rows_of_several_lines_are_read_in_time(tmp_path: Path):
    """Each such row once split the whole file again: minutes for a file of this size."""
    rows = "".join(f'{i},"first line\nsecond line {i}"\n' for i in range(40_000))
    write(tmp_path, {"pages.csv": f"id,text\n{rows}"})
    began = time.monotonic()
    assert len(load_dataset(tmp_path / "pages.csv").documents) == 40_000
    assert time.monotonic() - began < 30


def test_judgments_of_missing_documents_count_only_in_measures(tmp_path: Path):
    files = {**BEIR, "qrels/test.tsv": b"q1\td1\t1\nq1\td9\t2\n2\td9\t1\n"}
    dataset = load_dataset(write(tmp_path, files))
    assert dataset.judged_queries("test") == {"q1": {"d1": 1, "d9": 2}, "2": {"d9": 1}}
    assert dataset.judgments == {"q1": {"d1": 1}, "2": {}}
    assert dataset.in_corpus(dataset.qrels("test")) == {"q1": {"d1": 1}, "2": {}}
    assert [dataset.first_split(name) for name in ("test", "dev")] == ["test", "test"]


def test_columns_can_be_chosen(tmp_path: Path):
    table = write_table(tmp_path / "pages.csv", ROWS)
    columns = {"text": "Heading", "title": "Body"}
    dataset = load_dataset(DataSource(table, columns=columns))
    first = dataset.documents[0]
    assert (first.title, first.text) == ("Open a ticket, then wait.", "VPN")
    with pytest.raises(
        DataError, match=r"no column 'Text', which is named for text; its columns are P"
    ):
        load_dataset(DataSource(table, columns={"text": "Text"}))


def test_columns_without_a_known_name_are_guessed_from_their_values(tmp_path: Path):
    write(
        tmp_path,
        {"x.csv": "nr,kurz,lang\nA1,Urlaub,Sechzehn Wochen Ruhe.\nA2,VPN,Ein Ticket öffnen.\n"},
    )
    dataset = load_dataset(tmp_path / "x.csv")
    assert dataset.report.files[0].columns == {"id": "nr", "text": "lang"}
    assert dataset.document["A2"].text == "Ein Ticket öffnen."


def test_a_column_after_the_queries_says_which_documents_are_expected(tmp_path: Path):
    pages = "id,text\nvpn,Open a ticket.\nleave,Sixteen weeks.\n"
    for header in ("query,docs", "query,Expected pages", "frage,antwortseite"):
        rows = f"{header}\nHow do I connect?,vpn\nHow long is it?,leave\n"
        write(tmp_path, {"pages.csv": pages, "questions.csv": rows})
        dataset = load_dataset(DataSource(tmp_path / "pages.csv", tmp_path / "questions.csv"))
        assert dataset.splits == {"questions": {"q1": {"vpn": 1}, "q2": {"leave": 1}}}, header
    # a column before them has their ids
    write(tmp_path, {"questions.csv": "nr,frage\nF1,How do I connect?\nF2,How long is it?\n"})
    dataset = load_dataset(DataSource(tmp_path / "pages.csv", tmp_path / "questions.csv"))
    assert list(dataset.queries) == ["F1", "F2"]
    assert dataset.splits == {}


def test_several_documents_are_expected_by_one_query(tmp_path: Path):
    pages = 'id,title,text\na,Pay,x\nb,"Rome, Italy",y\nc,Leave,z\n'
    for cell, expected in (
        ("a;c", ("a", "c")),
        ('"a, c"', ("a", "c")),
        ('"Pay, Leave"', ("a", "c")),
        ('"Rome, Italy"', ("b",)),  # a title with a comma is one document
        ('"a, unknown"', ("a",)),
        ('"c, a,"', ("a", "c")),
        ('"Pay, Texas"', ()),  # a title that is not there is not the document “Pay”
    ):
        write(tmp_path, {"pages.csv": pages, "asked.csv": f"query,docs\nwhy?,{cell}\n"})
        source = DataSource(tmp_path / "pages.csv", tmp_path / "asked.csv")
        judged = load_dataset(source).splits.get("asked", {})
        assert judged == ({"q1": dict.fromkeys(expected, 1)} if expected else {}), cell


@pytest.mark.parametrize("separator", [";", "; ", "|", "\n", ",", ", "])
@pytest.mark.parametrize("first", ["https://wiki.example.org/a", "a", "Pay"])
def test_several_addresses_are_several_documents(tmp_path: Path, separator: str, first: str):
    """The cell ends with the id of the last document, but it is not the address of that one."""
    pages = "id,title,text\na,Pay,x\nb,Rome,y\nc,Leave,z\n"
    cell = separator.join([first, "https://wiki.example.org/b", "https://wiki.example.org/x,y/c"])
    write(tmp_path, {"pages.csv": pages, "asked.csv": f'query,docs\nwhy?,"{cell}"\n'})
    source = DataSource(tmp_path / "pages.csv", tmp_path / "asked.csv")
    assert load_dataset(source).splits["asked"]["q1"] == {"a": 1, "b": 1, "c": 1}


def test_two_addresses_of_which_one_is_missing_are_not_the_other(tmp_path: Path):
    pages = "id,title,text\na,Pay,x\nc,Leave,z\n"
    cell = "https://wiki.example.org/q,r/x, https://wiki.example.org/c"
    write(tmp_path, {"pages.csv": pages, "asked.csv": f'query,docs\nwhy?,"{cell}"\n'})
    dataset = load_dataset(DataSource(tmp_path / "pages.csv", tmp_path / "asked.csv"))
    assert dataset.splits["asked"]["q1"] == {"c": 1}
    problems = [p.problem for file in dataset.report.files for p in file.irregularities]
    assert any("does not have" in problem for problem in problems)


def test_a_title_above_the_names_of_the_columns_is_not_a_record(tmp_path: Path):
    book = openpyxl.Workbook()
    for row in (["Wiki export"], [], ["id", "title", "text"], [1, "Pay", "x"], [2, "Leave", "y"]):
        book.active.append(row)
    book.save(tmp_path / "wiki.xlsx")
    (tmp_path / "wiki.csv").write_text("Wiki export\n\nid,title,text\n1,Pay,x\n2,Leave,y\n")
    for name in ("wiki.xlsx", "wiki.csv"):
        dataset = load_dataset(tmp_path / name)
        assert [(d.id, d.title, d.text) for d in dataset.documents] == [
            ("1", "Pay", "x"),
            ("2", "Leave", "y"),
        ]
        remark = "the columns are named in line 3; the lines above it are not read"
        assert remark in dataset.report.files[0].remarks


def test_a_row_of_the_same_width_above_the_names_stays_a_record(tmp_path: Path):
    (tmp_path / "a.csv").write_text("1,Pay,x\nid,title,text\n2,Leave,y\n")
    assert [d.id for d in load_dataset(tmp_path / "a.csv").documents] == ["1", "id", "2"]


def test_a_name_that_comes_twice_is_no_record(tmp_path: Path):
    (tmp_path / "a.csv").write_text("id,text,Text\n1,a,b\n2,c,d\n")
    dataset = load_dataset(tmp_path / "a.csv")
    assert [(d.id, d.text) for d in dataset.documents] == [("1", "a"), ("2", "c")]
    remark = "several columns are named “text”; the first one of each is read"
    assert remark in dataset.report.files[0].remarks


def test_the_number_of_a_row_is_not_the_end_of_an_address(tmp_path: Path):
    write(
        tmp_path,
        {
            "pages.csv": "title,body\nHoliday policy,x\nVPN,y\n",
            "asked.csv": "question,answer page\nwhy?,https://intranet.example.org/pages/2\n",
            "numbered.csv": "id,title,body\n10234,Holiday policy,x\n10235,VPN,y\n",
            "other.csv": "question,answer page\nwhy?,https://intranet.example.org/pages/10235\n",
        },
    )
    dataset = load_dataset(DataSource(tmp_path / "pages.csv", tmp_path / "asked.csv"))
    assert not dataset.splits.get("asked")
    problems = [p.problem for file in dataset.report.files for p in file.irregularities]
    assert any("does not have" in problem for problem in problems)
    dataset = load_dataset(DataSource(tmp_path / "numbered.csv", tmp_path / "other.csv"))
    assert dataset.splits["other"]["q1"] == {"10235": 1}


def test_texts_of_parquet_that_are_bytes(tmp_path: Path):
    columns = {"id": [b"pw", b"caf"], "title": ["a", "b"], "text": ["é".encode(), b"x"]}
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    documents = load_dataset(tmp_path / "a.parquet").documents
    assert [(d.id, d.text) for d in documents] == [("pw", "é"), ("caf", "x")]
    columns["text"] = [b"\xff\xfe", b"x"]
    pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        load_dataset(tmp_path / "b.parquet")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32"])
def test_wide_characters_without_a_mark(tmp_path: Path, encoding: str):
    table = "id,title,text\n1,Straße,Où est la bibliothèque?\n2,b,“x”\n"
    (tmp_path / "a.csv").write_bytes(table.encode(encoding))
    documents = load_dataset(tmp_path / "a.csv").documents
    assert [(d.id, d.title) for d in documents] == [("1", "Straße"), ("2", "b")]
    assert documents[0].text == "Où est la bibliothèque?"


def test_unknown_names_in_the_first_row_are_remarked(tmp_path: Path):
    (tmp_path / "faq.tsv").write_text("pw\tHow to reset it\nvpn\tFrom home\n")
    remark = (
        "the first row, with “pw”, is read as the names of the columns; if it is a record, write a "
        "row of names above it"
    )
    assert remark in load_dataset(tmp_path / "faq.tsv").report.files[0].remarks


def test_columns_that_are_not_read_are_named(tmp_path: Path):
    write(
        tmp_path,
        {
            "corpus.jsonl": '{"_id": "1", "text": "x", "views": 7, "metadata": {"url": "u"}}\n',
            "queries.csv": "qid,question,asked on\nq1,why?,Monday\n",
        },
    )
    remarks = [file.remarks for file in load_dataset(tmp_path).report.files]
    assert remarks == [
        ["columns that are not read: 'views'"],
        ["columns that are not read: 'asked on'"],
    ]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Müller"),
        ("cp1252", "Où est la bibliothèque?"),
        ("cp1252", "José"),
        ("cp1252", "The ticket costs 5 € per day."),
        ("cp1252", "It costs £5, at 100 °C."),
        ("cp1252", "Perché la città è così bella?"),
        ("cp1252", "Não há informações disponíveis."),
        ("mac_roman", "L’été dernier, la forêt près de Besançon a brûlé, dit l’élève."),
        ("cp1250", "Warszawa jest stolicą Polski. Rzeka Wisła płynie przez środek miasta."),
        ("cp1251", "Быстрая лиса прыгает через ленивую собаку."),
        ("cp1252", "Garçon, “quoted” – naïve"),
        ("cp1252", "Das Café schließt um zehn Uhr, die Küche etwas früher. " * 9),
        ("cp1250", "Zażółć gęślą jaźń, łódź. Příliš žluťoučký kůň."),
        ("cp932", "日本語のテキストです。検索"),
        ("gb18030", "这是中文文本，用于检索"),
        ("cp1253", "Καλημέρα κόσμε, πώς είσαι"),
    ],
)
def test_text_in_another_encoding_is_read(tmp_path: Path, encoding: str, text: str):
    write(tmp_path, {"x.jsonl": f'{{"id": "1", "text": "{text}"}}\n'.encode(encoding)})
    dataset = load_dataset(tmp_path / "x.jsonl")
    assert dataset.document["1"].text == text
    assert f"read as {encoding}" in dataset.report.files[0].remarks[0]


def test_rows_without_an_id_get_the_address_or_the_number_of_the_line(tmp_path: Path):
    write(
        tmp_path, {"a.csv": "body\none two\nthree four\n", "b.csv": "url,body\nhttps://x/1,one\n"}
    )
    assert load_dataset(tmp_path / "a.csv").document_ids == ("2", "3")
    assert load_dataset(tmp_path / "b.csv").document_ids == ("https://x/1",)


def test_only_the_first_filled_sheet_of_a_workbook_is_read(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.title = "Empty"
    for title, cells in (("Pages", [["id", "text"], [1, "one"], [2.0, "two"]]), ("Notes", [["x"]])):
        sheet = book.create_sheet(title)
        for row in cells:
            sheet.append(row)
    book.save(tmp_path / "book.xlsx")
    dataset = load_dataset(tmp_path / "book.xlsx")
    assert dataset.documents == (Document("1", "", "one"), Document("2", "", "two"))
    assert dataset.report.files[0].remarks == ["has 2 sheets; only “Pages” is read"]


@pytest.mark.parametrize(
    "judgments", ["qrels/test-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"]
)
def test_the_parquet_layout_of_a_hub(tmp_path: Path, judgments: str):
    tables = {
        "corpus/corpus-00000-of-00002.parquet": [{"_id": "d1", "title": "One", "text": "first"}],
        "corpus/corpus-00001-of-00002.parquet": [{"_id": "d2", "title": "", "text": "second"}],
        "queries/queries-00000-of-00001.parquet": [{"_id": "q1", "text": "which?"}],
        judgments: [{"query-id": "q1", "corpus-id": "d2", "score": 1.0}],
    }
    for name, rows in tables.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_table(tmp_path / name, rows)
    dataset = load_dataset(tmp_path)
    assert dataset.document_ids == ("d1", "d2")
    assert dataset.splits == {"test": {"q1": {"d2": 1}}}


def test_a_folder_of_pages(tmp_path: Path):
    write(
        tmp_path / "wiki",
        {
            f"a/vpn{MD}": "---\ntitle: VPN\nurl: https://w.example.com/vpn\n---\n"
            "# VPN\n\nOpen a ticket.\n",
            "a/leave.markdown": "# Leave\n\nSixteen weeks.\n",
            f"b/underlined{MD}": "Travel\n======\nBook early.\n",
            "b/plain.txt": "No heading at all.\n",
            f"b/broken{MD}": "---\ntitle: [\n---\nText\n",
            "c/page.html": "<html><head><title>Pay</title><script>x()</script></head><body>"
            "<nav>Menu</nav><h1>Pay</h1><p>On the <b>25th</b>.</p></body></html>",
            "c/no_title.htm": "<h1>Parking</h1><p>Level 2</p>",
            f"c/empty{MD}": "",
            "logo.png": b"\x89PNG",
        },
    )
    dataset = load_dataset(tmp_path / "wiki")
    pages = {d.id: (d.title, d.text) for d in dataset.documents}
    assert pages == {
        f"a/vpn{MD}": ("VPN", "Open a ticket."),
        "a/leave.markdown": ("Leave", "Sixteen weeks."),
        f"b/underlined{MD}": ("Travel", "Book early."),
        "b/plain.txt": ("plain", "No heading at all."),
        f"b/broken{MD}": ("broken", "---\ntitle: [\n---\nText"),
        "c/page.html": ("Pay", "On the\n25th\n."),
        "c/no_title.htm": ("Parking", "Level 2"),
        f"c/empty{MD}": ("empty", ""),
    }
    assert dataset.document[f"a/vpn{MD}"].url == "https://w.example.com/vpn"
    (kind,) = dataset.report.files[0].irregularities
    assert (kind.problem, kind.example) == (
        "with front matter that is not YAML, read as text",
        f"b/broken{MD}",
    )
    complete(dataset)


def test_pages_and_a_sheet_of_questions_that_name_them_by_path(tmp_path: Path):
    write(
        tmp_path,
        {
            f"vpn{MD}": "# VPN\nOpen a ticket.",
            f"leave{MD}": "# Leave\nWeeks.",
            "questions.csv": f"question,page\nhow to get in,vpn{MD}\nbaby,leave{MD}\n",
        },
    )
    assert load_dataset(tmp_path).splits == {
        "questions": {"q1": {f"vpn{MD}": 1}, "q2": {f"leave{MD}": 1}}
    }


def test_trec_topics_and_judgments(tmp_path: Path):
    write(
        tmp_path,
        {
            "corpus.jsonl": BEIR["corpus.jsonl"],
            "topics.txt": "<top>\n<num> Number: 301\n<title> International Crime\n\n"
            "<desc> Description:\nWho?\n</top>\n<top>\n<num> Number: 302 </num>\n"
            "<title></title><desc> Polio\nand its end </desc>\n</top>\n"
            "<top><num>303</num></top>\n"
            "<top lang='en'><num>304\n<title>Not closed\n\n<top>\n<num>305\n<title>The last\n",
            "qrels.test.txt": "301 0 d1 1\n302 0 d2 0\n",
        },
    )
    dataset = load_dataset(tmp_path)
    assert dataset.queries == {
        "301": Query("301", "International Crime"),
        "302": Query("302", "Polio and its end"),
        "304": Query("304", "Not closed"),
        "305": Query("305", "The last"),
    }
    assert dataset.splits == {"test": {"301": {"d1": 1}, "302": {"d2": 0}}}
    complete(dataset)


def test_trec_topics_in_xml(tmp_path: Path):
    topics = """<?xml version="1.0" encoding="UTF-8"?>
<topics task="COVIDSearch">
  <topic number="1" type="faceted">
    <query>Obama &amp; his family</query>
    <description>Find <b>all</b> of them.</description>
    <subtopic number="1" type="nav">Find a tree.</subtopic>
  </topic>
  <topic number="2"><question>what is the origin of COVID-19</question>
    <narrative>long</narrative></topic>
  <!-- <topic number="4"><query>commented out</query></topic> -->
  <topic number="5"><query><![CDATA[AT&T <phone> plans]]></query></topic>
  <topic number='ct3'>
    A 58-year-old woman with chest pain.
  </topic>
</topics>
"""
    write(tmp_path, {"corpus.jsonl": BEIR["corpus.jsonl"], "topics.xml": topics})
    dataset = load_dataset(tmp_path)
    named = load_dataset(DataSource(tmp_path / "corpus.jsonl", tmp_path / "topics.xml"))
    assert named.queries == dataset.queries
    assert {i: query.text for i, query in dataset.queries.items()} == {
        "1": "Obama & his family",
        "2": "what is the origin of COVID-19",
        "5": "AT&T <phone> plans",
        "ct3": "A 58-year-old woman with chest pain.",
    }


@pytest.mark.parametrize("name", ["Smith,%20J.", "a;b", "x|y", "x,y,z", "a,1"])
@pytest.mark.parametrize("trec", [True, False])
def test_ids_in_judgments_can_have_commas_semicolons_and_bars(
    tmp_path: Path, name: str, trec: bool
):
    zero = "0 " if trec else ""
    document = {"_id": name.replace("%20", " "), "text": "Text."}
    write(
        tmp_path,
        {
            "corpus.jsonl": json.dumps(document).encode() + b"\n" + BEIR["corpus.jsonl"],
            "queries.jsonl": BEIR["queries.jsonl"],
            "qrels/test.txt": f"q1 {zero}{name} 1\nq1 {zero}d1 2\n",
        },
    )
    judged = load_dataset(tmp_path).splits["test"]["q1"]
    assert judged == {document["_id"]: 1, "d1": 2}


def test_irregular_grades_of_expected_documents_are_listed(tmp_path: Path):
    write_table(tmp_path / "pages.csv", ROWS)
    write(tmp_path, {"asked.csv": "question,docid,rating\none?,P-1,1\ntwo?,P-1,-2\nthree?,P-1,\n"})
    dataset = load_dataset(tmp_path)
    assert dataset.splits == {"asked": {"q1": {"P-1": 1}, "q2": {"P-1": 0}}}
    said = "\n".join(import_lines(dataset.report))
    assert "whose negative grade counts as 0" in said
    assert "whose grade is not a number, so they have no judgment" in said


def test_of_two_grades_for_an_expected_document_the_first_counts(tmp_path: Path):
    write_table(tmp_path / "pages.csv", ROWS)
    write(tmp_path, {"asked.csv": "question,docid,rating\nwhich?,P-1,1\nwhich?,P-1,3\n"})
    dataset = load_dataset(tmp_path)
    assert dataset.splits == {"asked": {"q1": {"P-1": 1}}}
    said = "\n".join(import_lines(dataset.report))
    assert "kept: 1 with another grade than an earlier row, which counts" in said
    with pytest.raises(DataError, match="1 irregular record"):
        load_dataset(tmp_path, strict=True)


def test_one_row_per_expected_document_and_a_rating(tmp_path: Path):
    write_table(tmp_path / "pages.csv", ROWS)
    write(
        tmp_path,
        {"asked.csv": "qid,question,docid,rating\n7,both?,P-1,3\n7,both?,P-2,1\n8,none?,,\n"},
    )
    dataset = load_dataset(tmp_path)
    assert dataset.queries == {"7": Query("7", "both?"), "8": Query("8", "none?")}
    assert dataset.splits == {"asked": {"7": {"P-1": 3, "P-2": 1}}}
    complete(dataset)


@pytest.mark.parametrize("top", ["", "mine/", "a/b/"])
def test_a_zip_with_and_without_a_folder_around_the_files(tmp_path: Path, top: str):
    files = {f"{top}{name}": content for name, content in BEIR.items()}
    dataset = load_dataset(pack(tmp_path / "mine.zip", {"__MACOSX/corpus.jsonl": "x", **files}))
    assert dataset.name == "mine"
    assert dataset.splits == {"test": {"q1": {"d1": 2, "d2": 0}, "2": {"d2": 3}}}
    complete(dataset)


def test_one_of_several_collections_in_a_zip_is_named_by_its_folder(tmp_path: Path):
    files = {f"cqa/{n}/{f}": content for n in ("android", "gaming") for f, content in BEIR.items()}
    path = pack(tmp_path / "cqa.zip", files)
    with pytest.raises(DataError, match=r"contains 2 data sets: cqa/android, cqa/gaming; name one"):
        load_dataset(path)
    dataset = load_dataset(path / "cqa" / "gaming")
    assert (dataset.name, len(dataset.documents)) == ("gaming", 2)


def test_a_generated_copy_without_judgments_is_not_the_data_set(tmp_path: Path):
    copy = {"nf/generated/corpus.jsonl": BEIR["corpus.jsonl"], "nf/generated/queries.jsonl": "{}"}
    whole = {f"nf/{name}": content for name, content in BEIR.items()}
    assert load_dataset(pack(tmp_path / "nf.zip", {**copy, **whole})).splits.keys() == {"test"}


def test_a_zip_with_backslashes_climbing_paths_and_links(tmp_path: Path):
    path = pack(
        tmp_path / "mine.zip", {"qrels\\test.tsv": BEIR["qrels/test.tsv"], "../corpus.jsonl": "x"}
    )
    with source_files.zipfile.ZipFile(path, "a") as archive:
        for name in ("corpus.jsonl", "queries.jsonl"):
            archive.writestr(name, BEIR[name])
        link = source_files.zipfile.ZipInfo("secret.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    dataset = load_dataset(path)
    assert dataset.splits.keys() == {"test"}
    assert dataset.report.ignored == {
        "../corpus.jsonl": "its path leads out of the zip",
        "secret.csv": "a symbolic link",
    }


@pytest.mark.parametrize("packed", ["zip", "gzip"])
def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: str):
    monkeypatch.setattr(unpacked_size, "FREE_BYTES", 1000)
    bomb = {"corpus.jsonl": b'{"_id": "1", "text": "' + b"a" * 1_000_000 + b'"}\n'}
    if packed == "zip":
        with source_files.zipfile.ZipFile(
            tmp_path / "b.zip", "w", source_files.zipfile.ZIP_DEFLATED
        ) as archive:
            archive.writestr("corpus.jsonl", bomb["corpus.jsonl"])
        path = tmp_path / "b.zip"
    else:
        path = write(tmp_path / "b", {"corpus.jsonl.gz": bomb["corpus.jsonl"]})
    with pytest.raises(DataError, match="unpacks to more than 100 times its size"):
        load_dataset(path)


def test_a_missing_path_and_a_missing_folder_in_a_zip(tmp_path: Path):
    with pytest.raises(DataError, match=r"nowhere: not found; name a folder, a zip or a file$"):
        load_dataset(tmp_path / "nowhere")
    path = pack(tmp_path / "mine.zip", BEIR)
    with pytest.raises(DataError, match=r"mine\.zip/other: not found in the zip; list its content"):
        load_dataset(path / "other")


lines = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.fixed_dictionaries(
            {"_id": st.one_of(st.text(max_size=3), st.integers(), st.none())}
        ).map(json.dumps),
        st.fixed_dictionaries({"_id": st.text(max_size=3), "text": st.text(max_size=9)}).map(
            json.dumps
        ),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["jsonl", "csv", "tsv", "json"]), lines, st.binary(max_size=40))
def test_read_and_rejected_records_add_up_whatever_the_file(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, content: list[str], noise: bytes
):
    folder = tmp_path_factory.mktemp("noise")
    raw = "\n".join(content).encode("utf-8", errors="surrogatepass")
    (folder / f"corpus.{suffix}").write_bytes(raw + noise)
    try:
        dataset: Dataset = load_dataset(folder)
    except DataError:
        return
    complete(dataset)
    assert len(dataset.documents) == dataset.report.files[0].read


@pytest.mark.parametrize(("suffix", "mark"), [(".csv", ","), (".csv", ";"), (".tsv", "\t")])
def test_a_table_with_a_line_of_1_mb_is_read(tmp_path: Path, suffix: str, mark: str) -> None:
    long = "word " * 199_999 + "end"
    lines = [("id", "title", "text"), ("1", "one", "short"), ("2", "two", long), ("3", "x", "y")]
    path = write(tmp_path, {f"pages{suffix}": "".join(f"{mark.join(n)}\n" for n in lines)})
    dataset = load_dataset(path / f"pages{suffix}" if path.is_dir() else path)
    assert [(d.id, d.title, d.text) for d in dataset.documents] == lines[1:]
    (report,) = dataset.report.files
    assert (report.records, report.read, report.rejected) == (3, 3, 0)


def test_a_table_of_one_line_of_1_mb_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pages.csv"
    path.write_text("title,text\none," + "word " * 200_000)
    dataset = load_dataset(path)
    assert [(d.title, len(d.text.split())) for d in dataset.documents] == [("one", 200_000)]
