const QUESTION = ".st-key-input_text input";
// A data set without queries has only the box for questions
const queryBox = () => document.querySelector(`.st-key-input_query input, ${QUESTION}`);

// One listener for as long as the page lives: Streamlit calls a component anew in each run, and a
// key between two calls would be lost
export default function ({ setTriggerValue }) {
  const first = !window.imrnnsStep;
  window.imrnnsStep = (by) => setTriggerValue("step", by);
  if (!first) return;
  document.addEventListener("keydown", (event) => {
    const target = event.composedPath()[0];
    // After Enter the box shows the start of a long text again, and the keys j and k work
    if (event.key === "Enter" && (target === queryBox() || target.matches?.(QUESTION))) setTimeout(() => target.blur());
    const typing = target instanceof Element && target.closest("input:not([type=range]), textarea, [contenteditable=true]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const box = queryBox();
      if (box) { event.preventDefault(); box.focus(); }
    } else if (event.key === "j" || event.key === "k") {
      window.imrnnsStep(event.key === "j" ? 1 : -1);
    }
  });
}
