// What a run is asked for and what it answers, whatever the device.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "traces/base/ids.hpp"
#include "traces/run_config.hpp"

namespace tandem {

struct RunProgress {
  std::int64_t t = 0;
  std::int64_t requests_done = 0;
  std::int64_t tokens = 0;
  Nanos now_ns = 0;
};

struct RunOptions {
  RecordLevel level = RecordLevel::state;
  std::int64_t block_steps = 0;  ///< records between keyframes; 0: 32768 slot-steps' worth
  const std::atomic<bool>* stop = nullptr;  ///< set from outside: end at the next step boundary
  std::string producer = "tandem";          ///< goes into the trace header
  std::function<void(const RunProgress&)> progress;  ///< called now and then on the run's thread
};

struct Percentiles {
  std::int64_t median = 0;
  std::int64_t p95 = 0;
  std::int64_t p99 = 0;

  bool operator==(const Percentiles&) const = default;
};

struct RunSummary {
  std::int64_t steps = 0;           ///< loop iterations, idle ones included
  std::int64_t launched_steps = 0;  ///< iterations with N > 0
  std::int64_t requests = 0;        ///< requests that ended
  std::int64_t tokens = 0;          ///< tokens delivered, a D node's token 0 included
  std::uint64_t token_digest = 0;   ///< over every request's token stream, whatever the schedule
  Nanos virtual_ns = 0;             ///< host clock at the end
  bool has_step_time = false;
  bool has_idle = false;        ///< false where the device does not know how long it was busy
  Percentiles step_time_ns;     ///< of iterations that launched; within 1/64
  Percentiles idle_millionths;  ///< share of such an iteration in which the compute lane was idle
  std::int64_t recorder_stalls = 0;
  bool guard_tripped = false;  ///< a launch was too small; the run ended after that step
  std::int64_t guard_step = -1;
  bool stopped = false;           ///< ended by RunOptions::stop
  std::int64_t dropped_rows = 0;  ///< rows of the workload's file without tokens

  bool operator==(const RunSummary&) const = default;
};

}  // namespace tandem
