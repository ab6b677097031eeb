"""The actions of the browser are carried out once, in their order, and none is lost."""

from __future__ import annotations

import pytest

from dashboard.widgets.judging_desk.sitting import Sitting
from imrnns_core.errors import LensError

POOL = [("q1", "a"), ("q1", "b"), ("q2", "a"), ("q2", "c")]


class Book:
    """A store that numbers judgments from 1 and can refuse them."""

    def __init__(self) -> None:
        self.stored: dict[int, tuple[tuple[str, str], int]] = {}
        self.refuses, self.given = False, 0

    def store(self, pair: tuple[str, str], grade: int) -> int:
        if self.refuses:
            raise LensError("the database is full; make room")
        self.given += 1
        self.stored[self.given] = (pair, grade)
        return self.given

    def undo(self, number: int) -> None:
        del self.stored[number]

    @property
    def judged(self) -> set[tuple[str, str]]:
        return {pair for pair, _ in self.stored.values()}


def grade(number: int, pair: tuple[str, str], value: object) -> dict:
    return {
        "number": number,
        "kind": "grade",
        "grade": value,
        "query": pair[0],
        "document": pair[1],
    }


def skip(number: int, pair: tuple[str, str]) -> dict:
    return {"number": number, "kind": "skip", "query": pair[0], "document": pair[1]}


def undo(number: int) -> dict:
    return {"number": number, "kind": "undo"}


def test_actions_that_arrive_twice_or_together_are_carried_out_once() -> None:
    book, own = Book(), Sitting()
    first, second = grade(1, POOL[0], 3), grade(2, POOL[1], 0)
    own.carry_out([first], book.store, book.undo)
    own.carry_out([second, first], book.store, book.undo)
    own.carry_out([first, second], book.store, book.undo)
    assert book.stored == {1: (POOL[0], 3), 2: (POOL[1], 0)}
    assert (own.seen, own.judged) == (2, 2)
    assert own.queue(POOL, book.judged) == POOL[2:]


def test_undo_offers_the_last_document_first_and_takes_its_judgment_back() -> None:
    book, own = Book(), Sitting()
    own.carry_out([grade(1, POOL[0], 1), skip(2, POOL[1])], book.store, book.undo)
    assert own.queue(POOL, book.judged) == POOL[2:]
    assert (own.judged, own.skipped) == (1, {POOL[1]})
    own.carry_out([undo(3), undo(4), undo(5)], book.store, book.undo)
    assert book.stored == {}
    assert own.queue(POOL, book.judged) == POOL
    own.carry_out([grade(6, POOL[0], 2)], book.store, book.undo)
    assert own.queue(POOL, book.judged) == POOL[1:]
    assert own.again == [POOL[1]]


def test_what_others_judge_disappears_and_what_was_skipped_can_be_offered_again() -> None:
    book, own = Book(), Sitting()
    own.carry_out([skip(1, POOL[0]), grade(2, POOL[1], 1)], book.store, book.undo)
    assert own.queue(POOL, {*book.judged, POOL[3]}) == [POOL[2]]
    own.offer_skipped()
    assert own.queue(POOL, book.judged) == [POOL[0], *POOL[2:]]
    assert own.judged == 1


def test_a_judgment_that_is_refused_waits_with_all_later_ones() -> None:
    book, own = Book(), Sitting()
    actions = [grade(1, POOL[0], 1), grade(2, POOL[1], 2)]
    book.refuses = True
    own.carry_out(actions, book.store, book.undo)
    assert (own.seen, own.done, own.error) == (0, [], "the database is full; make room")
    book.refuses = False
    own.carry_out(actions, book.store, book.undo)
    assert book.stored == {1: (POOL[0], 1), 2: (POOL[1], 2)}
    assert own.error == ""


@pytest.mark.parametrize("value", [4, "x", None])
def test_other_grades_are_ignored(value: object) -> None:
    book, own = Book(), Sitting()
    own.carry_out([grade(1, POOL[0], value)], book.store, book.undo)
    assert (book.stored, own.done) == ({}, [])


def test_pairs_that_no_longer_exist_are_forgotten() -> None:
    book, own = Book(), Sitting()
    actions = [grade(1, POOL[0], 1), grade(2, POOL[2], 2), undo(3), grade(4, POOL[1], 1)]
    own.carry_out(actions, book.store, book.undo)
    own.forget_unless(lambda pair: pair[0] == "q2")
    assert (own.done, own.again) == ([], [POOL[2]])
