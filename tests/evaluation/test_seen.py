"""The groups of queries: how training met their relevant documents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.recognition import Fingerprints, shingle_sketch
from imrnns_core.data.records import Document, Query
from imrnns_core.evaluation.seen import masks_of, merged_groups, query_groups
from imrnns_core.model.adapter_card import AdapterCard, TrainingTexts
from imrnns_core.retrieval.collection import Collection
from imrnns_core.types import relevant_ids
from tests.toys import adapter, collection, still_model

WORLD = collection(np.eye(5, dtype=np.float32)[:, :4], np.eye(4, dtype=np.float32))
QRELS = {
    "q0": {"d0": 2, "d1": 0},
    "q1": {"d0": 0, "d1": 1},
    "q2": {"d2": 1, "d3": 1},
    "q3": {"d0": 1},
}


def groups_of(card: AdapterCard, dataset: Dataset = WORLD.dataset) -> list[str] | None:
    groups = query_groups(QRELS, card, dataset)
    return None if groups is None else groups.tolist()


def test_the_closest_contact_with_a_relevant_document_decides():
    # d1 is judged not relevant for q0, so its use does not matter there
    model = still_model(4)
    assert groups_of(adapter(model, ["d0"], used=["d1"]).card) == [
        *("seen", "text used", "unseen", "seen")
    ]
    assert groups_of(adapter(model, ["d1"], used=["d0", "d3"]).card) == [
        *("text used", "seen", "text used", "text used")
    ]
    # one positive is enough, whatever the other relevant documents are
    assert groups_of(adapter(model, ["d3"], used=["d2"]).card)[2] == "seen"
    assert groups_of(adapter(model, []).card) == ["unseen"] * 4


def test_a_validation_query_is_neither_seen_nor_unseen():
    card = adapter(still_model(4), ["d0"], validation=["q2", "q3"]).card
    assert groups_of(card) == ["seen", "unseen", "validation", "validation"]


def test_a_card_without_texts_gives_no_groups():
    assert groups_of(adapter(still_model(4), None).card) is None


@pytest.mark.parametrize("change", ["ids", "case and spaces", "title in the text", "NFD"])
def test_documents_are_recognised_by_their_text(change: str):
    """The same texts under another name, with another document before them, and other ids."""
    document = Document("d0", "Caf\u00e9 fires", "They burn.")
    changed = {
        "ids": replace(document, id="x17"),
        "case and spaces": replace(document, title="CAF\u00c9  fires", text="they\nburn. "),
        "title in the text": replace(document, title="", text="Caf\u00e9 fires They burn."),
        "NFD": replace(document, title="Cafe\u0301 fires"),
    }[change]
    card = AdapterCard("a", 4, 4, dataset="old", texts=TrainingTexts([document.text_hash]))
    dataset = Dataset(
        "new",
        WORLD.dataset.path,
        (Document("extra", "", "a new first document"), changed),
        {"q": Query("q", "who?")},
    )
    groups = query_groups({"q": {changed.id: 1}}, card, dataset)
    assert groups is not None
    assert groups.tolist() == ["seen"]
    other = replace(changed, text="They burn often.")
    dataset = replace(dataset, documents=(other,))
    assert query_groups({"q": {other.id: 1}}, card, dataset).tolist() == ["unseen"]


LONG = Document(
    "d0", "Tin", "Tin is soft. It melts early. Bronze has tin in it. Cans were made of it."
)

OTHER = (
    "Sheep give wool in spring, and lambs are born soon afterwards in every valley. The wool is "
    "washed and combed before anybody spins it into yarn for coats and blankets of all sizes."
)


def positive_texts(*documents: Document) -> TrainingTexts:
    known = Fingerprints.of(documents)
    return TrainingTexts(
        known.whole, positive_shingles=known.shingles, positive_sentences=known.sentences
    )


@pytest.mark.parametrize(
    ("document", "group"),
    [
        (replace(LONG, text=LONG.text.removesuffix(".")), "seen"),
        (replace(LONG, text=LONG.text.replace("soft", "very soft")), "seen"),
        (replace(LONG, title="About tin", text=f"{LONG.text} It is rare."), "seen"),
        (replace(LONG, title="Part 2", text=LONG.text.split("early. ")[1]), "seen"),
        (replace(LONG, title="Wool", text=f"{LONG.text} {OTHER[:60]}"), "seen"),
        (replace(LONG, text=OTHER), "unseen"),
        (replace(LONG, text=f"{OTHER} Bronze has tin in it, says everybody."), "unseen"),
        (
            replace(LONG, text="Zinc is hard. It melts late. Brass has it. Roofs were made of it."),
            "unseen",
        ),
    ],
)
def test_a_document_that_was_changed_a_little_is_recognised(document: Document, group: str):
    card = AdapterCard("a", 4, 4, texts=positive_texts(LONG))
    dataset = Dataset("new", WORLD.dataset.path, (document,), {"q": Query("q", "what melts?")})
    assert query_groups({"q": {"d0": 1}}, card, dataset).tolist() == [group]


def test_a_query_that_was_trained_on_is_seen_whatever_its_documents_are():
    card = AdapterCard("a", 4, 4, texts=TrainingTexts(queries=[Query("", "what melts?").text_hash]))
    dataset = Dataset("new", WORLD.dataset.path, (LONG,), {"q": Query("q", "What  melts?")})
    assert query_groups({"q": {"d0": 1}}, card, dataset).tolist() == ["seen"]


def test_numbers_and_boilerplate_do_not_make_a_document_a_copy():
    used = Document("a", "", "In this study we found p = 0.04 and n = 7. Cells grew in the dish.")
    other = replace(used, text="In this study we lost all mice at p = 0.04. They ran in a wheel.")
    texts = positive_texts(used)
    dataset = Dataset("new", WORLD.dataset.path, (other,), {"q": Query("q", "who ran?")})
    card = AdapterCard("a", 4, 4, texts=texts)
    assert query_groups({"q": {"a": 1}}, card, dataset).tolist() == ["unseen"]


def test_the_groups_of_scifact_are_those_of_its_judgments(scifact: Collection):
    """No document counts as a copy of another one."""
    dataset = scifact.dataset
    positives = {d for judged in dataset.qrels("train").values() for d in relevant_ids(judged)}
    documents = [dataset.document[d] for d in sorted(positives)]
    texts = positive_texts(*documents)
    groups = query_groups(dataset.qrels("dev"), AdapterCard("a", 4, 4, texts=texts), dataset)
    assert (groups == "seen").sum() == 70
    assert (groups == "unseen").sum() == 100


def test_a_sketch_depends_on_words_only():
    sketch = shingle_sketch("One two. Three, four! Five")
    assert sketch == shingle_sketch("one  TWO\nthree-four (five)")
    assert len(sketch) == 3  # of a short text, all runs of three words
    assert len(shingle_sketch(" ".join(f"w{i}" for i in range(39)))) == 37
    assert len(shingle_sketch(" ".join(f"w{i}" for i in range(40)))) == 8
    assert len(shingle_sketch("one")) == 1
    assert shingle_sketch(" .\n!") == frozenset()
    # without spaces, a character is a word
    assert len(shingle_sketch("\u4e00\u4e8c\u4e09\u56db\u4e94\u3002\u516d")) == 4


def test_two_adapters_together_have_the_closer_contact():
    names = ["validation", "seen", "text used", "unseen"]
    first = np.repeat(names, 4)
    second = np.tile(names, 4)
    assert merged_groups(first, second).tolist() == [
        *["validation", "seen", "validation", "validation"],
        *["seen"] * 4,
        *["validation", "seen", "text used", "text used"],
        *["validation", "seen", "text used", "unseen"],
    ]


def test_masks_leave_empty_groups_out():
    masks = masks_of(np.array(["unseen", "seen", "unseen"]))
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "seen": [False, True, False],
        "unseen": [True, False, True],
    }
    assert masks_of(None) == {}
