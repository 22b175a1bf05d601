// Scheduler: who says what insert(t) does and which slot is whose: the engine, or a recording.
//
// Holds what both keep of a slot on the host: its occupant and what the host has learnt of it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "runtime/core/token_ledger.hpp"
#include "traces/base/result.hpp"
#include "traces/keyframe.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// A message as the engine receives it: counts and the tokens themselves, which no trace keeps.
struct EngineMessage {
  const Message& message;
  std::span<const std::int64_t> tokens;  ///< B x W, A_cpu; not read where count <= 0
};

class Scheduler {
 public:
  /// `config` outlives the scheduler.
  explicit Scheduler(const RunConfig& config);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  virtual ~Scheduler() = default;

  /// insert(t): appends tasks in executed order. `q_cpu` and `b_cpu` are of step t-1. `now` is the
  /// host clock.
  virtual Status plan(std::int64_t t, Nanos now, const Column& q_cpu, const Column& b_cpu,
                      std::vector<Task>& tasks) = 0;
  /// Learns tokens, ends requests, frees slots; what ended is appended.
  virtual void on_message(const EngineMessage& message, std::vector<RequestOutcome>& outcomes,
                          std::vector<SlotFree>& frees) = 0;
  /// Behind the last message of iteration t.
  virtual void end_step(std::int64_t t, std::vector<RequestOutcome>& outcomes,
                        std::vector<SlotFree>& frees) = 0;

  /// Length of the seq_lens_this_time view in iteration t, behind plan(t).
  [[nodiscard]] virtual std::int32_t view_length(std::int64_t t) const = 0;
  /// Whether nothing is left to do before iteration t. `settled`: the host owes no output and no
  /// mark.
  [[nodiscard]] virtual bool is_over(std::int64_t t, bool settled) const = 0;
  /// No request waits or occupies a slot: only an arrival can make work.
  [[nodiscard]] virtual bool is_quiet() const = 0;
  /// How many iterations the idle one t stands for, at least 1. `silent`: it changed nothing.
  [[nodiscard]] virtual std::int64_t idle_repeat(std::int64_t t, Nanos now, Nanos idle_ns,
                                                 bool silent) const = 0;
  /// The request of an occupied slot.
  [[nodiscard]] virtual const RequestRow& row(std::int32_t slot) const = 0;
  /// Hands over the rows of requests that arrived but were never admitted, in order; ends the
  /// scheduler.
  virtual Status drain_unadmitted(const std::function<Status(const RequestRow&)>& take) = 0;

  /// Takes up the state in front of a trace's first record, which is not that of a fresh runtime.
  /// Only a recording can.
  virtual void restore(const Keyframe& keyframe) = 0;

  /// Step t was launched: in flight for every occupied slot below `n` until its message.
  void mark_launched(std::int64_t t, std::int32_t n);
  /// It brought no output (a ghost step): it is in flight no more.
  void unmark_launched(std::int64_t t);

  /// Host view per slot, B entries each (architecture 4.1 "Keyframe").
  [[nodiscard]] const Column& request() const { return request_; }
  /// Times each slot has been given away; an occupant's own generation is one less.
  [[nodiscard]] const Column& given() const { return given_; }
  [[nodiscard]] const Column& known_d() const { return known_d_; }
  [[nodiscard]] const Column& known_g() const { return known_g_; }
  [[nodiscard]] const Column& in_flight() const { return in_flight_; }
  [[nodiscard]] const Column& max_dec_len() const { return max_dec_len_; }

  /// Totals so far, open requests included.
  [[nodiscard]] const EngineTotals& totals() const { return ledger_.totals(); }

 protected:
  [[nodiscard]] std::size_t slot_count() const { return request_.size(); }
  [[nodiscard]] bool is_occupied(std::size_t slot) const { return request_[slot] != kNoRequest; }
  /// Highest occupied slot + 1.
  [[nodiscard]] std::int32_t occupied_end() const;
  [[nodiscard]] bool is_addressed(const Message& message, std::size_t slot) const;
  [[nodiscard]] bool is_eos(std::int64_t token) const;
  /// Nobody is in the slot any more.
  void vacate(std::size_t slot);

  /// Since when a launched step is in flight: given() of each occupied slot, 0 elsewhere.
  struct Launched {
    std::int64_t t = 0;
    Column given;
  };

  const RunConfig& config_;
  Column request_, given_, known_d_, known_g_, in_flight_, max_dec_len_;
  std::deque<Launched> launched_;
  TokenLedger ledger_;
};

}  // namespace tandem
