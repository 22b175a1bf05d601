// What the plan's events are worth: without one of them ThreadSanitizer sees a race, with all none.
//
// Each case is a run on the threads executor in a process of its own. Cases that want a race need a
// build with -fsanitize=thread (preset tsan).
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/core/plan_builder.hpp"
#include "tests/unit/runtime/hooked_device.hpp"
#include "tests/unit/runtime/race_process.hpp"

namespace tandem {
namespace {

using plan::EventName;
using plan::Lane;
using plan::OpKind;
using test::HookedDevice;
using test::RaceProcess;
using Overrides = std::vector<std::string>;

/// An edge of the plan: the wait for `event` on `lane` in front of `guards`. On the host's lane
/// every wait for the event.
struct Edge {
  Lane lane = Lane::host;
  EventName event = EventName::none;
  OpKind guards = OpKind::resolve;
};

/// Forwards all but the waits of one edge. A wait is held back until it is known what it guards.
HookedDevice::Hook without(Edge edge) {
  struct Held {
    const plan::Operation* op = nullptr;
    LaunchArgs args;
  };
  auto held = std::make_shared<std::array<Held, plan::kLaneCount>>();
  return [edge, held](HostDevice& inner, const plan::Operation& op, const LaunchArgs& args) {
    Held& wait = (*held)[static_cast<std::size_t>(op.lane)];
    const bool cut = wait.op != nullptr && op.lane == edge.lane && op.kind == edge.guards &&
                     wait.op->waits.name == edge.event;
    if (wait.op != nullptr && !cut) inner.enqueue(*wait.op, wait.args);
    wait = Held{};
    if (op.kind == OpKind::wait_event) {
      wait = {&op, args};
    } else {
      inner.enqueue(op, args);
    }
  };
}

struct Setting {
  const char* scenario;
  Overrides overrides;
};

/// What a test does to the device before the run, and to what the step loop is handed.
struct Tamper {
  HookedDevice::Hook enqueue = [](HostDevice& inner, const plan::Operation& op,
                                  const LaunchArgs& args) { inner.enqueue(op, args); };
  HookedDevice::WaitHook wait;
  HookedDevice::StepHook end_step;
};

/// Ends the process: with 0, or as a sanitizer or a check of our own ends it.
[[noreturn]] void run_and_exit(const Setting& setting, const Tamper& tamper, bool recorded = true) {
  const Result<Scenario> scenario =
      parse_scenario(*catalog_scenario(setting.scenario), setting.scenario, setting.overrides);
  TANDEM_CHECK(scenario.ok());
  const FileLoader no_files = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": no file belongs to the catalogue"};
  };
  const auto workload = make_workload(scenario.value(), no_files);
  TANDEM_CHECK(workload.ok());
  HookedDevice device(scenario.value(), tamper.enqueue, ExecutorKind::threads);
  device.hook_waits(tamper.wait);
  device.hook_steps(tamper.end_step);
  test::KeepingSink sink;
  (void)test::run_on(device, scenario.value(), *workload.value(), recorded ? &sink : nullptr);
  std::exit(0);
}

[[noreturn]] void run_without(const Setting& setting, const Edge& edge, bool recorded) {
  Tamper tamper;
  if (edge.lane == Lane::host) {
    tamper.wait = [edge](HostDevice& inner, EventName name, std::int64_t step) {
      if (name != edge.event) inner.wait(name, step);
    };
  } else {
    tamper.enqueue = without(edge);
  }
  run_and_exit(setting, tamper, recorded);
}

struct Case {
  const char* name;
  Edge edge;
  Setting setting;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::string case_name(const testing::TestParamInfo<Case>& c) { return c.param.name; }

const Setting kOneStream{"tight-pool-four", {"schedule=overlap"}};
const Setting kOneStreamSync{"tight-pool-four", {"schedule=sync"}};
const Setting kLateSend{"tight-pool-four", {"schedule=overlap", "rows.R2=sync"}};
const Setting kCopies{"tight-pool-four", {"schedule=overlap", "copies=own"}};
const Setting kCopiesSync{"tight-pool-four", {"schedule=sync", "copies=own"}};
const Setting kCopiesGhosts{"park-again", {"schedule=overlap", "copies=own"}};

// -- every edge once, where nothing else stands in for it -----------------------------------------

class NeededEdge : public RaceProcess, public testing::WithParamInterface<Case> {};

TEST_P(NeededEdge, MissingIsARace) {
  const Case& c = GetParam();
  TANDEM_EXPECT_RACE(run_without(c.setting, c.edge, true));
  TANDEM_EXPECT_RACE(run_without(c.setting, c.edge, false));
}

const Case kNeeded[] = {
    {"HostReadsQ", {Lane::host, EventName::token_num}, kOneStream},
    {"HostReadsR", {Lane::host, EventName::output_token_num}, kOneStream},
    {"HostReadsOutputs", {Lane::host, EventName::post_process}, kOneStream},
    {"HostReadsOutputsOfTheSameStep", {Lane::host, EventName::post_process}, kLateSend},
    {"HostReadsScratch", {Lane::host, EventName::read_done}, kOneStreamSync},
    {"HostReadsQCopiedApart", {Lane::host, EventName::token_num}, kCopies},
    {"HostReadsOutputsCopiedApart", {Lane::host, EventName::post_process}, kCopies},
    {"CopyOfQ", {Lane::copy, EventName::copies_may_start, OpKind::copy_seq_lens}, kCopies},
    {"CopyOfR", {Lane::copy, EventName::copies_may_start, OpKind::copy_output_rows}, kCopies},
    {"CopyOfOutputs", {Lane::copy, EventName::copies_may_start, OpKind::copy_outputs}, kCopies},
    {"NextRBehindItsCopy",
     {Lane::compute, EventName::output_token_num, OpKind::speculate_pre_process},
     kCopiesGhosts},
    {"CacheBehindCopyOfOutputs",
     {Lane::compute, EventName::post_process, OpKind::speculate_schedule_cache},
     kCopies},
};

INSTANTIATE_TEST_SUITE_P(Plan, NeededEdge, testing::ValuesIn(kNeeded), case_name);

// -- edges that the host's own waits already imply ------------------------------------------------

class ImpliedEdge : public RaceProcess, public testing::WithParamInterface<Case> {};

TEST_P(ImpliedEdge, MissingIsNoRace) {
  const Case& c = GetParam();
  EXPECT_EXIT(run_without(c.setting, c.edge, true), testing::ExitedWithCode(0), "");
}

const Case kImplied[] = {
    // W2: the host has waited for the copy of q before it enqueues what writes q.
    {"UpdateBehindCopyOfQ",
     {Lane::compute, EventName::token_num, OpKind::unified_update_model_status},
     kCopies},
    // It has waited for the copy of R too, unless the step before was a ghost.
    {"NextRBehindItsCopy",
     {Lane::compute, EventName::output_token_num, OpKind::speculate_pre_process},
     kCopies},
    // R1 sync: it has read the bool of unified_update.
    {"CopyOfOutputsSync",
     {Lane::copy, EventName::copies_may_start, OpKind::copy_outputs},
     kCopiesSync},
    // R10 sync: it has read the bool of schedule_cache.
    {"HostReadsOutputsSync", {Lane::host, EventName::post_process}, kOneStreamSync},
};

INSTANTIATE_TEST_SUITE_P(Plan, ImpliedEdge, testing::ValuesIn(kImplied), case_name);

// -- all edges ------------------------------------------------------------------------------------

using EdgeKey = std::tuple<Lane, EventName, OpKind>;

/// The waits of a segment; those of the host's lane by event alone.
void add_edges(const plan::Segment& segment, std::set<EdgeKey>& edges) {
  for (auto op = segment.ops.begin(); op != segment.ops.end(); ++op) {
    if (op->kind != OpKind::wait_event) continue;
    const auto guarded = std::find_if(op + 1, segment.ops.end(), [op](const plan::Operation& next) {
      return next.lane == op->lane;
    });
    const bool host = op->lane == Lane::host;
    edges.insert({op->lane, op->waits.name, host ? OpKind::resolve : guarded->kind});
  }
}

TEST(Edges, OfThePlanAreAllTriedHere) {
  std::set<EdgeKey> tried;
  for (const Case& c : kNeeded) tried.insert({c.edge.lane, c.edge.event, c.edge.guards});
  for (const Case& c : kImplied) tried.insert({c.edge.lane, c.edge.event, c.edge.guards});
  std::set<EdgeKey> planned;
  for (const std::string_view name : catalog_names()) {
    for (const char* copies : {"copies=own", "copies=compute"}) {
      const auto scenario =
          parse_scenario(*catalog_scenario(std::string(name)), std::string(name), {copies});
      ASSERT_TRUE(scenario.ok()) << name;
      for (const NamedSegment& named : all_segments(scenario.value().config)) {
        add_edges(named.segment, planned);
      }
    }
  }
  EXPECT_EQ(planned, tried);
}

using WholePlan = RaceProcess;

TEST_F(WholePlan, IsNoRace) {
  for (const Setting& setting :
       {kOneStream, kOneStreamSync, kLateSend, kCopies, kCopiesSync, kCopiesGhosts}) {
    EXPECT_EXIT(run_and_exit(setting, {}), testing::ExitedWithCode(0), "") << setting.scenario;
  }
}

// -- order that is none ---------------------------------------------------------------------------

using LuckyOrder = RaceProcess;

/// The host polls until the step is over instead of waiting for its event: late, but not ordered.
TEST_F(LuckyOrder, FinishedStepIsStillARace) {
  Tamper tamper;
  tamper.wait = [](HostDevice& inner, EventName name, std::int64_t step) {
    if (name != EventName::post_process) return inner.wait(name, step);
    while (!inner.finished(step)) std::this_thread::yield();
  };
  TANDEM_EXPECT_RACE(run_and_exit(kOneStream, tamper));
}

/// Reads what step t - 1 sent when step t has been enqueued, as a slow consumer would.
Tamper with_late_reader() {
  Tamper tamper;
  tamper.end_step = [](HostDevice& inner, std::int64_t step) {
    if (step > 0) TANDEM_CHECK(inner.pinned(step - 1).accept_num.front() >= 0);
    inner.end_step(step);
  };
  return tamper;
}

using PinnedRing = RaceProcess;

TEST_F(PinnedRing, OfOneEntryWithALateReaderIsARace) {
  Setting setting = kOneStream;
  setting.overrides.emplace_back("engine.pinned_ring_depth=1");
  TANDEM_EXPECT_RACE(run_and_exit(setting, with_late_reader()));
}

TEST_F(PinnedRing, OfTwoEntriesWithALateReaderIsNoRace) {
  Setting setting = kOneStream;
  setting.overrides.emplace_back("engine.pinned_ring_depth=2");
  EXPECT_EXIT(run_and_exit(setting, with_late_reader()), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace tandem
