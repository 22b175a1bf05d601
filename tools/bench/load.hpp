// The load of the benchmarks: all slots decode (K = 3, acceptance 0.7 a position).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "scenarios/scenario.hpp"
#include "tools/bench/rounds.hpp"

namespace tandem::bench {

[[noreturn]] inline void fail(const Error& error) {
  fmt::print(stderr, "error: {}\n", error.text);
  std::exit(2);
}

template <class T>
T take(Result<T> result) {
  if (!result) fail(result.error());
  return std::move(result).value();
}

inline Scenario decoding(int slots, std::int64_t slot_steps,
                         const std::vector<std::string>& overrides = {}) {
  const std::string text = fmt::format(
      R"({{"name": "bench", "engine": {{"max_num_seqs": {}, "num_speculative_tokens": 3,
      "block_size": 64, "max_model_len": 4096, "max_num_batched_tokens": 8192,
      "cuda_graphs": true}}, "acceptance": {{"kind": "constant", "p": 0.7}},
      "workload": {{"kind": "poisson", "requests": 1000000, "gap_steps": {:.3f},
      "prompt": {{"shares": [0, 1], "tokens": [16, 256]}},
      "output": {{"shares": [0, 1], "tokens": [100, 1000]}}}}, "limits": {{"steps": {}}}}})",
      slots, 200.0 / slots, slot_steps / slots);
  return take(parse_scenario(text, "bench", overrides));
}

inline std::unique_ptr<Workload> workload_of(const Scenario& scenario) {
  const FileLoader none = [](const std::string& path) {
    return Result<std::string>(Error::make(path, "a file", "none"));
  };
  return take(make_workload(scenario, none));
}

inline void print(const std::vector<Rate>& rates, double scale, const char* unit) {
  for (const Rate& r : rates) {
    fmt::print("  {:<28} {:>9.2f} {} (least {:.2f}, greatest {:.2f})\n", r.name, r.median / scale,
               unit, r.least / scale, r.greatest / scale);
  }
}

}  // namespace tandem::bench
