const plots = new WeakMap(), CLICK_PIXELS = 5;
// Plotly's toolbar offers to upload the chart to Plotly Cloud unless both say no
const PRIVATE = { showSendToCloud: false, plotlyServerURL: "" };
let library;
// The library stands beside the Python package, and is loaded once
const load = (address) => (library ??= import(new URL(address, document.baseURI)).then(() => globalThis.Plotly));
const expand = {
  name: "Fullscreen", title: "Fullscreen",
  icon: { width: 448, height: 512, path: "M32 32C14.3 32 0 46.3 0 64v96c0 17.7 14.3 32 32 32s32-14.3 32-32V96h64c17.7 0 32-14.3 32-32s-14.3-32-32-32H32zM64 352c0-17.7-14.3-32-32-32s-32 14.3-32 32v96c0 17.7 14.3 32 32 32h96c17.7 0 32-14.3 32-32s-14.3-32-32-32H64V352zM320 32c-17.7 0-32 14.3-32 32s14.3 32 32 32h64v64c0 17.7 14.3 32 32 32s32-14.3 32-32V64c0-17.7-14.3-32-32-32H320zM448 352c0-17.7-14.3-32-32-32s-32 14.3-32 32v64H320c-17.7 0-32 14.3-32 32s14.3 32 32 32h96c17.7 0 32-14.3 32-32V352z" },
  click: (node) => document.fullscreenElement ? document.exitFullscreen() : node.parentElement.requestFullscreen(),
};

class Plot {
  constructor(frame) {
    this.frame = frame;
    this.node = frame.appendChild(document.createElement("div"));
    this.turn = Promise.resolve();
    this.drawn = this.marks = "";
    this.width = 0;  // as the browser tells: to ask for it would make it lay out the page once more
    this.sight = new ResizeObserver(([entry]) => { this.width = entry.contentRect.width; this.next(() => this.fit()); });
    this.sight.observe(frame);
  }
  take(data, tell) {
    Object.assign(this, { data, tell });
    this.frame.style.height = `${data.height}px`;
    for (const [name, value] of [["role", "figure"], ["aria-label", data.alt]])
      data.alt ? this.frame.setAttribute(name, value) : this.frame.removeAttribute(name);
    this.next(() => this.draw());
  }
  // Assistive technology waits with a chart that is being drawn
  next(work) {
    this.frame.setAttribute("aria-busy", "true");
    const turn = this.turn = this.turn.then(work).catch((error) => console.error(error))
      .then(() => { if (turn === this.turn) this.frame.removeAttribute("aria-busy"); });
  }
  size() {
    const full = document.fullscreenElement === this.frame;
    return { width: this.width, height: full ? this.frame.clientHeight : this.data.height };
  }
  // Longer names, and a margin for them, where the chart is wide (figures/compare.py)
  room_for_names() { return Boolean(this.wide) && this.width >= this.wide.from; }
  async draw() {
    const { data } = this, Plotly = await load(data.library), size = this.size();
    if (data !== this.data || !size.width || !this.frame.isConnected) return;  // a later one follows, or a resize
    const figure = JSON.parse(data.figure), config = { ...data.config, ...PRIVATE, modeBarButtonsToAdd: [expand] };
    Object.assign(figure.layout, size, { selectionrevision: data.name });
    this.wide = figure.layout.meta?.names ? figure.layout.meta : undefined;
    this.is_wide = this.room_for_names();
    if (this.is_wide) {
      figure.layout.margin.r = this.wide.right;
      figure.layout.xaxis.ticktext = this.wide.ticks;
      this.wide.names.forEach((name, i) => { figure.layout.annotations[i].text = name; });
    }
    await Plotly.react(this.node, { data: figure.data, layout: figure.layout, frames: figure.frames ?? [], config });
    if (!this.drawn && data.clicks) this.listen();
    if (this.drawn !== data.name) this.marks = "[]";
    this.drawn = data.name;
  }
  async fit() {
    if (!this.data) return;
    if (this.drawn !== this.data.name || this.is_wide !== this.room_for_names()) return this.draw();
    const { width, height } = this.size(), now = this.node.layout;
    if (width && (now.width !== width || now.height !== height)) await globalThis.Plotly.relayout(this.node, { width, height });
  }
  listen() {
    const send = (points) => {
      const marks = points.map((p) => ({ trace: p.curveNumber, index: p.pointIndex ?? p.pointNumber ?? 0, custom: p.customdata ?? [] }));
      if (JSON.stringify(marks) === this.marks) return;
      this.marks = JSON.stringify(marks);
      this.tell("picked", { figure: this.drawn, marks });
    };
    this.node.on("plotly_selected", (event) => event && send(event.points));
    // Three dimensions know clicks, but no selection, and tell of a click when the mouse goes down: it may be to turn the scene
    let down, hit;
    this.frame.addEventListener("pointerdown", (event) => { down = event; hit = undefined; }, true);
    this.frame.addEventListener("pointerup", (event) => {
      if (hit && Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < CLICK_PIXELS) send(hit);
      down = hit = undefined;
    }, true);
    this.node.on("plotly_click", (event) => {
      if (event.points[0].data.type !== "scatter3d") return;
      hit = event.points.slice(0, 1);
      if (!down) send(hit);
    });
    this.node.on("plotly_deselect", () => send([]));
    this.node.on("plotly_doubleclick", () => {
      if (this.marks === "[]") return;
      send([]);
      this.next(() => globalThis.Plotly.update(this.node, { selectedpoints: [null] }, { selections: [] }));
    });
  }
  end() {
    this.sight.disconnect();
    plots.delete(this.frame);
    this.next(() => globalThis.Plotly?.purge(this.node));
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const frame = parentElement.querySelector(".plot");
  if (!plots.has(frame)) plots.set(frame, new Plot(frame));
  const plot = plots.get(frame);
  plot.take(data, setStateValue);
  return () => plot.end();
}
