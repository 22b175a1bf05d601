// Steps of the GPU runtime in steady decode: schedules, rows, recording levels, launches.
//
// usage: cuda_bench [--slots N] [--steps N] [--rounds N] [--forwards US,..] [--hosts US,..]
//                   [--only schedules,rows,levels,launches]
//
// Every slot decodes from the first step to the last (K = 3, acceptance 0.7). The time of a step is
// the host's clock over the steps behind the first hundred, divided by their number; median, least
// and greatest of rounds in which all contestants run in turn. The bound beside a step is the
// longer of two chains measured in the same rounds: the device's (overlap, host cost 0) and the
// host's own (forwards of 0).
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/cuda/run_cuda.hpp"
#include "sim/checks/verify.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/null_sink.hpp"
#include "tools/cli/sinks.hpp"

namespace {

using namespace tandem;  // NOLINT(google-build-using-namespace)

constexpr std::int64_t kRampSteps = 100;
constexpr std::size_t kRingEntries = 64;  // as `tandem run` has it
constexpr int kRows[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13};

struct Options {
  int slots = 64;
  std::int64_t steps = 500;
  int rounds = 5;
  std::vector<std::int64_t> forwards_us{100, 300, 1000, 5000};
  std::vector<std::int64_t> hosts_us{0, 500, 2000};
  std::vector<std::string> only{"schedules", "rows", "levels", "launches"};

  [[nodiscard]] bool wants(const char* table) const {
    return std::find(only.begin(), only.end(), table) != only.end();
  }
};

/// One way to run the load.
struct Case {
  std::string name;
  Scenario scenario;
  RecordLevel level = RecordLevel::off;
  bool judged = false;
};

/// All slots are occupied from step 0 on and no request ends.
Scenario steady(const Options& o, std::int64_t forward_us, std::int64_t host_us,
                std::vector<std::string> overrides) {
  const std::string text = fmt::format(
      R"({{"name": "steady", "engine": {{"max_num_seqs": {0}, "num_speculative_tokens": 3,
      "block_size": 64, "max_model_len": 8192, "max_num_batched_tokens": 8192,
      "cuda_graphs": true}}, "acceptance": {{"kind": "constant", "p": 0.7}},
      "workload": {{"kind": "poisson", "requests": {0}, "gap_steps": 0.001,
      "prompt": {{"shares": [0, 1], "tokens": [16, 17]}},
      "output": {{"shares": [0, 1], "tokens": [8000, 8001]}}}}, "limits": {{"steps": {1}}},
      "timing": {{"forward_base_ns": {2}, "forward_row_ns": 0, "draft_base_ns": {3},
      "draft_row_ns": 0, "host_step_ns": {4}}}}})",
      o.slots, o.steps, forward_us * 1000, forward_us * 50, host_us * 1000);
  return bench::take(parse_scenario(text, "steady", overrides));
}

struct Measured {
  double step_us = 0;
  CudaRunCounts counts;
  std::int64_t steps = 0;
};

Measured run(const Case& what) {
  const std::unique_ptr<Workload> workload = bench::workload_of(what.scenario);
  RunOptions options;
  options.level = what.level;
  Nanos first_ns = 0;
  Nanos last_ns = 0;
  std::int64_t last_t = 0;
  options.progress = [&](const RunProgress& now) {
    if (now.t == kRampSteps) first_ns = now.now_ns;
    last_ns = now.now_ns;
    last_t = now.t;
  };
  Measured out;
  bench::NullSink nowhere;
  const auto judge = sim::make_live_verifier({});
  {
    cli::ParallelSink beside(*judge, kRingEntries);
    RecordSink* sink = nullptr;
    if (what.level != RecordLevel::off) sink = &nowhere;
    if (what.judged) sink = &beside;
    const RunSummary summary =
        bench::take(run_on_cuda(what.scenario, *workload, options, sink, &out.counts));
    out.steps = summary.steps;
  }
  if (judge->verdict().divergence_count != 0) bench::fail(Error{"the run diverges"});
  out.step_us =
      static_cast<double>(last_ns - first_ns) / 1e3 / static_cast<double>(last_t - kRampSteps);
  return out;
}

struct Spread {
  double median = 0;
  double least = 0;
  double greatest = 0;
};

std::vector<Spread> in_turn(const std::vector<Case>& cases, int rounds) {
  std::vector<std::vector<double>> times(cases.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < cases.size(); ++i) times[i].push_back(run(cases[i]).step_us);
  }
  std::vector<Spread> out;
  out.reserve(cases.size());
  for (std::vector<double>& t : times) {
    std::sort(t.begin(), t.end());
    out.push_back({t[t.size() / 2], t.front(), t.back()});
  }
  return out;
}

std::string text(const Spread& s) {
  return fmt::format("{:9.1f} ({:.1f} to {:.1f})", s.median, s.least, s.greatest);
}

void bench_schedules(const Options& o) {
  fmt::print("schedules: us a step, B={}\n", o.slots);
  for (const std::int64_t host_us : o.hosts_us) {
    const Spread host =
        in_turn({{"", steady(o, 0, host_us, {"schedule=overlap"}), RecordLevel::off, false}},
                o.rounds)
            .front();
    for (const std::int64_t forward_us : o.forwards_us) {
      const auto one = [&](const char* schedule, std::int64_t cost_us) {
        return Case{schedule, steady(o, forward_us, cost_us, {std::string("schedule=") + schedule}),
                    RecordLevel::off, false};
      };
      const std::vector<Spread> found =
          in_turn({one("sync", host_us), one("overlap", host_us), one("overlap", 0)}, o.rounds);
      const double bound = std::max(found[2].median, host.median);
      fmt::print(
          "  forward {:>5} us, host {:>5} us: sync {}, overlap {}, bound {:.1f}, {:+.2f} %\n",
          forward_us, host_us, text(found[0]), text(found[1]), bound,
          100 * (found[1].median / bound - 1));
    }
  }
}

void bench_rows(const Options& o, std::int64_t forward_us) {
  fmt::print("rows: us a step, forward {} us, B={}\n", forward_us, o.slots);
  std::vector<Case> cases{
      {"overlap", steady(o, forward_us, 0, {"schedule=overlap"}), RecordLevel::off, false},
      {"sync", steady(o, forward_us, 0, {"schedule=sync"}), RecordLevel::off, false}};
  for (const int row : kRows) {
    for (const bool out : {true, false}) {
      const std::string schedule = out ? "schedule=overlap" : "schedule=sync";
      const std::string change = fmt::format("rows.R{}={}", row, out ? "sync" : "overlap");
      cases.push_back({fmt::format("R{} {}", row, out ? "left out" : "added"),
                       steady(o, forward_us, 0, {schedule, change}), RecordLevel::off, false});
    }
  }
  const std::vector<Spread> found = in_turn(cases, o.rounds);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const bool against_overlap = i == 0 || cases[i].name.find("left out") != std::string::npos;
    const Spread& base = found[against_overlap ? 0 : 1];
    fmt::print("  {:<14} {}  {:+8.1f} us\n", cases[i].name, text(found[i]),
               found[i].median - base.median);
  }
}

void bench_levels(const Options& o, std::int64_t forward_us) {
  fmt::print("recording: us a step, overlap, forward {} us, B={}\n", forward_us, o.slots);
  const Scenario scenario = steady(o, forward_us, 0, {"schedule=overlap"});
  const std::vector<Case> cases{{"off", scenario, RecordLevel::off, false},
                                {"state", scenario, RecordLevel::state, false},
                                {"state, judged", scenario, RecordLevel::state, true},
                                {"timeline", scenario, RecordLevel::timeline, false},
                                {"full", scenario, RecordLevel::full, false}};
  const std::vector<Spread> found = in_turn(cases, o.rounds);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    fmt::print("  {:<14} {}  {:+.2f} %\n", cases[i].name, text(found[i]),
               100 * (found[i].median / found[0].median - 1));
  }
}

void bench_launches(const Options& o) {
  fmt::print("launches a step, overlap, {} steps\n", o.steps);
  for (const bool graphs : {true, false}) {
    std::vector<std::string> overrides{"schedule=overlap"};
    if (!graphs) overrides.emplace_back("engine.cuda_graphs=false");
    const Measured m = run({"", steady(o, 300, 0, overrides), RecordLevel::off, false});
    const auto a_step = [&](std::int64_t count) {
      return static_cast<double>(count) / static_cast<double>(m.steps);
    };
    fmt::print(
        "  graphs {:<3}: {:.2f} operations alone, {:.2f} graphs with {:.2f} nodes, {} captured, "
        "{:.1f} us a step\n",
        graphs ? "on" : "off", a_step(m.counts.alone), a_step(m.counts.graph_launches),
        a_step(m.counts.graph_nodes), m.counts.graph_captures, m.step_us);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Microseconds a step of the GPU runtime in steady decode"};
  app.add_option("--slots", o.slots, "batch size B")->check(CLI::Range(1, 512));
  app.add_option("--steps", o.steps, "steps of a run, the first 100 not counted")
      ->check(CLI::Range(200, 1900));
  app.add_option("--rounds", o.rounds, "measurements of each")->check(CLI::Range(1, 1000));
  app.add_option("--forwards", o.forwards_us, "forward times in us")->delimiter(',');
  app.add_option("--hosts", o.hosts_us, "extra host costs a step in us")->delimiter(',');
  app.add_option("--only", o.only, "tables")
      ->delimiter(',')
      ->check(CLI::IsMember({"schedules", "rows", "levels", "launches"}));
  CLI11_PARSE(app, argc, argv);
  const CudaDeviceInfo device = bench::take(find_cuda_device(RunConfig{}));
  fmt::print("{}, {} rounds of {} steps\n", device.name, o.rounds, o.steps);
  if (o.wants("launches")) bench_launches(o);
  if (o.wants("schedules")) bench_schedules(o);
  if (o.wants("rows")) bench_rows(o, 300);
  if (o.wants("levels")) {
    bench_levels(o, 300);
    bench_levels(o, 1000);
  }
  return 0;
}
