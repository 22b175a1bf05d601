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
  std::int32_t stop_at = 0;              ///< as RequestRow::stop_at
  std::span<const std::int32_t> accept;  ///< as RequestRow::accept; outlives this
};

[[nodiscard]] Request of(const RequestRow& row);

/// The least id that is neither EOS nor the padding id. It is the target's generated token stop_at,
/// where one is given, and stands nowhere else: so a stop sequence that ends with it matches once.
[[nodiscard]] std::int64_t stop_id(const RunConfig& config);

/// The token at a text position: EOS at generated token eos_at, never EOS elsewhere; stop_id at
/// generated token stop_at (eos_at goes first), never elsewhere; always in [0, vocab_size) and
/// different from the padding id.
[[nodiscard]] std::int64_t token(const RunConfig& config, const Request& request,
                                 std::int64_t position);

/// A token that is not the one at this position, no EOS and not stop_id: what a wrong draft or a
/// model fed with wrong rows says. `salt` makes different mistakes differ.
[[nodiscard]] std::int64_t wrong_token(const RunConfig& config, const Request& request,
                                       std::int64_t position, std::uint64_t salt);

/// Tokens a decode step from committed length g commits before clipping (AcceptProfile). g >= 1.
[[nodiscard]] std::int32_t accept_count(const RunConfig& config, const Request& request,
                                        std::int64_t g);

/// ngram(request, g) of traces/run_config.hpp: drafts an n-gram match appends behind the M of the
/// MTP head, 0..K-M. g committed tokens; the text is finished and the slot runs.
[[nodiscard]] std::int32_t ngram_count(const RunConfig& config, const RequestRow& row,
                                       std::int64_t g);

/// Seed of a request's first sampled token after an insert, in [0, 2^63 - 2)
/// (traces/run_config.hpp).
[[nodiscard]] std::int64_t infer_seed(const RunConfig& config, RequestId request);

}  // namespace tandem::script
