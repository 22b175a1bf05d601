// The discrete-event engine on the step-loop DAG: tasks a second of one core, beside a flat pass.
//
// usage: engine_bench [--tasks 10000,100000,1000000,10000000] [--rounds N] [--stream-only]
//                     [--dag FILE]
//
// The floor is one pass over arrays of the unrolled run, in issue order: no steps, no resources, no
// checks. Beside it stands a plain event queue (4-ary heap) over the same arrays. Contestants of a
// size compute the same run, and their makespans are compared where nothing queues. --stream-only
// leaves out what needs memory for every task: for 10^8 tasks. --dag writes the run for other
// simulators (tools/bench/peers).
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "sim/engine/dynamic.hpp"
#include "sim/engine/retime.hpp"
#include "tools/bench/dag_file.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/rounds.hpp"
#include "tools/bench/step_loop_graph.hpp"

namespace {

using namespace tandem;  // NOLINT(google-build-using-namespace)
using bench::kStepLoopTasks;
using bench::StepLoop;

constexpr std::int64_t kPoolSteps = 64;         ///< distinct durations; a run repeats them
constexpr std::int64_t kTasksARound = 1 << 20;  ///< short runs are repeated so long

/// Durations of the pool's steps, one behind the other.
std::vector<Nanos> make_pool(int ranks) {
  std::vector<Nanos> pool;
  const auto tasks = static_cast<std::uint32_t>(kStepLoopTasks * ranks);
  pool.reserve(static_cast<std::size_t>(kPoolSteps) * tasks);
  for (std::int64_t step = 0; step < kPoolSteps; ++step) {
    for (std::uint32_t task = 0; task < tasks; ++task) {
      pool.push_back(bench::step_loop_duration(step, task));
    }
  }
  return pool;
}

/// The unrolled run: what the floor and the event queue read.
struct FlatRun {
  std::vector<std::uint32_t> lane;
  std::vector<std::int32_t> awaited;  ///< an earlier task; -1: none
  std::vector<Nanos> duration_ns;
  std::vector<Nanos> end_ns;
};

FlatRun unroll(const sim::TaskGraph& graph, const std::vector<Nanos>& pool, std::int64_t steps) {
  std::vector<std::int32_t> recorder;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const sim::EventId event = graph.record[i];
    if (event == sim::kNoEvent) continue;
    recorder.resize(std::max(recorder.size(), event + std::size_t{1}), -1);
    recorder[event] = static_cast<std::int32_t>(i);
  }
  FlatRun flat;
  const auto count = static_cast<std::size_t>(steps) * graph.size();
  flat.lane.reserve(count);
  flat.awaited.reserve(count);
  flat.duration_ns.reserve(count);
  flat.end_ns.resize(count);
  for (std::int64_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < graph.size(); ++i) {
      std::int32_t awaited = -1;
      if (graph.wait_begin[i] < graph.wait_begin[i + 1]) {
        const sim::Wait& wait = graph.waits[graph.wait_begin[i]];
        const std::int64_t from = step - wait.steps_back;
        const auto size = static_cast<std::int64_t>(graph.size());
        if (from >= 0) awaited = static_cast<std::int32_t>(from * size) + recorder[wait.event];
      }
      flat.lane.push_back(graph.lane[i]);
      flat.awaited.push_back(awaited);
      flat.duration_ns.push_back(
          pool[static_cast<std::size_t>(step % kPoolSteps) * graph.size() + i]);
    }
  }
  return flat;
}

Nanos flat_pass(FlatRun& flat, std::size_t lanes) {
  std::vector<Nanos> lane_end_ns(lanes, 0);
  Nanos makespan_ns = 0;
  for (std::size_t i = 0; i < flat.lane.size(); ++i) {
    Nanos start_ns = lane_end_ns[flat.lane[i]];
    if (flat.awaited[i] >= 0) {
      start_ns = std::max(start_ns, flat.end_ns[static_cast<std::size_t>(flat.awaited[i])]);
    }
    flat.end_ns[i] = lane_end_ns[flat.lane[i]] = start_ns + flat.duration_ns[i];
    makespan_ns = std::max(makespan_ns, flat.end_ns[i]);
  }
  return makespan_ns;
}

/// A 4-ary heap of (time, task).
class EventHeap {
 public:
  struct Event {
    Nanos at_ns;
    std::uint32_t task;
    bool operator<(const Event& o) const {
      return at_ns != o.at_ns ? at_ns < o.at_ns : task < o.task;
    }
  };
  [[nodiscard]] bool empty() const { return heap_.empty(); }
  void push(Event event) {
    std::size_t i = heap_.size();
    heap_.push_back(event);
    for (; i > 0 && event < heap_[(i - 1) / 4]; i = (i - 1) / 4) heap_[i] = heap_[(i - 1) / 4];
    heap_[i] = event;
  }
  Event pop() {
    const Event top = heap_.front();
    const Event last = heap_.back();
    heap_.pop_back();
    std::size_t i = 0;
    while (4 * i + 1 < heap_.size()) {
      const std::size_t first = 4 * i + 1;
      std::size_t least = first;
      for (std::size_t k = first + 1; k < std::min(first + 4, heap_.size()); ++k) {
        if (heap_[k] < heap_[least]) least = k;
      }
      if (!(heap_[least] < last)) break;
      heap_[i] = heap_[least];
      i = least;
    }
    if (!heap_.empty()) heap_[i] = last;
    return top;
  }

 private:
  std::vector<Event> heap_;
};

/// The textbook simulator: an event a task end, counters of open edges, no resources.
Nanos event_queue(const FlatRun& flat, std::size_t lanes) {
  const std::size_t count = flat.lane.size();
  std::vector<std::uint8_t> open(count, 0);
  std::vector<std::int32_t> behind(count, -1), waiter(count, -1), next_waiter(count, -1);
  std::vector<std::int32_t> tail(lanes, -1);
  for (std::size_t i = 0; i < count; ++i) {
    const auto id = static_cast<std::int32_t>(i);
    std::int32_t& last = tail[flat.lane[i]];
    if (last >= 0) {
      behind[static_cast<std::size_t>(last)] = id;
      ++open[i];
    }
    last = id;
    if (flat.awaited[i] < 0) continue;
    next_waiter[i] = waiter[static_cast<std::size_t>(flat.awaited[i])];
    waiter[static_cast<std::size_t>(flat.awaited[i])] = id;
    ++open[i];
  }
  EventHeap heap;
  Nanos now_ns = 0;
  const auto close_edge = [&](std::int32_t id) {
    const auto i = static_cast<std::size_t>(id);
    if (--open[i] == 0) heap.push({now_ns + flat.duration_ns[i], static_cast<std::uint32_t>(id)});
  };
  for (std::size_t i = 0; i < count; ++i) {
    if (open[i] == 0) heap.push({flat.duration_ns[i], static_cast<std::uint32_t>(i)});
  }
  while (!heap.empty()) {
    const EventHeap::Event event = heap.pop();
    now_ns = event.at_ns;
    if (behind[event.task] >= 0) close_edge(behind[event.task]);
    for (std::int32_t w = waiter[event.task]; w >= 0;
         w = next_waiter[static_cast<std::size_t>(w)]) {
      close_edge(w);
    }
  }
  return now_ns;
}

/// The pool's steps, over and over.
class PoolSource : public sim::StepSource {
 public:
  PoolSource(const sim::TaskGraph& graph, const std::vector<Nanos>& pool, std::int64_t steps)
      : graph_(graph), pool_(pool), steps_(steps) {}
  Status next(const sim::StepStart& start, sim::StepWork& work) override {
    if (start.step == steps_) return {};
    work.graph = &graph_;
    const auto at = static_cast<std::size_t>(start.step % kPoolSteps) * graph_.size();
    work.durations_ns = std::span<const Nanos>(pool_).subspan(at, graph_.size());
    return {};
  }

 private:
  const sim::TaskGraph& graph_;
  const std::vector<Nanos>& pool_;
  std::int64_t steps_;
};

Nanos retime_pool(const StepLoop& loop, const std::vector<Nanos>& pool, std::int64_t steps) {
  PoolSource source(loop.graph, pool, steps);
  return bench::take(sim::retime(loop.layout, source, nullptr)).makespan_ns;
}

Nanos retime_arrays(const StepLoop& loop, FlatRun& flat, std::int64_t steps) {
  sim::Retimer retimer(loop.layout);
  const std::size_t size = loop.graph.size();
  for (std::size_t step = 0; step < static_cast<std::size_t>(steps); ++step) {
    const auto durations = std::span<const Nanos>(flat.duration_ns).subspan(step * size, size);
    const auto ends = std::span<Nanos>(flat.end_ns).subspan(step * size, size);
    const Status status = retimer.step(loop.graph, durations, ends);
    if (!status.ok()) bench::fail(status.error());
  }
  return retimer.times().makespan_ns;
}

Nanos run_dynamic_pool(const StepLoop& loop, const std::vector<Nanos>& pool, std::int64_t steps) {
  PoolSource source(loop.graph, pool, steps);
  return bench::take(sim::run_dynamic(loop.layout, source, {})).makespan_ns;
}

struct Options {
  std::vector<std::int64_t> tasks{10'000, 100'000, 1'000'000, 10'000'000};
  int rounds = 7;
  bool stream_only = false;
  std::string dag;
};

void bench_size(const Options& o, std::int64_t tasks) {
  const std::int64_t steps = tasks / kStepLoopTasks;
  const std::vector<Nanos> pool = make_pool(1);
  const std::vector<Nanos> pool_of_4 = make_pool(4);
  const StepLoop plain = bench::take(bench::make_step_loop({}));
  const StepLoop queued = bench::take(bench::make_step_loop({1, 1, 1}));
  const StepLoop four = bench::take(bench::make_step_loop({4, 2, 2}));
  FlatRun flat;
  if (!o.stream_only) flat = unroll(plain.graph, pool, steps);
  const Nanos expected_ns = retime_pool(plain, pool, steps);
  if (!o.dag.empty() && !bench::write_dag(o.dag, {3, flat.lane, flat.awaited, flat.duration_ns})) {
    bench::fail(Error{o.dag + ": cannot be written"});
  }
  const std::int64_t repeats = std::max<std::int64_t>(1, kTasksARound / tasks);
  std::vector<bench::Contestant> contestants;
  const auto add = [&](const char* name, bool same_run, std::function<Nanos()> run) {
    contestants.push_back({name, "tasks", [=] {
                             for (std::int64_t i = 0; i < repeats; ++i) {
                               const Nanos makespan_ns = run();
                               if (same_run && makespan_ns != expected_ns) {
                                 bench::fail(Error{std::string(name) + ": another makespan"});
                               }
                             }
                             return static_cast<double>(repeats * steps * kStepLoopTasks);
                           }});
  };
  if (!o.stream_only) {
    add("flat pass (floor)", true, [&] { return flat_pass(flat, 3); });
    add("event queue, 4-ary heap", true, [&] { return event_queue(flat, 3); });
    add("re-time, ends of all tasks", true, [&] { return retime_arrays(plain, flat, steps); });
  }
  add("re-time, streamed", true, [&] { return retime_pool(plain, pool, steps); });
  add("dynamic, no resources", true, [&] { return run_dynamic_pool(plain, pool, steps); });
  add("dynamic, 1 core, 1 engine", true, [&] { return run_dynamic_pool(queued, pool, steps); });
  add("dynamic, 4 ranks share 2 + 2", false,
      [&] { return run_dynamic_pool(four, pool_of_4, steps / 4); });
  fmt::print("{} tasks, makespan {} ns\n", tasks, expected_ns);
  bench::print(bench::measure(contestants, o.rounds), 1e6, "M tasks/s");
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  fmt::print("  {:<28} {:>9.1f} MB\n", "peak memory of all so far",
             static_cast<double>(used.ru_maxrss) / 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Tasks a second of the discrete-event engine on the step-loop DAG"};
  app.add_option("--tasks", o.tasks, "sizes, in tasks")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{400}, std::int64_t{1} << 40U));
  app.add_option("--rounds", o.rounds, "measurements of each")->check(CLI::Range(1, 1000));
  CLI::Option* stream =
      app.add_flag("--stream-only", o.stream_only, "only what needs memory for one step");
  app.add_option("--dag", o.dag, "write the run of the last size here")->excludes(stream);
  CLI11_PARSE(app, argc, argv);
  for (const std::int64_t tasks : o.tasks) bench_size(o, tasks);
  return 0;
}
