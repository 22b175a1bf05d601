// Keyframes that a run may start from, and those that no device could take up.
#include "runtime/core/start_check.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::KeepingSink;
using test::request;

/// Three slots: one decodes, one waits for its next chunk, one is free.
struct Midway {
  Scenario scenario = test::small_scenario(3, 2);
  Keyframe keyframe;

  Midway() {
    scenario.config.max_num_batched_tokens = 40;
    KeepingSink kept;
    RunOptions options;
    options.block_steps = 2;
    test::run_kept(scenario, {request(0, 0, 9, 30), request(1, 0, 200, 9)}, kept, options);
    keyframe = kept.keyframes.at(1);
  }

  [[nodiscard]] std::string complaint() const {
    const Status status = check_start(keyframe, scenario.config, "here");
    return status ? "" : status.error().text;
  }
};

TEST(StartCheck, EveryKeyframeOfARunThenTaken) {
  const Midway midway;
  ASSERT_EQ(midway.keyframe.request[0], 0);
  ASSERT_EQ(midway.keyframe.request[1], 1);
  EXPECT_EQ(midway.complaint(), "");
}

TEST(StartCheck, WhatNoTensorHoldsThenItsColumnAndSlot) {
  using Change = void (*)(Keyframe & k);
  for (const auto& [change, error] : {
           std::pair<Change, const char*>{[](Keyframe& k) { k.slots.q[0] = 4; },
                                          "here: q of slot 0: got 4, want an integer in [0, 3]"},
           {[](Keyframe& k) { k.slots.d[1] = -1; }, "here: d of slot 1: got -1"},
           {[](Keyframe& k) { k.slots.s[2] = 2; }, "here: s of slot 2: got 2"},
           {[](Keyframe& k) { k.known_g[0] = 513; }, "here: known_g of slot 0: got 513"},
           {[](Keyframe& k) { k.shadow.d.pop_back(); }, "here: shadow.d: got 2 entries"},
           {[](Keyframe& k) { k.rows.pop_back(); }, "here: got 3 slots, 2 of them occupied, and 1"},
           {[](Keyframe& k) { std::swap(k.rows[0], k.rows[1]); },
            "here: slot 0: got the row of request 1"},
           {[](Keyframe& k) { k.generation[0] = 0; },
            "here: slot 0: got an occupied slot that was never given away"},
           {[](Keyframe& k) { k.blocks[0].assign(999, 1); }, "here: slot 0: got 999 blocks"},
           {[](Keyframe& k) { k.blocks[0][0] = 1'000'000; }, "here: slot 0: got block 1000000"},
           {[](Keyframe& k) { k.draft.len[0] = 0; }, "here: slot 0: got q = "},
           {[](Keyframe& k) { k.n = 4; }, "here: n: got 4"},
       }) {
    Midway midway;
    change(midway.keyframe);
    EXPECT_EQ(midway.complaint().rfind(error, 0), 0U) << midway.complaint() << " for " << error;
  }
}

TEST(StartCheck, OutputThatIsNotItsSlotsThenRefused) {
  using Change = void (*)(Keyframe & k);
  for (const auto& [change, error] : {
           std::pair<Change, const char*>{[](Keyframe& k) { --k.unsent.step; },
                                          "here: unsent: got the output of step "},
           {[](Keyframe& k) { k.unsent.count[0] = 4; }, "here: unsent: count of slot 0: got 4"},
           {[](Keyframe& k) { k.unsent.count[2] = 1; }, "here: unsent: count of slot 2: got 1 tok"},
       }) {
    Midway midway;
    ASSERT_TRUE(midway.keyframe.has_unsent);
    change(midway.keyframe);
    EXPECT_EQ(midway.complaint().rfind(error, 0), 0U) << midway.complaint() << " for " << error;
  }
}

}  // namespace
}  // namespace tandem
