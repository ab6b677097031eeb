"""Grades of judgments: any number becomes a whole number with the same nDCG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

from imrnns_core.data.import_report import FileReport
from imrnns_core.types import Qrels

MAX_GRADE = 1_000_000
"""Largest grade; nDCG adds up grades, and larger ones are hardly meant."""
PARTS = 100
"""Fractions are rounded to hundredths."""
_WORDS = {"yes": 1, "true": 1, "relevant": 1, "no": 0, "false": 0, "irrelevant": 0}


def parse_grade(text: str) -> Fraction | None:
    """Return the grade that a text names, or None if it is none.

    Words such as `yes` and `relevant` count 1, their opposites 0.
    """
    word = text.strip().lower()
    if word in _WORDS:
        return Fraction(_WORDS[word])
    try:
        value = float(word)
    except ValueError:
        return None
    if not math.isfinite(value) or value > MAX_GRADE:
        return None
    return Fraction(round(max(value, -1.0) * PARTS), PARTS)  # all negative ones count as 0


def is_rounded(text: str) -> bool:
    """Return whether `parse_grade` rounds the number in this text."""
    word = text.strip().lower()
    parts = 0.0 if word in _WORDS else float(word) * PARTS
    return not math.isclose(parts, round(parts), rel_tol=1e-9, abs_tol=1e-9)


def whole_grades(judged: Mapping[str, Mapping[str, Fraction]], report: FileReport) -> Qrels:
    """Return the grades of a split as whole numbers: those of a query times a common denominator.

    nDCG does not change by that: it compares the grades of one query, and as in trec_eval, its gain
    is the grade itself. Negative grades become 0: they have no gain in trec_eval either. Queries
    without a judgment are left out. The largest grade stays at most `MAX_GRADE`, so that a file
    with these grades can be read again: beside a very large grade of the same query, small ones are
    rounded, a positive one to at least 1.

    Args:
        judged: Query id → document id → grade, of all files of the split.
        report: Gets the remarks: the report of one of these files.
    """
    largest_factor, is_rounded, qrels = 1, False, dict[str, dict[str, int]]()
    for query_id, documents in judged.items():
        if not documents:
            continue
        denominator = math.lcm(*(grade.denominator for grade in documents.values()))
        factor = min(denominator, int(MAX_GRADE // max([Fraction(1), *documents.values()])))
        largest_factor = max(largest_factor, denominator)
        is_rounded |= factor < denominator
        qrels[query_id] = {d: _whole(grade * factor) for d, grade in documents.items()}
    if largest_factor > 1:
        report.remarks.append(
            "grades are fractions; those of each query were multiplied to whole numbers (by at "
            f"most {largest_factor}); grades that people give on the pages, from 0 to 3, are not "
            "multiplied"
        )
    if is_rounded:
        report.remarks.append(
            "beside grades above 10,000 of the same query, fractions were rounded to whole "
            "numbers, a positive one to at least 1"
        )
    return qrels


def _whole(grade: Fraction) -> int:
    """Return a grade as a whole number, at least 1 if it is positive."""
    return max(1, round(grade)) if grade > 0 else 0
