// Scrolls the block around this component into view whenever the count grows
export default function ({ data, parentElement }) {
  const last = window.imrnnsReveals ?? 0;
  window.imrnnsReveals = data.count;
  if (data.count <= last) return;
  const block = parentElement.closest(`.st-key-${data.block}`);
  // Streamlit draws the rest of the block after this component
  setTimeout(() => block?.scrollIntoView({ block: "nearest" }), 150);
}
