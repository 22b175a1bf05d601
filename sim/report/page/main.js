// Puts the page together: what is shown on a click, the search, the keys, the theme.
"use strict";

(function () {
  const byId = (id) => document.getElementById(id);
  const report = JSON.parse(byId("report").textContent);
  const data = Tandem.decode(JSON.parse(byId("spans").textContent));
  byId("title").textContent = `${report.trace}: ${data.count} spans, ${data.steps.length} steps`;
  const timeline = report.timeline;
  byId("bound").textContent = timeline.bound.text;

  const words = (hit) => {
    const lane = data.lanes[hit.lane], i = hit.index, step = data.steps[lane.step[i]];
    const row = lane.row[i] < 0 ? "" : `, row R${lane.row[i]}`;
    return `${data.names[lane.name[i]]} (${Tandem.KINDS[lane.kind[i]]}${row}), step ${step.t}: ` +
      `${Tandem.duration(lane.end[i] - lane.start[i])} from ${Tandem.duration(lane.start[i] - data.begin)}`;
  };
  const tip = byId("tip");
  const hover = (hit, event) => {
    tip.hidden = !hit;
    if (!hit) return;
    tip.textContent = words(hit);
    const box = byId("stage").getBoundingClientRect();
    tip.style.left = `${Math.max(0, Math.min(event.clientX - box.left + 12, box.width - 300))}px`;
    tip.style.top = `${event.clientY - box.top + 14}px`;
  };
  const say = (text) => { byId("picked").textContent = text; };
  const lanes = new Tandem.Lanes(byId("lanes"), data,
    (hit) => say(hit ? words(hit) : "Click a span."), hover);

  const steps = new Tandem.StepTable(byId("stepscroll"), byId("steps"), data, (step, index) => {
    lanes.mark(step.start, step.end);
    lanes.show(step.start, step.end);
    const mark = data.marks.find((m) => m.step === index);
    say(mark ? mark.text : `Step ${step.t}`);
  });
  let bubble = -1;
  const showBubble = (index) => {
    const count = timeline.bubbles.length;
    if (count === 0) return say("No bubbles.");
    bubble = (index + count) % count;
    const b = timeline.bubbles[bubble];
    lanes.mark(b.start_ns, b.end_ns);
    lanes.show(b.start_ns, b.end_ns);
    const parts = b.parts.map((p) => `${p.cause.text} ${Tandem.duration(p.ns)}`).join(", ");
    say(`Bubble ${bubble + 1} of ${count}: ${Tandem.duration(b.idle_ns)} idle in front of ${b.before}, step ${b.step}: ${parts}`);
    steps.goTo(Tandem.stepOf(data.steps, b.step));
  };
  Tandem.bubbleTable(byId("bubbles"), timeline, (b, index) => showBubble(index));
  Tandem.pathTable(byId("path"), timeline);
  if (report.missing.length > 0) {
    byId("missing").hidden = false;
    for (const sentence of report.missing) {
      byId("missing").querySelector("ul").appendChild(document.createElement("li")).textContent = sentence;
    }
  }

  // A number is a step, anything else a part of an operation's name; Enter goes on to the next.
  let asked = "", last = { time: -Infinity };
  const search = () => {
    const text = byId("search").value.trim().toLowerCase();
    if (text === "") { byId("found").textContent = ""; return; }
    if (text !== asked) { asked = text; last = { time: -Infinity }; }
    if (/^\d+$/.test(text)) {
      const index = Tandem.stepOf(data.steps, Number(text));
      const step = data.steps[index];
      if (!step) { byId("found").textContent = "no step"; return; }
      byId("found").textContent = `step ${step.t}`;
      lanes.mark(step.start, step.end);
      lanes.show(step.start, step.end);
      steps.goTo(index);
      return;
    }
    const wanted = data.names.map((name) => name.toLowerCase().includes(text));
    let next = null, first = null, total = 0;
    data.lanes.forEach((lane, number) => {
      for (let i = 0; i < lane.size; i++) {
        if (!wanted[lane.name[i]]) continue;
        total++;
        const hit = { lane: number, index: i, time: lane.start[i] };
        if (!first || hit.time < first.time) first = hit;
        if (hit.time > last.time && (!next || hit.time < next.time)) next = hit;
      }
    });
    const hit = next || first;
    byId("found").textContent = total === 0 ? "nothing found" : `${total} found`;
    if (!hit) return;
    last = hit;
    const lane = data.lanes[hit.lane];
    lanes.pick({ lane: hit.lane, index: hit.index });
    lanes.show(lane.start[hit.index], lane.end[hit.index], 4);
  };
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") search();
    if (event.key === "Escape") byId("lanes").focus();
  });

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
    0: () => lanes.fit(), n: () => showBubble(bubble + 1), p: () => showBubble(bubble < 0 ? -1 : bubble - 1),
    "/": () => byId("search").focus(), t: theme, "?": help,
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });
  Tandem.page = { lanes, data, report, steps, showBubble, search };
})();
