// Measures the runs of a fidelity plan on a GPU: the host's clock, step by step, recording at level
// state with nobody reading.
//
// usage: step_times PLAN OUT
//
// PLAN is traces/golden/fidelity/plan.json or one like it. Every run is made once a round, in an
// order that is drawn anew, so that a noisy machine disturbs all alike. OUT gets, for each run and
// round, how many steps stood behind the ramp, what they took together and what their median one
// took.
#include <algorithm>
#include <cstdint>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/cuda/run_cuda.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/null_sink.hpp"
#include "traces/base/random.hpp"

namespace {

using namespace tandem;  // NOLINT(google-build-using-namespace)
using Json = nlohmann::ordered_json;

struct Round {
  std::int64_t steps = 0;
  Nanos sum_ns = 0;
  Nanos median_ns = 0;
};

Round run(const Scenario& scenario, std::int64_t ramp_steps) {
  const std::unique_ptr<Workload> workload = bench::workload_of(scenario);
  RunOptions options;
  std::vector<Nanos> ends;
  options.progress = [&](const RunProgress& now) {
    if (now.t + 1 >= ramp_steps) ends.push_back(now.now_ns);
  };
  bench::NullSink nowhere;
  bench::take(run_on_cuda(scenario, *workload, options, &nowhere));
  if (ends.size() < 2) bench::fail(Error{"a run ends within its ramp"});
  Round round;
  std::vector<Nanos> steps;
  steps.reserve(ends.size());
  for (std::size_t i = 1; i < ends.size(); ++i) steps.push_back(ends[i] - ends[i - 1]);
  round.steps = static_cast<std::int64_t>(steps.size());
  round.sum_ns = ends.back() - ends.front();
  std::nth_element(steps.begin(), steps.begin() + round.steps / 2, steps.end());
  round.median_ns = steps[static_cast<std::size_t>(round.steps / 2)];
  return round;
}

/// 0 to count - 1 in an order of its own for each round.
std::vector<std::size_t> shuffled(std::size_t count, int round) {
  RandomStream draws(static_cast<std::uint64_t>(round), "step-times");
  std::vector<std::size_t> order(count);
  for (std::size_t i = 0; i < count; ++i) order[i] = i;
  for (std::size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[static_cast<std::size_t>(draws.below(i))]);
  }
  return order;
}

Json read(const char* path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  Json json = Json::parse(text.str(), nullptr, false);
  if (!in || json.is_discarded()) bench::fail(Error{std::string(path) + ": no JSON document"});
  return json;
}

int measure(const char* plan_path, const char* out_path) {
  const Json plan = read(plan_path);
  const auto ramp_steps = plan.at("ramp_steps").get<std::int64_t>();
  const auto rounds = plan.at("rounds").get<int>();
  std::vector<Json> measured;
  std::vector<Scenario> scenarios;
  for (const Json& run : plan.at("runs")) {
    if (run.at("use") == "costs") continue;  // recorded with spans, not timed
    const auto sets = run.at("set").get<std::vector<std::string>>();
    scenarios.push_back(bench::take(parse_scenario(plan.at("scenario").dump(), plan_path, sets)));
    measured.push_back({{"name", run.at("name")}, {"rounds", Json::array()}});
  }
  for (int round = 0; round < rounds; ++round) {
    for (const std::size_t i : shuffled(scenarios.size(), round)) {
      const Round found = run(scenarios[i], ramp_steps);
      measured[i]["rounds"].push_back(
          {{"steps", found.steps}, {"sum_ns", found.sum_ns}, {"median_ns", found.median_ns}});
    }
  }
  const CudaDeviceInfo device = bench::take(find_cuda_device(scenarios.front().config));
  std::ofstream out(out_path);
  out << "{\n  \"device\": " << Json(device.name).dump() << ",\n  \"runs\": [";
  const char* comma = "\n    ";
  for (const Json& run : measured) {
    out << comma << run.dump();
    comma = ",\n    ";
  }
  out << "\n  ]\n}\n";
  return out ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: step_times PLAN OUT\n");
    return 2;
  }
  return measure(argv[1], argv[2]);
}
