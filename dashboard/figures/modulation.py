"""Figures of the page Modulation: the query's scale and bias, and heat maps of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.projection.target_view import neighbourhood_order
from imrnns_core.types import ROUNDING

Array = NDArray[np.float32]

SMALL = 0.01
"""Values on a colour scale that ends below this need more than four decimals."""


def sort_dimensions(values: Array, count: int, by: str) -> NDArray[np.int64]:
    """Return the `count` dimensions of values (K, m) with the largest mean |value|, sorted.

    Args:
        values: (K, m).
        count: How many dimensions.
        by: "strength": the largest mean |value| first. "sign": the largest mean value
            first. "cluster": dimensions with similar values are neighbours.
    """
    # a stable sort: equal dimensions have the same order in every run
    strongest = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:count]
    if by == "sign":
        means = values.mean(axis=0)[strongest]
        return np.asarray(strongest[np.argsort(-means, kind="stable")])
    if by == "cluster":
        return np.asarray(strongest[neighbourhood_order(values[:, strongest].T)])
    return np.asarray(strongest)


def written_limit(limit: float) -> str:
    """Return the end of a colour scale, as the scale and the page write it."""
    # two significant digits: a limit of 0.00036 must not be written as 0.00
    return np.format_float_positional(limit, precision=2, unique=False, fractional=False, trim="-")


def written_value(value: float, limit: float) -> str:
    """Return a signed value of a heat map whose colour scale ends at `limit`."""
    return formatting.signed(value, 6 if limit < SMALL else 4)


def _ticks(limit: float) -> dict[str, Any]:
    """Return the ticks of a colour scale around zero: both ends and the middle."""
    return {
        "tickvals": [-limit, 0, limit],
        # the ends carry their sign, so that the scale also says which colour is positive
        "ticktext": [f"−{written_limit(limit)}", "0", f"+{written_limit(limit)}"],
        "ticklabeloverflow": "allow",
    }


class Strip(NamedTuple):
    """A row of colours, one per dimension.

    Attributes:
        label: What the values are.
        values: (m,) values.
        limit: Where the colours are clipped, the same for all queries.
    """

    label: str
    values: Array
    limit: float


def strips(rows: Sequence[Strip], axis: str, dark: bool) -> go.Figure:
    """Draw one or two rows of colours over the same dimensions.

    A row whose values are all below rounding is left out.

    Args:
        rows: The rows.
        axis: The title of the axis of the dimensions.
        dark: Whether the page is dark.
    """
    drawn = [row for row in rows if np.abs(row.values).max() >= ROUNDING]
    # each row has a colour scale of its own: scale and bias have different ranges
    domains = [(0.56, 1.0), (0.0, 0.44)] if len(drawn) == 2 else [(0.0, 1.0)]
    axes: dict[str, Any] = {
        name: {"domain": list(domain)}
        for name, domain in zip(("yaxis", "yaxis2"), domains, strict=False)
    }
    traces = [
        _strip(row, domains[n], ("y", "y2")[n], theme.diverging(dark))
        for n, row in enumerate(drawn)
    ]
    return canvas.figure(
        traces,
        52 + 69 * len(drawn),
        fixed_margins=True,
        # fitting the margins would draw every label several times
        margin={"l": 112, "r": 76, "t": 8, "b": 44},
        xaxis={**canvas.titled(axis), "anchor": ("y", "y2")[len(drawn) - 1]},
        **axes,
    )


def _strip(
    row: Strip, domain: tuple[float, float], axis: str, colours: list[tuple[float, str]]
) -> dict[str, Any]:
    (label, values, limit), (low, high) = row, domain
    return {
        "type": "heatmap",
        "z": values[None],
        "y": [label],
        "yaxis": axis,
        "zmin": -limit,
        "zmax": limit,
        "zmid": 0,
        "colorscale": colours,
        "colorbar": {
            "thickness": 8,
            "len": high - low,
            "y": (low + high) / 2,
            "tickfont": {"size": 10},
            **_ticks(limit),
        },
        "name": label,
        "text": [[written_value(float(v), limit) for v in values]],
        "hovertemplate": f"dimension %{{x}}<br>{label}: %{{text}}<extra></extra>",
    }


MOST_LABELLED = 60
"""With more columns than this, the dimension numbers have no room below the heat map."""


@dataclass(frozen=True)
class HeatmapValues:
    """The values of a heat map: documents × dimensions.

    Attributes:
        values: (R, D).
        document_ids: (R,) ids.
        row_labels: (R,) labels of the documents.
        dimensions: (D,) indices of the dimensions.
        colour_limit: Colours are clipped at ± this value, the same for all queries.
        value_name: What a value is, for the hover label.
    """

    values: Array
    document_ids: Sequence[str]
    row_labels: Sequence[str]
    dimensions: NDArray[np.int64]
    colour_limit: float
    value_name: str

    @property
    def has_dimension_labels(self) -> bool:
        """Whether there is room for the number of each dimension."""
        return len(self.dimensions) <= MOST_LABELLED


def heatmap(drawn: HeatmapValues, dark: bool) -> go.Figure:
    """Draw a heat map, with the mean |value| of each dimension as bars above it.

    Plotly reports no clicks on a heat map. Invisible squares lie over its cells: their
    `customdata` holds document id and dimension.
    """
    rows, count = len(drawn.row_labels), len(drawn.dimensions)
    title = "dimension" if drawn.has_dimension_labels else f"all {count} dimensions"
    return canvas.figure(
        [_mean_bars(drawn), _coloured_cells(drawn, theme.diverging(dark)), _click_targets(drawn)],
        160 + 30 * max(rows, 4),
        fixed_margins=True,
        margin={"l": 162, "r": 8, "t": 46, "b": 58},
        annotations=[_BARS_LABEL],
        xaxis={
            **canvas.titled(title),
            "tickangle": -90,
            "tickfont": {"size": 10},
            "showgrid": False,
            # dimensions are names, not numbers: they are sorted and have gaps
            "type": "category",
            "range": [-0.5, count - 0.5],
            "showticklabels": drawn.has_dimension_labels,
        },
        yaxis={
            "tickvals": np.arange(rows),
            "ticktext": list(drawn.row_labels),
            "range": [rows - 0.5, -0.5],
            "tickfont": {"size": 10},
            "showgrid": False,
            "domain": [0, 0.88],
        },
        # the bars show relative sizes; their values are in the hover label
        yaxis2={"visible": False, "domain": [0.9, 1], "anchor": "x"},
    )


_BARS_LABEL: dict[str, Any] = {
    "text": "mean |value|<br>per dimension",
    "align": "right",
    "font": {"size": 10},
    "showarrow": False,
    "xref": "paper",
    "yref": "paper",
    "x": 0,
    "xanchor": "right",
    "xshift": -8,
    "y": 0.95,
    "yanchor": "middle",
}


def _mean_bars(drawn: HeatmapValues) -> dict[str, Any]:
    means = np.abs(drawn.values).mean(axis=0)
    return {
        "type": "bar",
        "x": [str(d) for d in drawn.dimensions],
        "y": means,
        "marker": {"color": theme.UNJUDGED},
        "showlegend": False,
        "yaxis": "y2",
        "customdata": drawn.dimensions,
        "text": [written_value(float(v), drawn.colour_limit).removeprefix("+") for v in means],
        "textposition": "none",
        "hovertemplate": "dimension %{customdata}<br>mean |value|: %{text}<extra></extra>",
    }


def _coloured_cells(drawn: HeatmapValues, scale: list[tuple[float, str]]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": drawn.values,
        "x": [str(d) for d in drawn.dimensions],
        "y": np.arange(len(drawn.row_labels)),
        "zmin": -drawn.colour_limit,
        "zmax": drawn.colour_limit,
        "zmid": 0,
        "colorscale": scale,
        # the squares above the cells have the hover label
        "hoverinfo": "skip",
        "colorbar": {
            "orientation": "h",
            "thickness": 8,
            "lenmode": "pixels",
            "len": 260,
            "xpad": 34,
            "x": 1,
            "xanchor": "right",
            "y": 1.01,
            "yanchor": "bottom",
            "tickfont": {"size": 11},
            **_ticks(drawn.colour_limit),
        },
        # with hundreds of columns, gaps would be as wide as the cells
        "xgap": 0.5 if drawn.has_dimension_labels else 0,
        "ygap": 0.5,
    }


def _click_targets(drawn: HeatmapValues) -> dict[str, Any]:
    """Return one square per cell: GL draws thousands at once, SVG is quicker for hundreds."""
    rows = np.arange(len(drawn.row_labels))
    return {
        "type": "scatter" if drawn.has_dimension_labels else "scattergl",
        "x": [str(d) for d in drawn.dimensions] * len(rows),
        "y": np.repeat(rows, len(drawn.dimensions)),
        "mode": "markers",
        "showlegend": False,
        "marker": {
            "symbol": "square",
            "size": 16 if drawn.has_dimension_labels else 6,
            # invisible marks still receive clicks
            "opacity": 0,
            "color": theme.UNJUDGED,
        },
        "customdata": [
            [drawn.document_ids[int(r)], int(d)] for r in rows for d in drawn.dimensions
        ],
        "text": [written_value(float(v), drawn.colour_limit) for v in drawn.values.ravel()],
        "hovertemplate": (
            f"%{{customdata[0]}}<br>dimension %{{customdata[1]}}<br>{drawn.value_name}: "
            "%{text}<extra></extra>"
        ),
    }
