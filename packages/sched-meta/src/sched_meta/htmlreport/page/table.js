const MOST_ROWS = 1000;

const text = (column) => ({ value: (p) => jobs[column][p], words: (p) => jobs[column][p], known: (p) => jobs[column][p] !== "" });
const amount = (column, inWords) => ({
  value: (p) => jobs[column][p], words: (p) => inWords(jobs[column][p]), known: (p) => jobs[column][p] >= 0, kind: "number", largest: true,
});

const lastLine = (p) => (jobs.words[p] < 0 ? "" : data.words[jobs.words[p]]);
const COLUMNS = [
  { title: "job", ...amount("index", String), largest: false },
  { title: "name", ...text("name"), kind: "raw short" },
  { title: "state", value: (p) => jobs.state[p], words: (p) => data.states[jobs.state[p]], known: () => true, state: true },
  { title: "rc", value: (p) => jobs.rc[p] ?? -1, words: (p) => String(jobs.rc[p] ?? ""), known: (p) => jobs.rc[p], kind: "number", largest: true },
  { title: "failure", ...text("failure") },
  { title: "attempts", ...amount("attempt", String), known: (p) => jobs.attempt[p] > 1 },
  { title: "host", ...text("host"), kind: "raw short" },
  { title: "waited", ...amount("waited", span) },
  { title: "ran", ...amount("wall", span) },
  { title: "cpu", ...amount("cpu", span) },
  { title: "memory", ...amount("memory", memory) },
  { title: "command", ...text("cmd"), kind: "raw cmd", code: true },
  { title: "last line", value: lastLine, words: lastLine, known: lastLine, kind: "raw line" },
];

/** The jobs that fit what was typed, in the order that was asked for, the first of them shown. */
class Table {
  constructor(table) {
    this.table = table;
    this.columns = COLUMNS.filter((column) => column === COLUMNS[0] || jobs.index.some((_, p) => column.known(p)));
    this.column = COLUMNS[0];
    this.down = false;
    this.find = "";
    this.state = -1;
    this.order = jobs.index.map((_, p) => p);
    this.texts = null;
  }

  head() {
    const row = made("tr");
    for (const column of this.columns) {
      const cell = made("th", "", { scope: "col", class: column.kind || "" });
      const button = made("button", column.title, { type: "button" });
      button.addEventListener("click", () => this.sort(column));
      cell.append(button);
      column.cell = cell;
      row.append(cell);
    }
    this.table.tHead.replaceChildren(row);
  }

  sort(column) {
    this.down = column === this.column ? !this.down : Boolean(column.largest);
    this.column = column;
    const sign = this.down ? -1 : 1;
    this.order.sort((p, q) => sign * compared(column.value(p), column.value(q)) || p - q);
    this.fill();
  }

  fits(p) {
    return (this.state < 0 || jobs.state[p] === this.state) && (!this.find || this.textOf(p).includes(this.find));
  }

  /** What a job can be found by; made once, when somebody looks for something. */
  textOf(p) {
    this.texts ||= jobs.index.map((index, q) =>
      [index, jobs.name[q], jobs.cmd[q], jobs.host[q], jobs.failure[q], lastLine(q)].join("\n").toLowerCase());
    return this.texts[p];
  }

  fill() {
    const found = this.order.filter((p) => this.fits(p));
    const rows = found.slice(0, MOST_ROWS).map((p) => this.row(p));
    this.table.tBodies[0].replaceChildren(...rows);
    for (const column of this.columns) column.cell.removeAttribute("aria-sort");
    this.column.cell.setAttribute("aria-sort", this.down ? "descending" : "ascending");
    const more = found.length > rows.length ? `the first ${counted(rows.length)} of ` : "";
    element("jobs-shown").textContent = more + many(found.length, "job");
  }

  row(p) {
    const row = made("tr");
    for (const column of this.columns) row.append(cellOf(column, p));
    return row;
  }
}

function compared(a, b) {
  return typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b;
}

function cellOf(column, p) {
  const words = column.words(p);
  if (column === COLUMNS[0]) return made("th", words, { scope: "row", class: "number" });
  const cell = made("td", column.state || column.code ? "" : words, { class: column.kind || "" });
  if (cell.classList.contains("short")) cell.title = words;
  if (column.state) cell.append(made("span", words, { class: `state ${words}` }));
  if (column.code) cell.append(made("code", words));
  return cell;
}

function startTable() {
  const table = new Table(element("jobs-table"));
  const select = element("jobs-state");
  select.append(made("option", "all", { value: -1 }));
  data.states.forEach((state, number) => {
    const there = jobs.state.filter((s) => s === number).length;
    if (there) select.append(made("option", `${state} (${counted(there)})`, { value: number }));
  });
  select.addEventListener("change", () => {
    table.state = Number(select.value);
    table.fill();
  });
  const find = element("jobs-find");
  find.addEventListener("input", () => {
    table.find = find.value.trim().toLowerCase();
    table.fill();
  });
  element("jobs-controls").hidden = false;
  table.head();
  table.fill();
}

startTable();
