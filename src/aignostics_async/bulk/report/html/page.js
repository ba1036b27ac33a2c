// Sorting and searching the table of all slides. Without this script the page lacks nothing else.
"use strict";
const table = document.getElementById("all");
if (table) {
  const form = document.getElementById("filter");
  const told = document.getElementById("shown");
  const bodies = Array.from(table.tBodies);
  const room = bodies[0].rows.length; // of each body but the last
  const heads = Array.from(table.tHead.rows[0].cells);
  const words = new Intl.Collator(undefined, { numeric: true });
  const figure = (number) => number.toLocaleString("en");
  let entries = bodies.flatMap((body) => Array.from(body.rows)).map((row) => ({
    row,
    text: row.textContent.toLowerCase(),
    state: row.cells[1].textContent,
  }));

  const show = () => {
    const wanted = form.elements.text.value.trim().toLowerCase();
    const state = form.elements.state.value;
    const fitting = entries.filter((each) => (!state || each.state === state) && each.text.includes(wanted));
    bodies.forEach((body, index) => {
      const part = fitting.slice(index * room, (index + 1) * room);
      body.replaceChildren(...part.map((each) => each.row));
      body.hidden = part.length === 0;
    });
    told.textContent = `${figure(fitting.length)} of ${figure(entries.length)} shown`;
  };

  const number = (text) => {
    const value = parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(value) ? -1 : value;
  };

  const sort = (head, column) => {
    const isUpward = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", isUpward ? "ascending" : "descending");
    const isNumber = getComputedStyle(head).textAlign === "right";
    const keyed = entries.map((each) => {
      const text = each.row.cells[column].textContent;
      return [isNumber ? number(text) : text, each];
    });
    const compare = isNumber ? (a, b) => a[0] - b[0] : (a, b) => words.compare(a[0], b[0]);
    keyed.sort(isUpward ? compare : (a, b) => compare(b, a));
    entries = keyed.map((each) => each[1]);
    show();
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });
  const counts = new Map();
  entries.forEach((each) => counts.set(each.state, (counts.get(each.state) ?? 0) + 1));
  for (const [state, count] of Array.from(counts).sort()) {
    form.elements.state.append(new Option(`${state} (${figure(count)})`, state));
  }
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  told.textContent = `${figure(entries.length)} of ${figure(entries.length)} shown`;
}
