"""IMRNNs Lens: `streamlit run dashboard/app.py`."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # `streamlit run` puts only this folder on the path
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from dashboard import resources, state  # noqa: E402
from dashboard.components import notices, sidebar  # noqa: E402
from dashboard.views import compare, failures, maps, modulation, overview  # noqa: E402
from imrnns_core.errors import LensError  # noqa: E402

st.set_page_config(page_title="IMRNNs Lens", page_icon=str(ROOT / "assets" / "icon.png"), layout="wide")
st.logo(str(ROOT / "assets" / "logo.svg"), icon_image=str(ROOT / "assets" / "icon.png"), size="large")

# Streamlit leaves 6 rem above the title, and its captions fall short of the contrast that WCAG AA asks for
st.html(
    "<style>.stMainBlockContainer { padding-top: 3.2rem; padding-bottom: 3rem; }"
    "[data-testid='stCaptionContainer'][data-testid] { opacity: .78; }</style>"
)

state.start()
page = st.navigation(
    [
        st.Page(overview.show, title="Overview", icon=":material/analytics:", url_path="overview"),
        st.Page(failures.show, title="Failures", icon=":material/troubleshoot:", url_path="failures"),
        st.Page(compare.show, title="Compare", icon=":material/compare_arrows:", url_path="compare", default=True),
        st.Page(modulation.show, title="Modulation", icon=":material/tune:", url_path="modulation"),
        st.Page(maps.show, title="Map", icon=":material/my_location:", url_path="map"),
    ]
)
try:
    sidebar.show()
    state.write_url()
    page.run()
    resources.warm_encoder(state.current().data)
except LensError as error:
    notices.show("error", "This cannot be shown", str(error))
