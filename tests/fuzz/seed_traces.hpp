// Small traces of every shape a codec meets: real runs, and records of no sense at all.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/support/sample_trace.hpp"

namespace tandem::fuzz {

[[nodiscard]] const std::vector<test::SampleTrace>& seed_traces();
/// Those of them that a run left: their steps count up from 0.
[[nodiscard]] std::span<const test::SampleTrace> run_traces();

[[nodiscard]] std::string tbt_text(const test::SampleTrace& trace,
                                   TbtOptions::Compression compression);
[[nodiscard]] std::string jsonl_text(const test::SampleTrace& trace);

}  // namespace tandem::fuzz
