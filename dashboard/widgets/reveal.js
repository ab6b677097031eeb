// Scrolls a block of the page into view whenever its count grows
export default function ({ data }) {
  const counts = (window.imrnnsReveals ??= {});
  const last = counts[data.of] ?? 0;
  counts[data.of] = data.count;
  if (data.count <= last) return;
  // Streamlit draws the rest of the page after this component, which can move the block
  setTimeout(() => {
    const block = document.querySelector(`.st-key-${data.block}`);
    // the end of a block that is taller than the window would hide its title
    block?.scrollIntoView({ block: block.offsetHeight > window.innerHeight ? "start" : "nearest" });
  }, 150);
}
