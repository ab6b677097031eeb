"""The rows that every figure of the page has: the first documents, in the chosen order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard import formatting, state
from dashboard.figures import modulation as figures
from dashboard.widgets import chart
from imrnns_core.data.dataset import Dataset
from imrnns_core.projection.target_view import neighbourhood_order
from imrnns_core.retrieval.comparison import Comparison

SHOWN = 20


@dataclass(frozen=True)
class Rows:
    """The first candidates of a comparison.

    Attributes:
        comparison: Has them.
        dataset: Theirs.
        order: (R,) positions among the candidates.
        names: (R,) labels.
    """

    comparison: Comparison
    dataset: Dataset
    order: NDArray[np.int64]
    names: list[str]

    @classmethod
    def of(cls, comparison: Comparison, dataset: Dataset) -> Rows:
        """Return the rows in the order that the Selection asks for."""
        order = _order(comparison)
        return cls(comparison, dataset, order, [_label(comparison, dataset, int(i)) for i in order])

    @property
    def ids(self) -> list[str]:
        """(R,) document ids."""
        return [self.comparison.document_ids[i] for i in self.order]

    def columns(self, values: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the dimensions of values (R, m) to draw, in the chosen order."""
        selection = state.current()
        count = 40 if selection.width == "top 40" else values.shape[1]
        return figures.columns(values, count, selection.columns)

    def pick_cell(self, values: NDArray[np.float32], limit: float, what: str, key: str) -> bool:
        """Draw values (R, m) as a heatmap; take a newly clicked cell into the Selection.

        Its document and its dimension.
        """
        selection, chosen = state.current(), self.columns(values)
        cells = figures.Cells(values[:, chosen], self.ids, self.names, chosen, limit, what)
        picked = chart.clicks(
            figures.heatmap(cells, state.dark()),
            key,
            ALTS[what].format(len(self.order), len(chosen)),
            context=selection.query or selection.text,
        )
        for document_id, dimension in picked.new[:1]:
            state.update(document=str(document_id), dimension=int(dimension))
            return True
        return False


ALTS = {
    "shift": "Shift of {} documents in {} dimensions",
    "part": "Part of {} documents in the refined query, in {} dimensions",
}


def _order(comparison: Comparison) -> NDArray[np.int64]:
    first = comparison.order("modulated")[:SHOWN]
    by = state.current().order
    if by == "base rank":
        return first[np.argsort(comparison.rank("base")[first])]
    if by == "cluster":
        return first[neighbourhood_order(comparison.modulation.documents.numpy()[first])]
    return first


def _label(comparison: Comparison, dataset: Dataset, i: int) -> str:
    document = dataset.document[comparison.document_ids[i]]
    sign = formatting.RELEVANCE_SIGNS[formatting.relevance_name(int(comparison.relevance[i]))]
    title = formatting.short(document.title or document.id, 20)
    return f"{sign}{title} {comparison.rank('modulated')[i]}"
