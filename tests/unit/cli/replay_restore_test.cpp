// Batch-exact replay from the middle of a run: each block of a trace starts from its keyframe.
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/core/recorded_run.hpp"
#include "tests/support/run_helpers.hpp"
#include "tests/support/sample_trace.hpp"
#include "tests/support/sanitized.hpp"
#include "tools/cli/replay_compare.hpp"
#include "tools/cli/replay_report.hpp"

namespace tandem::cli {
namespace {

using test::MemorySink;

constexpr std::int64_t kBlockSteps = 3;
constexpr std::int64_t kStepsMax = 60;

/// Whether a trace's header says how many drafts are accepted: that of a real model does not.
enum class Acceptance { stated, open };

/// A trace without its first blocks.
class LaterPart final : public TraceReader {
 public:
  LaterPart(const TraceReader& whole, std::size_t first, Acceptance acceptance)
      : whole_(whole), first_(first) {
    header_ = whole.header();
    if (acceptance == Acceptance::open) header_.config.acceptance = AcceptProfile{};
    blocks_.assign(whole.blocks().begin() + static_cast<std::ptrdiff_t>(first),
                   whole.blocks().end());
    header_.first_step = blocks_.front().first_step;
  }
  [[nodiscard]] const TraceHeader& header() const override { return header_; }
  [[nodiscard]] const std::vector<BlockInfo>& blocks() const override { return blocks_; }
  [[nodiscard]] Result<std::unique_ptr<BlockReader>> open_block(std::size_t index) const override {
    return whole_.open_block(first_ + index);
  }
  [[nodiscard]] const std::vector<plan::Segment>& segments() const override {
    return whole_.segments();
  }
  [[nodiscard]] const std::vector<RequestRow>& unadmitted() const override {
    return whole_.unadmitted();
  }
  [[nodiscard]] const Keyframe* last() const override { return whole_.last(); }
  [[nodiscard]] const TraceDamage* damage() const override { return whole_.damage(); }

 private:
  const TraceReader& whole_;
  std::size_t first_;
  TraceHeader header_;
  std::vector<BlockInfo> blocks_;
};

struct Recorded {
  Scenario scenario;
  MemorySink bytes;
  std::unique_ptr<TraceReader> reader;
};

/// Null and a failure where the scenario does not run.
std::unique_ptr<Recorded> record(const std::string& name, const std::string& schedule) {
  std::vector<std::string> overrides{"limits.steps=" + std::to_string(kStepsMax)};
  if (!schedule.empty()) overrides.push_back("schedule=" + schedule);
  Result<Scenario> scenario = parse_scenario(*catalog_scenario(name), name, overrides);
  if (!scenario) {
    ADD_FAILURE() << scenario.error().text;
    return nullptr;
  }
  auto out = std::make_unique<Recorded>();
  out->scenario = std::move(scenario.value());
  const auto workload = make_workload(out->scenario, {});
  const auto writer = make_tbt_writer(out->bytes, {});
  RunOptions options;
  options.block_steps = kBlockSteps;
  const auto ran = run_on_host(out->scenario, *workload.value(), options, writer.value().get());
  EXPECT_TRUE(ran.ok()) << name;
  out->reader = open_trace(out->bytes.bytes, name).value();
  return out;
}

/// "" where the replay does as recorded, else what differs first.
std::string replay_from(const Recorded& recorded, std::size_t block, Acceptance acceptance) {
  const LaterPart part(*recorded.reader, block, acceptance);
  Scenario scenario = recorded.scenario;
  scenario.config = part.header().config;
  if (!states_acceptance(scenario.config)) scenario.config.acceptance.kind = AcceptKind::list;
  const Result<RecordedRun> run =
      read_recorded_run(part, "trace", {&scenario.config, true}, nullptr);
  if (!run) return run.error().text;
  ReplaySink sink(run.value(), {});
  RunOptions options;
  options.replay = &run.value();
  options.first_step = run.value().first_step;
  options.block_steps = kBlockSteps;
  test::ListWorkload nobody({});
  const auto ran = run_on_host(scenario, nobody, options, &sink);
  if (!ran) return ran.error().text;
  const ReplayComparison& c = sink.result();
  if (c.compared != run.value().end_step - run.value().first_step) return "steps are missing";
  if (c.first) return to_line(*c.first);
  if (c.keyframes_compared == 0) return "no keyframe was compared";
  return c.keyframes_differing > 0 ? "keyframe: " + c.first_member : "";
}

/// From every `stride`-th block of each catalogue scenario; the number of starts midway.
std::size_t replay_catalogue(const std::string& schedule, std::size_t stride,
                             Acceptance acceptance) {
  std::size_t midway = 0;
  for (const std::string_view name : catalog_names()) {
    const auto recorded = record(std::string(name), schedule);
    if (recorded == nullptr) return 0;
    for (std::size_t k = 0; k < recorded->reader->blocks().size(); k += stride) {
      EXPECT_EQ(replay_from(*recorded, k, acceptance), "") << name << " block " << k;
      midway += k > 0 ? 1 : 0;
    }
  }
  return midway;
}

constexpr std::size_t kStride = test::kSanitized ? 5 : 1;

TEST(ReplayRestore, EveryCatalogueScenarioFromEveryBlockThenTheSameSteps) {
  EXPECT_GT(replay_catalogue("", kStride, Acceptance::stated), 50U);
}

TEST(ReplayRestore, SyncScheduleFromEveryOtherBlockThenTheSameSteps) {
  EXPECT_GT(replay_catalogue("sync", 2 * kStride, Acceptance::stated), 20U);
}

TEST(ReplayRestore, RecordedCountsFromEveryOtherBlockThenTheSameSteps) {
  EXPECT_GT(replay_catalogue("", 2 * kStride, Acceptance::open), 20U);
}

}  // namespace
}  // namespace tandem::cli
