// The view n may shrink below slots that ran: the proposer clears what they leave, all B of them.
#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

RequestRow eos_row(RequestId id, std::int32_t prompt, std::int32_t eos_at) {
  RequestRow r;
  r.id = id;
  r.prompt_len = prompt;
  r.max_dec_len = 300;
  r.eos_at = eos_at;
  r.accept = {2, 3};
  return r;
}

TEST(View, ShrunkBelowASlotPreemptedAloneIsClean) {
  RunConfig config = tiny_config();
  config.block_size = 64;
  const TinyTrace trace = record_run(config, 0, 12, 4, [](TinyRun& run, int i) {
    if (i == 0) run.prefill(0, eos_row(0, 4, 2), 4);
    if (i == 0) run.prefill(1, eos_row(1, 6, 0), 4);
    if (i == 6) run.preempt(1);
    if (i == 7) run.prefill(0, eos_row(2, 5, 0), 4);
  });
  const StepRecord& alone = trace.content[1].records[2];
  const StepRecord& after = trace.content[1].records[3];
  ASSERT_EQ(alone.t, 6);
  ASSERT_NE(alone.kind, StepKind::back) << "no propose clears the slot's draft state here";
  ASSERT_LT(after.n, alone.n);
  EXPECT_EQ(first_line(judge(trace)), "clean");
}

}  // namespace
}  // namespace tandem::test
