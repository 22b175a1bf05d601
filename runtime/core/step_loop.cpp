// One iteration of the loop: insert, front, save, settle, then back, empty or idle.
#include "runtime/core/step_loop.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "runtime/core/engine.hpp"
#include "runtime/core/message.hpp"
#include "runtime/core/plan_builder.hpp"
#include "runtime/core/replay_scheduler.hpp"
#include "traces/base/check.hpp"

namespace tandem {

StepLoop::StepLoop(const Scenario& scenario, Workload& workload, const RunOptions& options,
                   Device& device, RecordSink* sink)
    : scenario_(scenario),
      config_(scenario.config),
      options_(options),
      device_(device),
      policy_(make_policy(scenario.config)),
      workload_(workload),
      graphs_(scenario.config.captured_sizes, scenario.config.row_width()),
      recorder_(scenario.config, sink, options.level, options.block_steps) {
  if (options.replay == nullptr) {
    scheduler_ = std::make_unique<Engine>(scenario, *policy_, workload);
  } else {
    scheduler_ = std::make_unique<ReplayScheduler>(config_, *options.replay);
  }
  const auto built = [](plan::Segment segment) {
    const std::uint64_t hash = plan::segment_hash(segment);
    return BuiltSegment{std::move(segment), hash};
  };
  front_waits_ = built(build_front(config_, {true}));
  front_predicted_ = built(build_front(config_, {false}));
  save_ = built(build_save(config_));
  settle_ = built(build_settle(config_));
  back_ = built(build_back(config_, {false}));
  back_blocking_ = built(build_back(config_, {true}));
  empty_ = built(build_empty(config_));
  idle_ = built(build_idle(config_));
  const auto slots = static_cast<std::size_t>(config_.max_num_seqs);
  for (Column* column : {&q_cpu_, &b_cpu_, &preempted_, &last_preempted_}) column->assign(slots, 0);
}

StepLoop::~StepLoop() { device_.halt(); }

Result<RunSummary> StepLoop::run(const TraceHeader& header) {
  TANDEM_RETURN_IF_ERROR(recorder_.begin(header));
  first_t_ = t_ = header.first_step;
  if (options_.replay != nullptr) TANDEM_RETURN_IF_ERROR(restore(*options_.replay));
  const bool guarded = !scenario_.unguarded && options_.replay == nullptr;
  const auto stop_asked = [this] { return options_.stop != nullptr && options_.stop->load(); };
  while (true) {
    if (stop_asked()) {
      summary_.stopped = true;
      break;
    }
    if (scenario_.steps_max > 0 && t_ - first_t_ >= scenario_.steps_max) break;
    if (summary_.guard_tripped && guarded) break;
    TANDEM_RETURN_IF_ERROR(iterate());
    if (scheduler_->is_over(t_, !has_cached_output_ && mark_count() == 0)) break;
  }
  device_.drain();
  Keyframe last;
  fill_keyframe(last);
  device_.drain();
  TANDEM_RETURN_IF_ERROR(recorder_.flush(device_, Recorder::kDrained));
  const EngineTotals totals = scheduler_->totals();
  TANDEM_RETURN_IF_ERROR(scheduler_->drain_unadmitted(
      [this](const RequestRow& row) { return recorder_.unadmitted(row); }));
  TANDEM_RETURN_IF_ERROR(recorder_.end(device_, last));
  summary_.steps = t_ - first_t_;
  summary_.requests = totals.requests;
  summary_.tokens = totals.tokens;
  summary_.token_digest = totals.token_digest;
  summary_.virtual_ns = device_.now();
  summary_.dropped_rows = workload_.dropped();
  summary_.has_step_time = step_times_.count() > 0;
  summary_.has_idle = idle_shares_.count() > 0;
  const auto three = [](const Histogram& h) {
    return Percentiles{h.quantile(500'000), h.quantile(950'000), h.quantile(990'000)};
  };
  summary_.step_time_ns = three(step_times_);
  summary_.idle_millionths = three(idle_shares_);
  return summary_;
}

Status StepLoop::iterate() {
  step_ = Step{};
  const Nanos busy_before = device_.compute_busy();
  if (recorder_.keyframe_due()) fill_keyframe(recorder_.open_keyframe());
  step_.pending = &recorder_.open_step();
  step_.start_ns = device_.now();
  TANDEM_RETURN_IF_ERROR(insert());
  begin_record();
  const bool usable = cached_.token_num > 0 && cached_.real_bsz > 0;
  const bool predicted = predicts() && !flag_ && usable;
  record().mode = predicted ? LaunchMode::predicted : LaunchMode::exact;
  TANDEM_RETURN_IF_ERROR(execute(predicted ? front_predicted_ : front_waits_));
  if (has_cached_output_) TANDEM_RETURN_IF_ERROR(execute(save_));
  TANDEM_RETURN_IF_ERROR(execute(settle_));
  const StepKind kind = pick_end();
  if (kind == StepKind::back) {
    const bool draft_blocking = draft_flag_;
    stamp_owners();
    TANDEM_RETURN_IF_ERROR(execute(draft_blocking ? back_blocking_ : back_));
    flag_ = draft_flag_ = false;
  } else {
    if (kind == StepKind::empty) scheduler_->unmark_launched(t_);
    TANDEM_RETURN_IF_ERROR(execute(kind == StepKind::empty ? empty_ : idle_));
  }
  cached_ = step_.next_pair;
  ghost_ = kind == StepKind::empty;
  account(kind, busy_before);
  scheduler_->end_step(t_, record().outcomes, record().frees);
  finish_record(kind);
  const std::int64_t repeat = kind == StepKind::idle ? fold_idle() : 1;
  record().repeat = repeat;
  device_.end_step(t_);
  recorder_.close_step();
  TANDEM_RETURN_IF_ERROR(recorder_.flush(device_, t_));
  t_ += repeat;
  return {};
}

Status StepLoop::insert() {
  StepRecord& r = record();
  r.t = t_;
  TANDEM_RETURN_IF_ERROR(scheduler_->plan(t_, device_.now(), q_cpu_, b_cpu_, r.tasks));
  for (const Task& task : r.tasks) {
    const auto slot = static_cast<std::size_t>(task.slot);
    switch (task.kind) {
      case TaskKind::prefill:
        flag_ = draft_flag_ = true;
        preempted_[slot] = 0;
        break;
      case TaskKind::dnode:
        cached_.token_num = -1;
        preempted_[slot] = 0;
        break;
      case TaskKind::decode:
        preempted_[slot] = 0;
        break;
      case TaskKind::preempt:
      case TaskKind::abort:
        preempted_[slot] = 1;
        break;
    }
  }
  n_ = scheduler_->view_length(t_);
  return {};
}

StepKind StepLoop::pick_end() const {
  if (step_.real_bsz > 0) return StepKind::back;
  return step_.token_num > 0 ? StepKind::empty : StepKind::idle;
}

/// How many iterations a quiet idle one stands for: until the next arrival, or the step limit.
std::int64_t StepLoop::fold_idle() {
  StepRecord& r = record();
  const Nanos idle_ns = scenario_.timing.idle_ns;
  const bool unchanged =
      r.cached_in == r.cached_out && r.flag_in == r.flag_out && r.draft_flag_in == r.draft_flag_out;
  const bool silent = r.tasks.empty() && r.messages.empty() && r.outcomes.empty();
  std::int64_t repeat = scheduler_->idle_repeat(t_, device_.now(), idle_ns, unchanged && silent);
  if (scenario_.steps_max > 0) repeat = std::min(repeat, first_t_ + scenario_.steps_max - t_);
  device_.sleep_until(device_.now() + (repeat - 1) * idle_ns);
  return repeat;
}

void StepLoop::account(StepKind kind, Nanos busy_before) {
  if (options_.progress) {
    const EngineTotals totals = scheduler_->totals();
    options_.progress({t_, totals.requests, totals.tokens, device_.now()});
  }
  if (kind == StepKind::idle) return;
  ++summary_.launched_steps;
  const Nanos step_ns = std::max<Nanos>(1, device_.now() - step_.start_ns);
  step_times_.add(step_ns);
  if (busy_before == kUnknownBusy) return;
  const Nanos busy_ns = std::min(step_ns, device_.compute_busy() - busy_before);
  idle_shares_.add((step_ns - busy_ns) * 1'000'000 / step_ns);
}

// -- records and keyframes ------------------------------------------------------------------------

void StepLoop::begin_record() {
  StepRecord& r = record();
  r.n = n_;
  r.flag_in = flag_;
  r.draft_flag_in = draft_flag_;
  r.cached_in = cached_;
  r.output_rows_host = -1;
  if (step_.pending->level == RecordLevel::timeline) r.start_ns = step_.start_ns;
}

void StepLoop::finish_record(StepKind kind) {
  StepRecord& r = record();
  r.kind = kind;
  r.flag_out = flag_;
  r.draft_flag_out = draft_flag_;
  r.cached_out = cached_;
  r.token_num = step_.token_num;
  r.launch_bsz = step_.launch_bsz;
  r.real_bsz = step_.real_bsz;
  r.captured_size = step_.captured;
  r.q_cpu = q_cpu_;
  r.b_cpu = b_cpu_;
  const PinnedEntry& pinned = device_.pinned(t_);
  r.q_cpu_step = pinned.numbers->q_step;
  r.b_cpu_step = pinned.numbers->b_step;
  if (kind == StepKind::back) r.output_rows_host = step_.output_rows;
  host_log_.append(device_.api_log());
  find_deviations(called_for_, host_log_, r.deviations);
  called_for_.clear();
  host_log_.clear();
  if (step_.pending->level == RecordLevel::timeline) r.end_ns = device_.now();
}

void StepLoop::fill_keyframe(Keyframe& k) {
  k = Keyframe::initial(t_, config_.max_num_seqs);
  k.n = n_;
  k.request = scheduler_->request();
  k.generation = scheduler_->given();
  for (std::int32_t slot = 0; slot < config_.max_num_seqs; ++slot) {
    if (k.request[static_cast<std::size_t>(slot)] != kNoRequest) {
      k.rows.push_back(scheduler_->row(slot));
    }
  }
  k.flag = flag_;
  k.draft_flag = draft_flag_;
  k.cached = cached_;
  k.q_cpu = q_cpu_;
  k.b_cpu = b_cpu_;
  k.ghost = ghost_;
  k.has_unsent = has_cached_output_;
  k.unsent = Message{};
  if (k.has_unsent) {
    k.unsent.step = cached_step_;
    k.unsent.slots = cached_n_;
  }
  k.preempted = preempted_;
  k.last_preempted = last_preempted_;
  k.known_d = scheduler_->known_d();
  k.known_g = scheduler_->known_g();
  k.in_flight = scheduler_->in_flight();
  device_.snapshot(k, cached_step_);
}

// -- executing segments ---------------------------------------------------------------------------

std::int64_t StepLoop::mark_count() const {
  return std::count_if(preempted_.begin(), preempted_.end(), [](std::int32_t m) { return m != 0; });
}

std::int64_t StepLoop::gate(plan::Symbol symbol) const {
  switch (symbol) {
    case plan::Symbol::one:
      return 1;
    case plan::Symbol::tasks:
      return static_cast<std::int64_t>(step_.pending->record.tasks.size());
    case plan::Symbol::N:
      return step_.token_num;
    case plan::Symbol::R:
      return step_.output_rows;
    case plan::Symbol::n:
      return n_;
    case plan::Symbol::draft_rows:
      return step_.draft_rows;
    case plan::Symbol::draft_any:
      return step_.draft_any ? 1 : 0;
    case plan::Symbol::marks:
      return mark_count();
  }
  TANDEM_CHECK(false);
  return 0;
}

Status StepLoop::execute(const BuiltSegment& built) {
  TANDEM_RETURN_IF_ERROR(recorder_.announce(built.segment, built.hash));
  StepRecord& r = record();
  const auto segment = static_cast<std::int32_t>(r.segments.size());
  r.segments.push_back(built.hash);
  const bool spans = step_.pending->level == RecordLevel::timeline;
  const auto span_of_host = [&](std::size_t op, Nanos start_ns) {
    if (!spans) return;
    r.spans.push_back({static_cast<std::int32_t>(plan::Lane::host), segment,
                       static_cast<std::int32_t>(op), start_ns, device_.now()});
  };
  // Operations that the device launches as one have one launch span, that of the first.
  std::optional<std::pair<std::size_t, Nanos>> held;
  for (std::size_t i = 0; i < built.segment.ops.size(); ++i) {
    const plan::Operation& op = built.segment.ops[i];
    if (op.substep != step_.substep) enter_substep(op);
    if (gate(op.gate) == 0) continue;
    called_for_.note(op.lane, op.kind);
    if (op.lane != plan::Lane::host) {
      LaunchArgs args = arguments(op);
      args.segment = segment;
      args.op = static_cast<std::int32_t>(i);
      const auto [first, launch_start] = held.value_or(std::pair(i, device_.now()));
      run_device_op(op, args);
      held.reset();
      if (device_.holds_back()) {
        held = {first, launch_start};
        continue;
      }
      // Events of a stream take no time. Of everything else the launch has a span too.
      const bool is_event =
          op.kind == plan::OpKind::record_event || op.kind == plan::OpKind::wait_event;
      if (!is_event) span_of_host(first, launch_start);
      continue;
    }
    const Nanos start = device_.now();
    run_host_op(op);
    span_of_host(i, start);
  }
  return {};
}

LaunchArgs StepLoop::arguments(const plan::Operation& op) const {
  LaunchArgs args;
  args.t = t_;
  args.n = n_;
  args.token_num = step_.token_num;
  args.output_rows = step_.output_rows;
  args.rows = step_.draft_rows;
  args.draft_output_rows = step_.draft_output_rows;
  args.hidden_rows = step_.hidden_rows;
  args.pending = step_.pending;
  if (op.kind == plan::OpKind::target_forward) {
    args.captured = step_.captured;
  } else if (op.substep >= 0) {
    args.captured =
        step_.pending->record.substeps[static_cast<std::size_t>(op.substep)].captured_size;
  }
  return args;
}

void StepLoop::run_device_op(const plan::Operation& op, const LaunchArgs& args) {
  switch (op.kind) {
    case plan::OpKind::insert_tasks:
      record().pinned_copies.push_back({static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu),
                                        device_.stage_tasks(t_, record().tasks), 0});
      break;
    case plan::OpKind::read_count:
    case plan::OpKind::read_not_need_stop:
    case plan::OpKind::read_hidden_rows:
    case plan::OpKind::read_draft_sum:
    case plan::OpKind::read_any_prefill:
    case plan::OpKind::read_draft_output_rows:
    case plan::OpKind::copy_output_rows:
      step_.last_read = op.kind;
      step_.last_read_row = op.row;
      break;
    default:
      break;
  }
  device_.enqueue(op, args);
}

void StepLoop::enter_substep(const plan::Operation& op) {
  step_.substep = op.substep;
  if (op.substep < 0) return;
  DraftSubstep& sub = record().substeps[static_cast<std::size_t>(op.substep)];
  if (op.substep > 0 && config_.draft_path == DraftPath::gather) {
    step_.hidden_rows = n_;  // gathered rows (4.6)
  } else if (op.substep > 0 && !sync(5)) {
    step_.hidden_rows = step_.draft_rows;  // as many rows as the sub-step before put in (5.11)
  }
  sub.blocking = draft_flag_ || sync(6) || config_.policy == PolicyKind::exact;
  sub.hidden_rows = step_.draft_any ? step_.hidden_rows : 0;
  step_.draft_rows = 0;
  if (!step_.draft_any || sub.blocking) {
    sub.blocking = sub.blocking && step_.draft_any;
    return;  // a blocking sub-step learns its rows from its read
  }
  const DraftRows rows =
      policy_->draft_rows(op.substep, step_.token_num, step_.real_bsz, step_.hidden_rows);
  step_.draft_rows = rows.rows;
  finish_propose();
}

/// The rows of the sub-step are known: choose its graph and write both down.
void StepLoop::finish_propose() {
  DraftSubstep& sub = record().substeps[static_cast<std::size_t>(step_.substep)];
  sub.launched = step_.draft_rows > 0;
  sub.token_num = step_.draft_rows;
  sub.captured_size = draft_flag_ ? 0 : graphs_.choose(step_.real_bsz, step_.draft_rows);
}

}  // namespace tandem
