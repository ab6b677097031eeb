"""One plot for the life of a page.

A figure that changes is drawn into the plot that stands, once.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.app import chart, open_page, settle

pytestmark = pytest.mark.browser
_WATCH = """() => {
  window.drawn = [];
  const react = Plotly.react;
  Plotly.react = (node, ...rest) => {
    window.drawn.push(node.dataset.kept ?? 'new');
    return react(node, ...rest);
  };
  document.querySelectorAll('.js-plotly-plot').forEach((node, n) => { node.dataset.kept = n; });
}"""


@pytest.mark.parametrize(
    ("path", "key"), [("/modulation", "strips"), ("/map", "map_target_2-D"), ("/compare", "bump")]
)
def test_a_figure_that_changes_is_drawn_once_where_it_stands(
    page: Page, address: str, path: str, key: str
) -> None:
    open_page(page, f"{address}{path}?query=q054")
    plot = chart(page, key)
    read = (
        "(plot) => JSON.stringify(plot._fullData.map((trace) => [Array.from(trace.x ?? []), "
        "Array.from(trace.y ?? []), trace.z]))"
    )
    before = plot.evaluate(read)
    page.evaluate(_WATCH)
    page.keyboard.press("j")
    page.wait_for_function("() => location.search.includes('q055')")
    settle(page)
    drawn = page.evaluate("() => window.drawn")
    assert len(drawn) >= 1
    assert sorted(drawn) == sorted(set(drawn)), "a figure is drawn more than once"
    assert "new" not in drawn, "a plot is made anew"
    assert plot.evaluate(read) != before
    assert plot.get_attribute("data-kept") is not None


def test_a_plot_fills_the_screen_and_comes_back(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q054")
    plot = chart(page, "bump")
    small = plot.bounding_box()
    assert small is not None
    plot.hover()
    plot.locator('[data-title="Fullscreen"]').click()
    page.wait_for_function(
        "() => document.fullscreenElement?.querySelector('.js-plotly-plot')?.clientWidth > 1300"
    )
    page.wait_for_function(
        "() => document.fullscreenElement.querySelector('.js-plotly-plot').clientHeight > 700"
    )
    page.evaluate("() => document.exitFullscreen()")
    page.wait_for_function(
        (
            "(width) => Math.abs(document.querySelector('.st-key-bump "
            ".js-plotly-plot').clientWidth - width) < 2"
        ),
        arg=small["width"],
    )


def test_the_rank_chart_has_longer_names_where_it_is_wide(page: Page, address: str) -> None:
    """Longer names need a wider margin, and both follow the width of the window."""
    read = """() => {
      const { layout } = document.querySelector('.st-key-bump .js-plotly-plot');
      const written = layout.annotations.map((a) => a.text);
      return [JSON.stringify(written) === JSON.stringify(layout.meta.names), layout.margin.r,
        written.some((text) => text.endsWith('…'))];
    }"""
    page.set_viewport_size({"width": 1440, "height": 900})
    open_page(page, f"{address}/compare?query=q003")
    chart(page, "bump")
    page.wait_for_function(f"() => ({read})()[0]")
    assert page.evaluate(read)[2] is False
    page.set_viewport_size({"width": 390, "height": 900})
    page.wait_for_function(f"() => !({read})()[0] && ({read})()[1] === 136")
    assert page.evaluate(read)[2] is True
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function(f"() => ({read})()[0] && ({read})()[1] > 136")
