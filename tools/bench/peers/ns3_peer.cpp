// The run of a DAG file on ns-3's scheduler: an event a task, for its end.
//
// usage: ns3_peer DAG
//
// A task starts when the task before it on its lane and the one it awaits have ended; whoever ends
// last starts it. Prints tasks a second and the makespan.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <ns3/core-module.h>

#include "tools/bench/dag_file.hpp"

namespace {

using tandem::bench::Dag;

class Run {
 public:
  explicit Run(const Dag& dag)
      : dag_(dag), missing_(dag.lane.size(), 0), first_(dag.lane.size(), -1), next_(first_) {
    std::vector<std::int32_t> last(static_cast<std::size_t>(dag.lanes), -1);
    behind_.assign(dag.lane.size(), -1);
    for (std::size_t i = 0; i < dag.lane.size(); ++i) {
      const auto task = static_cast<std::int32_t>(i);
      std::int32_t& before = last[dag.lane[i]];
      if (before >= 0) {
        behind_[static_cast<std::size_t>(before)] = task;
        ++missing_[i];
      }
      before = task;
      if (dag.awaited[i] < 0) continue;
      auto& head = first_[static_cast<std::size_t>(dag.awaited[i])];
      next_[i] = head;
      head = task;
      ++missing_[i];
    }
  }

  void start_all() {
    for (std::size_t i = 0; i < missing_.size(); ++i) {
      if (missing_[i] == 0) ready_.push_back(static_cast<std::int32_t>(i));
    }
    for (const std::int32_t task : ready_) start(task);
  }

 private:
  void start(std::int32_t task) {
    const auto i = static_cast<std::size_t>(task);
    ns3::Simulator::Schedule(ns3::NanoSeconds(dag_.duration_ns[i]), &Run::end, this, task);
  }

  void release(std::int32_t task) {
    if (--missing_[static_cast<std::size_t>(task)] == 0) start(task);
  }

  void end(std::int32_t task) {
    const auto i = static_cast<std::size_t>(task);
    if (behind_[i] >= 0) release(behind_[i]);
    for (std::int32_t waiter = first_[i]; waiter >= 0;) {
      const std::int32_t following = next_[static_cast<std::size_t>(waiter)];
      release(waiter);
      waiter = following;
    }
  }

  const Dag& dag_;
  std::vector<std::uint8_t> missing_;
  std::vector<std::int32_t> first_, next_, behind_;
  std::vector<std::int32_t> ready_;
};

}  // namespace

int main(int argc, char** argv) {
  Dag dag;
  if (argc != 2 || !tandem::bench::read_dag(argv[1], dag)) {
    std::fprintf(stderr, "usage: ns3_peer DAG, a file of engine_bench --dag\n");
    return 2;
  }
  Run run(dag);
  const auto begin = std::chrono::steady_clock::now();
  run.start_all();
  ns3::Simulator::Run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("ns-3 %.0f %lld\n", static_cast<double>(dag.lane.size()) / took.count(),
              static_cast<long long>(ns3::Simulator::Now().GetNanoSeconds()));
  ns3::Simulator::Destroy();
  return 0;
}
