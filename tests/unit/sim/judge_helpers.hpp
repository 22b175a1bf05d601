// Short ways to judge a TinyTrace in tests.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
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
  for (const plan::Segment& segment : trace.segments) EXPECT_TRUE(live->segment(segment).ok());
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

inline RequestRow row(RequestId id, std::int32_t prompt, std::int32_t limit, std::int32_t eos_at,
                      std::vector<std::int32_t> accept) {
  RequestRow r;
  r.id = id;
  r.prompt_len = prompt;
  r.max_dec_len = limit;
  r.eos_at = eos_at;
  r.accept = std::move(accept);
  return r;
}

/// The first divergence of a run under the policy of the worked example.
inline void expect_line(const TinyTrace& trace, const std::string& line) {
  EXPECT_EQ(first_line(judge(trace)), "divergence " + line + " policy=predict-rows-hidden");
}

}  // namespace tandem::test
