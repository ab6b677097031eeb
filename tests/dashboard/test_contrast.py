"""Charts can be read: text has a contrast of 4.5:1 to its background, marks have 3:1.

The contrast is that of WCAG 2.2 (1.4.3, 1.4.11), computed over the colours that figures really use,
with transparent colours laid over the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from dashboard import theme
from dashboard.figures import (
    accounting,
    compare,
    explain,
    modulation,
    overview,
    plane,
    target,
    training,
)
from dashboard.figures.cloud import Cloud, Group
from dashboard.figures.map_marks import Points
from dashboard.figures.modulation import HeatmapValues
from dashboard.figures.plane import Look, Move
from imrnns_core.explanation.score_accounting import Accounting, WordAccounting
from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops
from imrnns_core.projection.target_view import TargetView
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.text.words import Word
from imrnns_core.training.progress import Phase
from imrnns_core.training.progress_log import LoggedEpoch

TEXT, MARK = 4.5, 3.0
RGBA = tuple[float, float, float, float]
MOVED = np.linspace(0, 1, 5, dtype=np.float32)


def rgba(colour: str) -> RGBA:
    if colour.startswith("#"):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return red, green, blue, 1.0
    numbers = [float(n) for n in re.findall(r"[\d.]+", colour)]
    return numbers[0], numbers[1], numbers[2], numbers[3] if len(numbers) > 3 else 1.0


def over(colour: str, background: str, opacity: float = 1.0) -> str:
    """Return a colour laid over an opaque one."""
    (*channels, alpha), (*below, _) = rgba(colour), rgba(background)
    alpha *= opacity
    mixed = [alpha * c + (1 - alpha) * b for c, b in zip(channels, below, strict=True)]
    return f"rgb({mixed[0]}, {mixed[1]}, {mixed[2]})"


def luminance(colour: str) -> float:
    channels = [c / 255 for c in rgba(colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(colour: str, background: str, opacity: float = 1.0) -> float:
    first, second = luminance(over(colour, background, opacity)), luminance(background)
    return (max(first, second) + 0.05) / (min(first, second) + 0.05)


def listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple, np.ndarray)) else [value]


def marks(figure: dict[str, Any]) -> Iterator[tuple[str, list[str], float]]:
    """Yield each mark of a figure: its name, the colours that draw it, and their opacity."""
    for trace in figure["data"]:
        name, opacity = f"{trace['type']} {trace.get('name')}", trace.get("opacity", 1.0)
        marker = trace.get("marker", {})
        if trace["type"] == "heatmap":
            scale = trace["colorscale"]
            yield from ((name, [colour], 1.0) for _, colour in (scale[0], scale[-1]))
        elif trace["type"] == "waterfall":
            for key in ("increasing", "decreasing", "totals"):
                yield f"{name} {key}", [trace[key]["marker"]["color"]], opacity
        elif trace["type"] == "bar":
            fills = listed(marker["color"])
            edges = listed(marker.get("line", {}).get("color", fills))
            yield from ((name, list(both), opacity) for both in zip(fills, edges, strict=True))
        elif trace.get("mode") == "text":
            yield from ((name, [c], opacity) for c in listed(trace["textfont"]["color"]))
        else:
            if "markers" in trace["mode"]:
                shown = opacity * marker.get("opacity", 1.0)
                yield from ((name, [c], shown) for c in _marker_colours(trace))
            if "lines" in trace["mode"]:
                yield f"{name} line", [trace["line"]["color"]], opacity


def _marker_colours(trace: dict[str, Any]) -> list[Any]:
    """Return the colours of markers; Plotly takes that of the line where they have none."""
    marker = trace.get("marker", {})
    return listed(marker["color"] if "color" in marker else trace["line"]["color"])


def is_invisible(figure: dict[str, Any], opacity: float) -> bool:
    """Return whether this is a target for clicks; these are the only marks with opacity 0."""
    return opacity == 0 and any(trace["type"] == "heatmap" for trace in figure["data"])


def texts(figure: dict[str, Any], dark: bool) -> Iterator[tuple[str, str, str]]:
    """Yield each text of a figure: its name, colour and background."""
    layout, page = figure["layout"], theme.page_colours(dark).background
    look = theme.template(dark)["layout"]
    yield "text", look["font"]["color"], page
    yield "legend", look["legend"]["font"]["color"], page
    yield "hover label", look["hoverlabel"]["font"]["color"], look["hoverlabel"]["bgcolor"]
    for axis in ("xaxis", "yaxis"):
        yield f"{axis} ticks", look[axis]["tickfont"]["color"], page
        yield f"{axis} title", look[axis]["title"]["font"]["color"], page
    for note in layout.get("annotations", ()):
        if "color" in note.get("font", {}):
            yield note["text"], note["font"]["color"], over(note.get("bgcolor", page), page)
    for control in (*layout.get("updatemenus", ()), *layout.get("sliders", ())):
        yield "control", control["font"]["color"], over(control["bgcolor"], page)
    for name in ("xaxis", "yaxis", "zaxis"):
        if "scene" in layout:
            yield f"scene {name}", layout["scene"][name]["title"]["font"]["color"], page


def points(count: int, dark: bool, colours: str) -> Points:
    names = [f"d{i}" for i in range(count)]
    values = {
        "relevance": [theme.relevance_colour(i % 3 - 1) for i in range(count)],
        "movement": theme.movement_colours(MOVED[:count], dark),
    }[colours]
    return Points(names, names, values, ["star", "x", "circle", "circle", "circle"][:count])


def corpus_map(dark: bool, three: bool, groups: int, colours: str = "relevance") -> go.Figure:
    ground = np.random.default_rng(0).random((40, 3 if three else 2), dtype=np.float32)
    palette = [*theme.CLUSTERS, theme.OTHER_GROUPS]
    kinds = [Group(f"g{n}", palette[n], np.arange(n, 40, groups)) for n in range(groups)]
    if groups == 1:
        kinds = []  # one grey group is a background without a meaning of its own
    move = Move(ground[:5], ground[:5] + 0.5, (ground[6], ground[7]))
    return plane.plane(Cloud(ground, kinds), move, points(5, dark, colours), Look("n", dark))


def epoch(number: int, phase: Phase, run: str) -> LoggedEpoch:
    return LoggedEpoch(
        number, 0.5, 0.5, number == 2, phase, run=run, base=0.4, done=number, total=4, time=0.0
    )


PHASES: tuple[Phase, ...] = ("initialization", "pretrain", "train", "refit")
EPOCHS = [
    epoch(2, "train", "earlier"),
    epoch(3, "train", "earlier"),
    *(epoch(number, phase, "now") for number, phase in enumerate(PHASES)),
]
"""Epochs of every phase, and of an earlier run."""


def figures(dark: bool, comparison: Comparison) -> dict[str, go.Figure]:
    rng = np.random.default_rng(0)
    ids, order = [f"d{i}" for i in range(5)], np.arange(5)
    values = rng.normal(size=(5, 8)).astype(np.float32)
    parts = Accounting(*rng.normal(size=(5, 5)).astype(np.float32), values, values)
    heat = HeatmapValues(values, ids, ids, np.arange(8), 0.5, "shift")
    view = TargetView(50 + 9 * rng.random((4, 5)).astype(np.float32), 72 * MOVED)
    words = [
        VerifiedWord(
            Word(f"w{i}", ((i, i + 1),)), (d, d), (0.0, 0.0), (0.2, 0.2), (0.1, 0.1), (0.04, 0.04)
        )
        for i, d in enumerate((0.5, 0.1, -0.1, -0.5))
    ]
    words[1:3] = [replace(word, p=(0.2, 0.2)) for word in words[1:3]]  # pale bars
    drops = WordDrops("document", "", [w.word for w in words], values[0, :4], values[0, :4], 4)
    return {
        "strips": modulation.strips(
            [modulation.Strip(name, values[0], 0.5) for name in ("s", "b")], "dimension", dark
        ),
        "heat map": modulation.heatmap(heat, dark),
        "waterfall": accounting.waterfall(parts, 0),
        "score parts": accounting.score_parts(parts, order, ids, ids, dark),
        "leave one out": accounting.leave_one_out(np.arange(5), order, ids, ids, np.arange(5)),
        "measured words": explain.measured_words(words, "change", dark),
        "word accounting": explain.word_accounting(drops, WordAccounting(values[0, :4], -0.1, 0.1)),
        "target": target.target(view, {1: 52.0}, points(5, dark, "relevance"), dark),
        "target by movement": target.target(view, {}, points(5, dark, "movement"), dark),
        "map": corpus_map(dark, False, 1),
        "map by cluster": corpus_map(dark, False, 12, "movement"),
        "map by subject": corpus_map(dark, False, 13),
        "map in 3-D": corpus_map(dark, True, 12),
        "bump": compare.bump(comparison, 3, dict.fromkeys(comparison.document_ids, "t")),
        "scatter": overview.scatter(
            np.zeros(2), np.ones(2), ["a", "b"], ["a", "b"], ["seen", "unseen"], "nDCG@10"
        ),
        "training": training.curves(EPOCHS),
        "overlaps": overview.overlaps(np.ones(2), ["a", "b"], ["a", "b"]),
    }


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    space = Workspace(tmp_path_factory.mktemp("space"))
    ranker = Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))
    return ranker.compare("q007")


@pytest.fixture(scope="module", params=["light", "dark"])
def page(
    request: pytest.FixtureRequest, comparison: Comparison
) -> tuple[bool, dict[str, go.Figure]]:
    dark = request.param == "dark"
    return dark, figures(dark, comparison)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert over("rgba(0,0,0,0.5)", "#ffffff") == "rgb(127.5, 127.5, 127.5)"
    assert contrast("#000000", "#ffffff", 0.5) == contrast("rgb(127.5, 127.5, 127.5)", "#ffffff")


def test_marks_are_seen(page: tuple[bool, dict[str, go.Figure]]) -> None:
    dark, drawn = page
    background = theme.page_colours(dark).background
    weak = [
        (figure_name, name, colours, round(best, 2))
        for figure_name, figure in drawn.items()
        for name, colours, opacity in marks(figure.to_plotly_json())
        if not is_invisible(figure.to_plotly_json(), opacity)
        for best in [max(contrast(c, background, opacity) for c in colours)]
        if best < MARK
    ]
    assert weak == []


def test_the_total_change_is_seen_on_the_bars(page: tuple[bool, dict[str, go.Figure]]) -> None:
    *bars, total = page[1]["score parts"].data
    weak = [
        bar.name
        for bar in bars
        if max(contrast(c, bar.marker.color) for c in (total.marker.color, total.marker.line.color))
        < MARK
    ]
    assert (len(bars), weak) == (3, [])


def test_texts_are_read(page: tuple[bool, dict[str, go.Figure]]) -> None:
    dark, drawn = page
    weak = [
        (figure_name, name, colour)
        for figure_name, figure in drawn.items()
        for name, colour, background in texts(figure.to_plotly_json(), dark)
        if contrast(colour, background) < TEXT
    ]
    assert weak == []


def test_controls_and_zero_lines_are_seen(page: tuple[bool, dict[str, go.Figure]]) -> None:
    dark, drawn = page
    background = theme.page_colours(dark).background
    layout = drawn["target"].to_plotly_json()["layout"]
    (button,), (slider,) = layout["updatemenus"], layout["sliders"]
    look = theme.template(dark)["layout"]
    for colour in (
        button["bordercolor"],
        slider["bordercolor"],
        slider["activebgcolor"],
        slider["tickcolor"],
        look["xaxis"]["zerolinecolor"],
    ):
        assert contrast(colour, background) >= MARK, colour


def test_only_a_single_group_of_the_corpus_is_faint() -> None:
    ground = np.zeros((4, 2), np.float32)
    one = plane.plane(
        Cloud(ground, [Group("corpus", theme.UNJUDGED, np.arange(4))]),
        Move(ground[:1], ground[:1], (ground[0], ground[1])),
        points(1, False, "relevance"),
        Look("n"),
    )
    assert one.data[0].marker.opacity < 1
    clouds = [t for t in corpus_map(False, False, 12).data if t.type == "scattergl"]
    assert len(clouds) == 12
    assert {t.marker.opacity for t in clouds} == {1.0}


def test_no_colour_of_a_group_is_used_twice_or_is_that_of_the_query() -> None:
    palette = [*theme.CLUSTERS, theme.OTHER_GROUPS, theme.QUERY]
    assert len(set(palette)) == len(palette)
