// Sorting and filtering of the table of all slides; without this script the page lacks nothing else.
"use strict";
const table = document.getElementById("all");
if (table) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const form = document.getElementById("filter");
  const told = document.getElementById("shown");
  const heads = Array.from(table.tHead.rows[0].cells);
  const words = new Intl.Collator(undefined, { numeric: true });
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const states = rows.map((row) => row.cells[1].textContent);

  const number = (text) => {
    const value = parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(value) ? -1 : value;
  };

  const filter = () => {
    const wanted = form.elements.text.value.trim().toLowerCase();
    const state = form.elements.state.value;
    let shown = 0;
    rows.forEach((row, index) => {
      const fits = (!state || states[index] === state) && texts[index].includes(wanted);
      row.hidden = !fits;
      shown += fits;
    });
    told.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  };

  const sort = (head, column) => {
    const upward = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", upward ? "ascending" : "descending");
    const isNumber = getComputedStyle(head).textAlign === "right";
    const keyed = rows.map((row) => {
      const text = row.cells[column].textContent;
      return [isNumber ? number(text) : text, row];
    });
    const compare = isNumber ? (a, b) => a[0] - b[0] : (a, b) => words.compare(a[0], b[0]);
    keyed.sort(upward ? compare : (a, b) => compare(b, a));
    body.append(...keyed.map((each) => each[1]));
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });
  for (const state of Array.from(new Set(states)).sort()) {
    const count = states.filter((each) => each === state).length;
    const option = new Option(`${state} (${count.toLocaleString("en")})`, state);
    form.elements.state.append(option);
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
}
