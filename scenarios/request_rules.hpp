// Rules every request must keep, wherever it comes from, and the draws of generated ones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"

namespace tandem {

/// Why a request can never be served, as the last three parts of an Error.
struct Misfit {
  std::string found;
  std::string wanted;
  std::string remedy;
};

/// Checks prompt + output against max_model_len, the blocks they need against the pool, and that a
/// P node ends the request: it stops a slot behind the first token (5.13). `output`: the longest.
[[nodiscard]] std::optional<Misfit> find_misfit(const RunConfig& config, std::int64_t prompt,
                                                std::int64_t output);

/// Checks the row of a D node's first step against the block table: its last token is at text
/// position prompt + drafts + 1, whatever the limits of the request (6.2).
[[nodiscard]] std::optional<Misfit> find_dnode_misfit(const RunConfig& config, std::int64_t prompt,
                                                      std::int64_t drafts);

/// KV blocks that a request of `length` tokens holds at most, look-ahead included.
[[nodiscard]] std::int64_t blocks_needed(const RunConfig& config, std::int64_t length);

/// Tokens generated at most under the workload's own limit.
[[nodiscard]] std::int64_t limited_output(const WorkloadSpec& workload, std::int64_t output);

/// Tokens that a request with a recorded output length may generate at most: that length, or what
/// max_model_len leaves where min_tokens may make it miss its stop sequence.
[[nodiscard]] std::int64_t longest_output(const RunConfig& config, const WorkloadSpec& workload,
                                          std::int64_t prompt, std::int64_t output);

/// Sets eos_at, max_dec_len and the stop sequence of a row whose prompt_len is set and that fits.
/// `output`: its recorded length; 0: none.
void set_limits(RequestRow& row, const RunConfig& config, const WorkloadSpec& workload,
                std::int32_t output);

/// Gives the row a stop sequence that ends at its stop_at-th generated token, 1 or more. Its length
/// is clipped to stop_at, min_tokens to where the output ends anyway (eos_at and max_dec_len are
/// set already).
void set_stop_sequence(RequestRow& row, std::int32_t stop_at, std::int32_t length,
                       std::int32_t min_tokens);

/// Leading tokens of a prompt that the prefix cache holds: the share, rounded down; never all.
[[nodiscard]] std::int32_t cached_tokens(std::int32_t prompt, std::uint32_t millionths);

/// True where the first generated token ends the request, so that no D node ever sees it.
[[nodiscard]] bool ends_at_once(const RequestRow& row);

/// The length at a uniform draw: linear between the given shares, rounded to nearest.
[[nodiscard]] std::int32_t quantile_at(const LengthQuantiles& lengths, std::uint64_t draw);

/// CUDA-graph sizes in rows for B slots of W rows, descending (semantics 8.1).
[[nodiscard]] std::vector<std::int32_t> usual_captured_sizes(std::int32_t slots,
                                                             std::int32_t row_width);

}  // namespace tandem
