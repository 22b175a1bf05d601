// Shapes and first values of a pinned ring's entry.
#include "runtime/core/pinned_slots.hpp"

namespace tandem {

PinnedSlots::PinnedSlots(const RunConfig& config) {
  const auto slots = static_cast<std::size_t>(config.max_num_seqs);
  for (auto* column : {&q, &b, &accept_num, &seq_len}) column->assign(slots, 0);
  accept_tokens.assign(slots * static_cast<std::size_t>(config.row_width()), -1);
  prompt_len.assign(slots, 0);
  view = {q, b, accept_tokens, accept_num, seq_len, prompt_len, &numbers};
}

}  // namespace tandem
