"""The script that every session runs: the six pages. `app.py` starts it."""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st

from dashboard.shell import loading_screen

ASSETS = Path(__file__).absolute().parent.parent / "assets"
st.set_page_config(page_title="IMRNNs Lens", page_icon=str(ASSETS / "icon.png"), layout="wide")
st.logo(str(ASSETS / "logo.svg"), icon_image=str(ASSETS / "icon.png"), size="large")

# Streamlit leaves 6 rem above the title, its captions fall short of the contrast that WCAG AA asks
# for, and its tables
# save formulas as they are: pages have a button of their own (components/csv_button.py)
st.html(
    "<style>.stMainBlockContainer { padding-top: 3.2rem; padding-bottom: 3rem; }"
    "@media (max-width: 700px) { .stMainBlockContainer { padding-top: 4.2rem; } }"
    "[data-testid='stCaptionContainer'][data-testid] { opacity: .78; }"
    "[data-testid='stElementToolbarButton']:has([aria-label^='Download as CSV']) { display: "
    "none; }</style>"
)

place = loading_screen.show()  # before what follows, which takes seconds to load
gc.disable()  # what is loaded is no garbage; looking for some would take a sixth of the time
from dashboard import resources, state  # noqa: E402
from dashboard.shell import sidebar, tour  # noqa: E402
from dashboard.views.compare import page as compare_page  # noqa: E402
from dashboard.views.explain import page as explain_page  # noqa: E402
from dashboard.views.failures import page as failures_page  # noqa: E402
from dashboard.views.map import page as map_page  # noqa: E402
from dashboard.views.modulation import page as modulation_page  # noqa: E402
from dashboard.views.overview import page as overview_page  # noqa: E402
from dashboard.widgets import notices  # noqa: E402
from imrnns_core.errors import LensError  # noqa: E402

gc.enable()
place.empty()
state.start()
views = {
    "overview": (overview_page.show, "Overview", ":material/analytics:"),
    "failures": (failures_page.show, "Failures", ":material/troubleshoot:"),
    "compare": (compare_page.show, "Compare", ":material/compare_arrows:"),
    "modulation": (modulation_page.show, "Modulation", ":material/tune:"),
    "map": (map_page.show, "Map", ":material/my_location:"),
    "explain": (explain_page.show, "Explain", ":material/search_insights:"),
}
pages = {
    name: st.Page(
        show,
        title=title,
        icon=icon,
        url_path="" if name == "compare" else name,
        default=name == "compare",
    )
    for name, (show, title, icon) in views.items()
}
address = st.Page(
    lambda: None, title="Compare by its name", url_path="compare", visibility="hidden"
)
page = st.navigation([*pages.values(), address])
if (
    page is address
    # Streamlit serves the first page at / only, and a link to it by its name would end at "Page not
    # found"
):
    st.switch_page(pages["compare"], query_params=state.parameters(state.current()))
try:
    sidebar.show()
    with st.sidebar:
        tour.offer(pages)
    state.write_url()
    tour.show(pages, next(name for name, made in pages.items() if made.title == page.title))
    page.run()
    resources.warm_encoder(state.current().data)
except LensError as error:
    notices.show("error", "This cannot be shown", str(error))
