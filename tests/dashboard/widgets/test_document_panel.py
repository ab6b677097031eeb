"""The line below a query counts its relevant documents."""

from __future__ import annotations

import pytest

from dashboard.widgets import document_panel


@pytest.mark.parametrize(
    ("relevant", "missing", "text"),
    [
        (1, 0, "1 relevant document"),
        (1, 1, "1 relevant document, not retrieved"),
        (28, 7, "28 relevant documents, 7 not retrieved"),
        (3, 3, "3 relevant documents, not retrieved"),
    ],
)
def test_relevant_documents_that_were_not_retrieved_are_counted(
    relevant: int, missing: int, text: str
) -> None:
    assert document_panel._relevant_documents(relevant, missing) == text
