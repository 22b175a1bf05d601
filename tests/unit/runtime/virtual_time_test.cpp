// Virtual time with launches, latencies and gaps: when things start, and what the lane lost.
#include "runtime/core/virtual_time.hpp"

#include <gtest/gtest.h>

namespace tandem {
namespace {

plan::Operation of_kind(plan::OpKind kind) {
  plan::Operation op;
  op.kind = kind;
  op.lane = plan::Lane::compute;
  return op;
}

const plan::Operation kKernel = of_kind(plan::OpKind::lm_head);

plan::Operation recorded(plan::EventName name) {
  plan::Operation op = of_kind(plan::OpKind::record_event);
  op.records = {name, 0};
  return op;
}

TEST(VirtualTime, OfAnIdleLaneThenTheLaunchAndItsLatencyAreStarvedTime) {
  VirtualTime time;
  time.enqueue(kKernel, {}, {10, 3, 1, 100});  // launched at 10, starts at 13, ends at 113
  EXPECT_EQ(time.now(), 10);
  EXPECT_EQ(time.compute().starved_ns, 13);
  EXPECT_EQ(time.compute().gap_ns, 0);
  time.drain();
  EXPECT_EQ(time.now(), 113);
}

TEST(VirtualTime, OfABusyLaneThenOnlyTheGapIsLost) {
  VirtualTime time;
  time.enqueue(kKernel, {}, {10, 0, 0, 100});
  time.enqueue(kKernel, {}, {10, 3, 2, 50});  // launched at 20, behind 110: starts at 112
  EXPECT_EQ(time.compute().starved_ns, 10);
  EXPECT_EQ(time.compute().gap_ns, 2);
  EXPECT_EQ(time.compute().busy_ns, 150);
  time.drain();
  EXPECT_EQ(time.now(), 162);
}

TEST(VirtualTime, OfALateLaunchThenItHidesTheGap) {
  VirtualTime time;
  time.enqueue(kKernel, {}, {0, 0, 0, 100});
  time.spend(500);
  time.enqueue(kKernel, {}, {10, 0, 7, 100});
  EXPECT_EQ(time.compute().starved_ns, 410);
  EXPECT_EQ(time.compute().gap_ns, 0);
}

TEST(VirtualTime, OfNothingToDoThenTheLaneDoesNotStarve) {
  VirtualTime time;
  time.enqueue(kKernel, {}, {0, 0, 0, 100});
  time.sleep_until(1000);
  time.settle_idle();
  time.enqueue(kKernel, {}, {10, 0, 0, 100});
  EXPECT_EQ(time.compute().starved_ns, 10);
}

TEST(VirtualTime, OfAWaitThenItEndsBehindTheEventOrItsOwnCall) {
  VirtualTime time;
  time.enqueue(kKernel, {}, {10, 0, 0, 100});
  time.enqueue(recorded(plan::EventName::token_num), {}, {});
  time.wait(plan::EventName::token_num, 0, {2, 5});
  EXPECT_EQ(time.now(), 115);  // 110 and the wake
  time.spend(50);
  time.wait(plan::EventName::token_num, 0, {2, 5});
  EXPECT_EQ(time.now(), 167);  // long since reached: the call alone
}

}  // namespace
}  // namespace tandem
