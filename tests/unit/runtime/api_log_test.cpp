// The API log against the plan: how logs compare, and what a device that errs leaves in records.
#include "runtime/core/api_log.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/core/task_arrays.hpp"
#include "tests/unit/runtime/hooked_device.hpp"

namespace tandem {
namespace {

using plan::Lane;
using plan::OpKind;
using test::KeepingSink;
using test::request;
using test::run_hooked;
using test::run_kept;
using test::small_scenario;
using Ops = std::vector<OpKind>;
using Deviations = std::vector<PlanDeviation>;

constexpr OpKind kA = OpKind::rebuild_padding;
constexpr OpKind kB = OpKind::lm_head;
constexpr OpKind kC = OpKind::build_sampling_params;
constexpr OpKind kD = OpKind::verify_draft_tokens;
constexpr OpKind kX = OpKind::ngram_extend;

constexpr std::int32_t number(OpKind kind) { return static_cast<std::int32_t>(kind); }
constexpr std::int32_t number(Lane lane) { return static_cast<std::int32_t>(lane); }

PlanDeviation missing(Lane lane, std::int32_t position, OpKind kind) {
  return {number(lane), position, number(kind), -1};
}
PlanDeviation added(Lane lane, std::int32_t position, OpKind kind) {
  return {number(lane), position, -1, number(kind)};
}
PlanDeviation instead(Lane lane, std::int32_t position, OpKind wanted, OpKind found) {
  return {number(lane), position, number(wanted), number(found)};
}

ApiLog log_of(Lane lane, const Ops& ops) {
  ApiLog log;
  for (const OpKind op : ops) log.note(lane, op);
  return log;
}

Deviations compare(const Ops& expected, const Ops& found) {
  Deviations out;
  find_deviations(log_of(Lane::compute, expected), log_of(Lane::compute, found), out);
  return out;
}

// -- logs -----------------------------------------------------------------------------------------

TEST(FindDeviations, EqualLogsGiveNone) {
  EXPECT_EQ(compare({}, {}), Deviations{});
  EXPECT_EQ(compare({kA}, {kA}), Deviations{});
  EXPECT_EQ(compare({kA, kB, kB, kA}, {kA, kB, kB, kA}), Deviations{});
}

TEST(FindDeviations, DroppedOperationIsNamedWhereItShouldStand) {
  EXPECT_EQ(compare({kA, kB, kC}, {kB, kC}), Deviations{missing(Lane::compute, 0, kA)});
  EXPECT_EQ(compare({kA, kB, kC}, {kA, kC}), Deviations{missing(Lane::compute, 1, kB)});
  EXPECT_EQ(compare({kA, kB, kC}, {kA, kB}), Deviations{missing(Lane::compute, 2, kC)});
}

TEST(FindDeviations, AddedOperationIsNamedWhereItStands) {
  EXPECT_EQ(compare({kA, kB}, {kX, kA, kB}), Deviations{added(Lane::compute, 0, kX)});
  EXPECT_EQ(compare({kA, kB}, {kA, kX, kB}), Deviations{added(Lane::compute, 1, kX)});
  EXPECT_EQ(compare({kA, kB}, {kA, kB, kX}), Deviations{added(Lane::compute, 2, kX)});
}

TEST(FindDeviations, RepeatedOperationIsOneAddition) {
  EXPECT_EQ(compare({kA, kB, kC}, {kA, kA, kB, kC}), Deviations{added(Lane::compute, 1, kA)});
  EXPECT_EQ(compare({kA, kB, kC}, {kA, kB, kC, kC}), Deviations{added(Lane::compute, 3, kC)});
}

TEST(FindDeviations, OneOfARepeatedPairDroppedIsOneLoss) {
  EXPECT_EQ(compare({kA, kA, kB}, {kA, kB}), Deviations{missing(Lane::compute, 1, kA)});
}

TEST(FindDeviations, ReplacedOperationIsOneEntryWithBoth) {
  EXPECT_EQ(compare({kA, kB, kC}, {kX, kB, kC}), Deviations{instead(Lane::compute, 0, kA, kX)});
  EXPECT_EQ(compare({kA, kB, kC}, {kA, kX, kC}), Deviations{instead(Lane::compute, 1, kB, kX)});
  EXPECT_EQ(compare({kA, kB, kC}, {kA, kB, kX}), Deviations{instead(Lane::compute, 2, kC, kX)});
}

TEST(FindDeviations, SwappedNeighboursAreALossAndAnAddition) {
  EXPECT_EQ(compare({kA, kB, kC, kD}, {kB, kA, kC, kD}),
            (Deviations{missing(Lane::compute, 0, kA), added(Lane::compute, 1, kA)}));
  EXPECT_EQ(compare({kA, kB, kC, kD}, {kA, kC, kB, kD}),
            (Deviations{missing(Lane::compute, 1, kB), added(Lane::compute, 2, kB)}));
  EXPECT_EQ(compare({kA, kB, kC, kD}, {kA, kB, kD, kC}),
            (Deviations{missing(Lane::compute, 2, kC), added(Lane::compute, 3, kC)}));
}

TEST(FindDeviations, EmptyLogOnOneSideNamesEveryOperationOfTheOther) {
  EXPECT_EQ(compare({kA, kB}, {}),
            (Deviations{missing(Lane::compute, 0, kA), missing(Lane::compute, 0, kB)}));
  EXPECT_EQ(compare({}, {kA, kB}),
            (Deviations{added(Lane::compute, 0, kA), added(Lane::compute, 1, kB)}));
}

TEST(FindDeviations, LanesAreComparedApartAndNamedInTheirOrder) {
  ApiLog expected;
  ApiLog found;
  expected.note(Lane::host, kA);
  expected.note(Lane::compute, kB);
  expected.note(Lane::copy, kC);
  found.note(Lane::copy, kC);  // the order between lanes is no part of a log
  found.note(Lane::copy, kD);
  found.note(Lane::compute, kX);
  Deviations out{missing(Lane::copy, 9, kX)};  // what is there stays
  find_deviations(expected, found, out);
  EXPECT_EQ(out, (Deviations{missing(Lane::copy, 9, kX), missing(Lane::host, 0, kA),
                             instead(Lane::compute, 0, kB, kX), added(Lane::copy, 1, kD)}));
}

TEST(FindDeviations, OperationInAWrongLaneIsLostInOneAndAddedInTheOther) {
  Deviations out;
  find_deviations(log_of(Lane::copy, {kA}), log_of(Lane::compute, {kA}), out);
  EXPECT_EQ(out, (Deviations{added(Lane::compute, 0, kA), missing(Lane::copy, 0, kA)}));
}

TEST(FindDeviations, UnequalLogsNeverPassAsEqual) {
  // All logs of up to three of two operations against each other.
  std::vector<Ops> all{{}};
  for (std::size_t i = 0; all[i].size() < 3; ++i) {
    for (const OpKind kind : {kA, kB}) {
      all.push_back(all[i]);
      all.back().push_back(kind);
    }
  }
  ASSERT_EQ(all.size(), 15U);
  for (const Ops& expected : all) {
    for (const Ops& found : all) EXPECT_EQ(compare(expected, found).empty(), expected == found);
  }
}

TEST(ApiLog, AppendKeepsLanesAndTheirOrder) {
  ApiLog log = log_of(Lane::host, {kA});
  ApiLog more = log_of(Lane::host, {kB, kA});
  more.note(Lane::copy, kC);
  log.append(more);
  EXPECT_EQ(log.lane(Lane::host), (Ops{kA, kB, kA}));
  EXPECT_EQ(log.lane(Lane::compute), Ops{});
  EXPECT_EQ(log.lane(Lane::copy), Ops{kC});
  log.clear();
  for (const Lane lane : {Lane::host, Lane::compute, Lane::copy})
    EXPECT_TRUE(log.lane(lane).empty());
}

// -- a device that errs ---------------------------------------------------------------------------

std::vector<RequestSpec> some_requests() {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < 12; ++i) {
    out.push_back(request(i, i * 2, 5 + (i * 37) % 60, 3 + (i * 13) % 40));
    if (i % 4 == 3) out.back().dnode_drafts = 1;
  }
  out[2].preempt_after = 2;
  return out;
}

enum class Mistake { drop, repeat };

/// Does `mistake` to the `nth` enqueue (from 0) of `kind`.
test::HookedDevice::Hook with_mistake(OpKind kind, Mistake mistake, int nth) {
  return [kind, mistake, nth, seen = 0](HostDevice& inner, const plan::Operation& op,
                                        const LaunchArgs& args) mutable {
    const bool here = op.kind == kind && seen++ == nth;
    if (!here || mistake == Mistake::repeat) inner.enqueue(op, args);
    if (here && mistake == Mistake::repeat) inner.enqueue(op, args);
  };
}

/// The only deviations of the run, after checking that exactly one step has any.
Deviations only_deviations(const KeepingSink& sink) {
  Deviations out;
  for (const StepRecord& r : sink.steps) {
    if (r.deviations.empty()) continue;
    EXPECT_TRUE(out.empty()) << r.t;
    out = r.deviations;
  }
  return out;
}

TEST(Deviations, AreNoneOnAFaithfulDevice) {
  for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
    for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
      for (const bool own_stream : {false, true}) {
        Scenario s = small_scenario(4, 3);
        test::set_all_rows(s, mode);
        s.config.draft_path = path;
        s.config.copies_own_stream = own_stream;
        KeepingSink sink;
        (void)run_kept(s, some_requests(), sink);
        for (const StepRecord& r : sink.steps) EXPECT_TRUE(r.deviations.empty()) << r.t;
      }
    }
  }
}

TEST(Deviations, NameTheOperationThatTheDeviceWasNotAskedFor) {
  for (const OpKind kind : {OpKind::build_sampling_params, OpKind::set_stop_value}) {
    for (const int nth : {0, 7}) {
      KeepingSink sink;
      (void)run_hooked(small_scenario(4, 3), some_requests(), sink,
                       with_mistake(kind, Mistake::drop, nth));
      const Deviations found = only_deviations(sink);
      ASSERT_EQ(found.size(), 1U);
      EXPECT_EQ(found[0], missing(Lane::compute, found[0].position, kind));
      EXPECT_GT(found[0].position, 0);
    }
  }
}

TEST(Deviations, NameTheOperationThatTheDeviceWasAskedForTwice) {
  for (const OpKind kind : {OpKind::recover_decode_task, OpKind::set_stop_value}) {
    KeepingSink sink;
    (void)run_hooked(small_scenario(4, 3), some_requests(), sink,
                     with_mistake(kind, Mistake::repeat, 3));
    const Deviations found = only_deviations(sink);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0], added(Lane::compute, found[0].position, kind));
  }
}

TEST(Deviations, NameTheLaneOfCopiesOnAStreamOfTheirOwn) {
  Scenario s = small_scenario(4, 3);
  s.config.copies_own_stream = true;
  KeepingSink sink;
  (void)run_hooked(s, some_requests(), sink,
                   with_mistake(OpKind::copy_seq_lens, Mistake::repeat, 3));
  const Deviations found = only_deviations(sink);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], added(Lane::copy, found[0].position, OpKind::copy_seq_lens));
}

TEST(Deviations, StandInTheStepInWhichTheMistakeHappened) {
  std::int64_t step = -1;
  const auto hook = [&step](HostDevice& inner, const plan::Operation& op, const LaunchArgs& args) {
    if (op.kind == OpKind::set_stop_value && args.t == 9) {
      step = args.t;
      return;
    }
    inner.enqueue(op, args);
  };
  KeepingSink sink;
  (void)run_hooked(small_scenario(4, 3), some_requests(), sink, hook);
  ASSERT_EQ(step, 9);
  for (const StepRecord& r : sink.steps) EXPECT_EQ(r.deviations.empty(), r.t != 9) << r.t;
}

// -- staged task arrays (V39) ---------------------------------------------------------------------

TEST(TaskArrayDigest, ChangesWithEveryPartOfWhatIsStaged) {
  Task task;
  task.admits = true;
  task.row = request(1, 0, 20, 30).row;
  task.blocks = {4, 5};
  const std::int32_t before = task_array_digest({task});
  std::vector<Task> changed(15, task);
  changed[0].kind = TaskKind::dnode;
  changed[1].slot = 1;
  changed[2].request = 2;
  changed[3].generation = 1;
  changed[4].start = 1;
  changed[5].end = 1;
  changed[6].text_len = 1;
  changed[7].generated = 1;
  changed[8].drafts = 1;
  changed[9].admits = false;
  changed[10].row.max_dec_len = 31;
  changed[11].row.accept = {1};
  changed[12].blocks = {5, 4};
  changed[13].blocks = {4, 5, 6};
  changed[14].row.cached_prompt = 1;
  for (std::size_t i = 0; i < changed.size(); ++i) {
    EXPECT_NE(task_array_digest({changed[i]}), before) << i;
  }
  EXPECT_NE(task_array_digest({}), before);
  EXPECT_NE(task_array_digest({task, task}), before);
}

TEST(TaskArrayDigest, LeavesOutWhatTheDeviceDeliversAndRowsThatAdmitNobody) {
  Task task;
  task.kind = TaskKind::dnode;
  const std::int32_t before = task_array_digest({task});
  task.draft_digest = task.last_digest = 77;
  task.row.max_dec_len = 5;
  EXPECT_EQ(task_array_digest({task}), before);
}

TEST(PinnedCopies, StandWhereTasksWereInsertedAndAgree) {
  for (const RowMode mode : {RowMode::overlap, RowMode::sync}) {
    for (const std::int32_t depth : {1, 2, 3}) {  // W2 frees an entry before the next insert (2.2)
      Scenario s = small_scenario(4, 3);
      test::set_all_rows(s, mode);
      s.config.pinned_ring_depth = depth;
      KeepingSink sink;
      (void)run_kept(s, some_requests(), sink);
      for (const StepRecord& r : sink.steps) {
        ASSERT_EQ(r.pinned_copies.size(), r.tasks.empty() ? 0U : 1U) << r.t;
        if (r.tasks.empty()) continue;
        const PinnedCopy& copy = r.pinned_copies[0];
        EXPECT_EQ(copy.buffer, static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu));
        EXPECT_EQ(copy.at_enqueue, task_array_digest(r.tasks)) << r.t;
        EXPECT_EQ(copy.at_copy, copy.at_enqueue) << r.t;
      }
    }
  }
}

/// The staging of every admission is overwritten as soon as its copy has been enqueued. In overlap
/// the copy still waits behind the step before. In sync the lane is empty by then and the executor
/// runs the copy at once where its seed says so.
TEST(PinnedCopies, TellOfStagingOverwrittenBetweenEnqueueAndCopy) {
  for (const RowMode mode : {RowMode::overlap, RowMode::sync}) {
    std::vector<std::int64_t> too_early;
    std::int64_t behind = 0;
    const auto hook = [&](HostDevice& inner, const plan::Operation& op, const LaunchArgs& args) {
      inner.enqueue(op, args);
      StepRecord& r = args.pending->record;
      if (op.kind != OpKind::insert_tasks || !r.tasks.back().admits) return;
      if (r.pinned_copies[0].at_copy == 0) {
        too_early.push_back(r.t);
      } else {
        ++behind;
      }
      std::vector<Task> other = r.tasks;
      ++other.back().row.arrival;  // nothing but the digest depends on it
      static_cast<void>(inner.stage_tasks(args.t, other));
    };
    Scenario s = small_scenario(4, 3);
    test::set_all_rows(s, mode);
    KeepingSink sink;
    (void)run_hooked(s, some_requests(), sink, hook);
    EXPECT_FALSE(too_early.empty()) << static_cast<int>(mode);
    EXPECT_EQ(behind > 0, mode == RowMode::sync);
    std::vector<std::int64_t> found;
    for (const StepRecord& r : sink.steps) {
      for (const PinnedCopy& copy : r.pinned_copies) {
        if (copy.at_enqueue != copy.at_copy) found.push_back(r.t);
      }
    }
    EXPECT_EQ(found, too_early) << static_cast<int>(mode);
  }
}

TEST(PinnedCopies, OverwrittenStagingIsWhatTheDeviceCarriesOutAndTasksStayWhatWasAsked) {
  bool pending = false;
  const auto hook = [&](HostDevice& inner, const plan::Operation& op, const LaunchArgs& args) {
    inner.enqueue(op, args);
    const StepRecord& r = args.pending->record;
    if (op.kind != OpKind::insert_tasks || !r.tasks.back().admits) return;
    pending = r.pinned_copies[0].at_copy == 0;
    std::vector<Task> other = r.tasks;
    other.back().row.max_dec_len = 3;
    static_cast<void>(inner.stage_tasks(args.t, other));
  };
  const Scenario s = small_scenario(1, 3);
  KeepingSink sink;
  // Request 1 is inserted behind the last step of request 0: its copy waits in the lane.
  const RunSummary summary = run_hooked(s, {request(0, 0, 5, 3), request(1, 0, 5, 40)}, sink, hook);
  ASSERT_TRUE(pending);
  EXPECT_EQ(summary.tokens, 3 + 3);
  std::int64_t parted = 0;
  for (const StepRecord& r : sink.steps) {
    for (const PinnedCopy& copy : r.pinned_copies) parted += copy.at_enqueue != copy.at_copy;
    for (const Task& task : r.tasks) {
      if (!task.admits) continue;
      EXPECT_EQ(task.row.max_dec_len, task.request == 0 ? 3 : 40);
    }
  }
  EXPECT_EQ(parted, 1);
}

}  // namespace
}  // namespace tandem
