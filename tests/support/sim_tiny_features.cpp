// TinyRun's stop sequences, seeds, n-gram drafts and the two ways back to a slot's own hidden row.
#include <algorithm>

#include "tests/support/sim_tiny.hpp"
#include "traces/base/random.hpp"

namespace tandem::test {

/// 5.6, on tokens already cut at EOS and at the limit: the sequence may end at each token from the
/// last committed one to the last but one of this step.
void TinyRun::apply_stop_sequence(TinySlot& slot) const {
  const RequestRow& row = slot.row;
  const auto a = static_cast<std::int32_t>(slot.accepted.size());
  if (row.stop_at == 0 || slot.g_before + a < row.min_tokens) return;
  for (std::int32_t x = -1; x <= a - 2; ++x) {
    const std::int32_t end = slot.g_before + x + 1;  // generated tokens up to the match
    if (end != row.stop_at || end < row.stop_len) continue;
    slot.accepted.resize(static_cast<std::size_t>(x) + 2);
    slot.accepted.back() = config_.eos_ids.front();
    slot.g = slot.g_before + x + 2;
    slot.s = slot.by_stop = true;
    return;
  }
}

/// 5.4: read by the slots that run, moved on for every slot of the view.
void TinyRun::use_seeds() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    TinySlot& slot = slots_[i];
    slot.seed_used = slot.seed;
    if (i >= static_cast<std::size_t>(n_)) continue;
    slot.seed = static_cast<std::int64_t>(
        (static_cast<std::uint64_t>(slot.seed) + 4U * static_cast<unsigned>(config_.row_width())) %
        9223372036854775806U);
  }
}

/// 3.2.1 f, by the text of traces/run_config.hpp.
void TinyRun::extend_by_ngram() {
  const std::int32_t m = config_.num_model_steps;
  const std::int32_t room = config_.num_speculative_tokens - m;
  if (room == 0) return;
  for (std::int32_t i = 0; i < n_; ++i) {
    TinySlot& slot = slots_[static_cast<std::size_t>(i)];
    if (slot.s || slot.d < slot.p || slot.g + m >= slot.row.max_dec_len) continue;
    const auto who = static_cast<std::uint64_t>(slot.request);
    const auto key = 2 * static_cast<std::uint64_t>(slot.g);
    const std::uint64_t stream = hash_text("ngram");
    if (!draw_is_below(keyed_draw(config_.seed, stream, who, key), config_.ngram_millionths)) {
      continue;
    }
    const std::uint64_t draw = keyed_draw(config_.seed, stream, who, key + 1);
    const std::int32_t drawn =
        1 + static_cast<std::int32_t>(draw % static_cast<std::uint64_t>(room));
    const std::int32_t count = std::min(drawn, slot.row.max_dec_len - slot.g - 1 - m);
    for (std::int32_t x = 0; x < count; ++x) {
      slot.row_tokens[static_cast<std::size_t>(m + 1 + x)] = token(slot, slot.g + m + 1 + x);
    }
  }
}

/// Behind sub-step j. Path `gather` (5.10) takes each slot's last row by the slot's own offset.
/// Path `self` takes it out of rows rebuilt by 5.3: one of a slot that encoded, else all of its.
void TinyRun::keep_own_rows(std::int32_t j) {
  std::vector<TinyHidden> rebuilt;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    const std::int32_t q = hq_before_[i];
    const std::int32_t first = he_before_[i] > 0 ? q - 1 : 0;
    const std::int32_t from = slot.hd - q;  // KV position of the sub-step's first row
    for (std::int32_t x = first; x < q; ++x) {
      rebuilt.push_back({slot.request, from + x + 1, j + 1});
    }
    if (config_.draft_path == DraftPath::gather && q > 0) hidden_[i] = rebuilt.back();
  }
  if (config_.draft_path == DraftPath::gather) return;
  for (std::int32_t i = 0; i < config_.max_num_seqs; ++i) {
    hidden_[static_cast<std::size_t>(i)] = self_row(i, rebuilt);
  }
}

/// 5.11, with either meaning of its third argument.
TinyHidden TinyRun::self_row(std::int32_t slot, const std::vector<TinyHidden>& rebuilt) const {
  std::int32_t rows = 0;
  for (std::int32_t i = 0; i <= slot; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const bool encodes =
        config_.encoder_test == EncoderTest::step_idx ? slots_[k].hg == 1 : he_before_[k] > 0;
    const bool gone = hq_before_[k] == 0 && slots_[k].hq == 0;
    rows += encodes ? (gone ? 0 : 1) : hq_before_[k];
  }
  const bool runs = slots_[static_cast<std::size_t>(slot)].hq > 0;
  const bool exists = runs && rows > 0 && rows <= static_cast<std::int32_t>(rebuilt.size());
  return exists ? rebuilt[static_cast<std::size_t>(rows) - 1] : TinyHidden{};
}

}  // namespace tandem::test
