// The host operations of the plan: what the host reads, believes and says.
#include <algorithm>
#include <span>
#include <utility>

#include "runtime/core/message.hpp"
#include "runtime/core/step_loop.hpp"
#include "traces/base/check.hpp"

namespace tandem {
namespace {

std::int32_t count_positive(std::span<const std::int32_t> column) {
  return static_cast<std::int32_t>(
      std::count_if(column.begin(), column.end(), [](std::int32_t v) { return v > 0; }));
}

std::int32_t sum(std::span<const std::int32_t> column) {
  std::int32_t total = 0;
  for (const std::int32_t value : column) total += value;
  return total;
}

}  // namespace

PolicyView StepLoop::view() const {
  return {config_,
          t_,
          flag_,
          q_cpu_,
          b_cpu_,
          scheduler_->known_d(),
          scheduler_->known_g(),
          scheduler_->in_flight(),
          scheduler_->max_dec_len()};
}

void StepLoop::run_host_op(const plan::Operation& op) {
  if (op.kind == plan::OpKind::wait_event) {
    on_wait(op);
  } else {
    do_host_op(op);
  }
  host_log_.note(plan::Lane::host, op.kind);
}

void StepLoop::do_host_op(const plan::Operation& op) {
  using plan::OpKind;
  device_.spend(op, op.kind == OpKind::prepare_forward ? scenario_.timing.host_step_ns : 0);
  switch (op.kind) {
    case OpKind::resolve:
      resolve();
      break;
    case OpKind::prepare_forward:
      prepare_forward();
      break;
    case OpKind::send_message:
      send_message();
      break;
    case OpKind::predict:
      predict();
      break;
    case OpKind::count_running:
      count_running();
      break;
    case OpKind::shift_preempted:
      shift_preempted();
      break;
    case OpKind::cache_output:
      has_cached_output_ = true;
      cached_step_ = t_;
      cached_n_ = n_;
      break;
    case OpKind::send_control:
      send_control();
      break;
    case OpKind::routing_replay:
      note_routing();
      break;
    case OpKind::sampling_mask:
      note_mask();
      break;
    case OpKind::idle_sleep: {
      // With R1 or R10 sync the host sleeps only when the bool it read last says that nothing runs.
      const bool reads_bool = sync(1) || sync(10);
      if (reads_bool && (device_bool_ || !record().tasks.empty() || !scheduler_->is_quiet())) break;
      device_.sleep_until(step_.start_ns + scenario_.timing.idle_ns);
      break;
    }
    default:
      TANDEM_CHECK(false);
  }
}

void StepLoop::on_wait(const plan::Operation& op) {
  device_.wait(op.waits.name, t_ + op.waits.step_offset);
  if (op.waits.name == plan::EventName::read_done) on_read_done();
  if (op.waits.name == plan::EventName::output_token_num) {
    step_.output_rows = device_.pinned(t_).numbers->output_rows;
  }
}

void StepLoop::on_read_done() {
  const std::int64_t value = device_.scratch();
  switch (step_.last_read) {
    case plan::OpKind::read_count:
      step_.graph_count = value;
      break;
    case plan::OpKind::copy_output_rows:
      step_.output_rows = static_cast<std::int32_t>(value);
      break;
    case plan::OpKind::read_hidden_rows:
      step_.hidden_rows = static_cast<std::int32_t>(value);
      break;
    case plan::OpKind::read_draft_output_rows:
      step_.draft_output_rows = static_cast<std::int32_t>(value);
      break;
    case plan::OpKind::read_draft_sum:
      step_.draft_rows = static_cast<std::int32_t>(value);
      finish_propose();
      break;
    case plan::OpKind::read_not_need_stop:
      if (step_.last_read_row == 1 || step_.last_read_row == 10) {
        device_bool_ = value != 0;
      } else {
        step_.draft_any = value != 0;
      }
      break;
    default:
      break;  // R7's answer equals the host flag; only its cost matters
  }
}

void StepLoop::resolve() {
  if (record().mode == LaunchMode::predicted) {
    step_.token_num = cached_.token_num;
    step_.launch_bsz = cached_.real_bsz;
    return;
  }
  const PinnedEntry& pinned = device_.pinned(t_);
  step_.token_num = sum(pinned.q);
  step_.launch_bsz = count_positive(pinned.q);
}

void StepLoop::prepare_forward() {
  std::int32_t bsz = step_.launch_bsz;
  if (step_.graph_count >= 0) {
    const std::int32_t width = config_.row_width();
    bsz = std::max(static_cast<std::int32_t>(step_.graph_count),
                   (step_.token_num + width - 1) / width);
  }
  step_.captured = flag_ ? 0 : graphs_.choose(bsz, step_.token_num);
  step_.hidden_rows = step_.token_num;
  if (config_.row(11) == RowMode::bound) step_.output_rows = n_ * config_.row_width();
  StepRecord& r = record();
  const PolicyView now = view();
  for (std::size_t i = 0; i < static_cast<std::size_t>(n_); ++i) {
    if (scheduler_->request()[i] == kNoRequest) continue;
    const Belief belief = policy_->believed(now, static_cast<std::int32_t>(i));
    r.believed_len[i] = belief.length;
    r.believed_reserve[i] = belief.reserve;
  }
  scheduler_->mark_launched(t_, n_);
}

void StepLoop::send_message() {
  const bool late = !sync(2);
  const std::int64_t step = late ? cached_step_ : t_;
  StepRecord& r = record();
  r.messages.emplace_back();
  const PinnedEntry& pinned = device_.pinned(step);
  build_message(config_, pinned, {last_preempted_, scheduler_->request(), scheduler_->given()},
                step, late ? cached_n_ : n_, r.messages.back());
  scheduler_->on_message({r.messages.back(), pinned.accept_tokens}, r.outcomes, r.frees);
  std::fill(last_preempted_.begin(), last_preempted_.end(), 0);
  has_cached_output_ = false;
}

void StepLoop::send_control() {
  StepRecord& r = record();
  r.messages.emplace_back();
  build_control(preempted_, {last_preempted_, scheduler_->request(), scheduler_->given()}, t_,
                r.messages.back());
  scheduler_->on_message({r.messages.back(), {}}, r.outcomes, r.frees);
  std::fill(preempted_.begin(), preempted_.end(), 0);
}

void StepLoop::predict() {
  const PinnedEntry& pinned = device_.pinned(t_);
  q_cpu_.assign(pinned.q.begin(), pinned.q.end());
  b_cpu_.assign(pinned.b.begin(), pinned.b.end());
  step_.next_pair = predicts() ? policy_->predict(view()) : CachedPair{};
}

void StepLoop::count_running() {
  step_.real_bsz = count_positive(q_cpu_);
  // The host sees here, before anything of this launch is used, that rows are missing.
  if (sum(q_cpu_) > step_.token_num && !summary_.guard_tripped) {
    summary_.guard_tripped = true;
    summary_.guard_step = t_;
  }
}

/// Expert routing is replayed for the rows that were valid, not for those launched (bug 10.20).
void StepLoop::note_routing() {
  const PinnedEntry& pinned = device_.pinned(t_);
  record().count_uses.push_back({CountUser::routing_replay, pinned.numbers->q_step, sum(pinned.q)});
}

/// Logprobs and masks are cut to the tokens of the message just sent (bug 10.21).
void StepLoop::note_mask() {
  const Message& message = record().messages.back();
  const PinnedEntry& pinned = device_.pinned(message.step);
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < message.count.size(); ++i) {
    if (message.count[i] > 0) tokens += pinned.accept_num[i];
  }
  record().count_uses.push_back({CountUser::sampling_mask, pinned.numbers->output_step, tokens});
}

/// Who the host thinks it writes for, when it enqueues what follows the forward.
void StepLoop::stamp_owners() {
  StepRecord& r = record();
  for (std::size_t i = 0; i < static_cast<std::size_t>(n_); ++i) {
    r.enqueue_generation[i] = q_cpu_[i] > 0 ? scheduler_->given()[i] - 1 : 0;
  }
}

void StepLoop::shift_preempted() {
  last_preempted_ = preempted_;
  std::fill(preempted_.begin(), preempted_.end(), 0);
}

}  // namespace tandem
