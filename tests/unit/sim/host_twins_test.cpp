// Corrupted twins of the checks on plan, graphs, beliefs, counts, pinned copies and level `full`.
#include <ostream>
#include <string>

#include <gtest/gtest.h>

#include "sim/checks/plan_book.hpp"
#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

using plan::Buffer;
using plan::EventName;
using plan::Operation;
using plan::OpKind;
using plan::Segment;

struct FieldTwin {
  const char* name;
  std::int64_t t;
  void (*corrupt)(StepRecord& r);
  const char* check;
  const char* field;
};

void PrintTo(const FieldTwin& twin, std::ostream* out) { *out << twin.name; }

/// The worked example with graphs, at level `full`: every check of this file runs.
TinyTrace clean_trace() {
  RunConfig config = tiny_config();
  config.captured_sizes = {12, 6, 3};
  RequestRow row;
  row.id = 0;
  row.prompt_len = 3;
  row.max_dec_len = 40;
  row.accept = {2, 3, 1};
  RequestRow other = row;
  other.id = 1;
  return record_run(
      config, 0, 8, 0,
      [row, other](TinyRun& run, int i) {
        if (i == 0) run.prefill(0, row, 6);
        if (i == 3) run.prefill(1, other, 6);
      },
      RecordLevel::full);
}

class HostTwin : public testing::TestWithParam<FieldTwin> {};

TEST_P(HostTwin, IsNamedFirst) {
  const FieldTwin& twin = GetParam();
  TinyTrace trace = clean_trace();
  ASSERT_EQ(first_line(judge(trace)), "clean");
  twin.corrupt(record_of(trace, twin.t));
  const sim::Verdict verdict = judge(trace);
  ASSERT_FALSE(verdict.divergences.empty());
  const sim::Divergence& first = verdict.divergences.front();
  EXPECT_STREQ(sim::to_name(first.check), twin.check) << sim::to_line(first);
  EXPECT_EQ(first.field, twin.field) << sim::to_line(first);
  EXPECT_EQ(first.step, twin.t);
}

const FieldTwin kTwins[] = {
    {"V11_rows", 2, [](StepRecord& r) { r.poison_rows -= 1; }, "V11", "poison_rows"},
    {"V11_read", 2, [](StepRecord& r) { r.poison_damaged = 1; }, "V11", "poison_damaged"},
    {"V23_deviation", 2,
     [](StepRecord& r) {
       r.deviations.push_back({1, 3, 4, -1});
     },
     "V23", "deviations"},
    {"V23_hash", 2, [](StepRecord& r) { r.segments[1] += 1; }, "V23", "segments.hash"},
    {"V23_no_save", 2, [](StepRecord& r) { r.segments.erase(r.segments.begin() + 1); }, "V23",
     "segments.kind"},
    {"V23_swapped", 2, [](StepRecord& r) { std::swap(r.segments[1], r.segments[2]); }, "V23",
     "segments.kind"},
    {"V23_cut", 2, [](StepRecord& r) { r.segments.pop_back(); }, "V23", "segments"},
    {"V29_main", 2, [](StepRecord& r) { r.captured_size = 6; }, "V29", "captured_size"},
    {"V29_in_prefill", 3, [](StepRecord& r) { r.captured_size = 12; }, "V29", "captured_size"},
    {"V29_draft", 2, [](StepRecord& r) { r.substeps[1].captured_size = 0; }, "V29",
     "substeps[1].captured_size"},
    {"V30_main", 2, [](StepRecord& r) { r.live_tail = 1; }, "V30", "live_tail"},
    {"V30_draft", 2, [](StepRecord& r) { r.substeps[0].live_tail = 2; }, "V30",
     "substeps[0].live_tail"},
    {"V31_rows_of_the_launch", 4, [](StepRecord& r) { r.count_uses[1].count = r.token_num + 1; },
     "V31", "count_uses.count"},
    {"V31_next_step", 4, [](StepRecord& r) { r.count_uses[0].step += 1; }, "V31",
     "count_uses.step"},
    {"V31_order", 4, [](StepRecord& r) { std::swap(r.count_uses[0], r.count_uses[1]); }, "V31",
     "count_uses.user"},
    {"V31_missing", 4, [](StepRecord& r) { r.count_uses.pop_back(); }, "V31", "count_uses"},
    {"V36_length", 4, [](StepRecord& r) { r.believed_len[0] += 1; }, "V36", "believed_len"},
    {"V36_reserve", 4, [](StepRecord& r) { r.believed_reserve[0] = 3; }, "V36", "believed_reserve"},
    {"V39_overwritten", 3, [](StepRecord& r) { r.pinned_copies[0].at_copy ^= 1; }, "V39",
     "pinned_copies.at_copy"},
    {"V39_other_row", 0, [](StepRecord& r) { r.tasks[0].row.min_tokens += 1; }, "V39",
     "pinned_copies.at_enqueue"},
    {"V39_missing", 3, [](StepRecord& r) { r.pinned_copies.clear(); }, "V39", "pinned_copies"},
    {"V39_without_tasks", 4,
     [](StepRecord& r) {
       r.pinned_copies.push_back({static_cast<std::int32_t>(Buffer::task_arrays_cpu), 1, 1});
     },
     "V39", "pinned_copies"},
    {"V12_p0", 4, [](StepRecord& r) { r.p0.d[0] += 1; }, "V12", "p0.d"},
    {"V12_token", 4, [](StepRecord& r) { r.p1_tokens[1] += 1; }, "V12", "p1.tokens.digest"},
    {"V13_token", 4, [](StepRecord& r) { r.p2_tokens[0] += 1; }, "V13", "p2.tokens.draft"},
    {"V18_p3", 4, [](StepRecord& r) { r.p3.q[0] -= 1; }, "V18", "p3.q"},
    {"V18_token", 4, [](StepRecord& r) { r.p4_tokens[1] += 1; }, "V18", "p4.tokens.digest"},
    {"V34_padding_id", 4, [](StepRecord& r) { r.id_above = 32000; }, "V34", "id_above"},
    {"V34_sub_id", 4, [](StepRecord& r) { r.substeps[1].id_below = -1; }, "V34",
     "substeps[1].id_below"},
};

std::string field_twin_name(const testing::TestParamInfo<FieldTwin>& twin) {
  return twin.param.name;
}

INSTANTIATE_TEST_SUITE_P(Host, HostTwin, testing::ValuesIn(kTwins), field_twin_name);

// -- V23: plans with one operation moved ----------------------------------------------------------

/// Faults of the chain front, save, settle, back after `edit` changed its segments.
std::string faults_after(const RunConfig& config, void (*edit)(TinyPlan& plan)) {
  TinyPlan plan(config);
  edit(plan);
  const sim::ChainFacts facts =
      sim::read_chain({&plan.front_exact, &plan.save, &plan.settle, &plan.back_blocking},
                      {true, true}, config.pinned_ring_depth);
  std::string text;
  for (const sim::ChainFault& fault : facts.faults) text += fault.what;
  return text;
}

void erase(Segment& segment, OpKind kind) {
  std::erase_if(segment.ops, [kind](const Operation& op) { return op.kind == kind; });
}

void erase_wait(Segment& segment, EventName name) {
  std::erase_if(segment.ops, [name](const Operation& op) {
    return op.kind == OpKind::wait_event && op.waits.name == name;
  });
}

TEST(PlanOrder, TinyPlanHasNoFault) {
  EXPECT_EQ(faults_after(tiny_config(), [](TinyPlan&) {}), "");
}

TEST(PlanOrder, ReadWithoutTheWaitOfItsEventIsUnwaited) {
  EXPECT_EQ(faults_after(tiny_config(),
                         [](TinyPlan& p) { erase_wait(p.front_exact, EventName::token_num); }),
            ".unwaited");
  // The mask reads what the send has waited for: both lack it.
  EXPECT_EQ(
      faults_after(tiny_config(), [](TinyPlan& p) { erase_wait(p.save, EventName::post_process); }),
      ".unwaited.unwaited.unwaited.unwaited.unwaited");
}

TEST(PlanOrder, CopyWithoutItsEventIsUncovered) {
  const std::string faults = faults_after(tiny_config(), [](TinyPlan& p) {
    std::erase_if(p.back_blocking.ops, [](const Operation& op) {
      return op.kind == OpKind::record_event && op.records.name == EventName::post_process;
    });
  });
  EXPECT_EQ(faults, ".uncovered.uncovered.uncovered.uncovered");
}

/// The copies of step t in front of the save of step t - 1.
void copy_early(TinyPlan& p) {
  std::vector<Operation> copies;
  for (const Operation& op : p.back_blocking.ops) {
    const bool event =
        op.kind == OpKind::record_event && op.records.name == EventName::post_process;
    if (op.kind == OpKind::copy_outputs || event) copies.push_back(op);
  }
  p.save.ops.insert(p.save.ops.begin(), copies.begin(), copies.end());
}

TEST(PlanOrder, SaveBehindTheNextCopiesIsOverwrittenUnlessTheRingIsDeeper) {
  RunConfig config = tiny_config();
  EXPECT_NE(faults_after(config, copy_early).find(".overwritten"), std::string::npos);
  config.pinned_ring_depth = 2;
  EXPECT_EQ(faults_after(config, copy_early), "");
}

TEST(PlanOrder, BlockingReadThatIsNotWaitedForIsAFault) {
  EXPECT_EQ(faults_after(tiny_config(),
                         [](TinyPlan& p) { erase_wait(p.back_blocking, EventName::read_done); }),
            ".scratch.scratch");
  EXPECT_EQ(faults_after(tiny_config(),
                         [](TinyPlan& p) {
                           erase(p.back_blocking, OpKind::read_draft_sum);
                           erase_wait(p.back_blocking, EventName::read_done);
                         }),
            "");
}

TEST(PlanOrder, WrongPlanOfTheModeIsNamed) {
  TinyTrace trace = clean_trace();
  StepRecord& r = record_of(trace, 2);
  ASSERT_EQ(r.mode, LaunchMode::predicted);
  r.segments[0] = plan::segment_hash(TinyPlan(trace.head.config).front_exact);
  const sim::Verdict verdict = judge(trace);
  ASSERT_EQ(verdict.divergence_count, 1U);
  EXPECT_EQ(verdict.divergences[0].field, "segments.resolve");
}

}  // namespace
}  // namespace tandem::test
