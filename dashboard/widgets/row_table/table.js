// Rows are added while the reader scrolls: thousands at once would freeze the page
const CHUNK = 200, NEAR_END_PIXELS = 600;

const make = (tag, text) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;  // texts are never parsed as HTML
  return node;
};
const number = (text) => Number.parseFloat(text.replace("−", "-"));

function sorted(rows, sort, columns) {
  if (!sort) return rows;
  const { column, sign } = sort, numeric = columns[column].numeric;
  return [...rows].sort((a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    if (!numeric) return sign * x.localeCompare(y);
    const [m, n] = [number(x), number(y)];
    // a missing number is last in both directions
    return Number.isNaN(m) || Number.isNaN(n) ? Number.isNaN(m) - Number.isNaN(n) : sign * (m - n);
  });
}

export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame"), head = frame.querySelector("thead"), body = frame.querySelector("tbody");
  const { columns } = data;
  let rows = [], drawn = 0;
  const open = (row) => setTriggerValue("opened", { id: row.dataset.id, order: rows.map(({ id }) => id) });
  const add = () => {
    for (const { id, cells } of rows.slice(drawn, drawn + CHUNK)) {
      const row = body.appendChild(make("tr"));
      row.dataset.id = id;
      row.tabIndex = body.children.length === 1 ? 0 : -1;  // Tab reaches the table once, arrows move within it
      cells.forEach((text, i) => {
        const cell = row.appendChild(make("td", text));
        cell.dataset.label = columns[i].label;
        cell.className = [columns[i].numeric && "numeric", columns[i].wide && "wide"].filter(Boolean).join(" ");
      });
    }
    drawn = Math.min(drawn + CHUNK, rows.length);
  };
  const draw = () => {
    const sort = columns[frame.sort?.column] ? frame.sort : undefined;
    rows = sorted(data.rows, sort, columns);
    head.replaceChildren(make("tr"));
    columns.forEach((column, i) => {
      const cell = head.firstChild.appendChild(make("th")), button = cell.appendChild(make("button", column.label));
      cell.scope = "col";
      cell.className = column.numeric ? "numeric" : "";
      button.type = "button";
      button.title = [column.help, "Click to sort."].filter(Boolean).join(" ");
      if (sort?.column === i) {
        cell.setAttribute("aria-sort", sort.sign > 0 ? "ascending" : "descending");
        button.append(make("span", sort.sign > 0 ? " ↑" : " ↓"));
      }
      button.onclick = () => {
        // ascending, descending, then the order of the page again
        frame.sort = sort?.column !== i ? { column: i, sign: 1 } : sort.sign > 0 ? { column: i, sign: -1 } : undefined;
        draw();
        head.querySelectorAll("button")[i].focus();
      };
    });
    body.replaceChildren();
    drawn = 0;
    add();
    frame.scrollTop = 0;
  };
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", data.label);
  frame.onscroll = () => {
    if (drawn < rows.length && frame.scrollTop + frame.clientHeight > frame.scrollHeight - NEAR_END_PIXELS) add();
  };
  body.onclick = (event) => {
    const row = event.target.closest("tr");
    if (row) open(row);
  };
  body.onkeydown = (event) => {
    const row = event.target.closest("tr");
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
    if (event.key === "Enter" || event.key === " ") open(row);
    else if (next) {
      row.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    } else if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
  };
  // A run of the page that changes nothing must not move the reader back to the first row
  const content = JSON.stringify(data);
  if (frame.content === content && frame.rows) { rows = frame.rows; drawn = body.children.length; }
  else draw();
  Object.assign(frame, { content, rows });
}
