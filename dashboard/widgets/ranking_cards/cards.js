const TWIN = "imrnns-lens-twin", REST_MS = 250;
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".columns"), shadow = root.getRootNode(), bar = parentElement.querySelector(".slider");
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;  // texts are never parsed as HTML
    return node;
  };
  const write = (node, segments) => {
    for (const { text, weight } of segments) {
      if (!weight) { node.append(text); continue; }
      const mark = make("mark", weight > 0 ? "raises" : "lowers", text);
      mark.style.setProperty("--strength", Math.abs(weight));
      mark.title = weight > 0 ? "raises the score change" : "lowers the score change";
      node.append(mark);
    }
    return node;
  };
  let cards = [];
  // All instances on the page listen: the ideal order is in another column of the page
  const tell = (id) => document.dispatchEvent(new CustomEvent(TWIN, { detail: id }));
  const mark = ({ detail }) => cards.forEach((card) => card.classList.toggle("twin", detail !== null && card.dataset.document === detail));
  document.addEventListener(TWIN, mark);
  const make_card = (item) => {
    const content = data.contents[item.document_id];
    const card = make("button", item.further ? "card further" : "card");
    card.type = "button";
    card.dataset.document = item.document_id;
    card.dataset.rank = item.rank;
    card.style.setProperty("--edge", content.colour);
    card.setAttribute("aria-pressed", String(item.document_id === data.picked));
    card.classList.toggle("picked", item.document_id === data.picked);
    const top = make("div", "top"), meta = make("div", "meta"), title = write(make("span", "title"), content.title);
    top.append(make("span", "rank", item.rank), title, make("span", "score", item.score));
    const badge = make("span", "badge", content.relevance);
    badge.style.setProperty("--badge", content.colour);
    meta.append(badge, make("span", "move", item.move), make("span", "id", item.document_id));
    card.append(top, meta, write(make("div", "text"), content.text));
    card.onmouseenter = card.onfocus = () => tell(item.document_id);
    card.onmouseleave = card.onblur = () => tell(null);
    card.onclick = () => setTriggerValue("picked", item.document_id);
    cards.push(card);
    return card;
  };
  const draw = (columns) => {
    const focused = shadow.activeElement && shadow.activeElement.dataset ? { ...shadow.activeElement.dataset } : null;
    cards = [];
    root.replaceChildren();
    root.style.setProperty("--count", columns.length);
    if (data.legend) {
      const legend = make("p", "legend");
      legend.style.gridColumn = "1 / -1";
      write(legend, data.legend);
      root.append(legend);
    }
    for (const column of columns) {
      const section = make("section");
      section.setAttribute("aria-label", column.title);
      section.append(make("h2", "", column.title), make("p", "caption", column.caption));
      if (!column.cards.length) section.append(make("p", "empty", column.empty));
      for (const item of column.cards) {
        if (item.further && !section.querySelector(".divider")) section.append(make("p", "divider", column.divider));
        if (item.skipped) section.append(make("p", "skipped", `⋮ ${item.skipped} ${item.skipped === 1 ? "document" : "documents"} not shown`));
        section.append(make_card(item));
      }
      if (column.rest) section.append(make("p", "skipped", `⋮ ${column.rest} more ${column.rest === 1 ? "document" : "documents"}`));
      root.append(section);
    }
    if (focused && focused.document) {
      const again = cards.filter((card) => card.dataset.document === focused.document);
      (again.find((card) => card.dataset.rank === focused.rank) || again[0])?.focus();
    }
  };
  bar.hidden = !data.slider;
  if (!data.slider) draw(data.steps[0]);
  else {
    // The browser has the columns of every value: the slider draws them at once, and sends the server the value at
    // which it stopped. What the server sends before it has that value is older, and must not move the slider
    const [name, shown, input, help] = bar.children, { values } = data.slider;
    if (bar.waiting === data.slider.value || !values.includes(bar.waiting)) bar.waiting = undefined;
    const go = (n) => {
      input.value = n;
      shown.textContent = values[n].toFixed(2);
      input.setAttribute("aria-valuetext", shown.textContent);
      draw(data.steps[n]);
    };
    name.textContent = data.slider.label;
    help.textContent = data.slider.help;
    input.max = values.length - 1;
    input.oninput = () => {
      bar.waiting = values[Number(input.value)];
      go(Number(input.value));
      clearTimeout(bar.timer);
      bar.timer = setTimeout(() => input.isConnected && setTriggerValue("moved", bar.waiting), REST_MS);
    };
    go(values.indexOf(bar.waiting ?? data.slider.value));
  }
  return () => document.removeEventListener(TWIN, mark);
}
