// The table of all slides, a page of it at a time: it is searched, filtered and sorted in memory, in slices that
// leave the browser time to react. Without scripts, the element that it is read from shows all rows.
"use strict";
const source = document.getElementById("rows");
if (source) {
  const ROWS = 200; // of one page
  const NUMBERS = new Set([2, 3, 4]); // columns
  const SLICE = 12; // milliseconds of work between two pauses
  const form = document.getElementById("filter");
  const told = document.getElementById("shown");
  const words = new Intl.Collator(undefined, { numeric: true });
  const figure = (number) => number.toLocaleString("en");
  const characters = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&amp;": "&" };

  // The markup of each row is one line, in which every value is escaped.
  const [head, ...lines] = source.textContent.split("\n<tr>");
  source.insertAdjacentHTML("afterend", `${head}</tbody></table></div>`);
  const table = document.getElementById("all");
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);

  /** Return a function to await now and then, which pauses if a slice of work has taken its time. */
  const pacer = () => {
    let end = performance.now() + SLICE;
    return async () => {
      if (performance.now() < end) return;
      await new Promise((resolve) => setTimeout(resolve));
      end = performance.now() + SLICE;
    };
  };

  const plain = (markup) =>
    markup.replace(/<[^>]*>/g, "").replace(/&(?:lt|gt|quot|#x27|amp);/g, (each) => characters[each]);

  const read = (line) => {
    const markup = `<tr>${line.split("\n", 1)[0]}`;
    const cells = markup.split(/<t[hd][^>]*>/).slice(1).map(plain);
    return { markup, cells, text: cells.join("\n").toLowerCase() };
  };

  const number = (text) => {
    const value = parseFloat(text.replaceAll(",", ""));
    return Number.isNaN(value) ? -1 : value;
  };

  const merged = async (left, right, compare, pause) => {
    const result = [];
    let at = 0;
    let other = 0;
    while (at < left.length && other < right.length) {
      result.push(compare(left[at], right[other]) <= 0 ? left[at++] : right[other++]);
      if (result.length % 256 === 0) await pause();
    }
    return result.concat(at < left.length ? left.slice(at) : right.slice(other));
  };

  const sorted = async (items, compare) => {
    const pause = pacer();
    let runs = [];
    for (let at = 0; at < items.length; at += 512) {
      runs.push(items.slice(at, at + 512).sort(compare));
      await pause();
    }
    while (runs.length > 1) {
      const pairs = [];
      for (let at = 0; at < runs.length; at += 2) {
        pairs.push(at + 1 < runs.length ? await merged(runs[at], runs[at + 1], compare, pause) : runs[at]);
      }
      runs = pairs;
    }
    return runs[0] ?? [];
  };

  let entries = [];
  let fitting = [];
  let page = 0;
  let pagers = [];

  const show = () => {
    const part = fitting.slice(page * ROWS, (page + 1) * ROWS);
    body.innerHTML = part.map((each) => each.markup).join("\n");
    const here = part.length < fitting.length ? `, ${figure(page * ROWS + 1)} to ${figure(page * ROWS + part.length)} here` : "";
    told.textContent = `${figure(fitting.length)} of ${figure(entries.length)} slides${here}`;
    table.dataset.shown = here && told.textContent; // on paper, too
    for (const [previous, next] of pagers) {
      previous.disabled = page === 0;
      next.disabled = (page + 1) * ROWS >= fitting.length;
      previous.parentElement.hidden = fitting.length <= ROWS;
    }
  };

  const filter = () => {
    const wanted = form.elements.text.value.trim().toLowerCase();
    const state = form.elements.state.value;
    fitting = entries.filter((each) => (!state || each.cells[1] === state) && each.text.includes(wanted));
    page = 0;
    show();
  };

  let order = 0; // of the latest click on a head
  const sort = async (cell, column) => {
    const mine = ++order;
    const isUpward = cell.getAttribute("aria-sort") !== "ascending";
    const isNumber = NUMBERS.has(column);
    table.setAttribute("aria-busy", "true");
    const keyed = entries.map((each) => [isNumber ? number(each.cells[column]) : each.cells[column], each]);
    const compare = isNumber ? (a, b) => a[0] - b[0] : (a, b) => words.compare(a[0], b[0]);
    const result = await sorted(keyed, isUpward ? compare : (a, b) => compare(b, a));
    if (mine !== order) return;
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    cell.setAttribute("aria-sort", isUpward ? "ascending" : "descending");
    entries = result.map((each) => each[1]);
    filter();
    table.removeAttribute("aria-busy");
  };

  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };

  const turn = (step) => () => {
    page += step;
    show();
    form.scrollIntoView();
  };

  const addPager = (place) => {
    const buttons = [button("Previous", turn(-1)), button("Next", turn(1))];
    const pager = document.createElement("span");
    pager.className = "pager";
    pager.append(...buttons);
    place(pager);
    pagers.push(buttons);
  };

  const prepare = async () => {
    body.innerHTML = lines.slice(0, ROWS).map((line) => read(line).markup).join("\n");
    const pause = pacer();
    const counts = new Map();
    for (const line of lines) {
      const entry = read(line);
      entries.push(entry);
      counts.set(entry.cells[1], (counts.get(entry.cells[1]) ?? 0) + 1);
      if (entries.length % 64 === 0) await pause();
    }
    source.remove();
    heads.forEach((cell, column) => {
      const act = button(cell.textContent, () => sort(cell, column));
      cell.replaceChildren(act);
    });
    for (const [state, count] of Array.from(counts).sort()) {
      form.elements.state.append(new Option(`${state} (${figure(count)})`, state));
    }
    addPager((pager) => form.append(pager));
    addPager((pager) => table.parentElement.after(pager));
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    filter();
  };
  prepare();
}
