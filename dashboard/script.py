"""The script that every session runs: the six pages. `app.py` starts it."""

from __future__ import annotations

import gc

import streamlit as st

from dashboard.shell import loading_screen
from imrnns_core.storage.layout import ASSETS_FOLDER

icon, logo = str(ASSETS_FOLDER / "icon.png"), str(ASSETS_FOLDER / "logo.svg")
st.set_page_config(page_title="IMRNNs Lens", page_icon=icon, layout="wide")
st.logo(logo, icon_image=icon, size="large")
loading_screen.style()
place = loading_screen.show()  # before what follows, which takes seconds to load
gc.disable()  # what is loaded is no garbage; looking for some would take a sixth of the time
from dashboard import navigation, state  # noqa: E402
from dashboard.services import warm_up  # noqa: E402
from dashboard.shell import sidebar, tour  # noqa: E402
from dashboard.views.compare import page as compare  # noqa: E402
from dashboard.views.explain import page as explain  # noqa: E402
from dashboard.views.failures import page as failures  # noqa: E402
from dashboard.views.map import page as corpus_map  # noqa: E402
from dashboard.views.modulation import page as modulation  # noqa: E402
from dashboard.views.overview import page as overview  # noqa: E402
from dashboard.widgets import notices  # noqa: E402
from imrnns_core.errors import LensError  # noqa: E402

gc.enable()
place.empty()
state.start()
name, run = navigation.register(
    {
        "overview": overview.show,
        "failures": failures.show,
        "compare": compare.show,
        "modulation": modulation.show,
        "map": corpus_map.show,
        "explain": explain.show,
    }
)
try:
    sidebar.show()
    with st.sidebar:
        tour.offer()
    state.write_url()
    tour.show(name)
    run()
    warm_up.encoder(state.current().data)
except LensError as error:
    notices.show("error", "This cannot be shown", str(error))
