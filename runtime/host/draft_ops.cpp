// Operations of the MTP head: shadow state, hidden rows, scripted drafts (semantics 5.8 to 5.12b).
#include <algorithm>
#include <cstring>
#include <span>

#include "runtime/host/host_device.hpp"
#include "runtime/host/stray_ids.hpp"
#include "runtime/ops/draft_arguments.hpp"

namespace tandem {

namespace k = kernels;

void HostDevice::draft_preprocess() {
  k::draft_model_preprocess_reference(ops::draft_preprocess(config_, m_));
}

void HostDevice::get_hidden(const LaunchArgs& args) {
  std::fill_n(m_.target_hidden.begin(), args.token_num, ProvenanceRow{});  // the tail is undefined
  k::eagle_get_hidden_states_reference(ops::get_hidden(config_, m_, args));
}

void HostDevice::draft_pre_process(const plan::Operation& op, const LaunchArgs& args) {
  const auto captured = static_cast<std::ptrdiff_t>(std::max(args.rows, args.captured));
  std::fill(m_.draft_batch_id.begin() + args.rows, m_.draft_batch_id.begin() + captured, -1);
  std::fill(m_.draft_batch_id_output.begin(), m_.draft_batch_id_output.end(), -1);
  k::speculate_pre_process_reference(ops::pack_head(config_, m_, args));
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
  StrayIds strays(config_.vocab_size);
  for (std::size_t x = 0; x < rows; ++x) {
    const std::int64_t id = m_.draft_ids[x];
    strays.note(id);
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
    // The last row of an unfinished chunk meets a token that is nobody's: right by chance (5.8).
    const bool is_nobodys =
        offset + 1 == m_.draft_q[slot] && m_.seq_lens_decoder[slot] < m_.prompt_lens[slot];
    if (op.substep == 0 && paired && !is_nobodys) ++record.paired[slot];
  }
  if (!recording) return;
  sub.id_below = strays.below();
  sub.id_above = strays.above();
  const auto valid = static_cast<std::size_t>(m_.draft_cu_q[slots()]);
  sub.live_tail = count_live(m_.draft_batch_id, valid, rows);
  for (std::size_t i = static_cast<std::size_t>(args.n); i < slots(); ++i) {
    sub.live_tail += m_.draft_q[i] != 0 ? 1 : 0;
  }
}

void HostDevice::gather(const LaunchArgs& args) {
  k::eagle_gather_hidden_states_reference(ops::gather(config_, m_, args));
}

void HostDevice::draft_rebuild(const LaunchArgs& args) {
  std::fill(m_.draft_logits.begin(), m_.draft_logits.end(), ProvenanceRow{});
  k::rebuild_padding_reference(ops::pick_head_rows(config_, m_, args));
}

void HostDevice::get_self_hidden(const LaunchArgs& args) {
  std::fill(m_.target_hidden.begin(), m_.target_hidden.end(), ProvenanceRow{});
  k::eagle_get_self_hidden_states_reference(ops::get_self_hidden(config_, m_, args));
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
  k::draft_model_update_reference(ops::draft_update(config_, m_, op.substep));
  // target_hidden_states <- gathered rows (3.2.1 c8): a gathered row is the input of the next
  // sub-step.
  if (config_.draft_path == DraftPath::self) return;
  std::copy(m_.gathered.begin(), m_.gathered.end(), m_.target_hidden.begin());
}

void HostDevice::draft_postprocess(const LaunchArgs& args) {
  k::draft_model_postprocess_reference(ops::draft_postprocess(config_, m_, args));
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
