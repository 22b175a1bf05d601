// The run as columns: what html_report.cpp wrote, decoded once. Times are nanoseconds.
"use strict";
const Tandem = {};

Tandem.KINDS = ["operation", "launch", "wait", "copy"];
Tandem.LANES = [
  { name: "host thread", lane: 0 },
  { name: "compute stream", lane: 1 },
  { name: "copy stream", lane: 2 },
];

// Spans by lane, in order of start; steps beside them. `raw` is the JSON of #spans.
Tandem.decode = function (raw) {
  const count = raw.steps.reduce((sum, step) => sum + step[12].length / 6, 0);
  const sizes = [0, 0, 0];
  for (const step of raw.steps) {
    for (let i = 0; i < step[12].length; i += 6) sizes[step[12][i]]++;
  }
  const lanes = sizes.map((size) => ({
    start: new Float64Array(size), end: new Float64Array(size), name: new Uint16Array(size),
    kind: new Uint8Array(size), row: new Int8Array(size), step: new Uint32Array(size), size: 0,
  }));
  const steps = raw.steps.map((s, index) => {
    const nodes = s[12];
    for (let i = 0; i < nodes.length; i += 6) {
      const lane = lanes[nodes[i]];
      const at = lane.size++;
      lane.name[at] = nodes[i + 1];
      lane.kind[at] = nodes[i + 2];
      lane.start[at] = s[4] + nodes[i + 3];
      lane.end[at] = s[4] + nodes[i + 3] + nodes[i + 4];
      lane.row[at] = nodes[i + 5];
      lane.step[at] = index;
    }
    return {
      t: s[0], repeat: s[1], kind: s[2], mode: s[3], start: s[4], end: s[4] + s[5],
      token_num: s[6], device_rows: s[7], launch_bsz: s[8], device_slots: s[9],
      host_at: s[4] + s[10], device_at: s[4] + s[11],
    };
  });
  let begin = Infinity, end = -Infinity;
  for (const lane of lanes) {
    if (lane.size === 0) continue;
    begin = Math.min(begin, lane.start[0]);
    for (let i = 0; i < lane.size; i++) end = Math.max(end, lane.end[i]);
  }
  for (const step of steps) {
    begin = Math.min(begin, step.start);
    end = Math.max(end, step.end);
  }
  if (!(begin < end)) { begin = 0; end = 1; }
  const marks = raw.marks.map(([t, text]) => ({ text, step: Tandem.stepOf(steps, t) }));
  return { count, lanes, steps, names: raw.names, marks, begin, end };
};

// Index of the step that stands for iteration t, else the last before it.
Tandem.stepOf = function (steps, t) {
  let low = 0, high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle].t <= t) low = middle + 1; else high = middle;
  }
  return Math.max(low - 1, 0);
};

// First index whose span ends after `time`: spans of a lane do not overlap.
Tandem.firstEndingAfter = function (lane, time) {
  let low = 0, high = lane.size;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.end[middle] <= time) low = middle + 1; else high = middle;
  }
  return low;
};

Tandem.duration = function (ns) {
  const size = Math.abs(ns);
  if (size < 1e3) return `${Math.round(ns)} ns`;
  if (size < 1e6) return `${(ns / 1e3).toFixed(2)} us`;
  if (size < 1e9) return `${(ns / 1e6).toFixed(3)} ms`;
  return `${(ns / 1e9).toFixed(4)} s`;
};
