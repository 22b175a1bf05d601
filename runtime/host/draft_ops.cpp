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
#include "runtime/host/host_device.hpp"
#include "runtime/host/packing.hpp"

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
  pack_rows(config_, head_rows(m_), config_.max_num_seqs, args.rows);
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
  if (!recording) return;
  const auto valid = static_cast<std::size_t>(m_.draft_cu_q[slots()]);
  sub.live_tail = count_live(m_.draft_batch_id, valid, rows);
  for (std::size_t i = static_cast<std::size_t>(args.n); i < slots(); ++i) {
    sub.live_tail += m_.draft_q[i] != 0 ? 1 : 0;
  }
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
  pick_output_rows(head_rows(m_), config_.max_num_seqs, args.rows, draft_output_rows(args));
}

/// Its input are the rebuilt rows: one of a slot in its encoder phase, all of the others (5.11).
void HostDevice::get_self_hidden(const LaunchArgs& args) {
  std::fill(m_.target_hidden.begin(), m_.target_hidden.end(), ProvenanceRow{});
  k::EagleGetSelfHiddenStates io;
  io.n = config_.max_num_seqs;
  io.input_rows = draft_output_rows(args);
  io.row_bytes = sizeof(ProvenanceRow);
  io.encoder_test = config_.encoder_test == EncoderTest::step_idx
                        ? k::EncoderTest::kStepIdx
                        : k::EncoderTest::kLastSeqLensEncoder;
  io.input = std::as_bytes(std::span(m_.draft_logits));
  io.last_seq_lens_this_time = m_.last_draft_q;
  io.seq_lens_this_time = m_.draft_q;
  io.last_seq_lens_encoder = m_.last_draft_e;
  io.step_idx = m_.draft_step_idx;  // the caller before #7001 passed it as the update left it
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
  if (config_.ngram_millionths > 0) return;  // P3 is behind the n-gram extension
  if (args.pending->level != RecordLevel::off) take_p3(args.pending->record, args.pending->level);
}

/// Appends the drafts of an n-gram match behind those of the head; q becomes the new length (3.2.1
/// f). They are right where the target will accept so far, like the head's.
void HostDevice::ngram_extend(const LaunchArgs& args) {
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(args.n); ++slot) {
    if (m_.stop_flags[slot] != 0 || m_.seq_lens_decoder[slot] < m_.prompt_lens[slot]) continue;
    const std::int64_t g = m_.step_idx[slot];
    const std::int32_t from = m_.seq_lens_this_time[slot];
    const std::int32_t to = std::min(
        from + script::ngram_count(config_, m_.slot_request[slot], m_.max_dec_len[slot], g),
        config_.row_width());
    const script::Request& request = scripts_[slot];
    const std::int32_t right = script::accept_count(config_, request, g);
    for (std::int32_t x = from; x < to; ++x) {
      const std::int64_t position = request.prompt_len + g - 1 + x;  // D[0] is committed token g
      m_.draft_tokens[slot * width() + static_cast<std::size_t>(x)] =
          x < right ? script::token(config_, request, position)
                    : script::wrong_token(config_, request, position, 0);
    }
    m_.seq_lens_this_time[slot] = to;
  }
  if (args.pending->level != RecordLevel::off) take_p3(args.pending->record, args.pending->level);
}

}  // namespace tandem
