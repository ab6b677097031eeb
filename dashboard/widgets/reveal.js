// Scrolls a block of the page into view whenever the count grows
export default function ({ data }) {
  const last = window.imrnnsReveals ?? 0;
  window.imrnnsReveals = data.count;
  if (data.count <= last) return;
  // Streamlit draws the rest of the page after this component, which can move the block
  setTimeout(() => document.querySelector(`.st-key-${data.block}`)?.scrollIntoView({ block: "nearest" }), 150);
}
