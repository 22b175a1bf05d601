// Runs of the host device: steps a second with each executor, alone and with the judge beside it.
//
// usage: run_bench [--slots 16,64,256] [--slot-steps N] [--rounds N]
//
// Beside each rate: CPU time a step of the host thread, and of all others together. `hand-overs` is
// the limit of what threads can do for each other: two of them wake one another in turn.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "runtime/host/doorbell.hpp"
#include "runtime/host/run_host.hpp"
#include "sim/checks/verify.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/rounds.hpp"
#include "tools/cli/sinks.hpp"

namespace {

using namespace tandem;  // NOLINT(google-build-using-namespace)

constexpr std::size_t kRingEntries = 64;  // as `tandem run` has it

double cpu_us(int who) {
  rusage used{};
  ::getrusage(who, &used);
  const auto us = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return us(used.ru_utime) + us(used.ru_stime);
}

struct Cpu {
  double host_us = 0;
  double others_us = 0;
  double steps = 0;
};

struct Kind {
  std::string name;
  ExecutorKind executor = ExecutorKind::det;
  bool own_copies = false;
  bool judged = false;
};

double run(const Scenario& scenario, const Kind& kind, Cpu& cpu) {
  const double host_before = cpu_us(RUSAGE_THREAD);
  const double all_before = cpu_us(RUSAGE_SELF);
  const std::unique_ptr<Workload> workload = bench::workload_of(scenario);
  RunSummary summary;
  if (kind.judged) {
    const auto judge = sim::make_live_verifier({});
    cli::ParallelSink beside(*judge, kRingEntries);
    summary = bench::take(run_on_host(scenario, *workload, {}, &beside, kind.executor));
    if (judge->verdict().divergence_count != 0) bench::fail(Error{"the run diverges"});
  } else {
    summary = bench::take(run_on_host(scenario, *workload, {}, nullptr, kind.executor));
  }
  const double host_us = cpu_us(RUSAGE_THREAD) - host_before;
  cpu.host_us += host_us;
  cpu.others_us += cpu_us(RUSAGE_SELF) - all_before - host_us;
  cpu.steps += static_cast<double>(summary.steps);
  return static_cast<double>(summary.steps);
}

/// Two threads take turns through their doorbells.
double hand_over() {
  constexpr std::int64_t kTurns = 4'000;
  Doorbell even;
  Doorbell odd;
  std::atomic<std::int64_t> turn{0};
  const auto play = [&turn](std::int64_t parity, Doorbell& mine, Doorbell& other) {
    for (std::int64_t i = parity; i < kTurns; i += 2) {
      mine.sleep_until([&turn, i] { return turn.load(std::memory_order_acquire) == i; });
      turn.store(i + 1, std::memory_order_release);
      other.ring();
    }
  };
  std::thread second([&] { play(1, odd, even); });
  play(0, even, odd);
  second.join();
  return static_cast<double>(kTurns);
}

struct Options {
  std::vector<int> slots{16, 64, 256};
  std::int64_t slot_steps = 1 << 20;
  int rounds = 7;
};

void bench_slots(const Options& o, int slots) {
  const std::vector<Kind> kinds = {
      {"det", ExecutorKind::det, false, false},
      {"threads, 1 stream", ExecutorKind::threads, false, false},
      {"threads, 2 streams", ExecutorKind::threads, true, false},
      {"det, judge beside", ExecutorKind::det, false, true},
      {"threads, 1 stream, judge", ExecutorKind::threads, false, true},
      {"threads, 2 streams, judge", ExecutorKind::threads, true, true}};
  const Scenario one = bench::decoding(slots, o.slot_steps);
  const Scenario two = bench::decoding(slots, o.slot_steps, {"copies=own"});
  std::vector<Cpu> cpu(kinds.size());
  std::vector<bench::Contestant> contestants;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    contestants.push_back({kinds[i].name, "steps", [&, i] {
                             return run(kinds[i].own_copies ? two : one, kinds[i], cpu[i]);
                           }});
  }
  const std::vector<bench::Rate> rates = bench::measure(contestants, o.rounds);
  fmt::print("B={}: {} steps a run\n", slots, o.slot_steps / slots);
  for (std::size_t i = 0; i < rates.size(); ++i) {
    bench::print({rates[i]}, 1e3, "k steps/s");
    fmt::print("  {:<28} {:>9.2f} us CPU a step in the host thread, {:.2f} in others\n", "",
               cpu[i].host_us / cpu[i].steps, cpu[i].others_us / cpu[i].steps);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options o;
  CLI::App app{"Steps a second of the host device, by executor, alone and judged"};
  app.add_option("--slots", o.slots, "batch sizes B")->delimiter(',')->check(CLI::Range(1, 512));
  app.add_option("--slot-steps", o.slot_steps, "B times the steps of a run")
      ->check(CLI::Range(std::int64_t{4096}, std::int64_t{1} << 32U));
  app.add_option("--rounds", o.rounds, "measurements of each")->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  const std::vector<bench::Contestant> floor = {{"hand-overs", "hand-overs", hand_over}};
  bench::print(bench::measure(floor, o.rounds), 1e3, "k a second");
  for (const int slots : o.slots) bench_slots(o, slots);
  return 0;
}
