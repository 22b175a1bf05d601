// Words for the members of a record that few steps have: made records, since they are rare.
#include "tools/cli/stamp_words.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tools/cli/dump_text.hpp"
#include "tools/cli/explain.hpp"
#include "tools/cli/record_words.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::cli {
namespace {

using Lines = std::vector<std::string>;

/// Two slots, K = 4, M = 2; slot 0 decodes with four drafts, two of them beyond the MTP head's.
StepView hybrid_view() {
  StepView view;
  view.header.config.max_num_seqs = 2;
  view.header.config.num_speculative_tokens = 4;
  view.header.config.num_model_steps = 2;
  Keyframe keyframe = Keyframe::initial(7, 2);
  keyframe.request = {5, kNoRequest};
  keyframe.rows.resize(1);
  keyframe.rows[0].id = 5;
  keyframe.rows[0].prompt_len = 30;
  keyframe.rows[0].max_dec_len = 100;
  view.table = SlotTable(keyframe, 2);
  view.keyframe = keyframe;
  view.step = 7;
  StepRecord& r = view.record;
  r.reset(RecordLevel::state, 2, 2, 5);
  r.t = 7;
  r.kind = StepKind::back;
  r.p1_request = {5, kNoRequest};
  r.p1.q = {5, 0};
  r.p1.d = {40, 0};
  r.p1.g = {11, 0};
  r.p1.s = {0, 1};
  r.p2.a = {3, 0};
  r.p2.d = {43, 0};
  r.p2.g = {14, 0};
  r.p4.q = {4, 0};
  return view;
}

TEST(StampWords, RecordWithoutAnyThenNoLine) {
  EXPECT_EQ(stamp_words(StepRecord{}), Lines{});
  EXPECT_EQ(stamp_words(hybrid_view().record), Lines{});
}

TEST(StampWords, CountsOfOtherStepsThenWhoUsedWhichOfWhen) {
  StepRecord r;
  r.count_uses = {{CountUser::routing_replay, 7, 12}, {CountUser::sampling_mask, 6, 9}};
  EXPECT_EQ(stamp_words(r), Lines{"counts: routing_replay used 12 of step 7, sampling_mask used 9 "
                                  "of step 6"});
}

TEST(StampWords, PinnedSourceThatChangedThenBothDigests) {
  const auto buffer = static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu);
  StepRecord r;
  r.pinned_copies = {{buffer, 1, 1}, {buffer, 18, 19}, {9999, 3, 3}};
  EXPECT_EQ(stamp_words(r),
            (Lines{"pinned: 2 copies from task_arrays_cpu, 1 copy from buffer 9999",
                   "task_arrays_cpu changed before its copy ran: digest 0x0012 at enqueue, 0x0013 "
                   "at the copy"}));
}

TEST(StampWords, LiveTailsThenTheLaunchThatHasThem) {
  StepRecord r = hybrid_view().record;
  r.live_tail = 1;
  r.substeps[1].live_tail = 2;
  EXPECT_EQ(stamp_words(r), (Lines{"tail: 1 row behind T is someone's in the main launch",
                                   "tail: 2 rows behind T are someone's in sub-step 1"}));
}

TEST(StampWords, GenerationsSeedsAndStopCountersThenWhatDiffers) {
  StepRecord r = hybrid_view().record;
  r.enqueue_generation = {1, 0};
  r.p2_generation = {2, 0};
  r.seed_used = {77, 0};
  r.stop_step_idx = {10, 0};
  EXPECT_EQ(stamp_words(r),
            (Lines{"slot 0 was written for generation 1 while it held 2", "seeds: 0:77",
                   "slot 0 tried its stop sequences at g = 10, while g was 11"}));
  const std::string dumped = step_text(r);
  EXPECT_NE(dumped.find("\n  seeds: 0:77\n"), std::string::npos) << dumped;
}

TEST(RequestWords, EveryMemberThenAllOfThem) {
  RequestRow row;
  row.prompt_len = 30;
  row.max_dec_len = 100;
  EXPECT_EQ(request_words(row), "prompt 30, limit 100");
  row.cached_prompt = 16;
  row.eos_at = 50;
  row.stop_at = 20;
  row.stop_len = 3;
  row.min_tokens = 8;
  row.abort_after = 0;
  EXPECT_EQ(request_words(row),
            "prompt 30, limit 100, 16 in the prefix cache, EOS at 50, stop sequence of 3 tokens at "
            "20 (not before 8), abort after 0");
}

TEST(SlotActivity, MoreDraftsThanTheHeadMakesThenByNgram) {
  EXPECT_EQ(slot_activity(hybrid_view(), 0),
            "decoding: 2 of 4 drafts accepted, 2 of them by n-gram, 3 tokens; length 40 -> 43, "
            "generated 11 -> 14; 4 rows next (1 draft by n-gram)");
}

TEST(SlotActivity, FirstStepOfADNodeThenItsDraftsAreNotCalledNgram) {
  StepView view = hybrid_view();
  Task task;
  task.kind = TaskKind::dnode;
  view.record.tasks = {task};
  const std::string text = slot_activity(view, 0);
  EXPECT_EQ(text.rfind("first step of a D node: 2 of 4 drafts accepted, 3 tokens;", 0), 0U) << text;
}

TEST(SlotActivity, EndOfAnOutputThenItsReason) {
  struct Case {
    std::int32_t eos_at, stop_at, min_tokens, max_dec_len;
    const char* word;
  };
  for (const Case& c :
       {Case{14, 0, 0, 100, "; EOS"}, Case{0, 13, 0, 100, "; stop sequence"},
        Case{0, 0, 0, 14, "; length limit"}, Case{14, 13, 0, 14, "; EOS"},
        Case{0, 13, 0, 14, "; stop sequence"}, Case{0, 13, 15, 14, "; length limit"},
        Case{0, 0, 0, 100, "; EOS or a stop sequence"}}) {
    StepView view = hybrid_view();
    RequestRow& row = view.table.rows[0];
    row.eos_at = c.eos_at;
    row.stop_at = c.stop_at;
    row.min_tokens = c.min_tokens;
    row.max_dec_len = c.max_dec_len;
    view.record.p2.s = {1, 1};
    const std::string text = slot_activity(view, 0);
    EXPECT_EQ(text.substr(text.rfind(';')), c.word) << text;
  }
}

TEST(SlotActivity, PrefillThenWholeTextChunkOrWhatThePrefixCacheHolds) {
  StepView view = hybrid_view();
  StepRecord& r = view.record;
  r.p1.q = {14, 0};
  r.p1.e = {14, 0};
  r.p1.d = {16, 0};
  r.p1_p = {30, 0};
  r.p1.g = {0, 0};
  r.p2.a = {1, 0};
  r.p2.g = {1, 0};
  EXPECT_EQ(slot_activity(view, 0).rfind("prefill chunk [16, 30) of 30, 1 token;", 0), 0U);
  Task task;
  task.start = 16;
  task.end = 30;
  task.text_len = 30;
  task.admits = true;
  r.tasks = {task};
  EXPECT_EQ(slot_activity(view, 0).rfind(
                "prefill of text [16, 30) of 30, 16 tokens from the prefix cache, ", 0),
            0U)
      << slot_activity(view, 0);
  r.p1.d = {0, 0};
  r.tasks.clear();
  EXPECT_EQ(
      slot_activity(view, 0).rfind("prefill chunk [0, 14) of 30; its token does not count", 0), 0U)
      << slot_activity(view, 0);
}

TEST(SlotActivity, SlotWithoutRowsThenFreeParkedRemovedOrWaiting) {
  StepView view = hybrid_view();
  EXPECT_EQ(slot_activity(view, 1), "free");
  view.record.p1.q = {0, 0};
  view.record.p1.s = {1, 1};
  EXPECT_EQ(slot_activity(view, 0),
            "stopped: waits for its next chunk, or for the engine to free it");
  view.has_before = true;
  Task task;
  task.kind = TaskKind::preempt;
  view.before.t = 6;
  view.before.tasks = {task};
  EXPECT_EQ(slot_activity(view, 0), "preempted by a task of step 6; its slot waits for the -9");
  task.kind = TaskKind::abort;
  view.record.tasks = {task};
  EXPECT_EQ(slot_activity(view, 0), "aborted by a task of this step");
  view.record.tasks.clear();
  view.record.p1.b = {1, 0};
  EXPECT_EQ(slot_activity(view, 0), "parked at the end of step 6: KV blocks ran out");
}

}  // namespace
}  // namespace tandem::cli
