// The tables: bubbles, critical path, steps. Rows are made as text, never as markup.
"use strict";

Tandem.cell = function (row, text, isText) {
  const cell = document.createElement("td");
  cell.textContent = text;
  if (isText) cell.className = "text";
  row.appendChild(cell);
  return cell;
};

// columns: [title, isText, value(item)]; onRow gets the item and its index.
Tandem.table = function (table, columns, items, onRow) {
  table.textContent = "";
  const head = table.createTHead().insertRow();
  for (const [title, isText] of columns) {
    const cell = document.createElement("th");
    cell.textContent = title;
    if (isText) cell.className = "text";
    head.appendChild(cell);
  }
  const body = table.createTBody();
  items.forEach((item, index) => body.appendChild(Tandem.row(columns, item, index, onRow)));
  return body;
};

Tandem.row = function (columns, item, index, onRow) {
  const row = document.createElement("tr");
  for (const [, isText, value] of columns) Tandem.cell(row, value(item), isText);
  if (onRow) {
    row.tabIndex = 0;
    row.addEventListener("click", () => onRow(item, index));
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") onRow(item, index); });
  }
  return row;
};

Tandem.bubbleTable = function (table, report, onRow) {
  Tandem.table(table, [
    ["idle", false, (b) => Tandem.duration(b.idle_ns)],
    ["alike", false, (b) => b.alike],
    ["step", false, (b) => b.step],
    ["cause", true, (b) => b.cause.text],
    ["in front of", true, (b) => b.before],
  ], report.bubbles, onRow);
};

// What a share of the path is spent on, in words.
Tandem.pathWords = function (share) {
  if (share.kind === "no_work") return "no work";
  const row = share.row ? ` (${share.row})` : "";
  const what = share.event ? `wait ${share.event}` : share.operation;
  if (share.kind === "gap") return `${share.lane}: gap in front of ${what}${row}`;
  return `${share.lane}: ${share.kind === "launch" ? "launch " : ""}${what}${row}`;
};

Tandem.pathTable = function (table, report) {
  const path = report.critical_path || {};
  const total = path.total_ns || 0;
  const share = (ns) => (total > 0 ? `${(100 * ns / total).toFixed(1)} %` : "-");
  Tandem.table(table, [
    ["share", false, (s) => share(s.on_path_ns)],
    ["time", false, (s) => Tandem.duration(s.on_path_ns)],
    ["what", true, Tandem.pathWords],
    ["least slack", false, (s) => (s.slack_min_ns == null ? "-" : Tandem.duration(s.slack_min_ns))],
  ], (path.shares || []).filter((s) => s.on_path_ns > 0)
    .sort((a, b) => b.on_path_ns - a.on_path_ns), null);
};

// Only the rows in sight exist: a run may have a million steps.
Tandem.StepTable = class {
  constructor(scroll, table, data, onRow) {
    this.scroll = scroll;
    this.data = data;
    this.onRow = onRow;
    this.rowHeight = 27;
    this.first = -1;
    this.diverged = new Set(data.marks.map((mark) => mark.step));
    this.columns = [
      ["step", false, (s) => s.t],
      ["kind", true, (s) => ["back", "empty", "idle"][s.kind] + (s.repeat > 1 ? ` x ${s.repeat}` : "")],
      ["mode", true, (s) => ["exact", "predicted"][s.mode]],
      ["start", false, (s) => Tandem.duration(s.start - data.begin)],
      ["length", false, (s) => Tandem.duration(s.end - s.start)],
      ["token_num", false, (s) => s.token_num],
      ["rows on the device", false, (s) => s.device_rows],
      ["real_bsz", false, (s) => s.launch_bsz],
      ["slots on the device", false, (s) => s.device_slots],
    ];
    this.body = Tandem.table(table, this.columns, [], null);
    scroll.addEventListener("scroll", () => this.fill());
    this.fill();
  }

  fill() {
    const count = this.data.steps.length;
    const shown = Math.ceil(this.scroll.clientHeight / this.rowHeight) + 20;
    const first = Math.max(0, Math.min(count - shown, Math.floor(this.scroll.scrollTop / this.rowHeight) - 10));
    if (first === this.first) return;
    this.first = first;
    const last = Math.min(count, first + shown);
    this.body.textContent = "";
    this.body.appendChild(this.spacer(first));
    for (let i = first; i < last; i++) {
      const row = Tandem.row(this.columns, this.data.steps[i], i, this.onRow);
      row.style.height = `${this.rowHeight}px`;
      if (this.diverged.has(i)) row.classList.add("diverged");
      this.body.appendChild(row);
    }
    this.body.appendChild(this.spacer(count - last));
  }

  spacer(rows) {
    const row = document.createElement("tr");
    row.className = "spacer";
    row.style.height = `${rows * this.rowHeight}px`;
    return row;
  }

  goTo(index) {
    this.scroll.scrollTop = Math.max(0, index * this.rowHeight - this.scroll.clientHeight / 2);
    this.fill();
  }
};
