"""The documents in the rows of every chart of the page, and the heat maps that draw them."""

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
SIGNS = "★ relevant, ✕ judged not relevant; the number is the modulated rank."
"""How to read a row's label, for the caption of every chart."""
CLICK = (
    "Click a cell to see, below the chart, the document and the words linked to this dimension: "
    "documents with such a word have unusually high or low values on it."
)
CLIPPED = "Colours are clipped at ± {}, the 99.5th percentile over many queries."
"""Where the colours of a heat map end, for the tooltip of its caption."""
LABEL_LETTERS = 26
"""Letters in each of the two lines of a row's label, for which the charts have room."""


@dataclass(frozen=True)
class Heatmap:
    """The values (R, m) of a heat map: documents × all dimensions of the adapter.

    Attributes:
        values: (R, m) for the documents of the rows.
        colour_limit: Colours are clipped at ± this value.
        value_name: What a value is, in the hover label and on the card of a dimension.
        key: The key of the chart.
        alt: What the chart shows, for readers who cannot see it.
    """

    values: NDArray[np.float32]
    colour_limit: float
    value_name: str
    key: str
    alt: str

    @property
    def dimensions(self) -> NDArray[np.int64]:
        """(D,) the dimensions that are drawn, in the selected order."""
        selection = state.current()
        # the same order is needed to draw the columns and to find the nearest one with words
        count = 40 if selection.width == "top 40" else self.values.shape[1]
        return figures.sort_dimensions(self.values, count, selection.columns)


@dataclass(frozen=True)
class Section:
    """What a chart of the page leaves for the cards below it.

    Attributes:
        clicked: Whether a document or a cell was just clicked.
        heatmap: The heat map that was drawn, if there was one.
    """

    clicked: bool
    heatmap: Heatmap | None = None


@dataclass(frozen=True)
class DocumentRows:
    """The candidates in the rows of a chart: the first ones, and every relevant one.

    Attributes:
        comparison: The query with its K candidates.
        dataset: The data set.
        order: (R,) positions among the candidates, from the top row.
        labels: (R,) row labels.
    """

    comparison: Comparison
    dataset: Dataset
    order: NDArray[np.int64]
    labels: list[str]

    @classmethod
    def from_comparison(cls, comparison: Comparison, dataset: Dataset) -> DocumentRows:
        """Return the rows in the order of the Selection."""
        order = _order(comparison)
        labels = [_label(comparison, dataset, int(i)) for i in order]
        return cls(comparison, dataset, order, labels)

    @property
    def ids(self) -> list[str]:
        """(R,) document ids."""
        return [self.comparison.document_ids[i] for i in self.order]

    @property
    def description(self) -> str:
        """Which documents these are, for a caption."""
        beyond = int((self.comparison.rank("modulated")[self.order] > SHOWN).sum())
        first = f"the top {len(self.order) - beyond} documents of the modulated ranking"
        if not beyond:
            return first
        more = "document" if beyond == 1 else "documents"
        return f"{first} and {beyond} relevant {more} ranked lower"

    def clickable_heatmap(self, heatmap: Heatmap) -> Section:
        """Draw a heat map; put the document and dimension of a new click into the Selection."""
        selection, dimensions = state.current(), heatmap.dimensions
        drawn = figures.HeatmapValues(
            heatmap.values[:, dimensions],
            self.ids,
            self.labels,
            dimensions,
            heatmap.colour_limit,
            heatmap.value_name,
        )
        clicks = chart.clicks(
            figures.heatmap(drawn, state.dark()),
            heatmap.key,
            heatmap.alt,
            # a click on the heat map of another query must not count here
            context=selection.query or selection.text,
        )
        for document_id, dimension in clicks.new[:1]:
            state.update(document=str(document_id), dimension=int(dimension))
            return Section(True, heatmap)
        return Section(False, heatmap)


def _order(comparison: Comparison) -> NDArray[np.int64]:
    ranked = comparison.order("modulated")
    # a relevant document that is ranked low is what a reader debugs: it always has a row
    order = ranked[(np.arange(len(ranked)) < SHOWN) | comparison.relevant[ranked]]
    by = state.current().order
    if by == "base rank":
        return order[np.argsort(comparison.rank("base")[order])]
    if by == "cluster":
        return order[neighbourhood_order(comparison.modulation.documents.numpy()[order])]
    return order


def _label(comparison: Comparison, dataset: Dataset, i: int) -> str:
    document = dataset.document[comparison.document_ids[i]]
    sign = formatting.RELEVANCE_SIGNS[formatting.relevance_name(int(comparison.relevance[i]))]
    # the rank comes first: a cut title keeps it
    title = f"{comparison.rank('modulated')[i]} · {sign}{document.title or document.id}"
    # cut before it is wrapped, because an escaped text must not be cut inside an entity
    label = formatting.plain(formatting.cut(title, 2 * LABEL_LETTERS - 4), LABEL_LETTERS, 2)
    return f"<b>{label}</b>" if comparison.relevant[i] else label
