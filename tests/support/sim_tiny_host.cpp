// TinyRun's host: what it believed, which counts it used, what it copied, and level `full`.
#include <algorithm>

#include "tests/support/sim_tiny.hpp"

namespace tandem::test {

/// 4.2b, with what the host knows in front of the launch.
void TinyRun::write_beliefs() {
  if (r_.kind == StepKind::idle) return;
  const std::int32_t w = config_.row_width();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    if (slot.request < 0) continue;
    r_.believed_len[i] = slot.known_d;
    if (config_.policy == PolicyKind::upper_bound) {
      r_.believed_len[i] += w * slot.in_flight;
      r_.believed_reserve[i] = w;
    }
    if (config_.policy == PolicyKind::all_accepted && slot.in_flight > 0) {
      r_.believed_len[i] += q_before_[i];
    }
  }
}

/// Replayed graphs: the least size of whole slots that holds the batch and covers the rows.
std::int32_t TinyRun::graph_for(std::int32_t bsz, std::int32_t rows) const {
  std::int32_t best = 0;
  for (const std::int32_t size : config_.captured_sizes) {
    if (size >= std::max(bsz * config_.row_width(), rows)) best = size;  // descending
  }
  return best;
}

void TinyRun::write_graphs() {
  if (r_.kind == StepKind::idle) return;
  if (!r_.flag_in) r_.captured_size = graph_for(r_.launch_bsz, r_.token_num);
  for (DraftSubstep& sub : r_.substeps) {
    if (sub.launched && !r_.draft_flag_in) {
      sub.captured_size = graph_for(r_.real_bsz, sub.token_num);
    }
  }
}

std::int32_t staged_digest(const std::vector<Task>& tasks) {
  std::uint64_t h = 0;
  const auto word = [&h](std::int64_t value) {
    h = mix64(h + kGolden64 + static_cast<std::uint64_t>(value));
  };
  const auto list = [&word](const std::vector<std::int32_t>& values) {
    word(static_cast<std::int64_t>(values.size()));
    for (const std::int32_t value : values) word(value);
  };
  for (const Task& task : tasks) {
    word(static_cast<std::int64_t>(task.kind));
    for (const std::int32_t value : {task.slot, task.request, task.generation, task.start, task.end,
                                     task.text_len, task.generated, task.drafts}) {
      word(value);
    }
    word(task.admits ? 1 : 0);
    const RequestRow& row = task.row;
    if (task.admits) {
      word(row.id);
      word(row.arrival);
      for (const std::int32_t value :
           {row.prompt_len, row.max_dec_len, row.eos_at, row.stop_at, row.stop_len, row.min_tokens,
            row.cached_prompt, row.abort_after}) {
        word(value);
      }
      list(row.accept);
    }
    list(task.blocks);
  }
  return static_cast<std::int32_t>(h & 0xFFFFU);
}

void TinyRun::write_uses() {
  std::int64_t rows = 0;
  for (const std::int32_t q : r_.p1.q) rows += q;
  const CountUse routing{CountUser::routing_replay, t_, rows};
  const bool back = r_.kind == StepKind::back;
  const bool at_once = config_.row(2) == RowMode::sync;
  if (back && at_once) r_.count_uses.push_back(routing);
  for (const Message& message : r_.messages) {
    if (message.control) continue;
    std::int64_t tokens = 0;
    for (const std::int32_t count : message.count) tokens += std::max(count, 0);
    r_.count_uses.push_back({CountUser::sampling_mask, message.step, tokens});
  }
  if (back && !at_once) r_.count_uses.push_back(routing);
  if (r_.tasks.empty()) return;
  const std::int32_t staged = staged_digest(r_.tasks);
  r_.pinned_copies.push_back(
      {static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu), staged, staged});
}

void TinyRun::write_slots(SlotColumns& out) const {
  if (level_ != RecordLevel::full) return;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    out.q[i] = slot.q;
    out.e[i] = slot.e;
    out.d[i] = slot.d;
    out.s[i] = slot.s ? 1 : 0;
    out.b[i] = slot.b;
    out.g[i] = slot.g;
    out.a[i] = slot.a;
  }
}

void TinyRun::write_draft_tokens(std::vector<std::int64_t>& out) const {
  if (level_ != RecordLevel::full) return;
  out.clear();
  for (const TinySlot& slot : slots_) {
    out.insert(out.end(), slot.row_tokens.begin(), slot.row_tokens.end());
  }
}

/// Cells behind the a tokens hold what earlier steps left: -1 in the record.
void TinyRun::write_accepted_tokens() {
  if (level_ != RecordLevel::full) return;
  r_.p2_tokens.assign(slots_.size() * static_cast<std::size_t>(config_.row_width()), -1);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    std::copy(slots_[i].accepted.begin(), slots_[i].accepted.end(),
              r_.p2_tokens.begin() + static_cast<std::ptrdiff_t>(i) *
                                         static_cast<std::ptrdiff_t>(config_.row_width()));
  }
}

/// Level `full`: ids of decode rows are known, and rows nobody owns were poisoned.
void TinyRun::write_full_totals() {
  if (level_ != RecordLevel::full || r_.kind != StepKind::back) return;
  r_.poison_rows =
      r_.token_num - r_.cu_seqlens_q.back() + n_ * config_.row_width() - r_.output_rows;
}

}  // namespace tandem::test
