// Device state from a keyframe: counters as recorded, token rows as the script has them.
//
// A keyframe holds digests, no token ids (architecture 4). The script says which tokens they must
// be; digests that are told must agree, or the run is not taken up.
#include <algorithm>
#include <string>

#include "runtime/host/host_device.hpp"

namespace tandem {
namespace {

/// Whether the slot's request goes on from its tokens: it runs, or waits for blocks.
bool is_live(const Keyframe& k, std::size_t slot) {
  return k.slots.s[slot] == 0 || k.slots.b[slot] != 0;
}

bool agrees(std::int32_t recorded, std::int32_t digest) {
  return recorded < 0 || recorded == digest;
}

template <class To>
void copy_column(const Column& from, To& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

Error untold(std::size_t slot, const char* what) {
  return Error::make("first keyframe",
                     "got a digest of " + std::string(what) + " of slot " + std::to_string(slot) +
                         " that no token of the script has",
                     "a run that was sound so far", "reschedule it with --replay-requests");
}

}  // namespace

Status HostDevice::restore(const Keyframe& k) {
  restore_columns(k);
  std::size_t row = 0;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    restore_blocks(slot, k.blocks[slot]);
    if (k.request[slot] != kNoRequest) {
      m_.slot_row[slot] = k.rows[row++];
      restore_request(slot, k);
    }
    TANDEM_RETURN_IF_ERROR(restore_drafts(slot, k));
  }
  return k.has_unsent ? restore_output(k) : Status();
}

void HostDevice::restore_columns(const Keyframe& k) {
  copy_column(k.slots.q, m_.seq_lens_this_time);
  copy_column(k.slots.e, m_.seq_lens_encoder);
  copy_column(k.slots.d, m_.seq_lens_decoder);
  copy_column(k.slots.s, m_.stop_flags);
  copy_column(k.slots.b, m_.is_block_step);
  copy_column(k.slots.g, m_.step_idx);
  copy_column(k.slots.a, m_.accept_num);
  copy_column(k.p, m_.prompt_lens);
  copy_column(k.step_q, m_.step_seq_lens_this_time);
  copy_column(k.step_d, m_.step_seq_lens_decoder);
  copy_column(k.shadow.q, m_.draft_q);
  copy_column(k.shadow.e, m_.draft_e);
  copy_column(k.shadow.d, m_.draft_d);
  copy_column(k.shadow.g, m_.draft_step_idx);
  copy_column(k.shadow.s, m_.draft_stop);
  m_.infer_seed = k.infer_seed;
}

void HostDevice::restore_blocks(std::size_t slot, const std::vector<std::int32_t>& blocks) {
  Task task;
  task.slot = static_cast<std::int32_t>(slot);
  task.blocks = blocks;
  append_blocks(task);
}

/// Who is in the slot, its limits and its text so far.
void HostDevice::restore_request(std::size_t slot, const Keyframe& k) {
  const RequestRow& row = m_.slot_row[slot];
  scripts_[slot] = script::of(row);
  m_.slot_request[slot] = row.id;
  m_.slot_generation[slot] = k.generation[slot] - 1;
  m_.max_dec_len[slot] = row.max_dec_len;
  write_stop_sequence(slot);
  m_.history_base[slot] = is_live(k, slot) ? row.prompt_len : k.p[slot];
  const auto model_len = static_cast<std::size_t>(config_.max_model_len);
  const std::int64_t known = std::max<std::int64_t>(
      k.p[slot], std::int64_t{row.prompt_len} + std::max(k.slots.g[slot], k.known_g[slot]));
  const auto length = std::min(static_cast<std::size_t>(known), model_len);
  std::int64_t* text = &m_.token_ids_all[slot * model_len];
  for (std::size_t x = 0; x < length; ++x) {
    text[x] = script::token(config_, scripts_[slot], static_cast<std::int64_t>(x));
  }
}

/// D and what parking saved of it. Rows of slots that do not go on are read by nobody: only their
/// lengths are restored.
Status HostDevice::restore_drafts(std::size_t slot, const Keyframe& k) {
  std::int64_t* row = &m_.draft_tokens[slot * width()];
  std::int64_t* saved = &m_.step_draft_tokens[slot * width()];
  std::fill(row, row + width(), -1);
  std::fill(saved, saved + width(), -1);
  const auto length = static_cast<std::size_t>(k.draft.len[slot]);
  if (!is_live(k, slot)) {
    std::fill(row, row + length, config_.padding_id);
    if (k.draft.hole[slot] != 0) row[width() - 1] = config_.padding_id;
    return {};
  }
  const script::Request& request = scripts_[slot];
  const std::int64_t last = std::int64_t{request.prompt_len} + k.slots.g[slot] - 1;
  const std::int32_t right = script::accept_count(config_, request, k.slots.g[slot]);
  const auto write = [&](std::int64_t* out, std::size_t count) {
    for (std::size_t x = 0; x < count; ++x) {
      const std::int64_t position = last + static_cast<std::int64_t>(x);
      out[x] = static_cast<std::int32_t>(x) < right
                   ? script::token(config_, request, position)
                   : script::wrong_token(config_, request, position, 0);
    }
  };
  const auto is_told = [this](const std::int64_t* tokens, std::size_t count, std::int32_t wanted) {
    return count <= 1 || agrees(wanted, digest(tokens + 1, count - 1, 8));
  };
  write(row, length);
  if (!is_told(row, length, k.draft.digest[slot]) || k.draft.hole[slot] != 0) {
    return untold(slot, "draft tokens");
  }
  if (length > 0 && !agrees(k.draft.first[slot], digest(row, 1, 8))) {
    return untold(slot, "the last token");
  }
  if (k.slots.b[slot] == 0) return {};
  const auto parked = static_cast<std::size_t>(k.step_q[slot]);
  write(saved, parked);
  return is_told(saved, parked, k.step_digest[slot]) ? Status() : untold(slot, "parked drafts");
}

/// The pinned entry of the step whose output has not been sent yet.
Status HostDevice::restore_output(const Keyframe& k) {
  const Message& m = k.unsent;
  PinnedSlots& entry = pinned_entry(m.step);
  entry.numbers.output_step = m.step;
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(m.slots); ++slot) {
    const std::int32_t count = std::max(m.count[slot], 0);
    entry.accept_num[slot] = count;
    entry.seq_len[slot] = m.seq_len[slot];
    entry.prompt_len[slot] = k.p[slot];
    if (count == 0) continue;
    std::int64_t* tokens = &entry.accept_tokens[slot * width()];
    const std::int64_t first = std::int64_t{scripts_[slot].prompt_len} + k.slots.g[slot] - count;
    for (std::int32_t x = 0; x < count; ++x) {
      tokens[x] = script::token(config_, scripts_[slot], first + x);
    }
    // A request that this step ended carries EOS, whatever cut it (5.6, 5.7).
    if (!is_live(k, slot)) tokens[count - 1] = config_.eos_ids.front();
    const auto size = static_cast<std::size_t>(count);
    if (!agrees(m.digest[slot], digest(tokens, size, 16))) {
      return untold(slot, "the output");
    }
  }
  executor_->time().mark_passed(plan::EventName::post_process, m.step);
  return {};
}

}  // namespace tandem
