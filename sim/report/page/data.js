// The run as columns: what html_report.cpp wrote, decoded once. Times are nanoseconds.
"use strict";
const Tandem = {};

Tandem.KINDS = ["operation", "launch", "wait", "copy"];
Tandem.LANES = ["host thread", "compute stream", "copy stream"];
Tandem.STEP_KINDS = ["back", "empty", "idle"];
Tandem.MODES = ["exact", "predicted"];

// First of [0, size) for which `reached` holds, else size; it holds for all behind it.
Tandem.lowerBound = function (size, reached) {
  let low = 0, high = size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (reached(middle)) high = middle; else low = middle + 1;
  }
  return low;
};

// Spans by lane, in order of start; steps beside them. `raw` is the JSON of #spans. Without any
// clock (`clock` is false) a step is one unit long.
Tandem.decode = function (raw) {
  const clock = raw.steps.some((s) => s[4] !== 0 || s[5] !== 0);
  const sizes = [0, 0, 0];
  for (const step of raw.steps) {
    for (let i = 0; i < step[12].length; i += 6) sizes[step[12][i]]++;
  }
  const lanes = sizes.map((size) => ({
    start: new Float64Array(size), end: new Float64Array(size), name: new Uint16Array(size),
    kind: new Uint8Array(size), row: new Int8Array(size), step: new Uint32Array(size), size: 0,
  }));
  const steps = raw.steps.map((s, index) => {
    const nodes = s[12], at = clock ? s[4] : index;
    for (let i = 0; i < nodes.length; i += 6) {
      const lane = lanes[nodes[i]], slot = lane.size++;
      lane.name[slot] = nodes[i + 1];
      lane.kind[slot] = nodes[i + 2];
      lane.start[slot] = at + nodes[i + 3];
      lane.end[slot] = at + nodes[i + 3] + nodes[i + 4];
      lane.row[slot] = nodes[i + 5];
      lane.step[slot] = index;
    }
    return {
      t: s[0], repeat: s[1], kind: s[2], mode: s[3], start: at, end: clock ? at + s[5] : at + 1,
      token_num: s[6], device_rows: s[7], launch_bsz: s[8], device_slots: s[9],
      host_at: clock ? at + s[10] : at, device_at: clock ? at + s[11] : at,
    };
  });
  let begin = Infinity, end = -Infinity;
  for (const lane of lanes) {
    for (let i = 0; i < lane.size; i++) {
      begin = Math.min(begin, lane.start[i]);
      end = Math.max(end, lane.end[i]);
    }
  }
  for (const step of steps) {
    begin = Math.min(begin, step.start);
    end = Math.max(end, step.end);
  }
  if (!(begin < end)) { begin = 0; end = 1; }
  const marks = raw.marks.map(([t, text]) => ({ t, text, step: Tandem.stepOf(steps, t) }));
  const count = sizes.reduce((sum, size) => sum + size, 0);
  return { clock, count, lanes, steps, names: raw.names, marks, begin, end };
};

// Index of the step that stands for iteration t, else the last before it.
Tandem.stepOf = function (steps, t) {
  return Math.max(Tandem.lowerBound(steps.length, (i) => steps[i].t > t) - 1, 0);
};

// First index whose span ends after `time`: spans of a lane do not overlap.
Tandem.firstEndingAfter = function (lane, time) {
  return Tandem.lowerBound(lane.size, (i) => lane.end[i] > time);
};

Tandem.count = (number) => number.toLocaleString("en-US");
Tandem.percent = (part, whole) => (whole > 0 ? `${(100 * part / whole).toFixed(1)} %` : "-");
// For columns: one unit, so that digits stand below each other.
Tandem.ms = (ns) => (ns / 1e6).toFixed(3);
Tandem.duration = function (ns) {
  const size = Math.abs(ns);
  if (size < 1e3) return `${Math.round(ns)} ns`;
  if (size < 1e6) return `${(ns / 1e3).toFixed(2)} us`;
  if (size < 1e9) return `${(ns / 1e6).toFixed(3)} ms`;
  return `${(ns / 1e9).toFixed(4)} s`;
};
