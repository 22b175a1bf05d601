// Tokens that requests were delivered: their streams, and the digest over all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// Totals of what was delivered.
struct EngineTotals {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
  std::uint64_t token_digest = 0;
};

/// What one request was delivered so far, in all generations.
struct TokenStream {
  RequestId id = kNoRequest;
  /// Digests and kept tokens end here; -1: nowhere. The trigger of an abort: steps do not end where
  /// it lies, so what lies behind it depends on the schedule.
  std::int32_t compared_max = -1;
  std::int32_t generated = 0;
  std::uint64_t hash = 0;

  /// Tokens that the digest covers.
  [[nodiscard]] std::int32_t compared() const {
    return compared_max < 0 || generated < compared_max ? generated : compared_max;
  }
};

/// Why an output that ends with its generated-th token ends there. A token that is EOS by the
/// request's own row goes before the stop sequence, and both before the limit: the limit may fall
/// on the same place.
[[nodiscard]] StopReason reason_to_end(const RequestRow& row, std::int32_t generated);

/// Counts open requests and those that ended, at any moment.
class TokenLedger {
 public:
  /// Appends tokens to a stream that counts already, or starts to.
  void deliver(TokenStream& stream, std::span<const std::int64_t> tokens);
  /// The request is over.
  void close(const TokenStream& stream);

  [[nodiscard]] const EngineTotals& totals() const { return totals_; }

 private:
  void count_in(const TokenStream& stream);
  void count_out(const TokenStream& stream);

  EngineTotals totals_;  ///< tokens and digest of every request with at least one token
};

}  // namespace tandem
