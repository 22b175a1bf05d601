// What each operation of the plan is on the GPU.
#include <algorithm>
#include <utility>

#include "kernels/launch.hpp"
#include "runtime/cuda/cuda_device.hpp"
#include "runtime/cuda/failure.hpp"
#include "runtime/ops/draft_arguments.hpp"
#include "runtime/ops/target_arguments.hpp"
#include "traces/base/check.hpp"

namespace tandem::cuda {

using plan::OpKind;

namespace {

template <class Io>
void launch(const Io& io, const OpContext& c) {
  expect_launched(kernels::launch(io, c.stream));
}

void copy_on_device(const OpContext& c, auto to, const auto& from) {
  TANDEM_CUDA_CALL(cudaMemcpyAsync(to.data(), from.data(), from.size_bytes(),
                                   cudaMemcpyDeviceToDevice, c.stream));
}

}  // namespace

Nanos CudaDevice::forward_ns(const plan::Operation& op, const LaunchArgs& args) const {
  const TimingModel& timing = scenario_.timing;
  if (op.kind == OpKind::target_forward) {
    return timing.forward_ns(std::max(args.token_num, args.captured));
  }
  return timing.draft_ns(std::max(args.rows, args.captured));
}

namespace {

LaunchPart part_of(const plan::Operation& op, const LaunchArgs& args, std::size_t activities) {
  return {static_cast<std::int32_t>(op.lane), args.segment, args.op, activities};
}

}  // namespace

void CudaDevice::release() {
  if (held_back_.empty()) return;
  const std::vector<HeldBack> group = std::exchange(held_back_, {});
  GraphKey key{std::exchange(group_, LaunchGroups::kAlone)};
  for (const HeldBack& held : group) append_key(*held.op, held.args, key);
  const OpContext c = context(plan::Lane::compute);
  const auto enqueue = [&](std::size_t k) { run_target(*group[k].op, group[k].args, c); };
  const GraphCache::Graph* graph = graphs_.find(c.stream, key, group.size(), enqueue);
  if (graph == nullptr) {
    for (const HeldBack& held : group) run_alone(*held.op, held.args, c);
    return;
  }
  if (activity_ != nullptr) {
    std::vector<LaunchPart> parts;
    parts.reserve(group.size());
    for (std::size_t k = 0; k < group.size(); ++k) {
      parts.push_back(part_of(*group[k].op, group[k].args, graph->nodes_of[k]));
    }
    activity_->book().open_graph(group.front().args.t, std::move(parts));
  }
  graphs_.launch(c.stream, *graph);
  if (activity_ != nullptr) activity_->book().close();
}

void CudaDevice::run_alone(const plan::Operation& op, const LaunchArgs& args, const OpContext& c) {
  if (activity_ != nullptr) activity_->book().open(args.t, part_of(op, args, 1));
  run_target(op, args, c);
  if (activity_ != nullptr) activity_->book().close();
  ++alone_;
}

void CudaDevice::insert(const LaunchArgs& args, const OpContext& c) {
  const std::span<const std::int64_t> staged = ring_entry(args.t).staged();
  if (staged.size() > staging_words_) {
    TANDEM_CUDA_CALL(cudaStreamSynchronize(c.stream));
    (void)cudaFree(staging_);
    staging_words_ = 2 * staged.size();
    void* grown = nullptr;
    TANDEM_CUDA_CALL(cudaMalloc(&grown, staging_words_ * sizeof(std::int64_t)));
    staging_ = static_cast<std::int64_t*>(grown);
  }
  TANDEM_CUDA_CALL(cudaMemcpyAsync(staging_, staged.data(), staged.size_bytes(),
                                   cudaMemcpyHostToDevice, c.stream));
  insert_tasks(c, staging_, static_cast<std::int32_t>(staged[0]));
}

void CudaDevice::run_target(const plan::Operation& op, const LaunchArgs& args, const OpContext& c) {
  const DeviceTensors& m = c.tensors;
  switch (op.kind) {
    case OpKind::insert_tasks:
      insert(args, c);
      break;
    case OpKind::recover_decode_task:
      take_p0(c);
      launch(ops::recover(config_, m, args), c);
      p1_is_due_ = c.recording();
      break;
    case OpKind::speculate_pre_process:
      // The graph's size is chosen later, so the static buffer is cleared as far as any reads it.
      take_p1_and_clear_packing(
          c, args, config_.captured_sizes.empty() ? 0 : config_.captured_sizes.front());
      p1_is_due_ = false;
      launch(ops::pack_target(config_, m, args), c);
      break;
    case OpKind::target_forward:
      target_forward(c, args, forward_ns(op, args));
      break;
    case OpKind::rebuild_padding:
      poison(c, args);
      clear_rows(c, m.logits.first(static_cast<std::size_t>(args.output_rows)));
      launch(ops::pick_target_rows(config_, m, args), c);
      break;
    case OpKind::lm_head:
      lm_head(c, args);
      break;
    case OpKind::build_sampling_params:
      take_used(c, args);
      launch(ops::sampling_params(config_, m, args), c);
      break;
    case OpKind::verify_draft_tokens:
      launch(ops::verify(config_, m, args, m.end_tokens), c);
      break;
    case OpKind::set_stop_value:
      if (args.output_rows == 0) take_used(c, args);  // else in front of sampling
      launch(ops::stop_value(config_, m, m.end_tokens), c);
      break;
    case OpKind::unified_update_model_status:
      launch(ops::unified_update(config_, m, args, m.end_tokens), c);
      take_p2(c, args);
      break;
    case OpKind::speculate_schedule_cache:
      launch(ops::schedule_cache(config_, m, args), c);
      count_damage(c, args);
      break;
    default:
      run_draft(op, args, c);
      break;
  }
}

void CudaDevice::draft_update(const plan::Operation& op, const OpContext& c) {
  const DeviceTensors& m = c.tensors;
  copy_on_device(c, m.last_draft_q, m.draft_q);
  copy_on_device(c, m.last_draft_e, m.draft_e);
  launch(ops::draft_update(config_, m, op.substep), c);
  // target_hidden_states <- gathered rows (3.2.1 c8).
  if (model_.gathers) copy_on_device(c, m.target_hidden, m.gathered);
}

void CudaDevice::run_draft(const plan::Operation& op, const LaunchArgs& args, const OpContext& c) {
  const DeviceTensors& m = c.tensors;
  switch (op.kind) {
    case OpKind::draft_model_preprocess:
      launch(ops::draft_preprocess(config_, m), c);
      break;
    case OpKind::eagle_get_hidden_states:
      // The tail of the rows is undefined.
      clear_rows(c, m.target_hidden.first(static_cast<std::size_t>(args.token_num)));
      launch(ops::get_hidden(config_, m, args), c);
      break;
    case OpKind::draft_pre_process:
      clear_head_packing(c, args);
      launch(ops::pack_head(config_, m, args), c);
      break;
    case OpKind::draft_forward:
      draft_forward(c, args, op.substep, forward_ns(op, args));
      break;
    case OpKind::eagle_gather_hidden_states:
      launch(ops::gather(config_, m, args), c);
      break;
    case OpKind::draft_rebuild_padding:
      clear_rows(c, m.draft_logits);
      launch(ops::pick_head_rows(config_, m, args), c);
      break;
    case OpKind::eagle_get_self_hidden_states:
      clear_rows(c, m.target_hidden);
      launch(ops::get_self_hidden(config_, m, args), c);
      break;
    case OpKind::draft_lm_head:
      draft_lm_head(c, op.substep);
      break;
    case OpKind::draft_model_update:
      draft_update(op, c);
      break;
    case OpKind::draft_model_postprocess:
      launch(ops::draft_postprocess(config_, m, args), c);
      if (config_.ngram_millionths == 0) take_p3(c);  // else behind the n-gram extension
      break;
    case OpKind::ngram_extend:
      ngram_extend(c, args);
      take_p3(c);
      break;
    default:
      run_copy(op, args, c);
      break;
  }
}

void CudaDevice::run_copy(const plan::Operation& op, const LaunchArgs& args, const OpContext& c) {
  const PinnedEntry& entry = pinned(args.t);
  auto* scratch = const_cast<std::int64_t*>(scratch_);
  switch (op.kind) {
    case OpKind::copy_seq_lens:
      copy_seq_lens(c, entry, args.n, args.t);
      break;
    case OpKind::copy_output_rows:
      copy_output_rows(c, entry);
      // Only the blocking read of R11 sync: the copy of `overlap` may run beside another read.
      if (op.row == 11) read_scratch(c, op, args.n, scratch);
      break;
    case OpKind::copy_outputs:
      copy_outputs(c, entry, args.t);
      break;
    case OpKind::read_count:
    case OpKind::read_not_need_stop:
    case OpKind::read_hidden_rows:
    case OpKind::read_draft_sum:
    case OpKind::read_draft_output_rows:
    case OpKind::read_any_prefill:
      read_scratch(c, op, args.n, scratch);
      break;
    default:
      TANDEM_CHECK(false);
  }
}

}  // namespace tandem::cuda
