const REST_MS = 150;

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const label = parentElement.querySelector("label"), [name, input] = label.children;
  const list = parentElement.querySelector("ul"), status = parentElement.querySelector("p");
  name.textContent = data.label;
  input.placeholder = data.placeholder;
  // An answer to an older text must not replace what was typed since
  input.oninput = () => {
    clearTimeout(input.timer);
    input.timer = setTimeout(() => input.isConnected && setStateValue("typed", input.value), REST_MS);
  };
  const buttons = () => [...list.querySelectorAll("button")];
  input.onkeydown = (event) => {
    if (event.key === "ArrowDown") buttons()[0]?.focus();
    else if (event.key === "Enter" && data.typed === input.value) buttons()[0]?.click();
    else return;
    event.preventDefault();
  };
  list.replaceChildren(...data.matches.map(({ id, title }) => {
    const button = document.createElement("button"), shown = document.createElement("strong"), small = document.createElement("small");
    button.type = "button";
    button.dataset.document = id;
    shown.textContent = title;  // texts are never parsed as HTML
    small.textContent = id;
    button.append(shown, small);
    button.onclick = () => {
      input.value = "";
      setStateValue("typed", "");
      setTriggerValue("picked", id);
    };
    button.onkeydown = (event) => {
      const all = buttons(), to = all.indexOf(button) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0);
      if (!event.key.startsWith("Arrow")) return;
      (to < 0 ? input : all[Math.min(to, all.length - 1)]).focus();
      event.preventDefault();
    };
    const item = document.createElement("li");
    item.append(button);
    return item;
  }));
  status.textContent = data.none;
}
