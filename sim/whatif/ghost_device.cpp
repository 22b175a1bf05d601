// Time and values of a device without tensors, operation by operation.
#include "sim/whatif/ghost_device.hpp"

#include <algorithm>
#include <utility>

#include "sim/oracle/arith.hpp"
#include "sim/oracle/device.hpp"

namespace tandem::sim {

using plan::OpKind;

GhostDevice::GhostDevice(const Scenario& scenario, const Rules& rules, const StepCosts& costs,
                         StepWatcher* watcher)
    : config_(scenario.config), rules_(rules), costs_(costs), watcher_(watcher) {
  load(state_, rules_, Keyframe::initial(0, config_.max_num_seqs));
  const auto slots = static_cast<std::size_t>(config_.max_num_seqs);
  marks_.assign(slots, 0);
  zeros_.assign(slots, 0);
  for (std::int32_t k = 0; k < config_.pinned_ring_depth; ++k) ring_.emplace_back(config_);
  const auto& eos = config_.eos_ids;
  while (std::find(eos.begin(), eos.end(), plain_token_) != eos.end()) ++plain_token_;
}

const PinnedEntry& GhostDevice::pinned(std::int64_t step) const {
  return ring_[static_cast<std::size_t>(step) % ring_.size()].view;
}

std::int32_t GhostDevice::stage_tasks(std::int64_t step, const std::vector<Task>& tasks) {
  release();
  entry(step).tasks = tasks;
  return 0;
}

// -- time -----------------------------------------------------------------------------------------

void GhostDevice::enqueue(const plan::Operation& op, const LaunchArgs& args) {
  log_.note(op.lane, op.kind);
  if (args.t != state_step_) begin_step(args);
  note_sent();
  compute_values(op, args);
  const int group = costs_.has_graphs() ? groups_.group_of(op, args) : LaunchGroups::kAlone;
  if (group != group_) release();
  if (group != LaunchGroups::kAlone) {
    group_ = group;
    held_back_.push_back({&op, args});
    if (LaunchGroups::ends_group(op.kind)) release();
    return;
  }
  const bool is_event = op.kind == OpKind::record_event || op.kind == OpKind::wait_event;
  time_.enqueue(op, args, is_event ? OpCost{} : costs_.device_op(op, args, LaunchForm::alone));
}

void GhostDevice::release() {
  if (held_back_.empty()) return;
  key_.assign(1, group_);
  group_ = LaunchGroups::kAlone;
  for (const HeldBack& held : held_back_) append_key(*held.op, held.args, key_);
  const GraphBook::Found found = book_.ask(key_);
  if (found.answer == GraphBook::Answer::make) book_.made(key_, found.graph);
  LaunchForm form = LaunchForm::replay;
  if (found.answer == GraphBook::Answer::alone) form = LaunchForm::unseen;
  if (found.answer == GraphBook::Answer::make) form = LaunchForm::capture;
  costs_of_held_.clear();
  Nanos capture_ns = 0;
  for (const HeldBack& held : held_back_) {
    costs_of_held_.push_back(costs_.device_op(*held.op, held.args, form));
    if (form == LaunchForm::capture) {
      capture_ns += std::exchange(costs_of_held_.back().launch_ns, 0);
    }
    if (form == LaunchForm::replay) form = LaunchForm::rest;
  }
  // Nothing of a graph runs before all of it has been captured.
  costs_of_held_.front().launch_ns += capture_ns;
  for (std::size_t k = 0; k < held_back_.size(); ++k) {
    time_.enqueue(*held_back_[k].op, held_back_[k].args, costs_of_held_[k]);
  }
  held_back_.clear();
}

void GhostDevice::wait(plan::EventName name, std::int64_t step) {
  release();
  note_sent();
  time_.wait(name, step, costs_.wait(name));
}

void GhostDevice::spend(const plan::Operation& op, Nanos extra_ns) {
  release();
  note_sent();
  const std::int32_t slots = pending_ == nullptr ? 0 : pending_->record.n;
  time_.spend(costs_.host_op(op, slots) + extra_ns);
}

void GhostDevice::sleep_until(Nanos until_ns) {
  release();
  time_.sleep_until(until_ns);
}

void GhostDevice::drain() {
  release();
  time_.drain();
}

/// A message is built behind the cost of its operation, so the clock of the next call is its time.
void GhostDevice::note_sent() {
  if (pending_ == nullptr) return;
  while (sent_ns_.size() < pending_->record.messages.size()) sent_ns_.push_back(time_.now());
}

void GhostDevice::begin_step(const LaunchArgs& args) {
  state_step_ = args.t;
  pending_ = args.pending;
  sim::begin_step(state_);
}

void GhostDevice::end_step(std::int64_t) {
  release();
  note_sent();
  groups_.end_step();
  log_.clear();
  time_.spend(costs_.between_steps(pending_->record.n));
  if (pending_->record.kind == StepKind::idle) {
    idle_ns_ += time_.now() - step_began_ns_;
    time_.settle_idle();
  }
  step_began_ns_ = time_.now();
  for (const SlotFree& given_back : pending_->record.frees) {
    release_slot(state_, static_cast<std::size_t>(given_back.slot));
  }
  if (watcher_ != nullptr) watcher_->step_done(pending_->record, sent_ns_, time_.now());
  sent_ns_.clear();
  pending_ = nullptr;
}

// -- values ---------------------------------------------------------------------------------------

void GhostDevice::compute_values(const plan::Operation& op, const LaunchArgs& args) {
  switch (op.kind) {
    case OpKind::insert_tasks:
      insert_tasks(args);
      break;
    case OpKind::recover_decode_task:
      recover_slots(args);
      break;
    case OpKind::speculate_pre_process:
      count_rows(args);
      break;
    case OpKind::verify_draft_tokens:
      verify();
      break;
    case OpKind::unified_update_model_status:
      update_status(state_, marks_, zeros_);
      break;
    case OpKind::draft_model_preprocess:
      draft_preprocess(state_, rules_);
      break;
    case OpKind::draft_pre_process:
      counts_.draft_rows_launched += args.rows;
      counts_.draft_rows_used += draft_sum();
      break;
    case OpKind::draft_model_update:
      draft_update(state_, op.substep);
      break;
    case OpKind::draft_model_postprocess:
      if (rules_.ngram_millionths == 0) draft_postprocess(state_);
      break;
    case OpKind::ngram_extend:
      ngram_extend(state_, rules_);
      draft_postprocess(state_);
      break;
    case OpKind::speculate_schedule_cache:
      schedule_slots();
      break;
    default:
      if (is_pinned_copy(op.kind)) copy_values(op, args);
      break;
  }
}

void GhostDevice::copy_values(const plan::Operation& op, const LaunchArgs& args) {
  switch (op.kind) {
    case OpKind::copy_seq_lens:
      copy_seq_lens(args);
      break;
    case OpKind::copy_output_rows:
      entry(args.t).numbers.output_rows = output_rows();
      if (op.row == 11) scratch_ = output_rows();
      break;
    case OpKind::copy_outputs:
      copy_outputs(args);
      break;
    case OpKind::read_count:
      scratch_ = count_positive(state_.dev.q, args.n);
      break;
    case OpKind::read_not_need_stop:
      scratch_ = read_bool(op);
      break;
    case OpKind::read_hidden_rows:
    case OpKind::read_draft_sum:
      scratch_ = draft_sum();
      break;
    default:
      scratch_ = 0;  // R7 and R8: the loop keeps the answer and decides nothing by it
      break;
  }
}

void GhostDevice::insert_tasks(const LaunchArgs& args) {
  for (const Task& task : entry(args.t).tasks) apply_task(state_, rules_, task);
}

void GhostDevice::recover_slots(const LaunchArgs& args) {
  state_.n = args.n;
  recover(state_, rules_);
  mark_running(state_);
}

void GhostDevice::count_rows(const LaunchArgs& args) {
  counts_.rows_launched += args.token_num;
  counts_.rows_used += sum_below(state_.dev.q, args.n);
}

/// What the target accepts of each running slot, and where the output ends (5.5, 5.6).
void GhostDevice::verify() {
  for (std::size_t i = 0; i < state_.run.size(); ++i) {
    state_.dev.a[i] = 0;
    marks_[i] = 0;
    if (state_.run[i] == 0) continue;
    Occupant& who = state_.occupants[i];
    const std::int32_t g = state_.dev.g[i];
    std::int64_t offered = 1;
    if (state_.dev.e[i] == 0 && who.script.known()) {
      offered = std::min(who.script.commits(g), std::max(1, state_.dev.q[i]));
    }
    const StepCut cut = cut_step(who.row, offered, g, state_.chunk[i] == 0);
    state_.dev.a[i] = static_cast<std::int32_t>(cut.tokens);
    marks_[i] = cut.ends ? kMarkLastIsEos : 0;
  }
}

void GhostDevice::schedule_slots() {
  const auto parked = [this] { return std::count(state_.dev.b.begin(), state_.dev.b.end(), 1); };
  const auto before = parked();
  schedule_cache(state_, rules_, zeros_);
  counts_.parked += std::max<std::int64_t>(0, parked() - before);
}

void GhostDevice::copy_seq_lens(const LaunchArgs& args) {
  PinnedSlots& to = entry(args.t);
  const auto n = static_cast<std::size_t>(args.n);
  std::fill(to.q.begin(), to.q.end(), 0);
  std::copy_n(state_.dev.q.begin(), n, to.q.begin());
  std::copy(state_.dev.b.begin(), state_.dev.b.end(), to.b.begin());
  to.numbers.q_step = to.numbers.b_step = args.t;
}

void GhostDevice::copy_outputs(const LaunchArgs& args) {
  PinnedSlots& to = entry(args.t);
  const auto width = static_cast<std::size_t>(config_.row_width());
  for (std::size_t i = 0; i < to.accept_num.size(); ++i) {
    const std::int32_t a = state_.dev.a[i];
    to.accept_num[i] = a;
    to.seq_len[i] = state_.dev.d[i];
    to.prompt_len[i] = state_.p[i];
    if (a <= 0) continue;
    std::int64_t* tokens = &to.accept_tokens[i * width];
    std::fill_n(tokens, a, plain_token_);
    if ((marks_[i] & kMarkLastIsEos) != 0) tokens[a - 1] = config_.eos_ids.front();
  }
  to.numbers.output_step = args.t;
}

std::int64_t GhostDevice::read_bool(const plan::Operation& op) const {
  const Column& stopped = op.row == 3 || op.row == 9 ? state_.shadow.s : state_.dev.s;
  const auto end = stopped.begin() + state_.n;
  return std::find(stopped.begin(), end, 0) != end ? 1 : 0;
}

/// R of the main launch (5.2): one row of a prefill, all of a decode.
std::int32_t GhostDevice::output_rows() const {
  std::int32_t rows = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(state_.n); ++i) {
    const std::int32_t q = state_.dev.q[i];
    rows += q > 0 && state_.dev.e[i] > 0 ? 1 : q;
  }
  return rows;
}

std::int64_t GhostDevice::draft_sum() const {
  return sum_below(state_.shadow.q, config_.max_num_seqs);
}

}  // namespace tandem::sim
