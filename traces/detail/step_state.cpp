// The state behind predictions: from a keyframe, and through tasks.
#include "traces/detail/step_state.hpp"

#include <algorithm>

namespace tandem::detail {
namespace {

/// A foreign keyframe may lack columns or have too many entries: missing ones count as 0.
Column sized(const Column& column, std::size_t slots) {
  Column result(slots, 0);
  std::copy_n(column.begin(), std::min(slots, column.size()), result.begin());
  return result;
}

void grant(StepState& s, std::size_t slot, const std::vector<std::int32_t>& blocks) {
  for (const std::int32_t block : blocks) {
    const auto term = block_entry_hash(s.table_len[slot], block);
    s.table_hash[slot] = wrap_add(s.table_hash[slot], static_cast<std::int32_t>(term));
    s.table_len[slot] = wrap_add(s.table_len[slot], 1);
  }
}

void empty_table(StepState& s, std::size_t slot) { s.table_hash[slot] = s.table_len[slot] = 0; }

void take_slot(StepState& s, std::size_t i, const Task& task) {
  s.slots.s[i] = s.slots.b[i] = 0;
  s.slots.d[i] = task.start;
  s.prompt[i] = task.text_len;
  if (!task.admits) return;
  empty_table(s, i);
  s.request[i] = task.request;
  s.generation[i] = task.generation;
}

void apply_task(StepState& s, std::size_t i, const Task& task) {
  switch (task.kind) {
    case TaskKind::prefill:
      take_slot(s, i, task);
      s.slots.q[i] = s.slots.e[i] = wrap_sub(task.end, task.start);
      s.step_d[i] = 0;
      s.known_d[i] = task.end;
      s.slots.g[i] = task.end >= task.text_len ? task.generated : 0;
      s.any_prefill = true;
      break;
    case TaskKind::dnode:
      take_slot(s, i, task);
      s.slots.q[i] = s.draft.len[i] = wrap_add(task.drafts, 1);
      s.slots.e[i] = 0;
      s.slots.g[i] = task.generated;
      s.known_d[i] = task.start;
      s.draft.hole[i] = 0;
      s.draft.digest[i] = task.draft_digest;
      s.draft.first[i] = task.last_digest;
      s.any_dnode = true;
      break;
    case TaskKind::decode:
      break;
    case TaskKind::preempt:
    case TaskKind::abort:
      s.slots.s[i] = 1;
      s.slots.q[i] = s.slots.e[i] = s.slots.d[i] = s.slots.b[i] = 0;
      empty_table(s, i);
      return;
  }
  grant(s, i, task.blocks);
}

}  // namespace

StepShape::StepShape(const TraceHeader& header)
    : slots(static_cast<std::size_t>(header.config.max_num_seqs)),
      substeps(static_cast<std::size_t>(header.config.num_model_steps)),
      row_width(header.config.row_width()),
      level(header.level),
      policy(header.config.policy),
      overlap_resolve(header.config.row(0) != RowMode::sync),
      blocking_draft(header.config.row(6) == RowMode::sync || policy == PolicyKind::exact),
      output_rows_unread(header.config.row(11) == RowMode::bound),
      lag(header.config.lag()) {}

StepState::StepState(const StepShape& shape, const Keyframe& k)
    : sub_hidden_rows(shape.substeps, 0), sub_captured_size(shape.substeps, 0) {
  const std::size_t size = shape.slots;
  slots.q = sized(k.slots.q, size);
  slots.e = sized(k.slots.e, size);
  slots.d = sized(k.slots.d, size);
  slots.s = sized(k.slots.s, size);
  slots.b = sized(k.slots.b, size);
  slots.g = sized(k.slots.g, size);
  slots.a = sized(k.slots.a, size);
  draft.len = sized(k.draft.len, size);
  draft.hole = sized(k.draft.hole, size);
  draft.digest = sized(k.draft.digest, size);
  draft.first = sized(k.draft.first, size);
  step_q = sized(k.step_q, size);
  step_d = sized(k.step_d, size);
  step_digest = sized(k.step_digest, size);
  prompt = sized(k.p, size);
  request = sized(k.request, size);
  generation = sized(k.generation, size);
  known_d = sized(k.known_d, size);
  infer_seed.assign(size, 0);
  for (std::size_t i = 0; i < std::min(size, k.infer_seed.size()); ++i) {
    infer_seed[i] = static_cast<std::int32_t>(k.infer_seed[i] & kSeedBits);
  }
  // A keyframe counts how often a slot was given away; its occupant's own number is one less.
  for (std::int32_t& count : generation) count = wrap_sub(count, 1);
  for (Column* column : {&last_q, &believed_reserve, &table_hash, &table_len}) {
    column->assign(size, 0);
  }
  for (std::size_t i = 0; i < std::min(size, k.blocks.size()); ++i) grant(*this, i, k.blocks[i]);
  next_t = k.t;
  flag = k.flag;
  draft_flag = k.draft_flag;
  cached = k.cached;
  has_pending = k.has_unsent;
  pending = k.unsent;
}

void StepState::apply_tasks(const std::vector<Task>& tasks) {
  any_prefill = any_dnode = false;
  for (const Task& task : tasks) {
    const auto slot = static_cast<std::size_t>(task.slot);
    if (task.slot >= 0 && slot < slots.q.size()) apply_task(*this, slot, task);
  }
}

void StepState::apply_messages(const std::vector<Message>& messages) {
  for (const Message& m : messages) {
    const std::size_t entries = std::min({m.count.size(), m.seq_len.size(), known_d.size()});
    for (std::size_t i = 0; i < entries; ++i) {
      known_d[i] = pick(m.count[i] > 0, m.seq_len[i], known_d[i]);
    }
  }
}

void StepState::apply_frees(const std::vector<SlotFree>& frees) {
  for (const SlotFree& free : frees) {
    const auto slot = static_cast<std::size_t>(free.slot);
    if (free.slot >= 0 && slot < request.size()) request[slot] = kNoRequest;
  }
}

void StepState::apply_recover(const Column& b) {
  for (std::size_t i = 0; i < slots.b.size(); ++i) {
    if (slots.b[i] == 0 || b[i] != 0) continue;
    slots.q[i] = draft.len[i] = step_q[i];
    slots.d[i] = step_d[i];
    slots.s[i] = slots.e[i] = 0;
    draft.digest[i] = step_digest[i];
  }
}

void StepState::advance_seeds(const Column& seed_used, std::size_t n, std::int32_t row_width) {
  const std::int32_t step = wrap_mul(4, row_width);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t seed = pick(seed_used[i] != 0, seed_used[i], infer_seed[i]);
    infer_seed[i] = wrap_add(seed, step) & kSeedBits;
  }
}

std::int32_t StepState::view_length() const {
  std::size_t n = request.size();
  while (n > 0 && request[n - 1] == kNoRequest) --n;
  return static_cast<std::int32_t>(n);
}

void StepState::forget(const StepRecord& record) {
  for (Column* column :
       {&slots.q,    &slots.e,     &slots.d,    &slots.s,          &slots.b,     &slots.g,
        &slots.a,    &draft.len,   &draft.hole, &draft.digest,     &draft.first, &step_q,
        &step_d,     &step_digest, &prompt,     &table_hash,       &table_len,   &request,
        &generation, &known_d,     &last_q,     &believed_reserve, &infer_seed}) {
    std::fill(column->begin(), column->end(), 0);
  }
  next_t = wrap_add(record.t, record.repeat);
  flag = draft_flag = false;
  cached = CachedPair{};
  has_pending = false;
}

}  // namespace tandem::detail
