// Host columns that the engine and a recording keep alike.
#include "runtime/core/scheduler.hpp"

#include <algorithm>
#include <utility>

#include "traces/base/check.hpp"

namespace tandem {

Scheduler::Scheduler(const RunConfig& config) : config_(config) {
  const auto slots = static_cast<std::size_t>(config.max_num_seqs);
  request_.assign(slots, kNoRequest);
  for (Column* column : {&given_, &known_d_, &known_g_, &in_flight_, &max_dec_len_}) {
    column->assign(slots, 0);
  }
}

void Scheduler::mark_launched(std::int64_t t, std::int32_t n) {
  Launched launched{t, Column(slot_count(), 0)};
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    if (!is_occupied(i)) continue;
    ++in_flight_[i];
    launched.given[i] = given_[i];
  }
  launched_.push_back(std::move(launched));
}

void Scheduler::unmark_launched(std::int64_t t) {
  const auto step =
      std::find_if(launched_.begin(), launched_.end(), [t](const Launched& l) { return l.t == t; });
  TANDEM_CHECK(step != launched_.end());
  for (std::size_t i = 0; i < slot_count(); ++i) {
    if (is_occupied(i) && step->given[i] == given_[i]) --in_flight_[i];
  }
  launched_.erase(step);
}

std::int32_t Scheduler::occupied_end() const {
  for (std::size_t i = slot_count(); i > 0; --i) {
    if (is_occupied(i - 1)) return static_cast<std::int32_t>(i);
  }
  return 0;
}

bool Scheduler::is_addressed(const Message& message, std::size_t slot) const {
  return message.count[slot] != 0 && is_occupied(slot) &&
         given_[slot] - 1 == message.generation[slot];
}

bool Scheduler::is_eos(std::int64_t token) const {
  return std::find(config_.eos_ids.begin(), config_.eos_ids.end(), token) != config_.eos_ids.end();
}

void Scheduler::vacate(std::size_t slot) {
  request_[slot] = kNoRequest;
  known_d_[slot] = known_g_[slot] = in_flight_[slot] = max_dec_len_[slot] = 0;
}

}  // namespace tandem
