"""Figures of the page Modulation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.explanation.score_accounting import Accounting
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
    domains = [[0.56, 1.0], [0.0, 0.44]] if len(drawn) == 2 else [[0.0, 1.0]]
    axes: dict[str, Any] = {
        name: {"domain": domain} for name, domain in zip(("yaxis", "yaxis2"), domains, strict=False)
    }
    traces: list[dict[str, Any]] = []
    for row, (label, values, limit) in enumerate(drawn):
        low, high = domains[row]
        bar = {
            "thickness": 8,
            "len": high - low,
            "y": (low + high) / 2,
            "tickfont": {"size": 10},
            **_ticks(limit),
        }
        traces.append(
            {
                "type": "heatmap",
                "z": values[None],
                "y": [label],
                "yaxis": ("y", "y2")[row],
                "zmin": -limit,
                "zmax": limit,
                "zmid": 0,
                "colorscale": theme.diverging(dark),
                "colorbar": bar,
                "name": label,
                "hovertemplate": f"dimension %{{x}}<br>{label} %{{z:+.5f}}<extra></extra>",
            }
        )
    return canvas.figure(
        traces,
        52 + 69 * len(drawn),
        fixed_margins=True,
        margin={"l": 112, "r": 76, "t": 8, "b": 44},
        xaxis={**canvas.titled("dimension"), "anchor": ("y", "y2")[len(drawn) - 1]},
        **axes,
    )


def heatmap(
    values: Array,
    document_ids: Sequence[str],
    labels: Sequence[str],
    dimensions: NDArray[np.int64],
    limit: float,
    dark: bool,
    what: str,
) -> go.Figure:
    """Draw values (K, D) of documents × chosen dimensions, the mean |value| of each dimension above.

    Squares that catch clicks lie over the cells: `customdata` holds document id and dimension.

    Args:
        values: (K, D).
        document_ids: (K,) ids.
        labels: (K,) row labels.
        dimensions: (D,) indices of the dimensions.
        limit: Colours are clipped at ± this value, the same for all queries.
        dark: Whether the page is dark.
        what: Name of a value, for the hover label.
    """
    count, few = len(dimensions), len(dimensions) <= 60
    names, down = [str(d) for d in dimensions], np.arange(len(labels))
    return canvas.figure(
        [
            {
                "type": "bar",
                "x": names,
                "y": np.abs(values).mean(axis=0),
                "marker": {"color": theme.UNJUDGED},
                "showlegend": False,
                "yaxis": "y2",
                "customdata": dimensions,
                "hovertemplate": "dimension %{customdata}<br>mean |value| %{y:.5f}<extra></extra>",
            },
            {
                "type": "heatmap",
                "z": values,
                "x": names,
                "y": down,
                "zmin": -limit,
                "zmax": limit,
                "zmid": 0,
                "colorscale": theme.diverging(dark),
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
                    **_ticks(limit),
                },
                "xgap": 0.5 if few else 0,
                "ygap": 0.5,
            },
            {
                # one square a cell: GL draws thousands of them at once, SVG is quicker for hundreds
                "type": "scatter" if few else "scattergl",
                "x": names * len(labels),
                "y": np.repeat(down, count),
                "mode": "markers",
                "showlegend": False,
                "marker": {
                    "symbol": "square",
                    "size": 16 if few else 6,
                    "opacity": 0,
                    "color": theme.UNJUDGED,
                },
                "customdata": [[document_ids[int(r)], int(d)] for r in down for d in dimensions],
                "text": [formatting.minus(f"{v:+.5f}") for v in values.ravel()],
                "hovertemplate": (
                    f"%{{customdata[0]}}<br>dimension %{{customdata[1]}}<br>{what} "
                    "%{text}<extra></extra>"
                ),
            },
        ],
        150 + 22 * max(len(labels), 4),
        fixed_margins=True,
        margin={"l": 162, "r": 8, "t": 46, "b": 58},
        xaxis={
            **canvas.titled("dimension" if few else f"all {count} dimensions"),
            "tickangle": -90,
            "tickfont": {"size": 10},
            "showgrid": False,
            "type": "category",
            "range": [-0.5, count - 0.5],
            "showticklabels": few,
        },
        yaxis={
            "tickvals": down,
            "ticktext": list(labels),
            "range": [len(labels) - 0.5, -0.5],
            "tickfont": {"size": 11},
            "showgrid": False,
            "domain": [0, 0.84],
        },
        yaxis2={"visible": False, "domain": [0.86, 1], "anchor": "x"},
    )


def waterfall(accounting: Accounting, position: int) -> go.Figure:
    """Draw one candidate's way from the base to the modulated score, part by part.

    The bars sum exactly.
    """
    names = [
        "base<br>score",
        "projector",
        "document<br>modu-<br>lation",
        "query<br>refine-<br>ment",
        "modulated<br>score",
    ]
    parts = [
        getattr(accounting, n)[position]
        for n in ("base", "projector", "document_modulation", "query_refinement", "modulated")
    ]
    bars = {
        "type": "waterfall",
        "x": names,
        "y": [float(p) for p in parts],
        "measure": ["absolute", "relative", "relative", "relative", "total"],
        "text": [
            formatting.minus(f"{p:.4f}" if i in (0, 4) else f"{p:+.4f}")
            for i, p in enumerate(parts)
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "increasing": {"marker": {"color": theme.UP}},
        "decreasing": {"marker": {"color": theme.DOWN}},
        "totals": {"marker": {"color": theme.MODULATED}},
        "hovertemplate": "%{x}: %{text}<extra></extra>",
        "connector": {"line": {"color": theme.UNJUDGED, "width": 1}},
    }
    running = np.cumsum([float(p) for p in parts[:4]])
    low, high = float(min(running.min(), parts[4])), float(max(running.max(), parts[4]))
    margin = max(0.02, (high - low) * 0.35)
    return canvas.figure(
        [bars],
        330,
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 26, "b": 8},
        xaxis={"tickangle": 0, "tickfont": {"size": 10}},
        yaxis={
            **canvas.titled("cosine (axis cut)"),
            "range": [max(-1.0, low - margin), min(1.05, high + margin)],
        },
    )


def parts(
    accounting: Accounting,
    order: NDArray[np.int64],
    document_ids: Sequence[str],
    labels: Sequence[str],
) -> go.Figure:
    """Draw the three parts of the score change of several candidates as bars that add up, with the sum as a mark."""
    rows, ids = list(range(len(order))), [[document_ids[i]] for i in order]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": values[order],
            "y": rows,
            "orientation": "h",
            "name": name,
            "marker": {"color": colour},
            "customdata": ids,
            "hovertemplate": f"%{{customdata[0]}}<br>{name} %{{x:+.4f}}<extra></extra>",
        }
        for name, values, colour in (
            ("projector", accounting.projector, theme.PROJECTOR),
            ("document modulation", accounting.document_modulation, theme.DOCUMENT),
            ("query refinement", accounting.query_refinement, theme.REFINEMENT),
        )
    ]
    traces.append(
        {
            "type": "scatter",
            "x": (accounting.modulated - accounting.base)[order],
            "y": rows,
            "mode": "markers",
            "name": "modulated − base",
            "marker": {"symbol": "diamond", "size": 9, "color": theme.QUERY},
            "customdata": ids,
            "hovertemplate": "%{customdata[0]}<br>modulated − base %{x:+.4f}<extra></extra>",
        }
    )
    return canvas.figure(
        traces,
        130 + 26 * len(rows),
        barmode="relative",
        xaxis={**canvas.titled("change of the cosine"), "zeroline": True},
        yaxis={
            "tickvals": rows,
            "ticktext": list(labels),
            "autorange": "reversed",
            "tickfont": {"size": 11},
        },
    )


def effects(
    moved: NDArray[np.int64],
    order: NDArray[np.int64],
    document_ids: Sequence[str],
    labels: Sequence[str],
    best_effect: NDArray[np.int64] | None,
) -> go.Figure:
    """Draw how many candidates change rank when a feedback document is left out.

    Args:
        moved: (K,) number of candidates that change rank without document i.
        order: (R,) documents to draw.
        document_ids: (K,) ids.
        labels: (R,) row labels.
        best_effect: (K,) change of the best relevant document's rank, or None where none is judged.
    """
    rows, most = list(range(len(order))), float(moved[order].max())
    text = [
        ""
        if best_effect is None or best_effect[i] == 0
        else formatting.minus(f"best relevant {best_effect[i]:+d}")
        for i in order
    ]
    bars = {
        "type": "bar",
        "x": moved[order],
        "y": rows,
        "orientation": "h",
        "marker": {"color": theme.REFINEMENT},
        "text": text,
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [[document_ids[i]] for i in order],
        "hovertemplate": "without %{customdata[0]}<br>%{x} candidates change rank<br>%{text}<extra></extra>",
    }
    nothing = "No rank changes when any one of them is left out."
    note = {
        "text": nothing,
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.5,
    }
    return canvas.figure(
        [bars],
        110 + 24 * max(len(rows), 4),
        annotations=[] if moved[order].any() else [note],
        xaxis={
            **canvas.titled("candidates that change rank"),
            "range": [0, max(1.0, 1.25 * most)],
            **({"dtick": 1} if most < 8 else {}),
        },
        yaxis={
            "tickvals": rows,
            "ticktext": list(labels),
            "autorange": "reversed",
            "tickfont": {"size": 11},
        },
    )
