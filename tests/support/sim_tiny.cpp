// TinyRun: one step after the other, slot by slot, as the semantics tell it.
#include "tests/support/sim_tiny.hpp"

#include <algorithm>

#include "traces/base/random.hpp"

namespace tandem::test {
namespace {

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }
std::int32_t as_int(std::size_t i) { return static_cast<std::int32_t>(i); }

}  // namespace

TinyRun::TinyRun(const RunConfig& config, std::int64_t first_step, RecordLevel level)
    : config_(config),
      slots_(at(config.max_num_seqs)),
      t_(first_step),
      level_(level),
      plan_(config) {
  for (TinySlot& slot : slots_) {
    slot.row_tokens.assign(at(config.row_width()), -1);
    slot.step_tokens = slot.row_tokens;
  }
  for (Column* column : {&q_cpu_, &b_cpu_, &marked_, &last_marked_}) {
    column->assign(slots_.size(), 0);
  }
}

Task& TinyRun::new_task(TaskKind kind, std::int32_t slot, std::int32_t blocks) {
  Task task;
  task.kind = kind;
  task.slot = slot;
  task.request = slots_[at(slot)].request;
  task.generation = slots_[at(slot)].given - 1;
  for (std::int32_t i = 0; i < blocks; ++i) task.blocks.push_back(next_block_++);
  tasks_.push_back(task);
  return tasks_.back();
}

void TinyRun::admit(Task& task, const RequestRow& row) {
  task.admits = true;
  task.row = row;
  task.request = row.id;
  task.generation = slots_[at(task.slot)].given;
}

void TinyRun::prefill(std::int32_t slot, const RequestRow& row, std::int32_t blocks) {
  chunk(slot, row, row.cached_prompt, row.prompt_len, blocks);
}

void TinyRun::chunk(std::int32_t slot, const RequestRow& row, std::int32_t start, std::int32_t end,
                    std::int32_t blocks) {
  Task& task = new_task(TaskKind::prefill, slot, blocks);
  if (start == row.cached_prompt) admit(task, row);
  task.start = start;
  task.end = end;
  task.text_len = row.prompt_len;
}

void TinyRun::dnode(std::int32_t slot, const RequestRow& row, std::int32_t drafts,
                    std::int32_t blocks) {
  Task& task = new_task(TaskKind::dnode, slot, blocks);
  admit(task, row);
  task.start = task.text_len = row.prompt_len;
  task.generated = 1;
  task.drafts = drafts;
  task.draft_digest = drafts > 0 ? 0x5A : 0;
  task.last_digest = 0x77;
}

void TinyRun::refresh(std::int32_t slot, std::int32_t blocks) {
  new_task(TaskKind::decode, slot, blocks);
}

void TinyRun::preempt(std::int32_t slot) { new_task(TaskKind::preempt, slot, 0); }

void TinyRun::abort(std::int32_t slot) { new_task(TaskKind::abort, slot, 0); }

void TinyRun::insert(const Task& task) {
  TinySlot& slot = slots_[at(task.slot)];
  if (task.admits) {
    slot.row = task.row;
    slot.request = task.request;
    ++slot.given;
    slot.table.clear();
    slot.known_g = task.generated;
    slot.by_stop = false;
  }
  if (task.kind == TaskKind::prefill || task.kind == TaskKind::dnode) {
    const auto who = static_cast<std::uint64_t>(slot.request);
    slot.seed = static_cast<std::int64_t>(
        keyed_draw(config_.seed, hash_text("infer_seed"), who, 0) % 9223372036854775806U);
  }
  slot.table.insert(slot.table.end(), task.blocks.begin(), task.blocks.end());
  if (task.kind == TaskKind::preempt || task.kind == TaskKind::abort) {
    slot.aborted = task.kind == TaskKind::abort;
    slot.table.clear();
    slot.s = true;
    slot.q = slot.e = slot.d = slot.b = 0;
    marked_[at(task.slot)] = 1;
  }
  if (task.kind == TaskKind::prefill) {
    slot.s = false;
    slot.b = 0;
    slot.d = slot.hd = task.start;
    slot.q = slot.e = slot.hq = slot.he = task.end - task.start;
    slot.step_d = 0;
    slot.p = task.text_len;
    slot.chunk = task.end < task.text_len;
    slot.g = slot.hg = slot.chunk ? 0 : task.generated;
    slot.hs = false;
    slot.known_d = task.end;
    flag_ = draft_flag_ = true;
  }
  if (task.kind == TaskKind::dnode) {
    slot.s = false;
    slot.b = 0;
    slot.e = slot.he = 0;
    slot.chunk = false;
    slot.d = slot.p = slot.known_d = task.start;
    slot.q = slot.hq = task.drafts + 1;
    slot.g = 1;
    // Token rows of a transferred request are the P node's: the record only knows their digests.
    slot.row_tokens.assign(at(config_.row_width()), -1);
    for (std::int32_t j = 0; j <= task.drafts; ++j) slot.row_tokens[at(j)] = 31000 + j;
    cached_.token_num = -1;
  }
}

void TinyRun::recover() {
  const std::int32_t k = config_.num_speculative_tokens;
  for (TinySlot& slot : slots_) {
    if (slot.b == 0) continue;
    const std::int32_t entry =
        std::min((slot.step_d + 2 * k + 1) / config_.block_size, config_.table_width() - 1);
    if (entry >= as_int(slot.table.size())) continue;
    slot.b = 0;
    slot.s = false;
    slot.q = slot.step_q;
    slot.d = slot.step_d;
    slot.e = 0;
    for (std::int32_t j = 0; j < slot.q; ++j) slot.row_tokens[at(j)] = slot.step_tokens[at(j)];
  }
}

void TinyRun::launch() {
  q_before_ = q_cpu_;
  n_ = 0;
  std::int32_t rows = 0;
  r_.real_bsz = 0;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].request >= 0) n_ = as_int(i) + 1;
    rows += slots_[i].q;
    r_.real_bsz += slots_[i].q > 0 ? 1 : 0;
    r_.q_cpu[i] = q_cpu_[i] = slots_[i].q;
    r_.b_cpu[i] = b_cpu_[i] = slots_[i].b;
  }
  r_.n = n_;
  r_.q_cpu_step = r_.b_cpu_step = t_;
  r_.flag_in = flag_;
  r_.draft_flag_in = draft_flag_;
  r_.cached_in = cached_;
  const bool predicted =
      config_.row(0) != RowMode::sync && !flag_ && cached_.token_num > 0 && cached_.real_bsz > 0;
  r_.mode = predicted ? LaunchMode::predicted : LaunchMode::exact;
  r_.token_num = predicted ? cached_.token_num : rows;
  r_.launch_bsz = predicted ? cached_.real_bsz : r_.real_bsz;
  r_.guard_tripped = r_.token_num < rows;
  r_.kind = r_.token_num == 0 ? StepKind::idle : r_.real_bsz > 0 ? StepKind::back : StepKind::empty;
}

void TinyRun::pack() {
  r_.output_rows_host = -1;
  if (r_.kind == StepKind::idle) return;
  r_.cu_seqlens_q.push_back(0);
  r_.cu_seqlens_q_output.push_back(0);
  std::int32_t room = r_.token_num;
  for (std::int32_t i = 0; i < n_; ++i) {
    const TinySlot& slot = slots_[at(i)];
    const std::int32_t out = slot.q == 0 ? 0 : slot.q == 1 || slot.e > 0 ? 1 : slot.q;
    r_.cu_seqlens_q.push_back(r_.cu_seqlens_q.back() + slot.q);
    r_.cu_seqlens_q_output.push_back(r_.cu_seqlens_q_output.back() + out);
    const std::int32_t rows = std::min(slot.q, room);
    if (rows > 0) r_.row_runs.push_back({i, rows});
    if (out > 0) r_.output_runs.push_back({i, out});
    room -= rows;
  }
  if (room > 0) r_.row_runs.push_back({-1, room});
  r_.output_rows = r_.cu_seqlens_q_output.back();
  if (r_.kind == StepKind::back) r_.output_rows_host = r_.output_rows;
}

void TinyRun::save() {
  if (has_unsent_) {
    r_.messages.push_back(unsent_);
    receive(unsent_, slots_.size());
    has_unsent_ = false;
    last_marked_.assign(slots_.size(), 0);
  }
  const bool any = std::find(marked_.begin(), marked_.end(), 1) != marked_.end();
  if (r_.kind == StepKind::back || !any) return;
  Message control;
  control.control = true;
  control.step = t_;
  for (Column* column :
       {&control.count, &control.digest, &control.seq_len, &control.request, &control.generation}) {
    column->assign(slots_.size(), 0);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    control.request[i] = -1;
    if (marked_[i] == 0) continue;
    control.request[i] = slots_[i].request;
    control.generation[i] = slots_[i].given - 1;
    control.slots = as_int(i) + 1;
    control.count[i] = kPreemptMark;
  }
  r_.messages.push_back(control);
  receive(control, slots_.size());
  marked_.assign(slots_.size(), 0);
}

void TinyRun::receive(const Message& message, std::size_t slots) {
  for (std::size_t i = 0; i < slots; ++i) {
    TinySlot& slot = slots_[i];
    const std::int32_t count = message.count[i];
    if (!message.control) slot.in_flight = 0;
    if (count > 0) {
      slot.known_d = message.seq_len[i];
      slot.known_g += count;
    }
    const bool ended = count > 0 && slot.ended && marked_[i] == 0;
    if (!ended && count != kPreemptMark) continue;
    r_.frees.push_back({as_int(i), slot.given - 1});
    if (ended) {
      const bool eos = slot.row.eos_at == slot.known_g;
      const StopReason usual = eos ? StopReason::eos : StopReason::length;
      r_.outcomes.push_back({slot.request, slot.known_g, slot.by_stop ? StopReason::stop : usual});
    }
    if (!ended && slot.aborted) {
      const std::int32_t trigger = slot.row.abort_after;
      const std::int32_t kept = trigger < 0 ? slot.known_g : std::min(trigger, slot.known_g);
      r_.outcomes.push_back({slot.request, kept, StopReason::abort});
    }
    slot.request = -1;
    slot.known_d = slot.known_g = slot.in_flight = 0;
    slot.ended = slot.aborted = false;
  }
}

void TinyRun::predict() {
  cached_ = CachedPair{};
  if (config_.row(0) != RowMode::sync && config_.policy != PolicyKind::exact && !flag_) {
    const std::int32_t w = config_.row_width();
    cached_ = CachedPair{0, 0};
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const TinySlot& slot = slots_[i];
      if (slot.b != 0) {
        cached_.token_num += w;
        ++cached_.real_bsz;
      }
      if (slot.q == 0) continue;
      std::int32_t rows = w;
      if (config_.policy == PolicyKind::predict_sum) rows = slot.q;
      if (config_.policy == PolicyKind::all_accepted &&
          slot.known_g + 1 + config_.num_model_steps >= slot.row.max_dec_len) {
        rows = 1;
      }
      cached_.token_num += rows;
      ++cached_.real_bsz;
    }
  }
  r_.cached_out = cached_;
}

std::int32_t TinyRun::script_commits(const TinySlot& slot) const {
  if (slot.e > 0) return 1;
  std::int32_t start = 1;
  for (std::size_t j = 0;; ++j) {
    const std::int32_t next = start + slot.row.accept[j % slot.row.accept.size()];
    if (slot.g < next) return std::min({next - slot.g, slot.q, slot.right_drafts + 1});
    start = next;
  }
}

std::int64_t TinyRun::token(const TinySlot& slot, std::int32_t generated) const {
  if (generated > 0 && generated == slot.row.eos_at) return config_.eos_ids.front();
  const auto key =
      static_cast<std::uint64_t>(slot.request) * 65536U + static_cast<std::uint64_t>(generated);
  return 3 + static_cast<std::int64_t>(mix64(key) % 30000U);
}

void TinyRun::verify_and_update() {
  use_seeds();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    TinySlot& slot = slots_[i];
    slot.accepted.clear();
    slot.a = 0;
    slot.g_before = slot.g;
    if (slot.s || slot.b != 0) {
      if (as_int(i) < n_) slot.q = slot.e = slot.d = 0;
      continue;
    }
    const std::int32_t most = script_commits(slot);
    for (std::int32_t x = 0; x < most && !slot.s; ++x) {
      ++slot.g;
      std::int64_t next = token(slot, slot.chunk ? 0 : slot.g);
      if (slot.g >= slot.row.max_dec_len) next = config_.eos_ids.front();
      slot.accepted.push_back(next);
      slot.s = next == config_.eos_ids.front();
    }
    apply_stop_sequence(slot);
    slot.a = as_int(slot.accepted.size());
    slot.d += slot.e > 0 ? slot.e : slot.a;
    slot.e = 0;
    slot.ended = slot.s;
    slot.row_tokens[0] = slot.accepted.back();
  }
}

void TinyRun::compose() {
  last_marked_ = marked_;
  marked_.assign(slots_.size(), 0);
  unsent_ = Message{};
  unsent_.step = t_;
  unsent_.slots = n_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    const bool sent = slot.d >= slot.p && slot.a > 0 && last_marked_[i] == 0;
    unsent_.count.push_back(last_marked_[i] != 0 ? kPreemptMark : sent ? slot.a : 0);
    unsent_.digest.push_back(sent ? digest(slot.accepted, 0, slot.accepted.size(), 16) : 0);
    unsent_.seq_len.push_back(as_int(i) < n_ ? slot.d : 0);
    const bool named = unsent_.count.back() != 0;
    unsent_.request.push_back(named ? slot.request : -1);
    unsent_.generation.push_back(named ? slot.given - 1 : 0);
  }
  has_unsent_ = true;
}

void TinyRun::propose() {
  const std::int32_t m = config_.num_model_steps;
  for (std::int32_t i = 0; i < config_.max_num_seqs; ++i) {  // the proposer has no view
    TinySlot& slot = slots_[at(i)];
    std::fill(slot.row_tokens.begin() + 1, slot.row_tokens.end(), -1);
    slot.hs = slot.s || slot.g + m >= slot.row.max_dec_len;
    if (slot.hs) {
      slot.hq = slot.he = slot.hd = slot.hg = 0;
    } else if (slot.he > 0) {
      slot.hq = slot.he;
      slot.hg = slot.g - 1;
    } else {
      slot.hd = slot.d - slot.a;
      slot.hg = slot.g - slot.a;
      slot.hq = slot.a;
    }
    r_.draft_e[at(i)] = slot.he;
    r_.paired[at(i)] = slot.hs ? 0 : slot.chunk ? slot.hq - 1 : slot.hq;
  }
  hidden_.assign(slots_.size(), {});
  for (TinySlot& slot : slots_) slot.right_drafts = config_.num_speculative_tokens;
  for (std::int32_t j = 0; j < m; ++j) substep(j);
  extend_by_ngram();
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const TinySlot& slot = slots_[i];
    r_.shadow.q[i] = slot.hq;
    r_.shadow.e[i] = slot.he;
    r_.shadow.d[i] = slot.hd;
    r_.shadow.g[i] = slot.hg;
    r_.shadow.s[i] = slot.hs ? 1 : 0;
  }
}

void TinyRun::substep(std::int32_t j) {
  DraftSubstep& sub = r_.substeps[at(j)];
  for (const TinySlot& slot : slots_) sub.device_sum += slot.hq;
  sub.blocking =
      draft_flag_ || config_.row(6) == RowMode::sync || config_.policy == PolicyKind::exact;
  std::fill(sub.row_request.begin(), sub.row_request.end(), -1);
  const bool self = config_.draft_path == DraftPath::self;
  const std::int32_t later = j > 0 && self ? r_.substeps[at(j - 1)].token_num : n_;
  sub.hidden_rows = j == 0 ? r_.token_num : later;
  if (sub.blocking && sub.device_sum == 0) return;
  const bool by_slots =
      config_.policy == PolicyKind::predict_sum || config_.policy == PolicyKind::predict_rows;
  sub.launched = true;
  const std::int32_t first = by_slots ? r_.real_bsz * config_.row_width() : r_.token_num;
  sub.token_num = sub.blocking ? sub.device_sum : j == 0 ? first : r_.real_bsz;
  hq_before_.clear();
  he_before_.clear();
  for (const TinySlot& slot : slots_) {
    hq_before_.push_back(slot.hq);
    he_before_.push_back(slot.he);
  }
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    TinySlot& slot = slots_[i];
    sub.qd[i] = slot.hq;
    sub.dd[i] = slot.hd;
    if (slot.hq == 0) continue;
    const TinyHidden row = j == 0 ? TinyHidden{slot.request, slot.hd, 0} : hidden_[i];
    sub.row_request[i] = row.request;
    sub.row_position[i] = row.position;
    sub.row_phase[i] = row.phase;
    sub.row_count[i] = row.request < 0 ? 0 : slot.hq;
    const bool right = row.request == slot.request && (j == 0 || row.position == slot.hd);
    if (!right) slot.right_drafts = std::min(slot.right_drafts, j);
    const std::int32_t made = slot.he > 0 ? 1 : slot.hq;
    slot.hd += slot.he > 0 ? slot.he : slot.hq;
    slot.he = 0;
    slot.hg += made;
    slot.row_tokens[at(j + 1)] = token(slot, slot.g + j + 1);  // what the target would say
    slot.hq = 1;
  }
  keep_own_rows(j);
}

void TinyRun::resume(std::int32_t slot, const RequestRow& row, std::int32_t generated,
                     std::int32_t blocks) {
  prefill(slot, row, blocks);
  Task& task = tasks_.back();
  task.generated = generated;
  task.text_len = task.end = row.prompt_len + generated;
}

void TinyRun::schedule() {
  const std::int32_t k = config_.num_speculative_tokens;
  for (std::int32_t i = 0; i < n_; ++i) {
    TinySlot& slot = slots_[at(i)];
    if (slot.s) continue;
    const std::int32_t entry = (slot.d + 2 * k + 2) / config_.block_size;
    if (slot.d < slot.p) {
      slot.s = true;
      slot.q = slot.d = slot.e = slot.a = 0;
    } else if (entry < config_.table_width() && entry >= as_int(slot.table.size())) {
      slot.b = 1;
      slot.s = true;
      slot.step_q = slot.q;
      slot.step_d = slot.d;
      slot.step_tokens = slot.row_tokens;
      slot.q = slot.d = slot.a = 0;
    }
  }
}

const StepRecord& TinyRun::step() {
  r_.reset(level_, config_.max_num_seqs, config_.num_model_steps, config_.row_width());
  r_.t = t_;
  r_.tasks = tasks_;
  for (const Task& task : tasks_) insert(task);
  tasks_.clear();
  write_slots(r_.p0);
  recover();
  launch();
  write_p1();
  write_draft_tokens(r_.p1_tokens);
  pack();
  write_beliefs();
  const bool saves = has_unsent_;
  const bool sends_late = config_.row(2) == RowMode::sync;
  save();
  predict();
  if (r_.kind == StepKind::back) {
    verify_and_update();
    write_p2();
    write_accepted_tokens();
    compose();
    propose();
    for (std::int32_t i = 0; i < n_; ++i) {  // 5.12b
      TinySlot& slot = slots_[at(i)];
      slot.q = slot.s ? 0 : as_int(row_length(slot));
    }
    write_slots(r_.p3);
    schedule();
    write_p4();
    write_draft_tokens(r_.p4_tokens);
    for (std::int32_t i = 0; i < n_; ++i) {
      if (slots_[at(i)].request >= 0) slots_[at(i)].in_flight = 1;
    }
    flag_ = draft_flag_ = false;
    if (sends_late) save();
  }
  write_graphs();
  write_uses();
  write_full_totals();
  r_.segments = plan_.chain_of(r_, saves);
  r_.flag_out = flag_;
  r_.draft_flag_out = draft_flag_;
  ghost_ = r_.kind == StepKind::empty;
  ++t_;
  return r_;
}

}  // namespace tandem::test
