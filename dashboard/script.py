"""The script that every session runs: the six pages. `app.py` starts it."""

from __future__ import annotations

import gc

import streamlit as st

from dashboard.components import opening
from imrnns_core.storage.layout import ASSETS_FOLDER

icon, logo = str(ASSETS_FOLDER / "icon.png"), str(ASSETS_FOLDER / "logo.svg")
st.set_page_config(page_title="IMRNNs Lens", page_icon=icon, layout="wide")
st.logo(logo, icon_image=icon, size="large")

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

place = opening.show()  # before what follows, which takes seconds to load
gc.disable()  # what is loaded is no garbage; looking for some would take a sixth of the time
from dashboard import resources, state  # noqa: E402
from dashboard.components import notices, sidebar, tour  # noqa: E402
from dashboard.views import compare, explain, failures, maps, modulation, overview  # noqa: E402
from imrnns_core.errors import LensError  # noqa: E402

gc.enable()
place.empty()
state.start()
views = {
    "overview": (overview.show, "Overview", ":material/analytics:"),
    "failures": (failures.show, "Failures", ":material/troubleshoot:"),
    "compare": (compare.show, "Compare", ":material/compare_arrows:"),
    "modulation": (modulation.show, "Modulation", ":material/tune:"),
    "map": (maps.show, "Map", ":material/my_location:"),
    "explain": (explain.show, "Explain", ":material/search_insights:"),
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
