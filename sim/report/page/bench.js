// #bench: five seconds of panning and zooming by script; how evenly frames came goes to the page.
"use strict";

// From the whole run down to a thousandth of it and back, three times, while the middle wanders.
Tandem.bench = function (lanes, length_ms, done) {
  const { begin, end } = lanes.data;
  let first = null;
  lanes.frames.length = 0;
  const frame = (now) => {
    if (first === null) first = now;
    const t = (now - first) / length_ms;
    if (t >= 1) return done(Tandem.benchResult(lanes.frames));
    const span = (end - begin) * 10 ** (-1.5 * (1 - Math.cos(6 * Math.PI * t)));
    const middle = begin + (end - begin) * (0.5 + 0.4 * Math.sin(10 * Math.PI * t));
    lanes.show(middle - span / 2, middle + span / 2, 0);
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
};

Tandem.benchResult = function (frames) {
  const intervals = frames.slice(1).map((f, i) => f[0] - frames[i][0]).sort((a, b) => a - b);
  const paints = frames.map((f) => f[1]).sort((a, b) => a - b);
  const at = (sorted, share) => (sorted.length === 0 ? 0
    : sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]);
  return {
    frames: frames.length,
    interval_median_ms: at(intervals, 0.5), interval_p95_ms: at(intervals, 0.95),
    interval_max_ms: at(intervals, 1),
    paint_median_ms: at(paints, 0.5), paint_p95_ms: at(paints, 0.95),
  };
};
