// The deterministic executor: lanes as queues on one thread, a seeded order among the legal ones.
//
// Values are computed late, when the seed says so or a wait demands it, so that a host value read
// too early, or a buffer reused too early, shows as a wrong value, and always in the same way.
#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "runtime/host/executor.hpp"
#include "traces/base/random.hpp"

namespace tandem {

class DetExecutor final : public Executor {
 public:
  DetExecutor(std::uint64_t seed, Execute execute);

  [[nodiscard]] bool finished(std::int64_t step) const override;
  void halt() override;

 protected:
  void submit(std::size_t lane, Item item) override;
  void await_record(plan::EventName name, EventSerial serial) override;
  void await_empty() override;

 private:
  struct Lane {
    std::deque<Item> queue;
    std::int64_t ended_step = -1;
  };

  [[nodiscard]] bool runnable(const Lane& lane) const;
  [[nodiscard]] bool is_done(plan::EventName name, EventSerial serial) const {
    return done_[static_cast<std::size_t>(name)] >= serial;
  }
  void run_one(Lane& lane);
  void run_some();
  bool run_any();

  RandomStream order_;
  std::array<Lane, kDeviceLanes> lanes_;
  std::array<EventSerial, kEventNames> done_{};
};

}  // namespace tandem
