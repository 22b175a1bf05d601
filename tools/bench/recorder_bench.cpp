// What recording a step costs the thread that runs steps, beside a plain copy of the same bytes.
//
// usage: recorder_bench [SLOTS [ROUNDS]]. Steps are those of B slots that all decode, K = M = 3;
// every array has memory of its own and changes from step to step as an engine's does. Contestants
// take turns, round by round, so that a noisy machine disturbs all alike. In front of each step the
// engine writes its arrays; behind it it spins, as if it waited for a forward, while the recorder
// prints. Neither is timed: what is timed is the call alone.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tools/bench/recorder_engine.hpp"
#include "traces/recorder/tandem_recorder.h"

namespace tandem::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kStepsARound = 64;
constexpr auto kForward = std::chrono::microseconds(300);
constexpr std::size_t kColdBytes = std::size_t{6} << 20U;  // three times an L2 cache

/// A contestant: what one step of it costs, in ns, step by step.
struct Contestant {
  std::string name;
  std::function<double()> step;
  std::vector<double> ns;
};

template <class Call>
double timed(Call call) {
  const auto start = Clock::now();
  call();
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// Memory that pushes everything else out of the caches.
class Eviction {
 public:
  void run() {
    for (std::size_t i = 0; i < memory_.size(); i += 64) ++memory_[i];
  }

 private:
  std::vector<unsigned char> memory_ = std::vector<unsigned char>(kColdBytes, 0);
};

/// A recorder with an engine of its own.
class Recording {
 public:
  Recording(std::size_t slots, bool essentials, bool rewrites_tables, std::string path)
      : engine_(slots), rewrites_(rewrites_tables), path_(std::move(path)) {
    if (essentials) engine_.keep_essentials();
    const tandem_result opened =
        tandem_recorder_open(path_.c_str(), &engine_.config, &engine_.step, nullptr, &recorder_);
    if (opened != TANDEM_OK) {
      std::fprintf(stderr, "recorder_bench: %s\n", tandem_result_text(opened));
      std::exit(2);
    }
  }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;
  ~Recording() {
    tandem_recorder_free(recorder_);
    std::remove((path_ + ".part").c_str());
    std::remove(path_.c_str());
  }

  double step(Eviction* eviction) {
    engine_.advance(rewrites_);
    if (eviction != nullptr) eviction->run();
    tandem_result result = TANDEM_OK;
    const double ns = timed([&] { result = tandem_recorder_step(recorder_, &engine_.step); });
    if (result != TANDEM_OK) {
      std::fprintf(stderr, "recorder_bench: %s (%s)\n", tandem_result_text(result),
                   tandem_recorder_detail(recorder_));
      std::exit(2);
    }
    return ns;
  }
  [[nodiscard]] std::uint64_t stalls() const { return tandem_recorder_stalls(recorder_); }
  [[nodiscard]] std::size_t bytes() const { return engine_.bytes(); }

 private:
  Engine engine_;
  bool rewrites_;
  std::string path_;
  tandem_recorder* recorder_ = nullptr;
};

/// The floor: so many bytes from one warm piece of memory, with memcpy, into the next of the slots
/// of a ring that is as long as the recorder's was (256 of them).
class PlainCopy {
 public:
  explicit PlainCopy(std::size_t bytes) : source_(bytes, 1), ring_(256 * bytes, 0) {}

  double step() {
    std::fill(source_.begin(), source_.end(), static_cast<unsigned char>(++count_));
    unsigned char* target = ring_.data() + count_ % 256 * source_.size();
    return timed([&] { std::memcpy(target, source_.data(), source_.size()); });
  }

 private:
  std::vector<unsigned char> source_, ring_;
  std::size_t count_ = 0;
};

void print(Contestant& c) {
  std::sort(c.ns.begin(), c.ns.end());
  const auto at = [&c](double share) {
    return c.ns[static_cast<std::size_t>(share * static_cast<double>(c.ns.size() - 1))] / 1000.0;
  };
  std::printf("%-38s  median %6.2f us a step, p10 %6.2f, p90 %6.2f\n", c.name.c_str(), at(0.5),
              at(0.1), at(0.9));
}

int run(std::size_t slots, std::size_t rounds) {
  Eviction eviction;
  Recording all(slots, false, false, "recorder_bench.all.jsonl");
  Recording essentials(slots, true, false, "recorder_bench.essentials.jsonl");
  Recording tables(slots, false, true, "recorder_bench.tables.jsonl");
  PlainCopy copy(all.bytes()), small(essentials.bytes());
  std::vector<Contestant> contestants{
      {"all arrays", [&] { return all.step(nullptr); }, {}},
      {"memcpy of the same bytes", [&] { return copy.step(); }, {}},
      {"essentials", [&] { return essentials.step(nullptr); }, {}},
      {"memcpy of the same bytes", [&] { return small.step(); }, {}},
      {"all arrays, every block table rewritten", [&] { return tables.step(nullptr); }, {}},
      {"all arrays, caches cold", [&] { return all.step(&eviction); }, {}},
  };
  std::printf(
      "%zu slots that decode, K = M = 3; %zu rounds of %zu steps; all arrays: %zu bytes, "
      "essentials: %zu\n",
      slots, rounds, kStepsARound, all.bytes(), essentials.bytes());
  for (std::size_t round = 0; round < rounds + rounds / 10 + 1; ++round) {
    for (Contestant& c : contestants) {
      const bool warm = round > rounds / 10;  // pages are there, and widths are known
      for (std::size_t i = 0; i < kStepsARound; ++i) {
        const double ns = c.step();
        if (warm) c.ns.push_back(ns);
        for (const auto end = Clock::now() + kForward; Clock::now() < end;) {
        }
      }
    }
  }
  for (Contestant& c : contestants) print(c);
  const std::uint64_t stalls = all.stalls() + essentials.stalls() + tables.stalls();
  if (stalls > 0) std::printf("%" PRIu64 " stalls: the times above hold waiting\n", stalls);
  return 0;
}

}  // namespace
}  // namespace tandem::bench

int main(int argc, char** argv) {
  const long slots = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 64;
  const long rounds = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 100;
  if (slots < 1 || slots > 512 || rounds < 1) {
    std::fprintf(stderr, "usage: recorder_bench [SLOTS 1..512 [ROUNDS]]\n");
    return 2;
  }
  return tandem::bench::run(static_cast<std::size_t>(slots), static_cast<std::size_t>(rounds));
}
