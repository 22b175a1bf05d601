// The canvas: lanes, counters and marks over a time axis; d3 has the scale, the ticks and the zoom.
"use strict";

Tandem.Lanes = class {
  // `on` has pick(hit), hover(hit, event) and moved(from, to); a hit is {lane, index} or {step}.
  constructor(canvas, data, bubbles, on) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false });
    this.data = data;
    this.bubbles = bubbles;
    this.on = on;
    this.left = 132;
    this.picked = null;   // {lane, index}
    this.range = null;    // {start, end}: a bubble or a step that was chosen
    this.wanted = null;   // by name: whether the search asks for it
    this.pending = false;
    this.frames = [];     // [when, ms spent painting], for bench.js
    this.widths = new Map();
    this.rows = this.layout();
    this.scale = d3.scaleLinear().domain([data.begin, data.end]);
    this.view = this.scale;
    this.zoom = d3.zoom().on("zoom", () => this.moved());
    d3.select(canvas).call(this.zoom).on("dblclick.zoom", null);
    canvas.addEventListener("click", (event) => this.pick(this.hit(event)));
    canvas.addEventListener("mousemove", (event) => this.on.hover(this.hit(event), event));
    canvas.addEventListener("mouseleave", () => this.on.hover(null));
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
    this.theme();
    this.resize();
  }

  // What stands where: an axis, a row of steps, the lanes, two counters.
  layout() {
    let y = 28;
    const rows = [{ kind: "steps", name: "steps", y, height: 20 }];
    y += 26;
    Tandem.LANES.forEach((name, lane) => {
      if (this.data.count === 0) return;
      rows.push({ kind: "lane", name, lane, y, height: 34 });
      y += 40;
    });
    for (const [name, host, device] of [["token_num", "token_num", "device_rows"],
      ["real_bsz", "launch_bsz", "device_slots"]]) {
      let most = 1;
      for (const step of this.data.steps) most = Math.max(most, step[host], step[device]);
      rows.push({ kind: "counter", name, host, device, most, y: y + 6, height: 44 });
      y += 58;
    }
    this.height = y + 4;
    return rows;
  }

  theme() {
    const style = getComputedStyle(document.documentElement);
    this.color = {};
    for (const name of ["page", "ink", "faint", "line", "panel", "operation", "copy", "host", "launch", "wait",
      "idle", "faded", "label", "wait-label", "host-counter", "device-counter", "mark", "pick"]) {
      this.color[name] = style.getPropertyValue(`--${name}`).trim();
    }
    const c = this.color;
    this.kindColors = [[c.host, c.launch, c.wait, c.copy], [c.operation, c.launch, c.wait, c.copy],
      [c.operation, c.launch, c.wait, c.copy]];
    this.draw();
  }

  resize() {
    const ratio = window.devicePixelRatio || 1;
    const zoomed = d3.zoomTransform(this.canvas).k > 1;
    const shown = zoomed ? [this.view.invert(this.left), this.view.invert(this.width)] : null;
    this.width = Math.max(this.canvas.parentElement.clientWidth, this.left + 100);
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.scale.range([this.left, this.width]);
    const least = this.data.clock ? 50 : 2;  // ns, or steps, across
    const box = [[this.left, 0], [this.width, this.height]];
    this.zoom.extent(box).translateExtent(box)
      .scaleExtent([1, Math.max(1, (this.data.end - this.data.begin) / least)]);
    if (shown) this.show(shown[0], shown[1], 0); else this.moved();
  }

  moved() {
    this.view = d3.zoomTransform(this.canvas).rescaleX(this.scale);
    this.on.moved(this.view.invert(this.left), this.view.invert(this.width));
    this.draw();
  }

  // Shows [start, end) with some room around it.
  show(start, end, room = 0.5) {
    const span = Math.max(end - start, this.data.clock ? 50 : 2) * (1 + 2 * room);
    const k = Math.max((this.data.end - this.data.begin) / span, 1);
    const half = (this.data.end - this.data.begin) / k / 2;
    const middle = Math.min(Math.max((start + end) / 2, this.data.begin + half), this.data.end - half);
    const transform = d3.zoomIdentity.translate((this.left + this.width) / 2, 0).scale(k)
      .translate(-this.scale(middle), 0);
    d3.select(this.canvas).call(this.zoom.transform, transform);
  }
  fit() { d3.select(this.canvas).call(this.zoom.transform, d3.zoomIdentity); }
  panBy(share) {
    const k = d3.zoomTransform(this.canvas).k;
    d3.select(this.canvas).call(this.zoom.translateBy, -share * (this.width - this.left) / k, 0);
  }
  zoomBy(factor) { d3.select(this.canvas).call(this.zoom.scaleBy, factor); }

  pick(hit) {
    this.picked = hit && hit.lane !== undefined ? hit : null;
    this.range = null;
    this.on.pick(hit);
    this.draw();
  }
  mark(start, end) {
    this.range = { start, end };
    this.picked = null;
    this.draw();
  }
  want(wanted) {
    this.wanted = wanted;
    this.draw();
  }

  hit(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    const row = this.rows.find((r) => y >= r.y && y < r.y + r.height);
    if (!row || x < this.left) return null;
    const time = this.view.invert(x);
    if (row.kind !== "lane") {
      const step = this.firstStep(time);
      return step < this.data.steps.length && this.data.steps[step].start <= time ? { step } : null;
    }
    const lane = this.data.lanes[row.lane];
    const reach = Math.abs(this.view.invert(2) - this.view.invert(0));
    let index = Tandem.firstEndingAfter(lane, time);
    if (index >= lane.size || lane.start[index] > time) {  // between two: the nearer, if near
      const before = index > 0 ? time - lane.end[index - 1] : Infinity;
      const behind = index < lane.size ? lane.start[index] - time : Infinity;
      if (Math.min(before, behind) > reach) return null;
      if (before < behind) index--;
    }
    return { lane: row.lane, index };
  }
  firstStep(time) {
    const steps = this.data.steps;
    return Tandem.lowerBound(steps.length, (i) => steps[i].end > time);
  }

  draw() {
    if (this.pending || !this.color) return;
    this.pending = true;
    requestAnimationFrame((now) => {
      this.pending = false;
      const begin = performance.now();
      this.paint();
      this.frames.push([now, performance.now() - begin]);
      if (this.frames.length > 4096) this.frames.splice(0, 2048);
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
    this.paintAxis();
    for (const row of this.rows) {
      if (row.kind === "lane") this.paintLane(row, from, to);
      if (row.kind === "steps") this.paintSteps(row, from, to);
      if (row.kind === "counter") this.paintCounter(row, from, to);
    }
    if (this.range) this.paintRange();
    this.paintMarks();
    c.restore();
    for (const row of this.rows) this.paintName(row);
  }

  paintAxis() {
    const c = this.context;
    const ticks = this.view.ticks(Math.max(2, Math.floor((this.width - this.left) / 120)));
    const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
    const [unit, name] = !this.data.clock ? [1, ""] : step >= 1e8 ? [1e9, " s"]
      : step >= 1e5 ? [1e6, " ms"] : step >= 1e2 ? [1e3, " us"] : [1, " ns"];
    const digits = Math.max(0, Math.ceil(-Math.log10(step / unit) - 1e-9));
    c.strokeStyle = this.color.line;
    c.fillStyle = this.color.faint;
    c.textAlign = "left";
    for (const tick of ticks) {
      if (!this.data.clock && tick % 1 !== 0) continue;
      const x = Math.round(this.view(tick)) + 0.5;
      c.beginPath();
      c.moveTo(x, 20);
      c.lineTo(x, this.height);
      c.stroke();
      const text = this.data.clock ? `${((tick - this.data.begin) / unit).toFixed(digits)}${name}`
        : `step ${(this.data.steps[tick] || { t: "" }).t}`;
      const width = c.measureText(text).width;
      if (x < this.left - width || text === "step ") continue;
      c.fillText(text, Math.min(Math.max(x - width / 2, this.left + 2), this.width - width - 6), 11);
    }
  }

  paintRange() {
    const c = this.context;
    const x = this.view(this.range.start), width = Math.max(this.view(this.range.end) - x, 2);
    c.globalAlpha = 0.13;
    c.fillStyle = this.color.mark;
    c.fillRect(x, 20, width, this.height - 20);
    c.globalAlpha = 1;
    c.fillRect(Math.round(x) - 1, 20, 1, this.height - 20);
    c.fillRect(Math.round(x + width), 20, 1, this.height - 20);
  }

  // Spans narrower than a pixel share a column: its colour is that of most of its time, its
  // strength how much of it was spent. So a frame costs its pixels, not its spans.
  paintLane(row, from, to) {
    const c = this.context, data = this.data.lanes[row.lane], colors = this.kindColors[row.lane];
    c.fillStyle = this.color.idle;
    c.fillRect(this.left, row.y, this.width - this.left, row.height);
    c.textAlign = "left";
    const scale = (this.width - this.left) / (to - from), wanted = this.wanted;
    const spent = [0, 0, 0, 0, 0];  // by kind; 4 is what the search does not ask for
    let column = -1, busy = 0;
    const flush = () => {
      if (busy <= 0) return;
      let most = 0;
      for (let kind = 1; kind < 5; kind++) if (spent[kind] > spent[most]) most = kind;
      if (wanted && spent[0] + spent[1] + spent[2] + spent[3] > 0 && most === 4) {
        most = [0, 1, 2, 3].reduce((a, b) => (spent[b] > spent[a] ? b : a));  // a match is seen
        busy = 1;
      }
      c.globalAlpha = Math.min(1, Math.max(0.35, busy));
      c.fillStyle = most === 4 ? this.color.faded : colors[most];
      c.fillRect(column, row.y, 1, row.height);
      c.globalAlpha = 1;
      spent.fill(0);
      busy = 0;
    };
    for (let i = Tandem.firstEndingAfter(data, from); i < data.size && data.start[i] < to; i++) {
      const x = this.left + (data.start[i] - from) * scale;
      const width = (data.end[i] - data.start[i]) * scale;
      const faded = wanted !== null && !wanted[data.name[i]];
      if (width < 1) {
        if (Math.floor(x) !== column) { flush(); column = Math.floor(x); }
        spent[faded ? 4 : data.kind[i]] += width;
        busy += width;
        continue;
      }
      flush();
      c.fillStyle = faded ? this.color.faded : colors[data.kind[i]];
      c.fillRect(x, row.y, width, row.height);
      if (width > 4) {
        c.fillStyle = this.color.page;
        c.fillRect(x + width - 0.7, row.y, 0.7, row.height);
      }
      if (width > 30) {
        c.fillStyle = faded ? this.color.faint
          : data.kind[i] === 2 ? this.color["wait-label"] : this.color.label;
        this.paintLabel(this.data.names[data.name[i]], x, width, row);
      }
    }
    flush();
    if (row.lane === 1) this.paintBubbles(row);
    if (data.size === 0) {
      c.fillStyle = this.color.faint;
      c.fillText("no spans recorded", this.left + 8, row.y + row.height / 2);
    }
    if (this.picked && this.picked.lane === row.lane) this.paintPicked(row, data);
  }

  paintPicked(row, data) {
    const c = this.context, i = this.picked.index, x = this.view(data.start[i]);
    const begin = Math.max(x, this.left - 5), end = Math.min(this.view(data.end[i]), this.width + 5);
    c.strokeStyle = this.color.pick;
    c.lineWidth = 2;
    c.strokeRect(begin, row.y + 1, Math.max(end - begin, 2), row.height - 2);
    c.lineWidth = 1;
  }

  // The bubbles that are listed.
  paintBubbles(row) {
    const c = this.context;
    c.fillStyle = this.color.mark;
    for (const bubble of this.bubbles) {
      const x = this.view(bubble.start_ns), end = this.view(bubble.end_ns);
      c.fillRect(x, row.y + row.height, Math.max(end - x, 2), 3);
    }
  }

  textWidth(text) {
    let width = this.widths.get(text);
    if (width === undefined) this.widths.set(text, width = this.context.measureText(text).width);
    return width;
  }

  paintLabel(text, x, width, row) {
    const begin = Math.max(x, this.left) + 5;
    const room = Math.min(x + width, this.width) - begin - 4;
    const whole = this.textWidth(text);
    let shown = text;
    if (whole > room) {
      const letters = Math.floor(text.length * room / whole) - 1;
      if (letters < 3) return;
      shown = `${text.slice(0, letters)}…`;
    }
    this.context.fillText(shown, begin, row.y + row.height / 2 + 0.5);
  }

  paintSteps(row, from, to) {
    const c = this.context, steps = this.data.steps;
    c.textAlign = "left";
    c.fillStyle = this.color.idle;
    c.fillRect(this.left, row.y, this.width - this.left, row.height);
    let drawn = -Infinity;
    for (let i = this.firstStep(from); i < steps.length && steps[i].start < to; i++) {
      const x = this.view(steps[i].start), width = this.view(steps[i].end) - x;
      if (width < 3 && x - drawn < 3) continue;
      drawn = x;
      c.fillStyle = this.color.faint;
      c.globalAlpha = width < 3 ? 0.3 : 1;
      c.fillRect(Math.round(x), row.y, 1, row.height);
      c.globalAlpha = 1;
      const text = steps[i].repeat > 1
        ? `${steps[i].t}-${steps[i].t + steps[i].repeat - 1}` : String(steps[i].t);
      const begin = Math.max(x, this.left) + 4;
      if (x + width - begin < 7 * text.length + 2) continue;
      c.fillStyle = this.color.ink;
      c.fillText(text, begin, row.y + row.height / 2 + 0.5);
    }
  }

  // The device's value as an area, the host's as a line over it: where they differ it shows.
  paintCounter(row, from, to) {
    const c = this.context, steps = this.data.steps, bottom = row.y + row.height;
    const height = (value) => row.height * value / row.most;
    const first = Math.max(0, this.firstStep(from) - 2);
    // Calls `each` with columns [x, end) and the least and greatest value in each.
    const columns = (field, at, each) => {
      let x = -Infinity, low = 0, high = 0, last = null;
      for (let i = first; i < steps.length; i++) {
        const next = this.view(steps[i][at]);
        if (last !== null && next - x >= 1) {
          each(x, next, low, high, last);
          x = next;
          low = high = steps[i][field];
        } else if (last === null) {
          x = next;
          low = high = steps[i][field];
        }
        last = steps[i][field];
        low = Math.min(low, last);
        high = Math.max(high, last);
        if (next > this.width) return;
      }
      if (last !== null) each(x, Math.min(this.width, this.view(steps[steps.length - 1].end)), low, high, last);
    };
    c.fillStyle = this.color["device-counter"];
    columns(row.device, "device_at", (x, end, low, high) => {
      c.fillRect(x, bottom - height(high), end - x + 0.3, height(high));
    });
    c.strokeStyle = this.color["host-counter"];
    c.lineWidth = 1.5;
    c.beginPath();
    let begun = false;
    columns(row.host, "host_at", (x, end, low, high, last) => {
      if (!begun) c.moveTo(x, bottom - height(high));
      begun = true;
      c.lineTo(x, bottom - height(high));
      if (low !== high) c.lineTo(x, bottom - height(low));
      c.lineTo(x, bottom - height(last));
      c.lineTo(end, bottom - height(last));
    });
    c.stroke();
    c.lineWidth = 1;
    c.fillStyle = this.color.line;
    c.fillRect(this.left, bottom, this.width - this.left, 1);
  }

  paintMarks() {
    const c = this.context;
    c.fillStyle = this.color.mark;
    let drawn = -Infinity;
    for (const mark of this.data.marks) {
      const step = this.data.steps[mark.step];
      if (!step) continue;
      const x = this.view(step.start);
      if (x - drawn < 3) continue;
      drawn = x;
      c.beginPath();
      c.moveTo(x - 5, 19);
      c.lineTo(x + 5, 19);
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
      c.fillText(row.name, 12, row.y + row.height / 2 + 0.5);
      return;
    }
    c.fillText(row.name, 12, row.y + row.height / 2 + 0.5);
    c.fillStyle = this.color.faint;
    c.textAlign = "right";
    c.fillText(String(row.most), this.left - 8, row.y + 5);
    c.fillText("0", this.left - 8, row.y + row.height - 4);
  }
};
