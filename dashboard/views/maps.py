"""Map: where did they go?"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from numpy.typing import NDArray

from dashboard import resources, state
from dashboard.components import chart, document_panel, notices
from dashboard.figures import maps as figures
from dashboard.figures import theme
from imrnns_core.dataset import Dataset
from imrnns_core.mapping import CorpusMap, linear_movement, neighbourhood, target_view, true_movement
from imrnns_core.records import Comparison

VIEWS = ["target", "neighbourhood", "linear"]
AXES = ["2-D", "3-D"]
COLOURS = ["relevance", "movement", "subject"]
RINGS = (1, 5, 10)
SHOWN = 30
POLL_SECONDS = 1.0


def show() -> None:
    notices.heading(
        "Where did they go?",
        "Three pictures of the same move. Only the target view is exact; the maps stand beside their noise floor. Click a mark to read its document; the lasso of the figure’s toolbar lists several.",
    )
    selection = state.current()
    dataset = resources.collection(selection.data).dataset
    comparison = resources.selected_comparison(selection)
    document_panel.query(comparison)
    colours = [c for c in COLOURS if c != "subject" or any(d.subject for d in dataset.documents)]
    left, middle, right = st.columns(3)
    left.segmented_control("View", VIEWS, required=True, **state.bound("view", VIEWS))
    middle.segmented_control("Colour", colours, required=True, **state.bound("colour", colours))
    if state.current().view != "target":
        right.segmented_control("Axes", AXES, required=True, **state.bound("axes", AXES))
    chosen = _chosen(comparison)
    if state.current().view == "target":
        figure = _target(comparison, dataset, chosen)
    else:
        drawn = _plane(comparison, dataset, chosen)
        if drawn is None:
            return
        figure = drawn
    picked = chart.clicks(figure, f"map_{state.current().view}_{state.current().axes}", lasso=True)
    _legend(dataset)
    if len(picked.new) == 1:
        state.update(document=str(picked.new[0][0]))
        st.rerun()
    document_panel.show(comparison, dataset, key="map_document")
    inside = [str(i) for i, *_ in picked.all] if len(picked.all) > 1 else []
    _listing(comparison, dataset, inside or [comparison.document_ids[i] for i in chosen], bool(inside))


def _chosen(comparison: Comparison) -> NDArray[np.int64]:
    """Return the candidates that are drawn: the first of either ranking and every relevant one."""
    near = (comparison.ranks[[0, 3]] <= SHOWN // 2).any(axis=0)
    return np.flatnonzero(near | (comparison.relevance > 0))


def _target(comparison: Comparison, dataset: Dataset, chosen: NDArray[np.int64]) -> go.Figure:
    st.caption(
        "The query is in the centre and distance is the true angle to it: a move inward is a higher score, and rank is distance from the centre. Directions only keep similar documents together. Arrows run from base to modulated; the scale starts at the innermost angle less 4°."
    )
    angles = np.degrees(np.arccos(np.clip(np.sort(comparison.scores[3])[::-1], -1.0, 1.0)))
    furthest = int(comparison.ranks[3, chosen].max())
    rings = {rank: float(angles[rank - 1]) for rank in (*RINGS, len(angles)) if rank <= furthest}
    return figures.target(target_view(comparison, chosen), rings, _points(comparison, dataset, chosen))


def _plane(comparison: Comparison, dataset: Dataset, chosen: NDArray[np.int64]) -> go.Figure | None:
    selection = state.current()
    corpus_map = resources.corpus_map(selection.data, selection.adapter)
    if corpus_map is None:
        _make_map(len(dataset.documents))
        return None
    dimensions = 2 if selection.axes == "2-D" else 3
    projected = resources.ranker(selection.data, selection.adapter).transform.projected.numpy()
    labels = [theme.plain(f"{d.id}: {d.title}") for d in dataset.documents]
    ground = _subject_colours([d.subject for d in dataset.documents]) if selection.colour == "subject" else theme.UNJUDGED
    points = _points(comparison, dataset, chosen)
    if selection.view == "neighbourhood":
        return _neighbourhood(corpus_map, projected, comparison, chosen, dimensions, points, labels, ground)
    base, modulated, share = linear_movement(corpus_map, comparison, chosen, dimensions)
    axes = ", ".join(f"{100 * s:.1f} %" for s in corpus_map.pca_share[:dimensions])
    kind = "info" if share > 0.5 else "warning"
    notices.show(
        kind,
        f"These axes show {100 * share:.0f} % of the true movement",
        f"PCA of the projected corpus; the axes hold {axes} of its variance. Median true movement {np.median(true_movement(comparison)[chosen]):.3f} (cosine distance).",
    )
    query = tuple(
        corpus_map.linear(v.numpy()[None], dimensions)[0]
        for v in (comparison.modulation.projected_query, comparison.modulation.modulated_query)
    )
    return figures.plane(corpus_map.linear(projected, dimensions), base, modulated, (query[0], query[1]), points, labels, ground, "linear")


def _neighbourhood(
    corpus_map: CorpusMap,
    projected: NDArray[np.float32],
    comparison: Comparison,
    chosen: NDArray[np.int64],
    dimensions: int,
    points: figures.Points,
    labels: list[str],
    ground: list[str] | str,
) -> go.Figure:
    placed = neighbourhood(corpus_map, projected, comparison, chosen, dimensions)
    movement = placed.movement
    numbers = f"Median true movement {np.median(movement.true):.3f} (cosine distance); median arrow {np.median(movement.drawn):.3f} map widths; noise floor {np.median(movement.noise):.3f}, the arrow of a document that did not move."
    if movement.within_noise:
        notices.show(
            "warning", "The arrows lie within the map’s noise: do not read them", f"{numbers} See the target view for the exact move."
        )
    else:
        notices.show("info", "UMAP keeps neighbourhoods, not distances", numbers)
    return figures.plane(
        corpus_map.umap[dimensions],
        placed.base,
        placed.modulated,
        (placed.query_base, placed.query_modulated),
        points,
        labels,
        ground,
        "neighbourhood",
    )


def _make_map(count: int) -> None:
    """Offer to make the map; show how long it has run."""
    selection = state.current()
    seconds = 20 + count // 40
    job = resources.map_job(selection.data, selection.adapter)
    if job is None:
        notices.show(
            "info",
            "This map has not been made yet",
            f"It takes about {seconds} s, once. Or run: imrnns-lens prepare {selection.data} --adapter {selection.adapter}",
        )
        st.button("Make the map", type="primary", key="make_map", on_click=lambda: resources.start_map(selection.data, selection.adapter))
        return
    if job.error:
        notices.show("error", "The map could not be made", job.error)
        return

    @st.fragment(run_every=POLL_SECONDS)
    def wait() -> None:
        passed = time.monotonic() - job.started
        st.progress(
            min(passed / seconds, 0.97),
            text=f"Laying out {count} documents: {passed:.0f} s of about {seconds} s. You can go on with other pages.",
        )
        if resources.corpus_map(selection.data, selection.adapter) is not None or job.error:
            st.rerun()

    wait()


def _points(comparison: Comparison, dataset: Dataset, chosen: NDArray[np.int64]) -> figures.Points:
    ids = [comparison.document_ids[i] for i in chosen]
    moved = true_movement(comparison)
    grades = [int(comparison.relevance[i]) for i in chosen]
    labels = [
        f"{theme.plain(f'{d}: {dataset.document[d].title}')}<br>{theme.relevance_name(g)}; base rank {comparison.ranks[0, i]}, modulated rank {comparison.ranks[3, i]}<br>true movement {moved[i]:.3f}"
        for i, d, g in zip(chosen, ids, grades, strict=True)
    ]  # fmt: skip
    if state.current().colour == "movement":
        colours = _ramp(moved[chosen])
    elif state.current().colour == "subject":
        colours = _subject_colours([dataset.document[d].subject for d in ids], sorted({d.subject for d in dataset.documents}))
    else:
        colours = [theme.relevance_colour(g) for g in grades]
    return figures.Points(ids, labels, colours, [theme.SYMBOLS[theme.relevance_name(g)] for g in grades])


def _ramp(values: NDArray[np.float32]) -> list[str]:
    from plotly.colors import sample_colorscale

    spread = float(values.max() - values.min()) or 1.0
    return list(sample_colorscale("Cividis", ((values - values.min()) / spread).tolist()))


def _subject_colours(subjects: list[str], names: list[str] | None = None) -> list[str]:
    known = names or sorted(set(subjects))
    return [theme.CLUSTERS[known.index(s) % len(theme.CLUSTERS)] for s in subjects]


def _legend(dataset: Dataset) -> None:
    colour = state.current().colour
    if colour == "relevance":
        st.caption("★ relevant · ✕ judged not relevant · ● unjudged · ◆ the query · ○ base place")
    elif colour == "movement":
        st.caption("Dark blue moved least, yellow most (true movement) · ★ relevant · ✕ judged not relevant · ● unjudged")
    else:
        subjects = sorted({d.subject for d in dataset.documents})
        st.caption(
            f"One colour a subject, {len(subjects)} subjects; colours repeat after {len(theme.CLUSTERS)}. Point at a mark for its document."
        )


def _listing(comparison: Comparison, dataset: Dataset, ids: list[str], lasso: bool) -> None:
    rows = [
        {"document": i, "title": dataset.document[i].title, "relevance": theme.relevance_name(int(comparison.relevance[p])), "base rank": comparison.ranks[0, p],
         "modulated rank": comparison.ranks[3, p], "true movement": float(true_movement(comparison)[p]), "subject": dataset.document[i].subject}
        for i in ids if (p := comparison.position.get(i)) is not None
    ]  # fmt: skip
    st.subheader(f"{len(rows)} documents {'in the lasso' if lasso else 'drawn'}", anchor=False)
    frame = pd.DataFrame(rows).sort_values("modulated rank") if rows else pd.DataFrame(rows)
    st.dataframe(frame, hide_index=True, key="listing", column_config={"true movement": st.column_config.NumberColumn(format="%.4f")})
