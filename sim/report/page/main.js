// Puts the page together: what is shown on a click, the search, the keys, the theme.
"use strict";

(function () {
  const byId = (id) => document.getElementById(id);
  const report = JSON.parse(byId("report").textContent);
  const data = Tandem.decode(JSON.parse(byId("spans").textContent));
  const timeline = report.timeline;  // null where no spans were recorded
  const bubbles = timeline ? timeline.bubbles : [];
  const add = (parent, tag, text, className) => {
    const element = parent.appendChild(document.createElement(tag));
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  };

  byId("title").textContent = report.trace;
  byId("about").textContent = [report.scenario, `schedule ${report.schedule}`,
    `policy ${report.policy}`, `device ${report.device}`, `seed ${report.seed}`]
    .filter((part) => part !== "" && !part.endsWith(" ")).join(" \u00b7 ");
  byId("bound").textContent = timeline ? `Bound: ${timeline.bound.text}`
    : "Without spans: steps, counters, the plan's waits and divergences are what can be told.";
  byId("search").setAttribute("placeholder", "operation or step  ( / )");

  const figure = (title, value, more, className) => {
    const box = add(byId("figures"), "div", undefined, className);
    add(box, "dt", title);
    const number = add(box, "dd", value);
    add(number, "small", more || "");
  };
  const records = report.records;
  figure("steps", Tandem.count(data.steps.length),
    records.counted < records.all ? `${Tandem.count(records.counted)} counted` : "");
  if (timeline) {
    const wall = timeline.a_step.wall_ns, compute = timeline.lanes.compute, host = timeline.lanes.host;
    figure("spans", Tandem.count(data.count));
    if (wall) figure("step time, median", Tandem.duration(wall.median), `p95 ${Tandem.duration(wall.p95)}`);
    figure("compute stream busy", Tandem.percent(compute.busy_ns, compute.window_ns),
      `idle ${Tandem.percent(compute.idle_ns, compute.window_ns)}`);
    figure("host thread busy", Tandem.percent(host.busy_ns, host.window_ns),
      `waiting ${Tandem.percent(host.waiting_ns, host.window_ns)}`);
    const ahead = timeline.run_ahead;
    if (ahead.launches > 0) {
      figure("run-ahead", Tandem.percent(ahead.ahead, ahead.launches),
        `of ${Tandem.count(ahead.launches)} launches`);
    }
  } else {
    figure("launches", Tandem.count(report.plan.launched),
      `${Tandem.percent(report.plan.predicted, report.plan.launched)} predicted`);
    figure("rows launched", Tandem.count(report.plan.rows_launched),
      `${Tandem.percent(report.plan.rows_used, report.plan.rows_launched)} used`);
  }
  figure("divergences", report.divergences === 0 ? "none" : Tandem.count(report.divergences), "",
    report.divergences === 0 ? "" : "bad");
  if (report.missing.length > 0) {
    byId("missing").hidden = false;
    for (const sentence of report.missing) add(byId("missing"), "li", `Missing: ${sentence}`);
  }
  const legend = (color, text, className) => {
    const entry = add(byId("legend"), "span");
    add(entry, "i", undefined, className).style.background = `var(--${color})`;
    entry.append(text);
  };
  if (timeline) {
    for (const entry of [["operation", "kernel"], ["copy", "copy"], ["host", "host work"],
      ["launch", "launch"], ["wait", "waiting"], ["idle", "nothing"], ["mark", "bubble", "thin"]]) {
      legend(...entry);
    }
  }
  legend("host-counter", "counter, host", "thin");
  legend("device-counter", "counter, device");

  const at = (ns) => Tandem.duration(ns - data.begin);
  const spanWords = ({ lane: number, index }) => {
    const lane = data.lanes[number], kind = lane.kind[index];
    const row = lane.row[index] < 0 ? "" : `, row R${lane.row[index]}`;
    const what = kind === 0 ? (number === 0 ? "host work" : "kernel") : Tandem.KINDS[kind];
    return [data.names[lane.name[index]],
      `${Tandem.duration(lane.end[index] - lane.start[index])} from ${at(lane.start[index])}`,
      `${what}${row}, step ${data.steps[lane.step[index]].t}`];
  };
  const stepWords = (index) => {
    const step = data.steps[index];
    const words = [`step ${step.t}: ${Tandem.STEP_KINDS[step.kind]}, ${Tandem.MODES[step.mode]}`];
    if (data.clock) words.push(`${Tandem.duration(step.end - step.start)} from ${at(step.start)}`);
    words.push(`token_num: host ${step.token_num}, device ${step.device_rows}`,
      `real_bsz: host ${step.launch_bsz}, device ${step.device_slots}`);
    const marks = data.marks.filter((mark) => mark.step === index);
    if (marks.length > 0) words.push(`${marks.length} divergence${marks.length > 1 ? "s" : ""}`);
    return words;
  };
  const words = (hit) => (hit.lane !== undefined ? spanWords(hit) : stepWords(hit.step));

  const tip = byId("tip");
  const hover = (hit, event) => {
    tip.hidden = !hit;
    if (!hit) return;
    tip.textContent = words(hit).join("\n");
    const box = byId("stage").getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    tip.style.left = `${Math.max(4, Math.min(x + 14, box.width - tip.offsetWidth - 6))}px`;
    const below = y + 16 + tip.offsetHeight < box.height;
    tip.style.top = `${below ? y + 16 : Math.max(2, y - tip.offsetHeight - 8)}px`;
  };
  const say = (text) => { byId("picked").textContent = text || "Click a span, a step or a row of a table."; };
  say();
  let bubble = -1, bubbleRows = null;
  const leaveBubble = () => { if (bubbleRows) Tandem.choose(bubbleRows, -1); };
  const pick = (hit) => {
    leaveBubble();
    if (!hit) return say();
    say(words(hit).join("; "));
    const step = hit.lane !== undefined ? data.lanes[hit.lane].step[hit.index] : hit.step;
    if (steps) steps.goTo(step);
  };
  const moved = (from, to) => {
    byId("view").textContent = data.clock ? `${at(from)} to ${at(to)}: ${Tandem.duration(to - from)} of ${
      Tandem.duration(data.end - data.begin)}` : "no clock was recorded: one unit a step";
  };
  let steps = null;
  const lanes = new Tandem.Lanes(byId("lanes"), data, bubbles, { pick, hover, moved });

  const showStep = (index, text) => {
    leaveBubble();
    const step = data.steps[index];
    lanes.mark(step.start, step.end);
    lanes.show(step.start, step.end);
    say(text || stepWords(index).join("; "));
    steps.goTo(index);
  };
  steps = new Tandem.StepTable(byId("steps").querySelector(".scroll"), data,
    (step, index) => showStep(index));
  if (data.marks.length > 0) {
    byId("divergences").hidden = false;
    const all = report.divergences > data.marks.length
      ? ` (the first ${Tandem.count(data.marks.length)} of ${Tandem.count(report.divergences)})` : "";
    add(byId("divergences").querySelector("h2"), "small", all);
    Tandem.table(byId("divergences").querySelector("table"), [
      ["step", false, (mark) => mark.t],
      ["divergence", true, (mark) => mark.text],
    ], data.marks, (mark) => showStep(mark.step, mark.text));
  }

  const showBubble = (index) => {
    if (bubbles.length === 0) return say("No bubbles.");
    bubble = (index + bubbles.length) % bubbles.length;
    const b = bubbles[bubble];
    lanes.mark(b.start_ns, b.end_ns);
    lanes.show(b.start_ns, b.end_ns);
    const parts = b.parts.map((p) => `${p.cause.text} ${Tandem.duration(p.ns)}`).join(", ");
    say(`Bubble ${bubble + 1} of ${bubbles.length}: ${Tandem.duration(b.idle_ns)} idle in front of ${
      b.before}, step ${b.step}: ${parts}`);
    Tandem.choose(bubbleRows, bubble);
    steps.goTo(Tandem.stepOf(data.steps, b.step));
  };
  const noTables = !timeline;
  byId("bubbles").hidden = byId("path").hidden = noTables;
  byId("waits").hidden = !noTables;
  if (timeline) {
    bubbleRows = Tandem.bubbleTable(byId("bubbles").querySelector("table"), bubbles,
      (b, index) => showBubble(index));
    Tandem.pathTable(byId("path").querySelector("table"), timeline.critical_path);
  } else {
    Tandem.waitTable(byId("waits").querySelector("table"), report.plan.host_waits);
  }

  // A number is a step, anything else a part of an operation's name; Enter goes on to the next.
  let last = { time: -Infinity };
  const isStep = (text) => /^\d+$/.test(text);
  const asked = () => byId("search").value.trim().toLowerCase();
  const wantedNames = () => data.names.map((name) => name.toLowerCase().includes(asked()));
  const typed = () => {
    last = { time: -Infinity };
    byId("found").textContent = "";
    if (asked() === "" || isStep(asked())) return lanes.want(null);
    const wanted = wantedNames();
    let total = 0;
    for (const lane of data.lanes) {
      for (let i = 0; i < lane.size; i++) if (wanted[lane.name[i]]) total++;
    }
    byId("found").textContent = total === 0 ? "none" : `${Tandem.count(total)} found`;
    lanes.want(total === 0 ? null : wanted);
  };
  const search = () => {
    if (asked() === "") return;
    if (isStep(asked())) {
      const index = Tandem.stepOf(data.steps, Number(asked()));
      const step = data.steps[index];
      const there = step && step.t <= Number(asked()) && Number(asked()) < step.t + step.repeat;
      byId("found").textContent = there ? `step ${step.t}` : "no such step";
      if (there) showStep(index);
      return;
    }
    const wanted = wantedNames();
    let next = null, first = null;
    data.lanes.forEach((lane, number) => {
      for (let i = 0; i < lane.size; i++) {
        if (!wanted[lane.name[i]]) continue;
        const hit = { lane: number, index: i, time: lane.start[i] };
        if (!first || hit.time < first.time) first = hit;
        if (hit.time > last.time) {
          if (!next || hit.time < next.time) next = hit;
          break;
        }
      }
    });
    const hit = next || first;
    if (!hit) return;
    last = hit;
    const lane = data.lanes[hit.lane];
    lanes.pick({ lane: hit.lane, index: hit.index });
    lanes.show(lane.start[hit.index], lane.end[hit.index], 4);
  };
  byId("search").addEventListener("input", typed);
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") search();
    if (event.key !== "Escape") return;
    byId("search").value = "";
    typed();
    byId("lanes").focus();
  });

  const neighbour = (by) => {
    const number = lanes.picked ? lanes.picked.lane : Math.max(0, data.lanes.findIndex((l) => l.size > 0));
    const lane = data.lanes[number];
    if (lane.size === 0) return;
    const from = lanes.view.invert(lanes.left), to = lanes.view.invert(lanes.width);
    const index = lanes.picked ? lanes.picked.index + by : Tandem.firstEndingAfter(lane, from);
    if (index < 0 || index >= lane.size) return;
    lanes.pick({ lane: number, index });
    if (lane.end[index] < from || lane.start[index] > to) {
      const middle = (lane.start[index] + lane.end[index]) / 2;
      lanes.show(middle - (to - from) / 2, middle + (to - from) / 2, 0);
    }
  };
  const clear = () => {
    lanes.pick(null);
    steps.choose(-1);
  };
  const theme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    lanes.theme();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => lanes.theme());
  const help = () => {
    byId("keys").hidden = !byId("keys").hidden;
    byId("help").setAttribute("aria-expanded", String(!byId("keys").hidden));
  };
  byId("theme").addEventListener("click", theme);
  byId("help").addEventListener("click", help);
  byId("fit").addEventListener("click", () => lanes.fit());

  const keys = {
    ArrowLeft: () => lanes.panBy(-0.2), ArrowRight: () => lanes.panBy(0.2),
    "+": () => lanes.zoomBy(1.6), "=": () => lanes.zoomBy(1.6), "-": () => lanes.zoomBy(1 / 1.6),
    0: () => lanes.fit(), n: () => showBubble(bubble + 1),
    p: () => showBubble(bubble < 0 ? -1 : bubble - 1),
    "[": () => neighbour(-1), "]": () => neighbour(1),
    "/": () => { byId("search").focus(); byId("search").select(); },
    t: theme, "?": help, Escape: clear,
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  Tandem.page = { lanes, data, report, steps, showBubble };

  if (location.hash === "#bench") {
    Tandem.bench(lanes, 5000, (result) => {
      byId("bench").hidden = false;
      byId("bench").textContent = JSON.stringify({ spans: data.count, ...result });
    });
  }
})();
