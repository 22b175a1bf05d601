// Dispatch of plan operations to the host device's implementations.
#include "runtime/host/host_device.hpp"

#include <algorithm>
#include <utility>

#include "runtime/core/task_arrays.hpp"
#include "runtime/host/det_executor.hpp"
#include "runtime/host/threads_executor.hpp"
#include "traces/base/check.hpp"

namespace tandem {

using plan::OpKind;

namespace {

std::unique_ptr<Executor> make_executor(ExecutorKind kind, const RunConfig& config,
                                        Executor::Execute execute) {
  if (kind == ExecutorKind::det) {
    return std::make_unique<DetExecutor>(config.seed, std::move(execute));
  }
  return std::make_unique<ThreadsExecutor>(config.seed, std::move(execute),
                                           config.copies_own_stream);
}

}  // namespace

HostDevice::HostDevice(const Scenario& scenario, ExecutorKind executor)
    : scenario_(scenario),
      config_(scenario.config),
      m_(scenario.config),
      scripts_(slots()),
      executor_(make_executor(
          executor, scenario.config,
          [this](const plan::Operation& op, const LaunchArgs& args) { execute(op, args); })) {
  for (std::int32_t k = 0; k < config_.pinned_ring_depth; ++k) ring_.emplace_back(config_);
}

const PinnedEntry& HostDevice::pinned(std::int64_t step) const {
  return ring_[static_cast<std::size_t>(step) % ring_.size()].view;
}

std::int32_t HostDevice::stage_tasks(std::int64_t step, const std::vector<Task>& tasks) {
  std::vector<Task>& staged = pinned_entry(step).tasks;
  staged = tasks;
  return task_array_digest(staged);
}

void HostDevice::enqueue(const plan::Operation& op, const LaunchArgs& args) {
  log_.note(op.lane, op.kind);
  executor_->enqueue(op, args, scenario_cost(scenario_.timing, op, args));
}

void HostDevice::execute(const plan::Operation& op, const LaunchArgs& args) {
  if (is_pinned_copy(op.kind)) {
    execute_copy(op, args);
    return;
  }
  switch (op.kind) {
    case OpKind::insert_tasks:
      insert_tasks(args);
      break;
    case OpKind::recover_decode_task:
      recover(args);
      break;
    case OpKind::speculate_pre_process:
      pre_process(args);
      break;
    case OpKind::target_forward:
      target_forward(args);
      break;
    case OpKind::rebuild_padding:
      rebuild(args);
      break;
    case OpKind::lm_head:
      lm_head(args);
      break;
    case OpKind::build_sampling_params:
      sampling_params(args);
      break;
    case OpKind::verify_draft_tokens:
      verify(args);
      break;
    case OpKind::set_stop_value:
      set_stop_value(args);
      break;
    case OpKind::unified_update_model_status:
      unified_update(args);
      break;
    case OpKind::speculate_schedule_cache:
      schedule_cache(args);
      break;
    default:
      execute_draft(op, args);
      break;
  }
}

void HostDevice::execute_draft(const plan::Operation& op, const LaunchArgs& args) {
  switch (op.kind) {
    case OpKind::draft_model_preprocess:
      draft_preprocess();
      break;
    case OpKind::eagle_get_hidden_states:
      get_hidden(args);
      break;
    case OpKind::draft_pre_process:
      draft_pre_process(op, args);
      break;
    case OpKind::draft_forward:
      draft_forward(op, args);
      break;
    case OpKind::eagle_gather_hidden_states:
      gather(args);
      break;
    case OpKind::draft_rebuild_padding:
      draft_rebuild(args);
      break;
    case OpKind::eagle_get_self_hidden_states:
      get_self_hidden(args);
      break;
    case OpKind::draft_lm_head:
      draft_lm_head(op);
      break;
    case OpKind::draft_model_update:
      draft_update(op);
      break;
    case OpKind::draft_model_postprocess:
      draft_postprocess(args);
      break;
    case OpKind::ngram_extend:
      ngram_extend(args);
      break;
    default:
      TANDEM_CHECK(false);
  }
}

void HostDevice::execute_copy(const plan::Operation& op, const LaunchArgs& args) {
  PinnedSlots& entry = pinned_entry(args.t);
  switch (op.kind) {
    case OpKind::copy_seq_lens:
      for (std::size_t i = 0; i < slots(); ++i) {
        entry.q[i] = i < static_cast<std::size_t>(args.n) ? m_.seq_lens_this_time[i] : 0;
        entry.b[i] = m_.is_block_step[i];
      }
      entry.numbers.q_step = entry.numbers.b_step = args.t;
      break;
    case OpKind::copy_output_rows:
      entry.numbers.output_rows = m_.real_output_token_num[0];
      // Only the blocking read of R11 sync: the copy of `overlap` may run beside another read.
      if (op.row == 11) scratch_ = entry.numbers.output_rows;
      break;
    case OpKind::copy_outputs:
      entry.accept_tokens = m_.accept_tokens;
      std::copy(m_.accept_num.begin(), m_.accept_num.end(), entry.accept_num.begin());
      std::copy(m_.seq_lens_decoder.begin(), m_.seq_lens_decoder.end(), entry.seq_len.begin());
      entry.prompt_len = m_.prompt_lens;
      entry.numbers.output_step = args.t;
      break;
    case OpKind::read_count:
      scratch_ =
          std::count_if(m_.seq_lens_this_time.begin(), m_.seq_lens_this_time.begin() + args.n,
                        [](std::int32_t q) { return q > 0; });
      break;
    case OpKind::read_not_need_stop:
      scratch_ = op.row == 3 || op.row == 9 ? m_.draft_not_need_stop[0] : m_.not_need_stop[0];
      break;
    case OpKind::read_hidden_rows:
      scratch_ = m_.hidden_row_count[0];
      break;
    case OpKind::read_draft_sum: {
      scratch_ = 0;
      for (const std::int32_t q : m_.draft_q) scratch_ += q;
      break;
    }
    case OpKind::read_draft_output_rows:
      scratch_ = m_.draft_rows_out[0];
      break;
    case OpKind::read_any_prefill:
      scratch_ =
          std::any_of(m_.draft_e.begin(), m_.draft_e.end(), [](std::int32_t e) { return e > 0; });
      break;
    default:
      TANDEM_CHECK(false);
  }
}

}  // namespace tandem
