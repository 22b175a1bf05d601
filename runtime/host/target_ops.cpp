// Operations of the target model: packing, scripted forward, verification, state update, cache.
#include <algorithm>

#include "runtime/host/host_device.hpp"
#include "runtime/host/stray_ids.hpp"
#include "runtime/ops/target_arguments.hpp"

namespace tandem {

namespace k = kernels;

void HostDevice::recover(const LaunchArgs& args) {
  if (args.pending->level == RecordLevel::full) take_p0(args.pending->record);
  k::recover_decode_task_reference(ops::recover(config_, m_, args));
  if (args.pending->level != RecordLevel::off) take_p1(args.pending->record);
}

void HostDevice::pre_process(const LaunchArgs& args) {
  // Rows behind N of a replayed graph: batch id -1, ids as they were (4.7). The size is chosen
  // later, so the static buffer is cleared as far as any graph reads it (3.2 #6).
  const std::int32_t reach = config_.captured_sizes.empty() ? 0 : config_.captured_sizes.front();
  std::fill(m_.batch_id_per_token.begin() + args.token_num,
            m_.batch_id_per_token.begin() + std::max(args.token_num, reach), -1);
  std::fill(m_.batch_id_per_token_output.begin(), m_.batch_id_per_token_output.end(), -1);
  k::speculate_pre_process_reference(ops::pack_target(config_, m_, args));
}

void HostDevice::target_forward(const LaunchArgs& args) {
  const auto rows = static_cast<std::size_t>(std::max(args.token_num, args.captured));
  StrayIds strays(config_.vocab_size);
  for (std::size_t x = 0; x < rows; ++x) {
    const std::int64_t id = m_.ids_remove_padding[x];
    strays.note(id);
    const std::int32_t batch = m_.batch_id_per_token[x];
    ProvenanceRow& row = m_.hidden_states[x];
    if (batch < 0) {
      row = ProvenanceRow{};
      continue;
    }
    const auto slot = static_cast<std::size_t>(batch);
    const std::int32_t offset = static_cast<std::int32_t>(x) - m_.cu_seqlens_q[slot];
    const std::int32_t position = m_.seq_lens_decoder[slot] + offset;
    const bool sound = id == script::token(config_, scripts_[slot], position);
    row = {m_.slot_request[slot], position, 0, sound ? 1 : 0};
  }
  if (args.pending->level == RecordLevel::off) return;
  StepRecord& record = args.pending->record;
  record.id_below = strays.below();
  record.id_above = strays.above();
  take_packing(record, args);
  // As the forward sees its static buffers: batch ids up to the captured size, q of all slots.
  const auto valid = static_cast<std::size_t>(m_.cu_seqlens_q[static_cast<std::size_t>(args.n)]);
  record.live_tail = count_live(m_.batch_id_per_token, valid, rows);
  for (std::size_t i = static_cast<std::size_t>(args.n); i < slots(); ++i) {
    record.live_tail += m_.seq_lens_this_time[i] != 0 ? 1 : 0;
  }
}

void HostDevice::rebuild(const LaunchArgs& args) {
  if (args.pending->level == RecordLevel::full) poison(args);
  const auto rows = static_cast<std::size_t>(args.output_rows);
  std::fill_n(m_.logits.begin(), rows, ProvenanceRow{});
  k::rebuild_padding_reference(ops::pick_target_rows(config_, m_, args));
}

/// The scripted argmax: the token behind the row's own, or a wrong one where the row is unsound.
void HostDevice::lm_head(const LaunchArgs& args) {
  for (std::size_t x = 0; x < static_cast<std::size_t>(args.output_rows); ++x) {
    const ProvenanceRow& row = m_.logits[x];
    const std::int32_t batch = m_.batch_id_per_token_output[x];
    if (row.request == kNoRequest || batch < 0) {
      m_.target_tokens[x] = config_.padding_id;
      continue;
    }
    const script::Request& request = scripts_[static_cast<std::size_t>(batch)];
    const std::int64_t next = row.position + std::int64_t{1};
    m_.target_tokens[x] = row.sound != 0 && row.request == request.id
                              ? script::token(config_, request, next)
                              : script::wrong_token(config_, request, next, 1);
  }
}

void HostDevice::sampling_params(const LaunchArgs& args) {
  if (args.pending->level != RecordLevel::off) take_seeds(args.pending->record, args);
  k::build_sampling_params_reference(ops::sampling_params(config_, m_, args));
}

void HostDevice::verify(const LaunchArgs& args) {
  k::verify_draft_tokens_reference(ops::verify(config_, m_, args, config_.eos_ids));
}

void HostDevice::set_stop_value(const LaunchArgs& args) {
  if (args.pending->level != RecordLevel::off) take_stop_counters(args.pending->record, args);
  k::speculate_set_stop_value_multi_seqs_reference(ops::stop_value(config_, m_, config_.eos_ids));
}

void HostDevice::unified_update(const LaunchArgs& args) {
  k::unified_update_model_status_reference(ops::unified_update(config_, m_, args, config_.eos_ids));
  if (args.pending->level == RecordLevel::off) return;
  take_p2(args.pending->record, args.pending->level);
  take_write_owners(args.pending->record, args);
}

void HostDevice::schedule_cache(const LaunchArgs& args) {
  k::speculate_schedule_cache_reference(ops::schedule_cache(config_, m_, args));
  if (args.pending->level == RecordLevel::off) return;
  take_p4(args.pending->record, args.pending->level);
  if (args.pending->level == RecordLevel::full) count_damage(args.pending->record, args);
}

}  // namespace tandem
