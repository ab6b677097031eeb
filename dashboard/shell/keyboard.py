"""Keys for the whole page.

`/` goes to the query box, `j` and `k` to the next and the previous query.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

# One listener for as long as the page lives: Streamlit calls a component anew in each run, and a
# key between two calls would be lost
_JS = """
export default function ({ setTriggerValue }) {
  const first = !window.imrnnsStep;
  window.imrnnsStep = (by) => setTriggerValue("step", by);
  if (!first) return;
  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0];
    const typing = target instanceof Element && target.closest("input:not([type=range]), textarea, [contenteditable=true]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const box = document.querySelector('.st-key-input_query input');
      if (box) { event.preventDefault(); box.focus(); }
    } else if (event.key === "j" || event.key === "k") {
      window.imrnnsStep(event.key === "j" ? 1 : -1);
    }
  });
}
"""
_component = st.components.v2.component("imrnns_lens.keyboard", js=_JS)


def show(step: Callable[[int], None], key: str = "keyboard") -> None:
    """Listen to the keys; `step` gets +1 for the next query, −1 for the previous one."""

    def pressed() -> None:
        value = st.session_state[key].step
        if value:
            step(int(value))

    _component(key=key, on_step_change=pressed)
