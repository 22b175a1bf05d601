// insert(t): device writes of the engine's tasks (semantics 6.1 to 6.3, 6.6).
#include <algorithm>

#include "runtime/core/task_arrays.hpp"
#include "runtime/host/host_device.hpp"
#include "traces/base/check.hpp"

namespace tandem {

/// Carries out what the ring entry holds by now (V39), whatever was staged there for this step.
void HostDevice::insert_tasks(const LaunchArgs& args) {
  StepRecord& record = args.pending->record;
  TANDEM_CHECK(!record.pinned_copies.empty());
  const std::vector<Task>& staged = pinned_entry(args.t).tasks;
  record.pinned_copies.front().at_copy = task_array_digest(staged);
  for (const Task& task : staged) {
    insert_task(task);
    if (task.kind == TaskKind::dnode) take_delivered(task, record);
  }
}

/// The digests of D[0..L] as they arrived, in the record's task of the same slot.
void HostDevice::take_delivered(const Task& task, StepRecord& record) const {
  const auto asked =
      std::find_if(record.tasks.begin(), record.tasks.end(), [&task](const Task& other) {
        return other.kind == TaskKind::dnode && other.slot == task.slot;
      });
  if (asked == record.tasks.end()) return;  // the entry was overwritten: V39 tells
  const std::int64_t* drafts = &m_.draft_tokens[static_cast<std::size_t>(task.slot) * width()];
  asked->last_digest = digest(drafts, 1, 8);
  asked->draft_digest = digest(drafts + 1, static_cast<std::size_t>(task.drafts), 8);
}

void HostDevice::insert_task(const Task& task) {
  switch (task.kind) {
    case TaskKind::prefill:
      insert_prefill(task);
      break;
    case TaskKind::decode:
      append_blocks(task);
      break;
    case TaskKind::preempt:
    case TaskKind::abort:
      end_slot(task);
      break;
    case TaskKind::dnode:
      insert_dnode(task);
      break;
  }
}

/// The task's blocks go behind those the slot has; an admitting task starts the row anew.
void HostDevice::append_blocks(const Task& task) {
  const auto slot = static_cast<std::size_t>(task.slot);
  const auto nblk = static_cast<std::size_t>(config_.table_width());
  std::int32_t* row = &m_.block_tables[slot * nblk];
  if (task.admits) {
    std::fill(row, row + nblk, -1);
    m_.table_len[slot] = 0;
  }
  for (const std::int32_t block : task.blocks) row[m_.table_len[slot]++] = block;
  std::uint32_t hash = 0;
  for (std::int32_t x = 0; x < m_.table_len[slot]; ++x) hash += block_entry_hash(x, row[x]);
  m_.table_hash[slot] = static_cast<std::int32_t>(hash);
}

void HostDevice::admit(const Task& task) {
  const auto slot = static_cast<std::size_t>(task.slot);
  if (task.admits) {
    m_.slot_row[slot] = task.row;
    scripts_[slot] = script::of(m_.slot_row[slot]);
    m_.slot_request[slot] = task.request;
    m_.slot_generation[slot] = task.generation;
    m_.max_dec_len[slot] = task.row.max_dec_len;
    write_stop_sequence(slot);
  }
  m_.infer_seed[slot] = script::infer_seed(config_, m_.slot_request[slot]);
  append_blocks(task);
  m_.stop_flags[slot] = 0;
  m_.is_block_step[slot] = 0;
  m_.prompt_lens[slot] = task.text_len;
}

/// The request's stop sequence: its generated tokens (stop_at - stop_len, stop_at] (5.6).
void HostDevice::write_stop_sequence(std::size_t slot) {
  const RequestRow& row = m_.slot_row[slot];
  const std::int32_t length = row.stop_at > 0 ? row.stop_len : 0;
  TANDEM_CHECK(length >= 0 && length <= kStopLenMax && length <= row.stop_at);
  m_.stop_seqs_len[slot] = length;
  m_.min_tokens[slot] = row.min_tokens;
  const std::int64_t first = std::int64_t{row.prompt_len} + row.stop_at - length;
  std::int64_t* sequence = &m_.stop_seqs[slot * static_cast<std::size_t>(kStopLenMax)];
  for (std::int32_t x = 0; x < length; ++x) {
    sequence[x] = script::token(config_, scripts_[slot], first + x);
  }
}

void HostDevice::insert_prefill(const Task& task) {
  admit(task);
  const auto slot = static_cast<std::size_t>(task.slot);
  const auto text_len = static_cast<std::size_t>(task.text_len);
  const auto start = static_cast<std::size_t>(task.start);
  const auto chunk = static_cast<std::size_t>(task.end - task.start);
  const auto model_len = static_cast<std::size_t>(config_.max_model_len);
  const auto chunk_width = static_cast<std::size_t>(config_.max_num_batched_tokens);
  std::int64_t* text = &m_.token_ids_all[slot * model_len];
  if (task.admits) {
    for (std::size_t x = 0; x < text_len; ++x) {
      text[x] = script::token(config_, scripts_[slot], static_cast<std::int64_t>(x));
    }
  }
  std::fill(text + text_len, text + model_len, -1);
  std::copy_n(text + start, chunk, &m_.input_ids[slot * chunk_width]);
  const std::int32_t length = task.end - task.start;
  m_.step_seq_lens_decoder[slot] = 0;  // a D-node insert leaves it as it is (6.1, 6.2)
  m_.seq_lens_decoder[slot] = task.start;
  m_.seq_lens_this_time[slot] = m_.seq_lens_encoder[slot] = length;
  m_.step_idx[slot] = task.end >= task.text_len ? task.generated : 0;
  m_.history_base[slot] = task.text_len - m_.step_idx[slot];
  // Proposer: ids shifted by one; the last entry is filled by draft_model_preprocess (5.8).
  std::copy_n(text + start + 1, chunk - 1, &m_.draft_input_ids[slot * chunk_width]);
  m_.draft_q[slot] = m_.draft_e[slot] = length;
  m_.draft_stop[slot] = 0;
  m_.draft_d[slot] = task.start;
  m_.draft_step_idx[slot] = m_.step_idx[slot];
  const auto pre = m_.pre_ids.begin() + static_cast<std::ptrdiff_t>(slot * model_len);
  std::fill_n(pre, model_len, -1);
}

/// KV, one committed token and its drafts arrive from a P node; no flag is set (6.2).
void HostDevice::insert_dnode(const Task& task) {
  admit(task);
  const auto slot = static_cast<std::size_t>(task.slot);
  const auto model_len = static_cast<std::size_t>(config_.max_model_len);
  const script::Request& request = scripts_[slot];
  std::int64_t* text = &m_.token_ids_all[slot * model_len];
  for (std::int32_t x = 0; x <= task.text_len; ++x) text[x] = script::token(config_, request, x);
  std::fill(text + task.text_len + 1, text + model_len, -1);
  std::int64_t* drafts = &m_.draft_tokens[slot * width()];
  std::fill(drafts, drafts + width(), -1);
  const std::int32_t right = script::accept_count(config_, request, 1) - 1;
  for (std::int32_t x = 0; x <= task.drafts; ++x) {
    const std::int64_t position = task.text_len + std::int64_t{x};
    drafts[x] = x <= right ? script::token(config_, request, position)
                           : script::wrong_token(config_, request, position, 0);
  }
  m_.seq_lens_decoder[slot] = task.text_len;
  m_.seq_lens_encoder[slot] = 0;
  m_.seq_lens_this_time[slot] = m_.draft_q[slot] = task.drafts + 1;
  m_.step_idx[slot] = 1;
  m_.history_base[slot] = task.text_len;
  m_.draft_e[slot] = 0;
}

void HostDevice::end_slot(const Task& task) {
  const auto slot = static_cast<std::size_t>(task.slot);
  const auto nblk = static_cast<std::size_t>(config_.table_width());
  std::fill_n(m_.block_tables.begin() + static_cast<std::ptrdiff_t>(slot * nblk), nblk, -1);
  m_.table_len[slot] = m_.table_hash[slot] = 0;
  m_.stop_flags[slot] = 1;
  m_.is_block_step[slot] = 0;
  m_.seq_lens_this_time[slot] = m_.seq_lens_encoder[slot] = m_.seq_lens_decoder[slot] = 0;
}

}  // namespace tandem
