// Recorded batches that can be carried out, and those that are refused with their place.
#include "runtime/core/batch_check.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::KeepingSink;
using test::request;

/// A run with chunks, block refreshes and a preemption.
struct Recorded {
  Scenario scenario = test::small_scenario(2, 2);
  KeepingSink kept;

  Recorded() {
    scenario.config.max_num_batched_tokens = 24;
    std::vector<RequestSpec> requests{request(0, 0, 60, 40), request(1, 2, 9, 40)};
    requests[0].preempt_after = 9;
    test::run_kept(scenario, requests, kept);
  }

  /// The first record with a task of this kind that does not admit, or with one that does.
  Task& task(TaskKind kind, bool admits) {
    for (StepRecord& r : kept.steps) {
      for (Task& task : r.tasks) {
        if (task.kind == kind && task.admits == admits) return task;
      }
    }
    TANDEM_CHECK(false);
  }

  [[nodiscard]] std::string complaint() const {
    BatchCheck check(scenario.config, present_fields(kept.header), "a.tbt");
    Status status = check.start(kept.keyframes.front());
    for (const StepRecord& r : kept.steps) {
      if (status) status = check.take(r, r.t);
    }
    return status ? "" : status.error().text;
  }
};

TEST(BatchCheck, EveryBatchOfARunThenTaken) {
  const Recorded recorded;
  EXPECT_EQ(recorded.complaint(), "");
}

TEST(BatchCheck, TaskThatDoesNotFitItsSlotThenItsMember) {
  using Change = void (*)(Recorded & r);
  for (const auto& [change, error] : {
           std::pair<Change, const char*>{
               [](Recorded& r) { r.task(TaskKind::prefill, true).slot = 2; },
               "slot: got 2, want an integer in [0, 1]"},
           {[](Recorded& r) { r.task(TaskKind::prefill, true).row.max_dec_len = 600; },
            "row.max_dec_len: got 600"},
           {[](Recorded& r) { r.task(TaskKind::prefill, true).row.id = 9; }, "row.id: got 9"},
           {[](Recorded& r) { r.task(TaskKind::prefill, true).generation = -1; },
            "generation: got -1"},
           {[](Recorded& r) { r.task(TaskKind::prefill, false).request = 7; },
            ": got prefill of request 7 in slot 0, which holds request 0"},
           {[](Recorded& r) { r.task(TaskKind::prefill, false).end = 61; }, "end: got 61"},
           {[](Recorded& r) { r.task(TaskKind::prefill, false).text_len = 61; },
            "text_len: got 61"},
           {[](Recorded& r) { r.task(TaskKind::preempt, false).admits = true; },
            ": got preempt with admits"},
           {[](Recorded& r) { r.task(TaskKind::decode, false).blocks.assign(60, 1); },
            "entries of the slot's table"},
           {[](Recorded& r) { r.task(TaskKind::decode, false).blocks.push_back(9999); },
            "blocks: got 9999"},
       }) {
    Recorded recorded;
    change(recorded);
    const std::string complaint = recorded.complaint();
    EXPECT_EQ(complaint.rfind("a.tbt: step ", 0), 0U) << complaint;
    EXPECT_NE(complaint.find(error), std::string::npos) << complaint << " for " << error;
  }
}

TEST(BatchCheck, StepThatIsMissingThenBothNumbers) {
  Recorded recorded;
  recorded.kept.steps.erase(recorded.kept.steps.begin() + 2);
  EXPECT_EQ(recorded.complaint(),
            "a.tbt: step 3: got the record of step 3, want that of step 2: a batch-exact replay "
            "needs each; reschedule what is there with --replay-requests");
}

TEST(BatchCheck, ViewThatLeavesAnOccupantOutThenRefused) {
  Recorded recorded;
  recorded.kept.steps.at(1).n = 0;
  EXPECT_NE(recorded.complaint().find("step 1: n: got 0, want 1 to 2: slots up to 0"),
            std::string::npos)
      << recorded.complaint();
}

TEST(BatchCheck, MoreRowsThanTheBudgetThenTheKeyThatAllowsThem) {
  Recorded recorded;
  recorded.scenario.config.max_num_batched_tokens = 10;
  EXPECT_NE(recorded.complaint().find("--set engine.max_num_batched_tokens=24"), std::string::npos)
      << recorded.complaint();
}

}  // namespace
}  // namespace tandem
