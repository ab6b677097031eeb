const plural = (n, what) => `${n.toLocaleString("en")} ${what}`;

// What the server sends, after the actions that it has not seen yet: the next document is shown at once
function after(data, pending) {
  const queue = [...data.queue], done = [...data.done];
  const same = (item, action) => item.query === action.query && item.document === action.document;
  let { left, judged, skipped } = data;
  for (const action of pending) {
    if (action.kind === "undo") {
      const item = done.pop();
      if (!item) continue;
      queue.unshift(item);
      left += 1;
      if (item.kind === "skip") skipped -= 1; else judged -= 1;
      continue;
    }
    const at = queue.findIndex((item) => same(item, action));
    if (at >= 0) done.push({ ...queue.splice(at, 1)[0], kind: action.kind });
    left -= 1;
    if (action.kind === "skip") skipped += 1; else judged += 1;
  }
  return { queue, done, left, judged, skipped };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".desk"), find = (name) => root.querySelector(name);
  const desk = root.desk ??= { pending: [], number: data.seen };
  desk.pending = desk.pending.filter(({ number }) => number > data.seen);
  desk.number = Math.max(desk.number, data.seen);
  const [title, id, text] = find("article").children;
  const draw = () => {
    const now = after(data, desk.pending), [item] = now.queue;
    desk.item = item;
    desk.done = now.done;
    const all = now.judged + now.left;
    find(".bar > div").style.width = `${all ? (100 * now.judged) / all : 0}%`;
    find(".counts").textContent = [
      plural(Math.max(0, now.left), now.left === 1 ? "pair of query and document left" : "pairs of query and document left"), plural(now.judged, "judged"),
      ...(now.skipped ? [plural(now.skipped, "skipped")] : []),
    ].join(" · ");
    find(".work").classList.toggle("finished", !item);
    find(".undo").disabled = !now.done.length;
    if (!item) return;
    // texts are never parsed as HTML
    find("h2").textContent = item.question;
    const changed = text.textContent !== item.text || id.textContent !== item.document;
    title.textContent = item.title;
    id.textContent = item.document;
    text.textContent = item.text;
    if (changed) find("article").scrollTop = 0;
  };
  const act = (action) => {
    desk.number += 1;
    desk.pending.push({ ...action, number: desk.number });
    draw();
    // all that the server has not seen: two messages in a row may reach it as one
    setTriggerValue("actions", desk.pending);
  };
  const pair = () => ({ query: desk.item.query, document: desk.item.document });
  desk.grade = (grade) => desk.item && act({ kind: "grade", grade, ...pair() });
  desk.skip = () => desk.item && act({ kind: "skip", ...pair() });
  desk.undo = () => desk.done.length && act({ kind: "undo" });
  find(".grades").replaceChildren(...data.grades.map((name, grade) => {
    const button = document.createElement("button"), key = document.createElement("kbd");
    button.type = "button";
    button.dataset.grade = grade;
    key.textContent = grade;
    button.append(key, ` ${name}`);
    button.onclick = () => desk.grade(grade);
    return button;
  }));
  find(".skip").onclick = () => desk.skip();
  find(".undo").onclick = () => desk.undo();
  draw();
  // One listener for as long as the page lives: a key between two runs of the page would be lost
  const first = !window.imrnnsDesk;
  window.imrnnsDesk = root;
  if (first) document.addEventListener("keydown", (event) => {
    const current = window.imrnnsDesk, target = event.composedPath()[0];
    const typing = target instanceof Element && target.closest("input:not([type=range]), textarea, [contenteditable=true]");
    // where the desk is only a part of the page, a key must not grade what nobody sees
    const box = current.getBoundingClientRect(), seen = box.bottom > 0 && box.top < window.innerHeight;
    if (!current.isConnected || !seen || typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (/^[0-3]$/.test(event.key)) current.desk.grade(Number(event.key));
    else if (event.key === "s") current.desk.skip();
    else if (event.key === "u") current.desk.undo();
    else return;
    event.preventDefault();
  });
}
