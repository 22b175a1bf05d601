// Task arrays as they are staged in pinned memory: one row of 64-bit words, and its digest (V39).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "traces/base/hash.hpp"
#include "traces/record.hpp"

namespace tandem {

/// A task is its kTaskHead words in this order, then where it admits kRowHead words of its request,
/// the length of its accept list and the list, and last the number of its blocks and the blocks.
enum class TaskWord : std::uint8_t {
  kind,
  slot,
  request,
  generation,
  start,
  end,
  text_len,
  generated,
  drafts,
  admits
};
constexpr std::size_t kTaskHead = 10;
enum class RowWord : std::uint8_t {
  id,
  arrival,
  prompt_len,
  max_dec_len,
  eos_at,
  stop_at,
  stop_len,
  min_tokens,
  cached_prompt,
  abort_after
};
constexpr std::size_t kRowHead = 10;

/// Appends the words of one task.
void append_words(const Task& task, std::vector<std::int64_t>& out);

/// One more word of a digest; starts from 0.
constexpr std::uint64_t fold_word(std::uint64_t state, std::int64_t word) {
  return mix64(state + kGolden64 + static_cast<std::uint64_t>(word));
}
/// 16 bits of the words of all tasks, in order.
constexpr std::int32_t words_digest(std::span<const std::int64_t> words) {
  std::uint64_t state = 0;
  for (const std::int64_t word : words) state = fold_word(state, word);
  return static_cast<std::int32_t>(state & 0xFFFFU);
}

/// words_digest of the tasks' words: what stands in `pinned_copies`.
[[nodiscard]] std::int32_t task_array_digest(const std::vector<Task>& tasks);

}  // namespace tandem
