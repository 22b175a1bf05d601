// Reporter: counts divergences and keeps the first ones.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/checks/check_table.hpp"
#include "traces/fields.hpp"

namespace tandem::sim {

/// A value that may not exist.
struct Value {
  bool exists = false;
  std::int64_t value = 0;
};

constexpr Value nothing() { return {}; }
constexpr Value just(std::int64_t value) { return {true, value}; }

/// A divergence before it has a step, a policy and a field in words.
struct Finding {
  CheckId check = CheckId::V0;
  const char* point = "-";
  std::int32_t slot = -1;
  std::int32_t request = -1;
  Field field = Field::count;  ///< count: `name` alone is the path
  const char* name = "";       ///< member behind the field's path, ".token_num"
  Value host{};
  Value device{};
  Value oracle{};
  std::int64_t lag = 0;  ///< steps between the host value's step and this one
};

/// What verifying a stretch of records gave. Adds up: the sum over blocks is the trace's.
struct Tally {
  std::array<std::uint64_t, kCheckCount> diverged{};
  std::uint64_t divergence_count = 0;
  std::uint64_t chained = 0;  ///< keyframes compared (V0)
  std::int64_t steps = 0;
  std::int64_t records = 0;
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
  std::uint64_t counter_digest = 0;
};

class Reporter {
 public:
  Reporter(CheckSet enabled, std::string policy, std::size_t kept_max)
      : enabled_(enabled), policy_(std::move(policy)), kept_max_(kept_max) {}

  void begin_step(std::int64_t t) {
    t_ = t;
    substep_ = -1;
  }
  /// Until the next call or step, members of sub-steps are named as those of this one; -1: of none.
  void begin_substep(std::int32_t substep) { substep_ = substep; }
  [[nodiscard]] bool is_enabled(CheckId id) const { return enabled_.test(index_of(id)); }

  /// Drops what a check that does not run would say.
  void add(const Finding& finding);

  Tally tally;
  std::vector<Divergence> kept;

  void clear() {
    tally = Tally{};
    kept.clear();
  }

 private:
  CheckSet enabled_;
  std::string policy_;
  std::size_t kept_max_;
  std::int64_t t_ = 0;
  std::int32_t substep_ = -1;
};

}  // namespace tandem::sim
