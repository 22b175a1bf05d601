// The run of a DAG file on SimGrid: an actor a lane, which sleeps as long as a task lasts.
//
// usage: simgrid_peer DAG
//
// A semaphore stands for the end of each task that others await. (Tasks as executions that succeed
// each other take a time that grows with the square of their number on three hosts.) Prints tasks a
// second and the makespan.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <simgrid/s4u.hpp>

#include "tools/bench/dag_file.hpp"

namespace {

namespace s4u = simgrid::s4u;
using tandem::bench::Dag;

struct Run {
  const Dag& dag;
  std::vector<std::vector<std::size_t>> queues;  ///< by lane
  std::vector<int> waiters;                      ///< by task
  std::vector<s4u::SemaphorePtr> ended;          ///< by task; null where nobody waits

  void work(std::size_t lane) const {
    for (const std::size_t task : queues[lane]) {
      if (dag.awaited[task] >= 0) ended[static_cast<std::size_t>(dag.awaited[task])]->acquire();
      s4u::this_actor::sleep_for(static_cast<double>(dag.duration_ns[task]) * 1e-9);
      for (int k = 0; k < waiters[task]; ++k) ended[task]->release();
    }
  }
};

Run run_of(const Dag& dag) {
  const std::size_t tasks = dag.lane.size();
  Run run{dag, std::vector<std::vector<std::size_t>>(static_cast<std::size_t>(dag.lanes)),
          std::vector<int>(tasks, 0), std::vector<s4u::SemaphorePtr>(tasks)};
  for (std::size_t i = 0; i < tasks; ++i) {
    run.queues[dag.lane[i]].push_back(i);
    if (dag.awaited[i] >= 0) ++run.waiters[static_cast<std::size_t>(dag.awaited[i])];
  }
  for (std::size_t i = 0; i < tasks; ++i) {
    if (run.waiters[i] > 0) run.ended[i] = s4u::Semaphore::create(0);
  }
  return run;
}

}  // namespace

int main(int argc, char** argv) {
  s4u::Engine engine(&argc, argv);
  Dag dag;
  if (argc != 2 || !tandem::bench::read_dag(argv[1], dag)) {
    std::fprintf(stderr, "usage: simgrid_peer DAG, a file of engine_bench --dag\n");
    return 2;
  }
  s4u::NetZone* zone = s4u::create_full_zone("machine");
  s4u::Host* host = zone->create_host("host", 1e9);
  host->seal();
  zone->seal();
  const Run run = run_of(dag);
  const auto begin = std::chrono::steady_clock::now();
  for (std::size_t lane = 0; lane < run.queues.size(); ++lane) {
    s4u::Actor::create("lane" + std::to_string(lane), host, [&run, lane] { run.work(lane); });
  }
  engine.run();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("SimGrid %.0f %.0f\n", static_cast<double>(dag.lane.size()) / took.count(),
              std::round(s4u::Engine::get_clock() * 1e9));
  return 0;
}
