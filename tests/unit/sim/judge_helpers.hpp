// Short ways to judge a TinyTrace in tests.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/checks/verify.hpp"
#include "tests/support/sim_tiny.hpp"

namespace tandem::test {

inline sim::Verdict judge(const TinyTrace& trace, int jobs = 1, std::size_t kept = 16) {
  const TinyReader reader(trace);
  sim::VerifyOptions options;
  options.jobs = jobs;
  options.divergences_max = kept;
  const Result<sim::Verdict> verdict = sim::verify_trace(reader, options);
  EXPECT_TRUE(verdict.ok()) << (verdict.ok() ? "" : verdict.error().text);
  return verdict.ok() ? verdict.value() : sim::Verdict{};
}

inline sim::Verdict judge_live(const TinyTrace& trace, std::size_t kept = 16) {
  sim::VerifyOptions options;
  options.divergences_max = kept;
  const std::unique_ptr<sim::LiveVerifier> live = sim::make_live_verifier(options);
  EXPECT_TRUE(live->begin(trace.head).ok());
  for (const plan::Segment& s : trace.segments) EXPECT_TRUE(live->segment(s).ok());
  for (const TinyTrace::Block& block : trace.content) {
    EXPECT_TRUE(live->keyframe(block.keyframe).ok());
    for (const StepRecord& record : block.records) EXPECT_TRUE(live->step(record).ok());
  }
  EXPECT_TRUE(live->end(trace.end_state).ok());
  return live->verdict();
}

inline std::string first_line(const sim::Verdict& verdict) {
  return verdict.divergences.empty() ? "clean" : sim::to_line(verdict.divergences.front());
}

inline const sim::CheckCount& count_of(const sim::Verdict& verdict, sim::CheckId id) {
  return verdict.checks.at(static_cast<std::size_t>(id));
}

/// Record of step t in a trace of one block.
inline StepRecord& record_of(TinyTrace& trace, std::int64_t t) {
  return trace.content.at(0).records.at(
      static_cast<std::size_t>(t - trace.content.at(0).records.front().t));
}

}  // namespace tandem::test
