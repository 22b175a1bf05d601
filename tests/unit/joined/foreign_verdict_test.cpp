// Runs of the catalogue with fields missing, as in a foreign trace: nothing false is said.
#include <algorithm>
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "scenarios/scenario.hpp"
#include "tests/support/run_helpers.hpp"
#include "tests/unit/sim/foreign_helpers.hpp"
#include "traces/base/random.hpp"

namespace tandem::test {
namespace {

constexpr std::size_t kBlocksMax = 6;  // enough for everything to happen, and quick

TinyTrace trace_of(const KeepingSink& sink) {
  TinyTrace trace;
  trace.head = sink.header;
  trace.segments = sink.segments;
  const std::size_t blocks = std::min(kBlocksMax, sink.keyframes.size());
  trace.end_state = blocks < sink.keyframes.size() ? sink.keyframes[blocks] : sink.last;
  for (std::size_t k = 0; k < blocks; ++k) {
    const std::size_t end =
        k + 1 < sink.keyframes.size() ? sink.keyframe_before[k + 1] : sink.steps.size();
    TinyTrace::Block block{sink.keyframes[k], {}};
    for (std::size_t i = sink.keyframe_before[k]; i < end; ++i) {
      block.records.push_back(sink.steps[i]);
    }
    trace.content.push_back(std::move(block));
  }
  return trace;
}

TinyTrace run_catalog(const std::string& name, const std::string& schedule) {
  Result<Scenario> scenario =
      parse_scenario(*catalog_scenario(name), name, {"schedule=" + schedule});
  EXPECT_TRUE(scenario.ok());
  const FileLoader no_files = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": no file belongs to the catalogue"};
  };
  auto workload = make_workload(scenario.value(), no_files);
  EXPECT_TRUE(workload.ok());
  RunOptions options;
  options.block_steps = 32;
  KeepingSink sink;
  EXPECT_TRUE(run_on_host(scenario.value(), *workload.value(), options, &sink).ok());
  return trace_of(sink);
}

struct Case {
  const char* scenario;
  const char* schedule;
};

void PrintTo(const Case& run, std::ostream* out) { *out << run.scenario << " " << run.schedule; }

class ForeignRun : public testing::TestWithParam<Case> {};

TEST_P(ForeignRun, AnySingleFieldMayBeMissing) {
  const TinyTrace clean = run_catalog(GetParam().scenario, GetParam().schedule);
  ASSERT_EQ(first_line(judge(clean)), "clean");
  for (std::size_t i = 0; i < kFieldCount; ++i) expect_silence(clean, {static_cast<Field>(i)});
}

TEST_P(ForeignRun, PairsOfFieldsMayBeMissing) {
  const TinyTrace clean = run_catalog(GetParam().scenario, GetParam().schedule);
  RandomStream random(3, "absent pairs of a run");
  for (int k = 0; k < 100; ++k) {
    const auto a = static_cast<Field>(random.below(kFieldCount));
    const auto b = static_cast<Field>(random.below(kFieldCount));
    if (a != b) expect_silence(clean, {a, b});
  }
}

constexpr Case kCases[] = {{"decode-small", "overlap"},       {"chunked-prefill", "overlap"},
                           {"dnode-short-drafts", "overlap"}, {"eos-inside-drafts", "overlap"},
                           {"mixed-rows", "overlap"},         {"single-slot", "overlap"},
                           {"length-limit", "sync"},          {"accept-list", "sync"}};

INSTANTIATE_TEST_SUITE_P(Catalog, ForeignRun, testing::ValuesIn(kCases),
                         [](const testing::TestParamInfo<Case>& run) {
                           std::string name = run.param.scenario;
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name + "_" + run.param.schedule;
                         });

}  // namespace
}  // namespace tandem::test
