// Operations of the MTP head: shadow state, hidden rows, scripted drafts (semantics 5.8 to 5.12b).
#include <algorithm>
#include <cstring>
#include <span>

#include "kernels/draft_model_postprocess.hpp"
#include "kernels/draft_model_preprocess.hpp"
#include "kernels/draft_model_update.hpp"
#include "kernels/eagle_gather_hidden_states.hpp"
#include "kernels/eagle_get_hidden_states.hpp"
#include "kernels/eagle_get_self_hidden_states.hpp"
#include "kernels/rebuild_padding.hpp"
#include "kernels/speculate_pre_process.hpp"
#include "runtime/host/host_device.hpp"

namespace tandem {

namespace k = kernels;

void HostDevice::draft_preprocess() {
  k::DraftModelPreprocess io;
  io.n = config_.max_num_seqs;  // the proposer works on the full buffer (2.3)
  io.num_model_step = config_.num_model_steps;
  io.splitwise_prefill = config_.splitwise_prefill;
  io.draft_width = config_.row_width();
  io.input_ids_width = config_.max_num_batched_tokens;
  io.pre_ids_width = config_.max_model_len;
  io.draft_tokens = m_.draft_state_tokens;
  io.input_ids = m_.draft_input_ids;
  io.stop_flags = m_.draft_stop;
  io.seq_lens_this_time = m_.draft_q;
  io.seq_lens_encoder = m_.draft_e;
  io.seq_lens_decoder = m_.draft_d;
  io.step_idx = m_.draft_step_idx;
  io.not_need_stop = m_.draft_not_need_stop;
  io.pre_ids = m_.pre_ids;
  io.accept_tokens = m_.accept_tokens;
  io.accept_num = m_.accept_num;
  io.base_model_seq_lens_decoder = m_.seq_lens_decoder;
  io.base_model_step_idx = m_.step_idx;
  io.base_model_stop_flags = m_.stop_flags;
  io.base_model_draft_tokens = m_.draft_tokens;
  io.max_dec_len = m_.max_dec_len;
  k::draft_model_preprocess_reference(io);
}

void HostDevice::get_hidden(const LaunchArgs& args) {
  std::fill_n(m_.target_hidden.begin(), args.token_num, ProvenanceRow{});  // the tail is undefined
  k::EagleGetHiddenStates io;
  io.n = config_.max_num_seqs;
  io.input_rows = args.token_num;
  io.row_bytes = sizeof(ProvenanceRow);
  io.input = std::as_bytes(std::span(m_.hidden_states));
  io.seq_lens_this_time = m_.draft_q;
  io.seq_lens_encoder = m_.draft_e;
  io.accept_nums = m_.accept_num;
  io.base_model_seq_lens_this_time = m_.seq_lens_this_time;
  io.out = std::as_writable_bytes(std::span(m_.target_hidden));
  io.output_token_num = m_.hidden_row_count;
  k::eagle_get_hidden_states_reference(io);
}

void HostDevice::draft_pre_process(const plan::Operation& op, const LaunchArgs& args) {
  const auto captured = static_cast<std::ptrdiff_t>(std::max(args.rows, args.captured));
  std::fill(m_.draft_batch_id.begin() + args.rows, m_.draft_batch_id.begin() + captured, -1);
  std::fill(m_.draft_batch_id_output.begin(), m_.draft_batch_id_output.end(), -1);
  k::SpeculatePreProcess io;
  io.n = config_.max_num_seqs;
  io.token_num = args.rows;
  io.input_ids_width = config_.max_num_batched_tokens;
  io.draft_width = config_.row_width();
  io.padding_id = config_.padding_id;
  io.input_ids = m_.draft_input_ids;
  io.seq_lens_this_time = m_.draft_q;
  io.draft_tokens = m_.draft_state_tokens;
  io.seq_lens_encoder = m_.draft_e;
  io.seq_lens_decoder = m_.draft_d;
  io.ids_remove_padding = m_.draft_ids;
  io.batch_id_per_token = m_.draft_batch_id;
  io.cu_seqlens_q = m_.draft_cu_q;
  io.cu_seqlens_k = m_.draft_cu_k;
  io.cu_seqlens_q_output = m_.draft_cu_output;
  io.batch_id_per_token_output = m_.draft_batch_id_output;
  io.real_output_token_num = m_.draft_rows_out;
  k::speculate_pre_process_reference(io);
  if (args.pending->level == RecordLevel::off) return;
  StepRecord& record = args.pending->record;
  DraftSubstep& sub = record.substeps[static_cast<std::size_t>(op.substep)];
  sub.qd = m_.draft_q;
  sub.dd = m_.draft_d;
  sub.device_sum = 0;
  for (const std::int32_t q : m_.draft_q) sub.device_sum += q;
  if (op.substep == 0) record.draft_e = m_.draft_e;
}

namespace {

/// Folds one consumed hidden row into the slot's provenance columns.
void note_row(DraftSubstep& sub, std::size_t slot, const ProvenanceRow& row, std::int32_t offset) {
  if (offset == 0) {
    sub.row_request[slot] = row.request;
    sub.row_position[slot] = row.position;
    sub.row_phase[slot] = row.phase;
    sub.row_count[slot] = 1;
    return;
  }
  const bool continues = sub.row_count[slot] == offset && row.request == sub.row_request[slot] &&
                         row.phase == sub.row_phase[slot] &&
                         row.position == sub.row_position[slot] + offset;
  if (continues) ++sub.row_count[slot];
}

}  // namespace

/// Row x of a slot consumes the hidden row of text position p and the token at p + 1, at KV
/// position p.
void HostDevice::draft_forward(const plan::Operation& op, const LaunchArgs& args) {
  const auto rows = static_cast<std::size_t>(std::max(args.rows, args.captured));
  const bool recording = args.pending->level != RecordLevel::off;
  StepRecord& record = args.pending->record;
  DraftSubstep& sub = record.substeps[static_cast<std::size_t>(op.substep)];
  if (recording) std::fill(sub.row_request.begin(), sub.row_request.end(), kNoRequest);
  std::int64_t id_min = m_.draft_ids[0];
  std::int64_t id_max = id_min;
  for (std::size_t x = 0; x < rows; ++x) {
    const std::int64_t id = m_.draft_ids[x];
    id_min = std::min(id_min, id);
    id_max = std::max(id_max, id);
    const std::int32_t batch = m_.draft_batch_id[x];
    ProvenanceRow& out = m_.draft_hidden[x];
    out = ProvenanceRow{};
    if (batch < 0) continue;
    const auto slot = static_cast<std::size_t>(batch);
    const std::int32_t offset = static_cast<std::int32_t>(x) - m_.draft_cu_q[slot];
    const std::int32_t kv_position = m_.draft_d[slot] + offset;
    const bool exists = x < static_cast<std::size_t>(args.hidden_rows);
    const ProvenanceRow in = exists ? m_.target_hidden[x] : ProvenanceRow{};
    const bool paired = op.substep > 0 ||
                        id == script::token(config_, scripts_[slot], in.position + std::int64_t{1});
    const bool sound = in.sound != 0 && in.request == m_.slot_request[slot] &&
                       in.position == kv_position && in.phase == op.substep && paired;
    // Named by its input token, which a frozen sub-step shares with the one before (5.12, V32).
    out = {in.request, kv_position + 1, op.substep + 1, sound ? 1 : 0};
    if (!recording) continue;
    note_row(sub, slot, in, offset);
    if (op.substep == 0 && paired) ++record.paired[slot];
  }
  sub.id_min = static_cast<std::int32_t>(id_min);
  sub.id_max = static_cast<std::int32_t>(id_max);
}

void HostDevice::gather(const LaunchArgs& args) {
  k::EagleGatherHiddenStates io;
  io.n = config_.max_num_seqs;
  io.input_rows = args.rows;
  io.row_bytes = sizeof(ProvenanceRow);
  io.input = std::as_bytes(std::span(m_.draft_hidden));
  io.seq_lens_this_time = m_.draft_q;
  io.out = std::as_writable_bytes(std::span(m_.gathered));
  io.output_token_num = m_.hidden_row_count;
  k::eagle_gather_hidden_states_reference(io);
}

/// Draft path `self`: rows that need logits. Without a read there are as many as the launch had,
/// but never more than batch ids exist (bug 10.2).
std::int32_t HostDevice::draft_output_rows(const LaunchArgs& args) const {
  const auto most = static_cast<std::int32_t>(slots() * width());
  return args.draft_output_rows >= 0 ? args.draft_output_rows : std::min(args.rows, most);
}

void HostDevice::draft_rebuild(const LaunchArgs& args) {
  std::fill(m_.draft_logits.begin(), m_.draft_logits.end(), ProvenanceRow{});
  k::RebuildPadding io;
  io.form = k::RebuildForm::kSpeculative;
  io.n = config_.max_num_seqs;
  io.input_rows = args.rows;
  io.output_rows = draft_output_rows(args);
  io.row_bytes = sizeof(ProvenanceRow);
  io.tmp_out = std::as_bytes(std::span(m_.draft_hidden));
  io.cu_seqlens_q = m_.draft_cu_q;
  io.seq_len_this_time = m_.draft_q;
  io.seq_lens_decoder = m_.draft_d;
  io.seq_lens_encoder = m_.draft_e;
  io.batch_id_per_token_output = m_.draft_batch_id_output;
  io.cu_seqlens_q_output = m_.draft_cu_output;
  io.out = std::as_writable_bytes(std::span(m_.draft_logits));
  k::rebuild_padding_reference(io);
}

/// Its input are the rebuilt rows: one of a slot in its encoder phase, all of the others (5.11).
void HostDevice::get_self_hidden(const LaunchArgs& args) {
  std::fill(m_.target_hidden.begin(), m_.target_hidden.end(), ProvenanceRow{});
  k::EagleGetSelfHiddenStates io;
  io.n = config_.max_num_seqs;
  io.input_rows = draft_output_rows(args);
  io.row_bytes = sizeof(ProvenanceRow);
  io.encoder_test = k::EncoderTest::kLastSeqLensEncoder;
  io.input = std::as_bytes(std::span(m_.draft_logits));
  io.last_seq_lens_this_time = m_.last_draft_q;
  io.seq_lens_this_time = m_.draft_q;
  io.last_seq_lens_encoder = m_.last_draft_e;
  io.out = std::as_writable_bytes(std::span(m_.target_hidden));
  io.output_token_num = m_.hidden_row_count;
  k::eagle_get_self_hidden_states_reference(io);
}

/// What the head says behind a row: right as often as the acceptance profile wants, from that row.
std::int64_t HostDevice::draft_token(const ProvenanceRow& row, std::size_t slot,
                                     int substep) const {
  const script::Request& request = scripts_[slot];
  const std::int64_t next = row.position + std::int64_t{1};
  if (row.sound == 0 || row.request != request.id) {
    return script::wrong_token(config_, request, next, 2);
  }
  const std::int64_t g = next - request.prompt_len - substep;
  const bool right = g < 1 || substep + 1 < script::accept_count(config_, request, g);
  return right ? script::token(config_, request, next)
               : script::wrong_token(config_, request, next, 0);
}

/// One token for every running slot, compact in slot order. `gather` has one row a slot; `self` has
/// o_i rows a slot, of which the last one speaks.
void HostDevice::draft_lm_head(const plan::Operation& op) {
  const bool gather = config_.draft_path == DraftPath::gather;
  std::size_t row = 0;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    if (m_.draft_q[slot] <= 0) continue;
    const auto last = static_cast<std::size_t>(m_.draft_cu_output[slot + 1]) - 1;
    const ProvenanceRow& hidden = gather ? m_.gathered[row] : m_.draft_logits[last];
    m_.next_tokens[row] = draft_token(hidden, slot, op.substep);
    ++row;
  }
  for (; row < slots(); ++row) m_.next_tokens[row] = config_.padding_id;
}

void HostDevice::draft_update(const plan::Operation& op) {
  m_.last_draft_q = m_.draft_q;
  m_.last_draft_e = m_.draft_e;
  k::DraftModelUpdate io;
  io.n = config_.max_num_seqs;
  io.substep = op.substep;
  io.draft_width = config_.row_width();
  io.pre_ids_width = config_.max_model_len;
  io.inter_next_tokens = m_.next_tokens;
  io.draft_tokens = m_.draft_state_tokens;
  io.pre_ids = m_.pre_ids;
  io.seq_lens_this_time = m_.draft_q;
  io.seq_lens_encoder = m_.draft_e;
  io.seq_lens_decoder = m_.draft_d;
  io.step_idx = m_.draft_step_idx;
  io.stop_flags = m_.draft_stop;
  io.not_need_stop = m_.draft_not_need_stop;
  io.max_dec_len = m_.max_dec_len;
  io.base_model_draft_tokens = m_.draft_tokens;
  k::draft_model_update_reference(io);
  // target_hidden_states <- gathered rows (3.2.1 c8): a gathered row is the input of the next
  // sub-step.
  if (config_.draft_path == DraftPath::self) return;
  std::copy(m_.gathered.begin(), m_.gathered.end(), m_.target_hidden.begin());
}

void HostDevice::draft_postprocess(const LaunchArgs& args) {
  k::DraftModelPostprocess io;
  io.n = args.n;
  io.draft_width = config_.row_width();
  io.base_model_draft_tokens = m_.draft_tokens;
  io.base_model_seq_lens_this_time = m_.seq_lens_this_time;
  io.base_model_seq_lens_encoder = m_.seq_lens_encoder;
  io.base_model_stop_flags = m_.stop_flags;
  k::draft_model_postprocess_reference(io);
  if (args.pending->level != RecordLevel::off) take_p3(args.pending->record, args.pending->level);
}

}  // namespace tandem
