// The scripted model: target tokens and accepted counts as pure functions of the request.
//
// Positions are text positions of a request: [0, P) prompt, P + k the (k+1)-th generated token.
#pragma once

#include <cstdint>
#include <span>

#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::script {

/// What the script needs of a request, kept per slot beside the request itself.
struct Request {
  RequestId id = kNoRequest;
  std::int32_t prompt_len = 0;
  std::int32_t eos_at = 0;               ///< as RequestRow::eos_at
  std::span<const std::int32_t> accept;  ///< as RequestRow::accept; outlives this
};

[[nodiscard]] Request of(const RequestRow& row);

/// The token at a text position: EOS at generated token eos_at, never EOS elsewhere, always in
/// [0, vocab_size) and different from the padding id.
[[nodiscard]] std::int64_t token(const RunConfig& config, const Request& request,
                                 std::int64_t position);

/// A token that is not the one at this position and no EOS: what a wrong draft or a model fed with
/// wrong rows says. `salt` makes different mistakes differ.
[[nodiscard]] std::int64_t wrong_token(const RunConfig& config, const Request& request,
                                       std::int64_t position, std::uint64_t salt);

/// Tokens a decode step from committed length g commits before clipping (AcceptProfile). g >= 1.
[[nodiscard]] std::int32_t accept_count(const RunConfig& config, const Request& request,
                                        std::int64_t g);

}  // namespace tandem::script
