// The random cases of the kernel tests: legal for every operation, and never all alike.
#include "tools/bench/op_state.hpp"

#include <set>

#include <gtest/gtest.h>

#include "kernels/op_registry.hpp"

namespace tandem::bench {
namespace {

std::vector<OpShape> shapes() {
  std::vector<OpShape> out;
  std::uint64_t seed = 1;
  for (const std::int32_t slots : {0, 1, 2, 33, 129}) {
    for (const SlotMix mix : {SlotMix::kMixed, SlotMix::kDecode, SlotMix::kFull, SlotMix::kPrefill,
                              SlotMix::kStopped, SlotMix::kParked, SlotMix::kEmpty}) {
      for (const RowCount rows : {RowCount::kExact, RowCount::kSpare, RowCount::kTooFew}) {
        out.push_back({slots, slots - slots / 4, static_cast<std::int32_t>(1 + seed % 9), mix, rows,
                       8, seed});
        ++seed;
      }
    }
  }
  return out;
}

TEST(OpState, EveryShapeIsLegalForEveryOperation) {
  for (const OpShape& shape : shapes()) {
    for (const kernels::OpSpec& op : kernels::all_ops()) {
      OpState state = make_state(shape);
      const Status legal = kernels::check(make_op(op.name, state, Space()));
      ASSERT_TRUE(legal.ok()) << "seed " << shape.seed << ": " << legal.error().text;
    }
  }
}

/// The references abort on an illegal member, so that running is the test.
TEST(OpState, EveryShapeIsLegalForTheFusedGroups) {
  for (const OpShape& shape : shapes()) {
    OpState state = make_state(shape);
    const kernels::FusedCommit commit = make_commit(state, Space());
    for (const kernels::AnyOp& op :
         {kernels::AnyOp(commit.verify), kernels::AnyOp(commit.stop_sequences),
          kernels::AnyOp(commit.update), kernels::AnyOp(commit.draft_preprocess)}) {
      const Status legal = kernels::check(op);
      ASSERT_TRUE(legal.ok()) << "seed " << shape.seed << ": " << legal.error().text;
      kernels::run_reference(op);
    }
    OpState round = make_state(shape);
    const kernels::FusedDraftNext next = make_draft_next(round, Space());
    const kernels::FusedDraftEnd end = make_draft_end(round, Space());
    for (const kernels::AnyOp& op :
         {kernels::AnyOp(next.update), kernels::AnyOp(next.pack), kernels::AnyOp(end.postprocess),
          kernels::AnyOp(end.schedule)}) {
      const Status legal = kernels::check(op);
      ASSERT_TRUE(legal.ok()) << "seed " << shape.seed << ": " << legal.error().text;
      kernels::run_reference(op);
    }
  }
}

TEST(OpState, MixedSlotsReachEveryOutcomeOfVerifyAndScheduling) {
  std::set<std::int32_t> counts;
  int parked = 0;
  int stopped = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    OpState state = make_state({.slots = 40, .view = 40, .seed = seed});
    kernels::run_reference(make_op("verify_draft_tokens", state, Space()));
    counts.insert(state.a.begin(), state.a.end());
    const Bools before = state.b;
    kernels::run_reference(make_op("speculate_schedule_cache", state, Space()));
    for (std::size_t k = 0; k < before.size(); ++k) parked += state.b[k] - before[k];
    kernels::run_reference(make_op("unified_update_model_status", state, Space()));
    for (const std::uint8_t s : state.s) stopped += s;
  }
  EXPECT_EQ(counts, (std::set<std::int32_t>{0, 1, 2, 3, 4}));
  EXPECT_GT(parked, 20);
  EXPECT_GT(stopped, 20);
}

}  // namespace
}  // namespace tandem::bench
