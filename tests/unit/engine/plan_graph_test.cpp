// Plans as engine tasks: what becomes of operations, waits and records, and recorded runs of the
// host device, re-timed with their own durations.
#include "sim/engine/plan_graph.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/core/plan_builder.hpp"
#include "sim/engine/dynamic.hpp"
#include "sim/engine/retime.hpp"
#include "tests/support/run_helpers.hpp"
#include "tests/unit/engine/graph_helpers.hpp"

namespace tandem::sim {
namespace {

using plan::EventName;
using plan::Lane;
using plan::Operation;
using plan::OpKind;
using plan::Segment;

Operation operation(OpKind kind, Lane lane) {
  Operation op;
  op.kind = kind;
  op.lane = lane;
  return op;
}
Operation record_op(EventName name, Lane lane) {
  Operation op = operation(OpKind::record_event, lane);
  op.records = {name, 0};
  return op;
}
Operation wait_op(EventName name, Lane lane, int step_offset = 0) {
  Operation op = operation(OpKind::wait_event, lane);
  op.waits = {name, step_offset};
  return op;
}

/// A rank of its own and graphs of its steps.
struct OneRank {
  explicit OneRank(const PlanLanes::Resources& resources = {})
      : graphs(taken(PlanLanes::make(layout, "", resources))) {}
  const PlanGraph& graph_of(const Segment& segment, const StepGates& gates = {}) {
    return *taken(graphs.of({&segment}, gates));
  }
  std::string error_of_chain(const Segment& segment) { return error_of(graphs.of({&segment}, {})); }
  Layout layout;
  PlanGraphs graphs;
};

std::vector<TaskPart> parts(const PlanGraph& made) {
  std::vector<TaskPart> out;
  for (const PlanTask& task : made.tasks) out.push_back(task.part);
  return out;
}

TEST(PlanGraph, DeviceOperationIsALaunchAndATaskBehindIt) {
  OneRank rank;
  Segment segment;
  segment.ops = {operation(OpKind::resolve, Lane::host),
                 operation(OpKind::target_forward, Lane::compute)};
  const PlanGraph& made = rank.graph_of(segment);
  EXPECT_EQ(parts(made), (std::vector<TaskPart>{TaskPart::between, TaskPart::operation,
                                                TaskPart::launch, TaskPart::operation}));
  EXPECT_EQ(retimed(rank.layout, {{&made.graph, {1, 10, 3, 100}}}).ends, (Ends{{1, 11, 14, 114}}));
}

TEST(PlanGraph, WaitBindsToTheLatestRecordInFrontOfIt) {
  OneRank rank;
  Segment segment;
  segment.ops = {operation(OpKind::read_count, Lane::compute),
                 record_op(EventName::read_done, Lane::compute),
                 operation(OpKind::target_forward, Lane::compute),
                 wait_op(EventName::read_done, Lane::host),
                 operation(OpKind::read_hidden_rows, Lane::compute),
                 record_op(EventName::read_done, Lane::compute),
                 wait_op(EventName::read_done, Lane::host)};
  const PlanGraph& made = rank.graph_of(segment);
  // between, launch, read 10, launch, forward 100, wait, launch, read 10, wait
  const std::vector<Nanos> durations{0, 1, 10, 1, 100, 1, 1, 10, 1};
  EXPECT_EQ(retimed(rank.layout, {{&made.graph, durations}}).ends,
            (Ends{{0, 1, 11, 2, 111, 12, 13, 121, 122}}));
}

TEST(PlanGraph, RecordBehindAWaitIsAMarkerOfItsOwn) {
  OneRank rank;
  Segment segment;
  segment.ops = {
      operation(OpKind::copy_outputs, Lane::copy), record_op(EventName::post_process, Lane::copy),
      wait_op(EventName::post_process, Lane::compute),
      record_op(EventName::token_num, Lane::compute), wait_op(EventName::token_num, Lane::host)};
  const PlanGraph& made = rank.graph_of(segment);
  EXPECT_EQ(parts(made),
            (std::vector<TaskPart>{TaskPart::between, TaskPart::launch, TaskPart::operation,
                                   TaskPart::marker, TaskPart::operation}));
  EXPECT_EQ(retimed(rank.layout, {{&made.graph, {0, 2, 20, 0, 3}}}).ends,
            (Ends{{0, 2, 22, 22, 25}}));
}

TEST(PlanGraph, WaitAtTheEndOfAStepHoldsTheNextBack) {
  OneRank rank;
  Segment segment;
  segment.ops = {operation(OpKind::lm_head, Lane::compute),
                 operation(OpKind::copy_outputs, Lane::copy),
                 record_op(EventName::post_process, Lane::copy),
                 wait_op(EventName::post_process, Lane::compute)};
  const PlanGraph& made = rank.graph_of(segment);
  // between, launch, lm_head, launch, copy, marker
  const std::vector<Nanos> durations{0, 1, 5, 1, 50, 0};
  EXPECT_EQ(retimed(rank.layout, {{&made.graph, durations}, {&made.graph, durations}}).ends,
            (Ends{{0, 1, 6, 2, 52, 52}, {2, 3, 57, 4, 102, 102}}));
}

TEST(PlanGraph, StreamPassesAWaitForAStepThatDidNotRecord) {
  OneRank rank;
  Segment waits;
  waits.ops = {wait_op(EventName::post_process, Lane::compute, -1),
               operation(OpKind::lm_head, Lane::compute)};
  const PlanGraph& made = rank.graph_of(waits);
  EXPECT_EQ(retimed(rank.layout, repeated(made.graph, 3)).times.makespan_ns, 0);
}

TEST(PlanGraph, HostThatWaitsForAStepThatDidNotRecordIsNamed) {
  OneRank rank;
  Segment waits;
  waits.ops = {wait_op(EventName::post_process, Lane::host, -1)};
  const PlanGraph& made = rank.graph_of(waits);
  ListSource source(repeated(made.graph, 2));
  EXPECT_EQ(error_of(retime(rank.layout, source, nullptr))
                .substr(0, std::string("step 1: task 1 'wait_event post_process' on lane").size()),
            "step 1: task 1 'wait_event post_process' on lane");
}

TEST(PlanGraph, WaitWithoutARecordInFrontIsRefused) {
  OneRank rank;
  Segment early;
  early.ops = {wait_op(EventName::token_num, Lane::compute),
               operation(OpKind::copy_seq_lens, Lane::compute),
               record_op(EventName::token_num, Lane::compute)};
  EXPECT_EQ(rank.error_of_chain(early),
            "segment 0, operation 0 'wait_event token_num' on lane compute: waits for token_num, "
            "which the step has not recorded before, want a record in front of it");
  Segment far;
  far.ops = {wait_op(EventName::token_num, Lane::host, -2)};
  EXPECT_EQ(rank.error_of_chain(far),
            "segment 0, operation 0 'wait_event token_num' on lane host: step offset -2, want 0 or "
            "-1");
}

TEST(PlanGraph, OperationsWhoseGateIsZeroAreLeftOut) {
  OneRank rank;
  Segment segment;
  segment.ops = {operation(OpKind::target_forward, Lane::compute),
                 operation(OpKind::draft_forward, Lane::compute),
                 operation(OpKind::draft_forward, Lane::compute)};
  segment.ops[0].gate = plan::Symbol::N;
  for (const int sub : {0, 1}) {
    Operation& op = segment.ops[static_cast<std::size_t>(sub) + 1];
    op.gate = plan::Symbol::draft_rows;
    op.substep = sub;
  }
  StepGates gates;
  EXPECT_EQ(rank.graph_of(segment, gates).graph.size(), 1U);
  gates.token_num = 4;
  gates.substeps = {{4, true}, {0, true}};
  const PlanGraph& made = rank.graph_of(segment, gates);
  ASSERT_EQ(made.tasks.size(), 5U);
  EXPECT_EQ(made.tasks[4].op, 1);
  EXPECT_EQ(rank.graphs.size(), 2U);
  EXPECT_EQ(&rank.graph_of(segment, gates), &made);
}

TEST(PlanGraph, CopiesToTheHostShareAnEngine) {
  Layout layout;
  const ResourceId engine = taken(layout.add_resource("engine", 1));
  PlanGraphs graphs(taken(PlanLanes::make(layout, "", {kNoResource, engine})));
  RunConfig config = test::small_scenario(4, 2).config;
  config.copies_own_stream = true;
  const Segment front = build_front(config, {false});
  StepGates gates;
  gates.token_num = 8;
  const PlanGraph& made = *taken(graphs.of({&front}, gates));
  for (TaskId task = 0; task < made.graph.size(); ++task) {
    const PlanTask& what = made.tasks[task];
    const bool copies =
        what.part == TaskPart::operation && what.op >= 0 &&
        (front.ops[static_cast<std::size_t>(what.op)].kind == OpKind::copy_seq_lens ||
         front.ops[static_cast<std::size_t>(what.op)].kind == OpKind::copy_output_rows);
    EXPECT_EQ(made.graph.resource[task], copies ? engine : kNoResource) << task;
  }
}

TEST(PlanGraph, EveryChainOfEveryRowChoiceBuilds) {
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    for (int choice = 0; choice < 2 * (static_cast<int>(kRowCount) + 1); ++choice) {
      RunConfig config = test::small_scenario(4, 3).config;
      config.draft_path = path;
      config.copies_own_stream = choice % 2 == 1;
      if (choice / 2 < static_cast<int>(kRowCount)) {
        config.rows[static_cast<std::size_t>(choice / 2)] = RowMode::sync;
      } else {
        config.rows.fill(RowMode::sync);
      }
      OneRank rank;
      const std::vector<Segment> chain{build_front(config, {true}), build_save(config),
                                       build_settle(config), build_back(config, {true})};
      StepGates gates;
      gates.tasks = gates.token_num = gates.output_rows = gates.n = 4;
      gates.substeps.assign(3, {4, true});
      std::vector<const Segment*> pointers;
      for (const Segment& segment : chain) pointers.push_back(&segment);
      const Result<const PlanGraph*> made = rank.graphs.of(pointers, gates);
      ASSERT_TRUE(made.ok()) << made.error().text;
      EXPECT_TRUE(made.value()->graph.order.empty());
    }
  }
}

// -- recorded runs --------------------------------------------------------------------------------

/// A run of the host device with its spans, as steps of the engine.
struct RecordedSteps {
  explicit RecordedSteps(const Scenario& scenario, std::vector<RequestSpec> requests) {
    RunOptions options;
    options.level = RecordLevel::timeline;
    summary = test::run_kept(scenario, std::move(requests), sink, options);
    for (const Segment& segment : sink.segments) by_hash[plan::segment_hash(segment)] = &segment;
    Nanos end_ns = 0;
    for (const StepRecord& record : sink.steps) {
      add(record, record.start_ns - end_ns, scenario.timing.host_op_ns);
      end_ns = record.end_ns;
    }
  }

  [[nodiscard]] const Operation& operation(const StepRecord& record, const PlanTask& task) const {
    const std::uint64_t hash = record.segments[static_cast<std::size_t>(task.segment)];
    return by_hash.at(hash)->ops[static_cast<std::size_t>(task.op)];
  }

  /// On the host lane for a launch, else on the operation's own.
  [[nodiscard]] const Span* span_of(const StepRecord& record, const PlanTask& task) const {
    const Lane lane = task.part == TaskPart::launch ? Lane::host : operation(record, task).lane;
    for (const Span& span : record.spans) {
      if (span.segment == task.segment && span.op == task.op &&
          span.lane == static_cast<std::int32_t>(lane)) {
        return &span;
      }
    }
    return nullptr;
  }

  void add(const StepRecord& record, Nanos between_ns, Nanos host_op_ns) {
    std::vector<const Segment*> chain;
    for (const std::uint64_t hash : record.segments) chain.push_back(by_hash.at(hash));
    made.push_back(taken(rank.graphs.of(chain, gates_of(record))));
    ListedStep step{&made.back()->graph, {}};
    std::size_t found = 0;
    for (const PlanTask& task : made.back()->tasks) {
      Nanos duration_ns = 0;
      if (task.part == TaskPart::between) duration_ns = between_ns;
      if (task.part == TaskPart::launch || task.part == TaskPart::operation) {
        const Operation& op = operation(record, task);
        const Span* span = span_of(record, task);
        EXPECT_NE(span, nullptr) << record.t << " " << plan::to_name(op.kind);
        if (span == nullptr) continue;
        ++found;
        const bool waits = op.kind == OpKind::wait_event;
        duration_ns = waits ? host_op_ns : span->end_ns - span->start_ns;
      }
      step.durations_ns.push_back(duration_ns);
    }
    EXPECT_EQ(found, record.spans.size()) << record.t;
    steps.push_back(std::move(step));
  }

  void expect_ends(const Ends& ends) const {
    ASSERT_EQ(ends.size(), sink.steps.size());
    for (std::size_t s = 0; s < ends.size(); ++s) {
      for (std::size_t i = 0; i < ends[s].size(); ++i) {
        const PlanTask& task = made[s]->tasks[i];
        if (task.part != TaskPart::operation && task.part != TaskPart::launch) continue;
        ASSERT_EQ(ends[s][i], span_of(sink.steps[s], task)->end_ns)
            << "step " << s << " task " << i;
      }
    }
  }

  test::KeepingSink sink;
  RunSummary summary;
  std::map<std::uint64_t, const Segment*> by_hash;
  OneRank rank;
  std::vector<const PlanGraph*> made;
  std::vector<ListedStep> steps;
};

void expect_own_times(const Scenario& scenario) {
  const RecordedSteps recorded(scenario,
                               {test::request(0, 0, 40, 30), test::request(1, 2, 20, 25),
                                test::request(2, 40, 33, 20, 9), test::request(3, 41, 150, 12)});
  ASSERT_GT(recorded.steps.size(), 20U);
  const Outcome run = retimed(recorded.rank.layout, recorded.steps);
  recorded.expect_ends(run.ends);
  const LaneId host = recorded.rank.graphs.lanes().lane(Lane::host);
  EXPECT_EQ(run.times.lanes[host].end_ns, recorded.sink.steps.back().end_ns);

  ListSource source(recorded.steps);
  KeptEnds kept;
  DynamicOptions options;
  options.sink = &kept;
  taken(run_dynamic(recorded.rank.layout, source, options));
  EXPECT_EQ(kept.ends, run.ends);
}

TEST(PlanGraph, RecordedRunWithItsOwnDurationsHasItsOwnTimes) {
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    for (const bool own_copies : {false, true}) {
      for (const RowMode rows : {RowMode::overlap, RowMode::sync}) {
        SCOPED_TRACE(std::string(to_name(path)) + (own_copies ? ", own copies, " : ", ") +
                     to_name(rows));
        Scenario scenario = test::small_scenario(4, 3);
        scenario.config.draft_path = path;
        scenario.config.copies_own_stream = own_copies;
        test::set_all_rows(scenario, rows);
        expect_own_times(scenario);
      }
    }
  }
}

TEST(PlanGraph, RecordedRunsOfOneRowInSyncHaveTheirOwnTimes) {
  for (std::size_t row = 0; row < kRowCount; ++row) {
    SCOPED_TRACE(row);
    Scenario scenario = test::small_scenario(4, 2);
    scenario.config.rows[row] = RowMode::sync;
    scenario.config.copies_own_stream = row % 2 == 0;
    scenario.timing.forward_base_ns = 300'000;
    scenario.timing.host_step_ns = 500'000;
    expect_own_times(scenario);
  }
}

TEST(PlanGraph, LongerForwardMovesTheMakespanByNoMoreThanItself) {
  Scenario scenario = test::small_scenario(4, 3);
  RecordedSteps recorded(scenario, {test::request(0, 0, 40, 30)});
  const Nanos before_ns = retimed(recorded.rank.layout, recorded.steps).times.makespan_ns;
  constexpr Nanos kMoreNs = 1'000'000;
  std::int64_t forwards = 0;
  for (std::size_t s = 0; s < recorded.steps.size(); ++s) {
    for (std::size_t i = 0; i < recorded.made[s]->tasks.size(); ++i) {
      const PlanTask& task = recorded.made[s]->tasks[i];
      if (task.part != TaskPart::operation) continue;
      const Operation& op = recorded.operation(recorded.sink.steps[s], task);
      if (op.kind != OpKind::target_forward) continue;
      recorded.steps[s].durations_ns[i] += kMoreNs;
      ++forwards;
    }
  }
  ASSERT_GT(forwards, 5);
  const Nanos after_ns = retimed(recorded.rank.layout, recorded.steps).times.makespan_ns;
  EXPECT_GT(after_ns, before_ns);
  EXPECT_LE(after_ns, before_ns + forwards * kMoreNs);
}

}  // namespace
}  // namespace tandem::sim
