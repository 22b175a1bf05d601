// The canvas: lanes, counters and marks over a time axis; d3 has the scale, the ticks and the zoom.
"use strict";

Tandem.Lanes = class {
  constructor(canvas, data, onPick, onHover) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.data = data;
    this.onPick = onPick;
    this.onHover = onHover;
    this.left = 120;
    this.laneHeight = 30;
    this.picked = null;   // {lane, index}
    this.range = null;    // {start, end}: a bubble or a step that was chosen
    this.pending = false;
    this.frames = [];     // when frames were drawn, for measuring
    this.rows = this.layout();
    this.scale = d3.scaleLinear().domain([data.begin, data.end]);
    this.view = this.scale;
    this.zoom = d3.zoom().on("zoom", () => this.moved(d3.event ? d3.event.transform : null));
    d3.select(canvas).call(this.zoom).on("dblclick.zoom", null);
    canvas.addEventListener("click", (event) => this.pick(this.hit(event)));
    canvas.addEventListener("mousemove", (event) => this.onHover(this.hit(event), event));
    canvas.addEventListener("mouseleave", () => this.onHover(null));
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.theme();
    this.resize();
  }

  // What stands where: an axis, a row of steps, three lanes, two counters.
  layout() {
    let y = 26;
    const rows = [{ kind: "steps", name: "steps", y, height: 18 }];
    y += 24;
    for (const lane of Tandem.LANES) {
      rows.push({ kind: "lane", name: lane.name, lane: lane.lane, y, height: this.laneHeight });
      y += this.laneHeight + 6;
    }
    for (const [name, host, device] of [["token_num", "token_num", "device_rows"],
      ["real_bsz", "launch_bsz", "device_slots"]]) {
      let most = 1;
      for (const step of this.data.steps) most = Math.max(most, step[host], step[device]);
      rows.push({ kind: "counter", name, host, device, most, y: y + 6, height: 44 });
      y += 56;
    }
    this.height = y + 6;
    return rows;
  }

  theme() {
    const style = getComputedStyle(document.documentElement);
    this.color = {};
    for (const name of ["page", "ink", "faint", "line", "panel", "operation", "copy", "host",
      "launch", "wait", "idle", "host-counter", "device-counter", "mark", "pick"]) {
      this.color[name] = style.getPropertyValue(`--${name}`).trim();
    }
    this.draw();
  }

  resize() {
    const width = this.canvas.parentElement.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    this.width = Math.max(width, this.left + 100);
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.scale.range([this.left, this.width]);
    const deepest = Math.max(1, (this.data.end - this.data.begin) / 50);  // 50 ns across
    this.zoom.extent([[this.left, 0], [this.width, this.height]])
      .translateExtent([[this.left, 0], [this.width, this.height]]).scaleExtent([1, deepest]);
    this.moved(d3.zoomTransform(this.canvas));
  }

  moved(transform) {
    this.view = (transform || d3.zoomTransform(this.canvas)).rescaleX(this.scale);
    this.draw();
  }

  // Shows [start, end) with some room around it.
  show(start, end, room = 0.5) {
    const span = Math.max(end - start, 50) * (1 + 2 * room);
    const middle = (start + end) / 2;
    const k = (this.data.end - this.data.begin) / span;
    const transform = d3.zoomIdentity.translate((this.left + this.width) / 2, 0)
      .scale(Math.max(k, 1)).translate(-this.scale(middle), 0);
    d3.select(this.canvas).call(this.zoom.transform, transform);
  }
  fit() { d3.select(this.canvas).call(this.zoom.transform, d3.zoomIdentity); }
  panBy(share) {
    const k = d3.zoomTransform(this.canvas).k;
    d3.select(this.canvas).call(this.zoom.translateBy, -share * (this.width - this.left) / k, 0);
  }
  zoomBy(factor) { d3.select(this.canvas).call(this.zoom.scaleBy, factor); }

  pick(hit) {
    this.picked = hit;
    if (hit) this.range = null;
    this.onPick(hit);
    this.draw();
  }
  mark(start, end) {
    this.range = { start, end };
    this.picked = null;
    this.draw();
  }

  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const row = this.rows.find((r) => r.kind === "lane" && y >= r.y && y < r.y + r.height);
    if (!row || x < this.left) return null;
    const lane = this.data.lanes[row.lane];
    const reach = Math.abs(this.view.invert(2) - this.view.invert(0));
    const time = this.view.invert(x);
    const index = Tandem.firstEndingAfter(lane, time - reach);
    if (index >= lane.size || lane.start[index] > time + reach) return null;
    return { lane: row.lane, index };
  }

  draw() {
    if (this.pending || !this.color) return;
    this.pending = true;
    requestAnimationFrame((now) => {
      this.pending = false;
      this.frames.push(now);
      if (this.frames.length > 4096) this.frames.splice(0, 2048);
      this.paint();
    });
  }

  paint() {
    const c = this.context;
    c.fillStyle = this.color.page;
    c.fillRect(0, 0, this.width, this.height);
    c.font = "12px system-ui, sans-serif";
    c.textBaseline = "middle";
    const [from, to] = [this.view.invert(this.left), this.view.invert(this.width)];
    c.save();
    c.beginPath();
    c.rect(this.left, 0, this.width - this.left, this.height);
    c.clip();
    this.paintAxis(from);
    if (this.range) this.paintRange();
    for (const row of this.rows) {
      if (row.kind === "lane") this.paintLane(row, from, to);
      if (row.kind === "steps") this.paintSteps(row, from, to);
      if (row.kind === "counter") this.paintCounter(row, from, to);
    }
    this.paintMarks();
    c.restore();
    for (const row of this.rows) this.paintName(row);
  }

  paintAxis(from) {
    const c = this.context;
    const ticks = this.view.ticks(Math.max(2, Math.floor((this.width - this.left) / 120)));
    c.strokeStyle = this.color.line;
    c.fillStyle = this.color.faint;
    c.textAlign = "center";
    const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
    const [unit, name] = step >= 1e8 ? [1e9, "s"] : step >= 1e5 ? [1e6, "ms"] : step >= 1e2 ? [1e3, "us"] : [1, "ns"];
    const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
    for (const tick of ticks) {
      const x = Math.round(this.view(tick)) + 0.5;
      c.beginPath();
      c.moveTo(x, 20);
      c.lineTo(x, this.height);
      c.stroke();
      c.fillText(`${((tick - this.data.begin) / unit).toFixed(digits)} ${name}`, x, 11);
    }
  }

  paintRange() {
    const c = this.context;
    const x = this.view(this.range.start), width = Math.max(this.view(this.range.end) - x, 2);
    c.globalAlpha = 0.18;
    c.fillStyle = this.color.mark;
    c.fillRect(x, 20, width, this.height - 20);
    c.globalAlpha = 1;
  }

  kindColor(lane, kind) {
    if (kind === 3) return this.color.copy;
    if (kind === 2) return this.color.wait;
    if (kind === 1) return this.color.launch;
    return lane === 0 ? this.color.host : this.color.operation;
  }

  // Spans that share a pixel with the one before are drawn with it: a frame costs its pixels.
  paintLane(row, from, to) {
    const c = this.context, data = this.data.lanes[row.lane];
    c.fillStyle = this.color.idle;
    c.fillRect(this.left, row.y, this.width - this.left, row.height);
    c.textAlign = "left";
    const scale = (this.width - this.left) / (to - from);
    let drawn = -1;
    for (let i = Tandem.firstEndingAfter(data, from); i < data.size && data.start[i] < to; i++) {
      let x = this.left + (data.start[i] - from) * scale;
      const end = this.left + (data.end[i] - from) * scale;
      if (end <= drawn) continue;
      x = Math.max(x, drawn);
      const width = Math.max(end - x, 1);
      c.fillStyle = this.kindColor(row.lane, data.kind[i]);
      c.fillRect(x, row.y, width, row.height);
      drawn = width === 1 ? x + 1 : x + width;
      if (width > 3) {
        c.fillStyle = this.color.page;
        c.fillRect(x + width - 0.5, row.y, 0.5, row.height);
      }
      if (width > 44) this.paintLabel(this.data.names[data.name[i]], x, width, row);
    }
    if (this.picked && this.picked.lane === row.lane) {
      const i = this.picked.index, x = this.view(data.start[i]);
      c.strokeStyle = this.color.pick;
      c.lineWidth = 2;
      c.strokeRect(x, row.y + 1, Math.max(this.view(data.end[i]) - x, 2), row.height - 2);
      c.lineWidth = 1;
    }
  }

  paintLabel(text, x, width, row) {
    const c = this.context;
    const shown = Math.max(x, this.left);
    const room = x + width - shown - 8;
    if (room < 30) return;
    c.save();
    c.beginPath();
    c.rect(shown, row.y, room + 6, row.height);
    c.clip();
    c.fillStyle = "#ffffff";
    c.fillText(text, shown + 4, row.y + row.height / 2);
    c.restore();
  }

  paintSteps(row, from, to) {
    const c = this.context, steps = this.data.steps;
    let low = 0, high = steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle].end <= from) low = middle + 1; else high = middle;
    }
    c.textAlign = "left";
    let drawn = -1;
    for (let i = low; i < steps.length && steps[i].start < to; i++) {
      const x = this.view(steps[i].start), width = this.view(steps[i].end) - x;
      if (x + width <= drawn) continue;
      c.fillStyle = i % 2 ? this.color.panel : this.color.idle;
      c.fillRect(x, row.y, Math.max(width, 1), row.height);
      drawn = x + Math.max(width, 1);
      if (width < 34) continue;
      c.fillStyle = this.color.ink;
      c.fillText(String(steps[i].t), Math.max(x, this.left) + 3, row.y + row.height / 2);
    }
  }

  // Host above device: where they differ both lines show.
  paintCounter(row, from, to) {
    const c = this.context;
    c.strokeStyle = this.color.line;
    c.strokeRect(this.left - 0.5, row.y - 0.5, this.width, row.height + 1);
    for (const [field, at, color, thick] of [[row.device, "device_at", "device-counter", 3],
      [row.host, "host_at", "host-counter", 1.5]]) {
      c.strokeStyle = this.color[color];
      c.lineWidth = thick;
      c.beginPath();
      let begun = false, last = row.y + row.height, lastX = -Infinity;
      for (const step of this.data.steps) {
        if (step.end < from && step[at] < from) {
          last = row.y + row.height * (1 - step[field] / row.most);
          continue;
        }
        if (!begun) { c.moveTo(this.left, last); begun = true; }
        const x = this.view(step[at]);
        const y = row.y + row.height * (1 - step[field] / row.most);
        if (y !== last || x - lastX >= 1) {
          c.lineTo(x, last);
          c.lineTo(x, y);
          lastX = x;
        }
        last = y;
        if (step[at] > to) break;
      }
      if (begun) c.lineTo(this.width, last);
      c.stroke();
    }
    c.lineWidth = 1;
  }

  paintMarks() {
    const c = this.context;
    c.fillStyle = this.color.mark;
    let drawn = -Infinity;
    for (const mark of this.data.marks) {
      const x = this.view(this.data.steps[mark.step].start);
      if (x - drawn < 2) continue;
      drawn = x;
      c.beginPath();
      c.moveTo(x - 5, 20);
      c.lineTo(x + 5, 20);
      c.lineTo(x, 28);
      c.fill();
      c.fillRect(x - 0.5, 20, 1, this.height - 20);
    }
  }

  paintName(row) {
    const c = this.context;
    c.textAlign = "left";
    c.fillStyle = this.color.ink;
    if (row.kind !== "counter") {
      c.fillText(row.name, 8, row.y + row.height / 2);
      return;
    }
    c.fillText(`${row.name}, to ${row.most}`, 8, row.y + 8);
    c.fillStyle = this.color["host-counter"];
    c.fillText("host", 8, row.y + 24);
    c.fillStyle = this.color["device-counter"];
    c.fillText("device", 44, row.y + 24);
  }
};
