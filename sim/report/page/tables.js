// The tables: divergences, bubbles, critical path, steps. Cells are made as text, never as markup.
"use strict";

// columns: [title, isText, value(item)]; onRow gets the item and its index, null where none.
Tandem.row = function (columns, item, index, onRow) {
  const row = document.createElement("tr");
  for (const [, isText, value] of columns) {
    const cell = row.insertCell();
    cell.textContent = value(item);
    if (isText) cell.className = "text";
  }
  if (onRow) {
    row.tabIndex = 0;
    row.addEventListener("click", () => onRow(item, index));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") onRow(item, index); });
  }
  return row;
};

Tandem.table = function (table, columns, items, onRow) {
  table.textContent = "";
  const head = table.createTHead().insertRow();
  for (const [title, isText] of columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = title;
    if (isText) cell.className = "text";
    head.appendChild(cell);
  }
  const body = table.createTBody();
  items.forEach((item, index) => body.appendChild(Tandem.row(columns, item, index, onRow)));
  return body;
};

// Marks one row of a body as chosen; none where `index` is negative.
Tandem.choose = function (body, index) {
  [...body.rows].forEach((row, i) => row.setAttribute("aria-selected", String(i === index)));
};

Tandem.bubbleTable = function (table, bubbles, onRow) {
  return Tandem.table(table, [
    ["idle, ms", false, (b) => Tandem.ms(b.idle_ns)],
    ["alike", false, (b) => Tandem.count(b.alike)],
    ["step", false, (b) => b.step],
    ["cause", true, (b) => b.cause.text],
    ["in front of", true, (b) => b.before],
  ], bubbles, onRow);
};

// What a share of the path is spent on, in words.
Tandem.pathWords = function (share) {
  if (share.kind === "no_work") return "no work";
  const row = share.row ? ` (${share.row})` : "";
  const what = share.event ? `wait ${share.event}` : share.operation;
  if (share.kind === "gap") return `${share.lane}: gap in front of ${what}${row}`;
  return `${share.lane}: ${share.kind === "launch" ? "launch " : ""}${what}${row}`;
};

Tandem.pathTable = function (table, path) {
  Tandem.table(table, [
    ["share", false, (s) => Tandem.percent(s.on_path_ns, path.total_ns)],
    ["time, ms", false, (s) => Tandem.ms(s.on_path_ns)],
    ["what", true, Tandem.pathWords],
    ["least slack, ms", false, (s) => (s.slack_min_ns === null || s.slack_min_ns === undefined
      ? "-" : Tandem.ms(s.slack_min_ns))],
  ], path.shares.filter((s) => s.on_path_ns > 0).sort((a, b) => b.on_path_ns - a.on_path_ns), null);
};

Tandem.waitTable = function (table, waits) {
  Tandem.table(table, [
    ["times", false, (w) => Tandem.count(w.count)],
    ["the host waits for", true, (w) => w.cause.text],
  ], waits, null);
};

// Only the rows in sight exist: a run may have a million steps.
Tandem.StepTable = class {
  constructor(scroll, data, onRow) {
    this.scroll = scroll;
    this.data = data;
    this.onRow = onRow;
    this.rowHeight = 27;
    this.first = -1;
    this.chosen = -1;
    this.diverged = new Set(data.marks.map((mark) => mark.step));
    const times = data.clock ? [
      ["start, ms", false, (s) => Tandem.ms(s.start - data.begin)],
      ["length, ms", false, (s) => Tandem.ms(s.end - s.start)],
    ] : [];
    this.columns = [
      ["step", false, (s) => s.t],
      ["kind", true, (s) => Tandem.STEP_KINDS[s.kind] + (s.repeat > 1 ? ` x ${s.repeat}` : "")],
      ["mode", true, (s) => Tandem.MODES[s.mode]],
      ...times,
      ["token_num", false, (s) => s.token_num],
      ["rows on the device", false, (s) => s.device_rows],
      ["real_bsz", false, (s) => s.launch_bsz],
      ["slots on the device", false, (s) => s.device_slots],
    ];
    this.body = Tandem.table(scroll.querySelector("table"), this.columns, [], null);
    scroll.addEventListener("scroll", () => this.fill());
    this.fill();
  }

  fill() {
    const count = this.data.steps.length;
    const shown = Math.ceil((this.scroll.clientHeight || 300) / this.rowHeight) + 20;
    const first = Math.max(0,
      Math.min(count - shown, Math.floor(this.scroll.scrollTop / this.rowHeight) - 10));
    if (first === this.first) return;
    this.first = first;
    const last = Math.min(count, first + shown);
    this.body.textContent = "";
    this.body.appendChild(this.spacer(first));
    for (let i = first; i < last; i++) {
      const row = Tandem.row(this.columns, this.data.steps[i], i, this.onRow);
      row.style.height = `${this.rowHeight}px`;
      if (this.diverged.has(i)) row.classList.add("diverged");
      row.setAttribute("aria-selected", String(i === this.chosen));
      this.body.appendChild(row);
    }
    this.body.appendChild(this.spacer(count - last));
  }

  spacer(rows) {
    const row = document.createElement("tr");
    row.className = "spacer";
    row.insertCell().colSpan = this.columns.length;
    row.style.height = `${rows * this.rowHeight}px`;
    row.hidden = rows === 0;
    return row;
  }

  choose(index) {
    this.chosen = index;
    this.first = -1;
    this.fill();
  }
  goTo(index) {
    const top = index * this.rowHeight;
    const room = this.scroll.clientHeight - 2 * this.rowHeight;  // less the head
    if (top < this.scroll.scrollTop || top > this.scroll.scrollTop + room) {
      this.scroll.scrollTop = Math.max(0, top - room / 2);
    }
    this.choose(index);
  }
};
