"""The script that draws the requested page. `app.py` starts it for every session."""

from __future__ import annotations

import gc

import streamlit as st

from dashboard import gate
from dashboard.shell import loading_screen
from imrnns_core.storage.layout import ASSETS_FOLDER

gate.require()
icon, logo = str(ASSETS_FOLDER / "icon.png"), str(ASSETS_FOLDER / "logo.svg")
st.set_page_config(page_title="IMRNNs Lens", page_icon=icon, layout="wide")
st.logo(logo, icon_image=icon, size="large")
loading_screen.style()
screen = loading_screen.show()  # before the imports below, which take seconds
gc.disable()  # imports leave no garbage; looking for it would take a sixth of the time
from dashboard import navigation, state  # noqa: E402
from dashboard.services import warm_up  # noqa: E402
from dashboard.shell import account, sidebar, tour  # noqa: E402
from dashboard.views.adapters import page as adapters  # noqa: E402
from dashboard.views.compare import page as compare  # noqa: E402
from dashboard.views.data import page as data  # noqa: E402
from dashboard.views.explain import page as explain  # noqa: E402
from dashboard.views.failures import page as failures  # noqa: E402
from dashboard.views.judging import page as judging  # noqa: E402
from dashboard.views.map import page as corpus_map  # noqa: E402
from dashboard.views.modulation import page as modulation  # noqa: E402
from dashboard.views.overview import page as overview  # noqa: E402
from dashboard.views.remedies import page as remedies  # noqa: E402
from dashboard.widgets import notices  # noqa: E402
from imrnns_core import logs  # noqa: E402
from imrnns_core.errors import LensError  # noqa: E402

gc.enable()
screen.empty()
state.start()
with st.sidebar:
    account.show()  # first, so that an error below leaves the way out
page_name, draw_page = navigation.register(
    {
        "overview": overview.show,
        "failures": failures.show,
        "remedies": remedies.show,
        "compare": compare.show,
        "modulation": modulation.show,
        "map": corpus_map.show,
        "explain": explain.show,
        "judging": judging.show,
        "adapters": adapters.show,
        "data": data.show,
    }
)
navigation.show_title(page_name)  # before anything that can stop the run: no page stays empty
try:
    with logs.timed("page drawn", page=page_name):
        sidebar.show(needs_query=page_name not in navigation.WITHOUT_QUERY)
        navigation.open_choice(page_name)
        with st.sidebar:
            tour.offer()
        state.write_url()
        tour.show(page_name)
        draw_page()
        warm_up.encoder(state.current().data)
except LensError as error:
    notices.show("error", "This page cannot be shown", str(error))
