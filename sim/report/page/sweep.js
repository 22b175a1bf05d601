// The plot of a sweep: one metric over one key, a line for each combination of the others.
"use strict";
(() => {
  const study = JSON.parse(document.getElementById("study").textContent);
  const keys = study.points.length > 0 ? Object.keys(study.points[0].at) : [];
  const nanos = (unit, per) => ({ unit, of: (p, name) => p[name] / per });
  const METRICS = [
    ["tokens a second", { unit: "", of: (p) => p.millitokens_per_s / 1e3 }],
    ["step, mean", { ...nanos("ms", 1e6), name: "step_mean_ns" }],
    ["step, p99", { ...nanos("ms", 1e6), name: "step_p99_ns" }],
    ["TPOT, median", { ...nanos("ms", 1e6), name: "tpot_median_ns" }],
    ["TPOT, p99", { ...nanos("ms", 1e6), name: "tpot_p99_ns" }],
    ["TTFT, median", { ...nanos("ms", 1e6), name: "ttft_median_ns" }],
    ["TTFT, p99", { ...nanos("ms", 1e6), name: "ttft_p99_ns" }],
    ["starved", { unit: "% of the time", of: (p) => p.starved_millionths / 1e4 }],
    ["wasted rows", { unit: "% of those launched",
      of: (p) => (p.rows_launched > 0 ? 100 * (1 - p.rows_used / p.rows_launched) : 0) }],
    ["preemptions", { unit: "", of: (p) => p.preemptions }],
  ];
  const metric = () => METRICS[+document.getElementById("metric").value];
  const value = (point) => metric()[1].of(point, metric()[1].name);
  const brief = d3.format(".4~g");

  function fill(id, texts) {
    d3.select(`#${id}`).selectAll("option").data(texts).join("option")
      .attr("value", (_, i) => i).text((text) => text);
  }

  /// Points by the values of all keys but the one along the axis.
  function series(key) {
    const groups = new Map();
    for (const point of study.points) {
      const name = keys.filter((k) => k !== key).map((k) => `${k}=${point.at[k]}`).join(", ");
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(point);
    }
    return [...groups];
  }

  function xScale(key, width) {
    const values = [...new Set(study.points.map((p) => p.at[key]))];
    const numeric = values.every((v) => v !== "" && Number.isFinite(+v));
    if (!numeric) {
      const scale = d3.scalePoint().domain(values).range([0, width]).padding(0.5);
      return { at: (v) => scale(v), axis: d3.axisBottom(scale) };
    }
    const scale = d3.scaleLinear().domain(d3.extent(values, (v) => +v)).nice().range([0, width]);
    return { at: (v) => scale(+v), axis: d3.axisBottom(scale).ticks(Math.min(10, values.length)) };
  }

  function draw() {
    const svg = d3.select("#plot");
    svg.selectAll("*").remove();
    if (study.points.length === 0) return;
    const box = svg.node().getBoundingClientRect();
    const pad = { left: 80, right: 24, top: 36, bottom: 44 };
    const width = box.width - pad.left - pad.right;
    const height = box.height - pad.top - pad.bottom;
    const key = keys[+document.getElementById("axis").value];
    const x = key === undefined ? null : xScale(key, width);
    const low = d3.min([...study.points, study.base], value);
    const high = d3.max([...study.points, study.base], value);
    const room = high > low ? 0 : Math.abs(high) * 0.1 + 1e-9;
    const y = d3.scaleLinear().domain([low - room, high + room]).nice().range([height, 0]);
    const g = svg.append("g").attr("transform", `translate(${pad.left},${pad.top})`);
    g.append("g").call(d3.axisLeft(y).ticks(8));
    g.append("text").attr("x", -pad.left + 8).attr("y", -20)
      .text(`${metric()[0]}${metric()[1].unit === "" ? "" : `, ${metric()[1].unit}`}`);
    g.append("line").attr("class", "base").attr("x2", width)
      .attr("y1", y(value(study.base))).attr("y2", y(value(study.base)));
    g.append("text").attr("x", width).attr("y", y(value(study.base)) - 5)
      .attr("text-anchor", "end").text("as it is");
    const groups = series(key);
    const colours = d3.schemeTableau10 || d3.schemeCategory10;
    const colour = (i) => colours[i % colours.length];
    if (x !== null) {
      g.append("g").attr("transform", `translate(0,${height})`).call(x.axis);
      g.append("text").attr("x", width / 2).attr("y", height + 38).attr("text-anchor", "middle").text(key);
    }
    groups.forEach(([name, points], i) => {
      const place = (p) => [x === null ? width / 2 : x.at(p.at[key]), y(value(p))];
      g.append("path").attr("fill", "none").attr("stroke", colour(i)).attr("stroke-width", 2)
        .attr("d", d3.line()(points.map(place)));
      g.append("g").selectAll("circle").data(points).join("circle")
        .attr("cx", (p) => place(p)[0]).attr("cy", (p) => place(p)[1]).attr("r", 4)
        .attr("fill", colour(i)).append("title")
        .text((p) => `${name === "" ? "" : `${name}, `}${key === undefined ? "" : `${key}=${p.at[key]}: `}` +
          `${brief(value(p))} ${metric()[1].unit}`);
    });
    d3.select("#legend").selectAll("span").data(groups.length > 1 ? groups.slice(0, 40) : [])
      .join("span").html("").each(function (group, i) {
        d3.select(this).append("i").style("background", colour(i));
        d3.select(this).append("b").style("font-weight", 400).text(group[0]);
      });
  }

  /// All points in the order of the sweep, every metric a column, the most tokens a second marked.
  function table() {
    const rows = [["as it is", study.base],
      ...study.points.map((p) => [Object.values(p.at).join(", ") || "changed", p])];
    const best = d3.max(study.points, (p) => p.millitokens_per_s);
    const head = [keys.join(", ") || "", ...METRICS.map(([name, m]) => (m.unit === "" ? name : `${name}, ${m.unit}`))];
    const body = d3.select("#points");
    body.append("tr").selectAll("th").data(head).join("th").attr("scope", "col").text((text) => text);
    for (const [name, point] of rows) {
      const row = body.append("tr")
        .classed("best", point !== study.base && point.millitokens_per_s === best);
      row.append("td").text(name);
      for (const [, m] of METRICS) row.append("td").text(brief(m.of(point, m.name)));
    }
  }

  function theme() {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  const error = study.costs.error_millionths;
  document.getElementById("title").textContent = `What if: ${study.source}`;
  document.getElementById("about").textContent =
    `${study.changes.length > 0 ? `changed: ${study.changes.join(", ")}; ` : ""}costs: ${study.costs.source}` +
    (error === null ? "" : `; a step's time is within ${(error / 1e4).toFixed(1)} % of what was measured`);
  fill("metric", METRICS.map(([name]) => name));
  fill("axis", keys);
  for (const id of ["metric", "axis"]) document.getElementById(id).addEventListener("change", draw);
  document.getElementById("theme").addEventListener("click", theme);
  document.addEventListener("keydown", (event) => {
    if (event.key === "t" && event.target === document.body) theme();
  });
  window.addEventListener("resize", draw);
  table();
  draw();
})();
