// Level full: P0, P3, token rows and poison are judged, clean and corrupted.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scenarios/scenario.hpp"
#include "sim/checks/verify.hpp"
#include "tests/support/run_helpers.hpp"
#include "traces/fields.hpp"

namespace tandem::test {
namespace {

void full_run(KeepingSink& sink) {
  const Result<Scenario> scenario =
      parse_scenario(*catalog_scenario("decode-small"), "decode-small");
  EXPECT_TRUE(scenario.ok());
  const FileLoader no_files = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": no file belongs to the catalogue"};
  };
  auto workload = make_workload(scenario.value(), no_files);
  EXPECT_TRUE(workload.ok());
  RunOptions options;
  options.level = RecordLevel::full;
  options.block_steps = 1 << 20;
  EXPECT_TRUE(run_on_host(scenario.value(), *workload.value(), options, &sink).ok());
}

sim::Verdict judge(const KeepingSink& run) {
  const auto live = sim::make_live_verifier({});
  EXPECT_TRUE(live->begin(run.header).ok());
  for (const plan::Segment& segment : run.segments) EXPECT_TRUE(live->segment(segment).ok());
  EXPECT_TRUE(live->keyframe(run.keyframes.front()).ok());
  for (const StepRecord& record : run.steps) EXPECT_TRUE(live->step(record).ok());
  EXPECT_TRUE(live->end(run.last).ok());
  return live->verdict();
}

TEST(FullLevel, CleanRunIsCleanAndV11Runs) {
  KeepingSink run;
  full_run(run);
  const sim::Verdict verdict = judge(run);
  EXPECT_EQ(verdict.divergence_count, 0U);
  EXPECT_GT(verdict.checks[static_cast<std::size_t>(sim::CheckId::V11)].run, 0U);
}

TEST(FullLevel, CorruptedValueIsFoundByTheCheckOfItsPoint) {
  struct Case {
    sim::CheckId check;
    std::function<void(StepRecord&, std::size_t)> corrupt;
  };
  const std::vector<Case> cases{
      {sim::CheckId::V11, [](StepRecord& r, std::size_t) { ++r.poison_damaged; }},
      {sim::CheckId::V11, [](StepRecord& r, std::size_t) { ++r.poison_rows; }},
      {sim::CheckId::V12, [](StepRecord& r, std::size_t i) { ++r.p0.d[i]; }},
      {sim::CheckId::V18, [](StepRecord& r, std::size_t i) { ++r.p3.q[i]; }},
      {sim::CheckId::V12, [](StepRecord& r, std::size_t i) { r.p1_tokens[i * 4] = -1; }},
      {sim::CheckId::V13, [](StepRecord& r, std::size_t i) { ++r.p2_tokens[i * 4]; }},
      {sim::CheckId::V18, [](StepRecord& r, std::size_t i) { r.p4_tokens[i * 4] = -1; }},
  };
  KeepingSink run;
  full_run(run);
  const std::vector<StepRecord> clean = run.steps;
  for (std::size_t k = 0; k < cases.size(); ++k) {
    run.steps = clean;
    bool changed = false;
    for (StepRecord& r : run.steps) {
      for (std::size_t i = 0; !changed && i < r.p2.a.size(); ++i) {
        if (r.kind != StepKind::back || r.p1.e[i] != 0 || r.p2.a[i] < 2) continue;
        cases[k].corrupt(r, i);
        changed = true;
      }
    }
    ASSERT_TRUE(changed) << k;
    const sim::Verdict verdict = judge(run);
    ASSERT_GT(verdict.divergence_count, 0U) << k;
    EXPECT_EQ(sim::to_name(verdict.divergences[0].check), std::string(to_name(cases[k].check)))
        << k;
  }
}

TEST(FullLevel, TokenRowsOfAnotherShapeAreOneDivergenceAndNotRead) {
  struct Case {
    sim::CheckId check;
    Field field;
    std::vector<std::int64_t> StepRecord::*rows;
  };
  const std::vector<Case> cases{
      {sim::CheckId::V12, Field::p1_tokens, &StepRecord::p1_tokens},
      {sim::CheckId::V13, Field::p2_tokens, &StepRecord::p2_tokens},
      {sim::CheckId::V18, Field::p4_tokens, &StepRecord::p4_tokens},
  };
  KeepingSink run;
  full_run(run);
  const std::vector<StepRecord> clean = run.steps;
  for (const Case& c : cases) {
    run.steps = clean;
    for (StepRecord& r : run.steps) {
      if (r.kind == StepKind::back) r.*c.rows = std::vector<std::int64_t>(1);  // frees the rest
    }
    const sim::Verdict verdict = judge(run);
    ASSERT_GT(verdict.divergence_count, 0U) << sim::to_name(c.check);
    for (const sim::Divergence& divergence : verdict.divergences) {
      EXPECT_EQ(sim::to_name(divergence.check), std::string(to_name(c.check)));
      EXPECT_EQ(divergence.field, field_path(c.field)) << sim::to_line(divergence);
    }
  }
}

}  // namespace
}  // namespace tandem::test
