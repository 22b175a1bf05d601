// HostPolicy: what the host launches before it knows (semantics 4.2b). A broken policy is an input.
#pragma once

#include <cstdint>
#include <memory>

#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// What a policy may look at. Spans of all B slots; they outlive the call.
struct PolicyView {
  const RunConfig& config;
  std::int64_t t = 0;
  bool flag = false;        ///< runner.exist_prefill_flag
  const Column& q_cpu;      ///< of t
  const Column& b_cpu;      ///< of t
  const Column& known_d;    ///< length in the last message that brought tokens, or of the insert
  const Column& known_g;    ///< tokens the engine knows of
  const Column& in_flight;  ///< launched steps without a processed message
  const Column& max_dec_len;
};

struct Belief {
  std::int32_t length = 0;
  bool exact = true;         ///< false: an upper bound
  std::int32_t reserve = 0;  ///< KV tokens reserved beyond `length`
};

struct DraftRows {
  bool read = false;      ///< true: read the device's sum
  std::int32_t rows = 0;  ///< where !read
};

class HostPolicy {
 public:
  HostPolicy() = default;
  HostPolicy(const HostPolicy&) = delete;
  HostPolicy& operator=(const HostPolicy&) = delete;
  virtual ~HostPolicy() = default;

  /// The pair for step t+1, from what is known after W2 of step t; (-1, -1): none.
  [[nodiscard]] virtual CachedPair predict(const PolicyView& view) const = 0;
  /// Rows of sub-step `substep` of this step's propose, where it is not blocking. `hidden_rows` is
  /// the row count of the hidden states that sub-step 0 consumes.
  [[nodiscard]] virtual DraftRows draft_rows(int substep, std::int32_t token_num,
                                             std::int32_t real_bsz,
                                             std::int32_t hidden_rows) const = 0;
  /// Believed length of an occupied slot at the launch of step t (q_cpu and b_cpu are of t-1).
  [[nodiscard]] virtual Belief believed(const PolicyView& view, std::int32_t slot) const = 0;
};

[[nodiscard]] std::unique_ptr<HostPolicy> make_policy(const RunConfig& config);

}  // namespace tandem
