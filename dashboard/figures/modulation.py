"""Figures of the page Modulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.projection.target_view import neighbourhood_order
from imrnns_core.types import ROUNDING

Array = NDArray[np.float32]


def columns(values: Array, count: int, by: str) -> NDArray[np.int64]:
    """Return the `count` dimensions of values (K, m) with the largest mean |value|.

    Args:
        values: (K, m).
        count: How many.
        by: "strength": the largest first; "sign": those that rise most, to those that fall most;
            "cluster": dimensions that behave alike stand together.
    """
    chosen = np.argsort(-np.abs(values).mean(axis=0), kind="stable")[:count]
    if by == "sign":
        return np.asarray(chosen[np.argsort(-values.mean(axis=0)[chosen], kind="stable")])
    if by == "cluster":
        return np.asarray(chosen[neighbourhood_order(values[:, chosen].T)])
    return np.asarray(chosen)


def written(limit: float) -> str:
    """Return the end of a colour scale, as the scale and the page write it."""
    return np.format_float_positional(limit, precision=2, unique=False, fractional=False, trim="-")


def _ticks(limit: float) -> dict[str, Any]:
    """Return the ticks of a colour scale about zero: both ends and the middle."""
    return {
        "tickvals": [-limit, 0, limit],
        "ticktext": [f"−{written(limit)}", "0", written(limit)],
        "ticklabeloverflow": "allow",
    }


def strips(
    scale: Array, bias: Array, limits: tuple[float, float], dark: bool, specific: bool
) -> go.Figure:
    """Draw the query's scale (m,) and bias (m,) as strips of colours, a dimension a column.

    One that is below rounding is left out.

    Args:
        scale: Less ½, or less the adapter's mean where `specific`.
        bias: Whole, or less the adapter's mean.
        limits: Where the colours of scale and bias are clipped, the same for all queries.
        dark: Whether the page is dark.
        specific: Names what is drawn.
    """
    less = (" − mean s", " − mean b") if specific else (" − ½", "")
    strip = [("scale s" + less[0], scale, limits[0]), ("bias b" + less[1], bias, limits[1])]
    drawn = [row for row in strip if np.abs(row[1]).max() >= ROUNDING]
    domains = [(0.56, 1.0), (0.0, 0.44)] if len(drawn) == 2 else [(0.0, 1.0)]
    axes: dict[str, Any] = {
        name: {"domain": list(domain)}
        for name, domain in zip(("yaxis", "yaxis2"), domains, strict=False)
    }
    traces = [
        _strip(*row, domains[n], ("y", "y2")[n], theme.diverging(dark))
        for n, row in enumerate(drawn)
    ]
    return canvas.figure(
        traces,
        52 + 69 * len(drawn),
        fixed_margins=True,
        margin={"l": 112, "r": 76, "t": 8, "b": 44},
        xaxis={**canvas.titled("dimension"), "anchor": ("y", "y2")[len(drawn) - 1]},
        **axes,
    )


def _strip(
    label: str,
    values: Array,
    limit: float,
    domain: tuple[float, float],
    axis: str,
    colours: list[tuple[float, str]],
) -> dict[str, Any]:
    low, high = domain
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
        "hovertemplate": f"dimension %{{x}}<br>{label} %{{z:+.5f}}<extra></extra>",
    }


FEW = 60
"""Up to so many columns have a label each."""


@dataclass(frozen=True)
class Cells:
    """Values of documents × chosen dimensions.

    Attributes:
        values: (K, D).
        document_ids: (K,) ids.
        labels: (K,) row labels.
        dimensions: (D,) indices of the dimensions.
        limit: Colours are clipped at ± this value, the same for all queries.
        what: Name of a value, for the hover label.
    """

    values: Array
    document_ids: Sequence[str]
    labels: Sequence[str]
    dimensions: NDArray[np.int64]
    limit: float
    what: str

    @property
    def few(self) -> bool:
        """Whether each dimension has a label."""
        return len(self.dimensions) <= FEW


def heatmap(cells: Cells, dark: bool) -> go.Figure:
    """Draw the cells, with the mean |value| of each dimension above.

    Squares that catch clicks lie over the cells: `customdata` holds document id and dimension.
    """
    rows, count = len(cells.labels), len(cells.dimensions)
    title = "dimension" if cells.few else f"all {count} dimensions"
    return canvas.figure(
        [_means(cells), _colours(cells, theme.diverging(dark)), _squares(cells)],
        150 + 22 * max(rows, 4),
        fixed_margins=True,
        margin={"l": 162, "r": 8, "t": 46, "b": 58},
        xaxis={
            **canvas.titled(title),
            "tickangle": -90,
            "tickfont": {"size": 10},
            "showgrid": False,
            "type": "category",
            "range": [-0.5, count - 0.5],
            "showticklabels": cells.few,
        },
        yaxis={
            "tickvals": np.arange(rows),
            "ticktext": list(cells.labels),
            "range": [rows - 0.5, -0.5],
            "tickfont": {"size": 11},
            "showgrid": False,
            "domain": [0, 0.84],
        },
        yaxis2={"visible": False, "domain": [0.86, 1], "anchor": "x"},
    )


def _means(cells: Cells) -> dict[str, Any]:
    return {
        "type": "bar",
        "x": [str(d) for d in cells.dimensions],
        "y": np.abs(cells.values).mean(axis=0),
        "marker": {"color": theme.UNJUDGED},
        "showlegend": False,
        "yaxis": "y2",
        "customdata": cells.dimensions,
        "hovertemplate": "dimension %{customdata}<br>mean |value| %{y:.5f}<extra></extra>",
    }


def _colours(cells: Cells, scale: list[tuple[float, str]]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "z": cells.values,
        "x": [str(d) for d in cells.dimensions],
        "y": np.arange(len(cells.labels)),
        "zmin": -cells.limit,
        "zmax": cells.limit,
        "zmid": 0,
        "colorscale": scale,
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
            **_ticks(cells.limit),
        },
        "xgap": 0.5 if cells.few else 0,
        "ygap": 0.5,
    }


def _squares(cells: Cells) -> dict[str, Any]:
    """Return one square a cell: GL draws thousands at once, SVG is quicker for hundreds."""
    down = np.arange(len(cells.labels))
    return {
        "type": "scatter" if cells.few else "scattergl",
        "x": [str(d) for d in cells.dimensions] * len(down),
        "y": np.repeat(down, len(cells.dimensions)),
        "mode": "markers",
        "showlegend": False,
        "marker": {
            "symbol": "square",
            "size": 16 if cells.few else 6,
            "opacity": 0,
            "color": theme.UNJUDGED,
        },
        "customdata": [
            [cells.document_ids[int(r)], int(d)] for r in down for d in cells.dimensions
        ],
        "text": [formatting.signed(float(v), 5) for v in cells.values.ravel()],
        "hovertemplate": (
            f"%{{customdata[0]}}<br>dimension %{{customdata[1]}}<br>{cells.what} "
            "%{text}<extra></extra>"
        ),
    }
