// What a request may be, what its recorded length becomes, and lengths drawn from quantiles.
#include "scenarios/request_rules.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace tandem {

std::int64_t blocks_needed(const RunConfig& config, std::int64_t length) {
  // The engine covers what a step may write before the host knows better: W tokens for each step in
  // flight and the next one, then 2K + 2 of look-ahead.
  const std::int64_t ahead = std::int64_t{config.lag() + 1} * config.row_width() +
                             2 * std::int64_t{config.num_speculative_tokens} + 2;
  const std::int64_t last =
      std::min<std::int64_t>(config.table_width() - 1, (length + ahead) / config.block_size);
  return last + 1;
}

std::optional<Misfit> find_misfit(const RunConfig& config, std::int64_t prompt,
                                  std::int64_t output) {
  const std::int64_t length = prompt + output;
  const std::string found =
      fmt::format("got a prompt of {} and an output of {} tokens", prompt, output);
  if (length > config.max_model_len) {
    return Misfit{found,
                  fmt::format("at most {} together (engine.max_model_len)", config.max_model_len),
                  fmt::format("set engine.max_model_len to {} or more", length)};
  }
  const std::int64_t blocks = blocks_needed(config, length);
  if (blocks > config.kv_blocks) {
    return Misfit{fmt::format("{}, which need {} KV blocks", found, blocks),
                  fmt::format("at most {} (engine.kv_blocks)", config.kv_blocks),
                  fmt::format("set engine.kv_blocks to {} or more", blocks)};
  }
  if (config.splitwise_prefill && output > 1) {
    return Misfit{found,
                  "an output of 1 token (engine.role is prefill: a request leaves with its first "
                  "token)",
                  "set its output to 1, or engine.role to mixed"};
  }
  return std::nullopt;
}

std::optional<Misfit> find_dnode_misfit(const RunConfig& config, std::int64_t prompt,
                                        std::int64_t drafts) {
  const std::int64_t last = prompt + drafts + 1;
  const std::int64_t positions = std::int64_t{config.table_width()} * config.block_size;
  if (last <= positions) return std::nullopt;
  const std::int64_t usual = config.table_width() - config.enc_dec_block_num;
  const std::int64_t entries = (last + config.block_size - 1) / config.block_size;
  return Misfit{fmt::format("got a prompt of {} and {} drafts, whose row ends at text position {}",
                            prompt, drafts, last),
                fmt::format("at most {} positions (the block table)", positions),
                fmt::format("bring fewer drafts, or set engine.enc_dec_block_num to {} or more",
                            entries - usual)};
}

std::int64_t limited_output(const WorkloadSpec& workload, std::int64_t output) {
  return workload.max_dec_len == 0 ? output : std::min<std::int64_t>(output, workload.max_dec_len);
}

std::int64_t longest_output(const RunConfig& config, const WorkloadSpec& workload,
                            std::int64_t prompt, std::int64_t output) {
  const bool may_miss = workload.stop == StopRule::sequence && workload.min_tokens > output;
  return limited_output(workload, may_miss ? config.max_model_len - prompt : output);
}

void set_limits(RequestRow& row, const RunConfig& config, const WorkloadSpec& workload,
                std::int32_t output) {
  const std::int32_t left = config.max_model_len - row.prompt_len;
  const auto limit = static_cast<std::int32_t>(limited_output(workload, left));
  const bool by_length = workload.stop == StopRule::length;
  const bool by_sequence = workload.stop == StopRule::sequence && output >= 2;
  row.eos_at = by_length || by_sequence ? 0 : output;
  row.max_dec_len = by_length ? std::min(limit, output) : limit;
  if (by_sequence) set_stop_sequence(row, output - 1, workload.stop_len, workload.min_tokens);
}

void set_stop_sequence(RequestRow& row, std::int32_t stop_at, std::int32_t length,
                       std::int32_t min_tokens) {
  TANDEM_CHECK(stop_at >= 1);
  row.stop_at = stop_at;
  row.stop_len = std::min(length, stop_at);
  const std::int32_t end = row.eos_at > 0 ? std::min(row.eos_at, row.max_dec_len) : row.max_dec_len;
  row.min_tokens = std::min(min_tokens, end);
}

std::int32_t cached_tokens(std::int32_t prompt, std::uint32_t millionths) {
  const std::int64_t tokens = std::int64_t{prompt} * millionths / 1'000'000;
  return static_cast<std::int32_t>(std::min<std::int64_t>(tokens, prompt - 1));
}

bool ends_at_once(const RequestRow& row) { return row.max_dec_len <= 1 || row.eos_at == 1; }

std::int32_t quantile_at(const LengthQuantiles& lengths, std::uint64_t draw) {
  TANDEM_CHECK(!lengths.tokens.empty());
  // In units of 2^-32 millionths: 10^6 * 2^32 fits, and no bit of the draw's upper half is lost.
  const std::uint64_t at = (draw >> 32U) * 1'000'000ULL;
  std::size_t i = 0;
  while (i + 2 < lengths.tokens.size() && at >= std::uint64_t{lengths.share_millionths[i + 1]}
                                                    << 32U) {
    ++i;
  }
  if (i + 1 == lengths.tokens.size()) return lengths.tokens.front();
  const std::uint64_t low = std::uint64_t{lengths.share_millionths[i]} << 32U;
  const std::uint64_t width = lengths.share_millionths[i + 1] - lengths.share_millionths[i];
  const std::uint64_t fraction = (at - low) / width;  // of 2^32
  const auto rise = static_cast<std::uint64_t>(lengths.tokens[i + 1] - lengths.tokens[i]);
  return lengths.tokens[i] + static_cast<std::int32_t>((rise * fraction + (1ULL << 31U)) >> 32U);
}

std::vector<std::int32_t> usual_captured_sizes(std::int32_t slots, std::int32_t row_width) {
  std::vector<std::int32_t> sizes{1, 2, 4};
  for (std::int32_t size = 8; size <= 128; size += 8) sizes.push_back(size);
  for (std::int32_t size = 144; size <= 256; size += 16) sizes.push_back(size);
  for (std::int32_t size = 288; size <= 1024; size += 32) sizes.push_back(size);
  sizes.erase(std::lower_bound(sizes.begin(), sizes.end(), slots), sizes.end());
  sizes.push_back(slots);
  for (std::int32_t& size : sizes) size *= row_width;
  std::reverse(sizes.begin(), sizes.end());
  return sizes;
}

}  // namespace tandem
