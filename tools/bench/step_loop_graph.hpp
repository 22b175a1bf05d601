// The step-loop DAG of the engine's figures: 100 tasks a step, 30 of the host, 60 of the compute
// stream, 10 copies, and one host wait for the last step's copies.
//
// Host task k launches compute tasks 2k and 2k + 1; every third host task launches a copy of what
// the last compute task wrote; host task 15 waits for the last copy of the step before. Several
// ranks stand side by side and share host cores and copy engines; host task 15 of each then waits
// for the copies of all, as ranks do that agree on the next step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine/task_graph.hpp"
#include "traces/base/random.hpp"
#include "traces/base/result.hpp"

namespace tandem::bench {

constexpr std::int64_t kStepLoopTasks = 100;  ///< a step and rank

struct StepLoop {
  sim::Layout layout;
  sim::TaskGraph graph;
};

struct StepLoopShape {
  int ranks = 1;
  int host_cores = 0;    ///< shared by all ranks' hosts; 0: no contention
  int copy_engines = 0;  ///< shared by all ranks' copies; 0: no contention
};

/// Durations of one step, by task: host 1 to 5 us, compute 1 to 21 us, copies 2 to 6 us.
inline Nanos step_loop_duration(std::int64_t step, sim::TaskId task) {
  const std::uint64_t draw = keyed_draw(1, 2, static_cast<std::uint64_t>(step), task);
  const std::uint32_t in_rank = task % 10;  // 3 host, 6 compute, 1 copy
  if (in_rank == 9) return 2'000 + static_cast<Nanos>(draw % 4'000);
  return 1'000 + static_cast<Nanos>(draw % (in_rank % 3 == 0 ? 4'000U : 20'000U));
}

inline Result<StepLoop> make_step_loop(const StepLoopShape& shape) {
  constexpr int kHostTasks = 30;
  StepLoop loop;
  sim::Layout& layout = loop.layout;
  sim::ResourceId cores = sim::kNoResource;
  sim::ResourceId engines = sim::kNoResource;
  if (shape.host_cores > 0) {
    TANDEM_TRY(cores, layout.add_resource("host cores", shape.host_cores));
  }
  if (shape.copy_engines > 0) {
    TANDEM_TRY(engines, layout.add_resource("copy engines", shape.copy_engines));
  }
  struct Rank {
    sim::LaneId host, compute, copy;
    sim::EventId copied;
    std::vector<sim::EventId> launched, computed;
  };
  std::vector<Rank> ranks;
  for (int r = 0; r < shape.ranks; ++r) {
    const std::string of = " " + std::to_string(r);
    Rank rank;
    TANDEM_TRY(rank.host, layout.add_lane("host" + of));
    TANDEM_TRY(rank.compute, layout.add_lane("compute" + of));
    TANDEM_TRY(rank.copy, layout.add_lane("copy" + of));
    TANDEM_TRY(rank.copied, layout.add_event("copied" + of, 1));
    for (int k = 0; k < kHostTasks; ++k) {
      TANDEM_TRY(const sim::EventId launched, layout.add_event("launched" + of));
      rank.launched.push_back(launched);
      if (k % 3 != 2) continue;
      TANDEM_TRY(const sim::EventId computed, layout.add_event("computed" + of));
      rank.computed.push_back(computed);
    }
    ranks.push_back(rank);
  }
  sim::GraphBuilder builder(layout);
  sim::TaskId next = 0;
  const auto add = [&](sim::LaneId lane, sim::ResourceId resource) {
    return builder.add_task(lane, step_loop_duration(0, next++), resource);
  };
  for (const Rank& rank : ranks) {
    for (std::size_t k = 0; k < kHostTasks; ++k) {
      const sim::TaskId host = add(rank.host, cores);
      builder.record(host, rank.launched[k]);
      for (const Rank& other : ranks) {
        if (k == kHostTasks / 2) builder.wait(host, other.copied, -1);
      }
      const sim::TaskId first = add(rank.compute, sim::kNoResource);
      builder.wait(first, rank.launched[k]);
      const sim::TaskId second = add(rank.compute, sim::kNoResource);
      if (k % 3 != 2) continue;
      builder.record(second, rank.computed[k / 3]);
      const sim::TaskId copy = add(rank.copy, engines);
      builder.wait(copy, rank.computed[k / 3]);
      if (k + 1 == kHostTasks) builder.record(copy, rank.copied);
    }
  }
  TANDEM_TRY(loop.graph, builder.finish());
  return loop;
}

}  // namespace tandem::bench
