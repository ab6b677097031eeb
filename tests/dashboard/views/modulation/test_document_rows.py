"""The rows of Modulation: the first documents and every relevant one, with readable labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashboard import selection, state
from dashboard.figures.modulation import HeatmapValues, heatmap
from dashboard.views.modulation import controls, dimension_words
from dashboard.views.modulation.document_rows import SHOWN, DocumentRows, Heatmap
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    values: dict[str, Any] = {}
    monkeypatch.setattr(state, "current", lambda: selection.Selection(**values))
    return values


def low_ranked(sample: Ranker) -> Comparison:
    """Return a comparison whose only relevant document has modulated rank 63."""
    comparison = sample.compare("q054")
    low = comparison.document_ids[int(comparison.order("modulated")[62])]
    return replace(comparison, judgments={low: 1})


@pytest.mark.parametrize("order", ["modulated rank", "base rank", "cluster"])
def test_a_relevant_document_has_a_row_wherever_it_is_ranked(
    sample: Ranker, chosen: dict[str, Any], order: str
) -> None:
    chosen["order"] = order
    comparison = low_ranked(sample)
    rows = DocumentRows.from_comparison(comparison, sample.collection.dataset)
    (relevant,) = comparison.judgments
    assert len(rows.order) == SHOWN + 1
    assert relevant in rows.ids
    label = rows.labels[rows.ids.index(relevant)]
    assert label.startswith("<b>63 · ★ ")
    assert label.endswith("</b>")
    assert sum("★" in text for text in rows.labels) == 1
    assert (
        rows.description
        == "the top 20 documents of the modulated ranking and 1 relevant document ranked lower"
    )


def test_row_labels_show_long_titles_in_two_lines(sample: Ranker) -> None:
    rows = DocumentRows.from_comparison(sample.compare("q054"), sample.collection.dataset)
    assert rows.labels[0] == "1 · Euro agreements with<br>microstates"
    assert rows.description == "the top 20 documents of the modulated ranking"
    assert all(len(line) <= 30 for text in rows.labels for line in text.split("<br>"))


def test_bars_above_the_heat_map_are_named() -> None:
    drawn = HeatmapValues(
        np.zeros((2, 3), np.float32), ["a", "b"], ["a", "b"], np.arange(3), 0.1, "shift"
    )
    notes = heatmap(drawn, False).layout.annotations
    assert [note.text for note in notes] == ["mean |value|<br>per dimension"]


@pytest.mark.parametrize("specific", [True, False])
def test_the_card_of_a_cell_has_the_number_of_its_hover_label(
    sample: Ranker, chosen: dict[str, Any], specific: bool
) -> None:
    comparison = sample.compare("q054")
    rows = DocumentRows.from_comparison(comparison, sample.collection.dataset)
    from imrnns_core.explanation.score_accounting import shifts

    full = shifts(comparison)[rows.order]
    values = full - full.mean(axis=0) if specific else full
    name = "shift relative to the average" if specific else "full shift"
    drawn = Heatmap(values, 0.1, name, "key", "alt")
    chosen.update(document=rows.ids[2], dimension=int(drawn.dimensions[5]))
    lines = dimension_words._values(rows, comparison, drawn)
    squares = heatmap(
        HeatmapValues(
            values[:, drawn.dimensions], rows.ids, rows.labels, drawn.dimensions, 0.1, name
        ),
        False,
    ).data[2]
    hovered = squares.text[2 * 40 + 5]
    assert lines[0] == f"{rows.ids[2]}: {name} {hovered} (as in the heat map)"
    whole = f"{full[2, drawn.dimensions[5]]:+.4f}".replace("-", "−")
    assert lines[1:] == ([f"{rows.ids[2]}: full shift {whole}"] if specific else [])


def test_the_nearest_dimension_with_words_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimension_words, "_strong_words", lambda d: ["word"] * (d in (7, 9)))
    assert dimension_words._nearest_with_words([9, 1, 2, 5, 7], 5) == 7
    assert dimension_words._nearest_with_words([9, 1, 2, 5, 7], 1) == 9
    assert dimension_words._nearest_with_words([1, 2], 1) is None


@pytest.mark.parametrize(
    ("field", "names"),
    [
        ("part", controls.PARTS),
        ("order", controls.ORDERS),
        ("shift", controls.SHIFTS),
        ("width", controls.WIDTHS),
        ("columns", controls.COLUMNS),
    ],
)
def test_every_choice_has_a_label(field: str, names: dict[str, str]) -> None:
    assert list(names) == selection.options(field)
