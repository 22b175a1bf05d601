// Snapshots of the host device at the record's points, and the device's part of a keyframe.
#include <algorithm>
#include <span>

#include "runtime/core/message.hpp"
#include "runtime/host/host_device.hpp"

namespace tandem {
namespace {

constexpr std::int64_t kSeedMask = 0x7FFFFFFF;  // StepRecord::seed_used

template <class Source>
void copy_column(const Source& source, Column& out) {
  out.resize(source.size());
  std::transform(source.begin(), source.end(), out.begin(),
                 [](auto value) { return static_cast<std::int32_t>(value); });
}

/// Appends the run-length form of `rows` batch ids.
void take_runs(const Ints& batch_ids, std::size_t rows, std::vector<RowRun>& out) {
  for (std::size_t x = 0; x < rows; ++x) {
    if (out.empty() || out.back().slot != batch_ids[x]) out.push_back({batch_ids[x], 0});
    ++out.back().rows;
  }
}

}  // namespace

std::int32_t HostDevice::digest(const std::int64_t* tokens, std::size_t count,
                                unsigned bits) const {
  return static_cast<std::int32_t>(
      token_row_digest(config_.digest_key, std::span(tokens, count), bits));
}

bool HostDevice::is_eos(std::int64_t token) const {
  return std::find(config_.eos_ids.begin(), config_.eos_ids.end(), token) != config_.eos_ids.end();
}

void HostDevice::take_slots(SlotColumns& out, bool with_accept) const {
  out.q = m_.seq_lens_this_time;
  out.e = m_.seq_lens_encoder;
  out.d = m_.seq_lens_decoder;
  copy_column(m_.stop_flags, out.s);
  copy_column(m_.is_block_step, out.b);
  copy_column(m_.step_idx, out.g);
  if (with_accept) out.a = m_.accept_num;
}

void HostDevice::take_draft_rows(DraftRowColumns& out) const {
  for (std::size_t i = 0; i < slots(); ++i) {
    const std::int64_t* row = &m_.draft_tokens[i * width()];
    const auto length =
        static_cast<std::size_t>(std::find(row, row + width(), std::int64_t{-1}) - row);
    const bool hole = std::any_of(row + length, row + width(), [](auto id) { return id != -1; });
    out.len[i] = static_cast<std::int32_t>(length);
    out.hole[i] = hole ? 1 : 0;
    out.first[i] = digest(row, 1, 8);
    out.digest[i] = length > 1 ? digest(row + 1, length - 1, 8) : 0;
  }
}

void HostDevice::take_step_state(Column& q, Column& d, Column& digests) const {
  q = m_.step_seq_lens_this_time;
  d = m_.step_seq_lens_decoder;
  digests.resize(slots());
  for (std::size_t i = 0; i < slots(); ++i) {
    const auto length = static_cast<std::size_t>(
        std::clamp<std::int32_t>(m_.step_seq_lens_this_time[i], 0, config_.row_width()));
    const std::int64_t* row = &m_.step_draft_tokens[i * width()];
    digests[i] = length > 1 ? digest(row + 1, length - 1, 8) : 0;
  }
}

void HostDevice::take_shadow(DraftShadowColumns& out) const {
  out.q = m_.draft_q;
  out.e = m_.draft_e;
  out.d = m_.draft_d;
  copy_column(m_.draft_step_idx, out.g);
  copy_column(m_.draft_stop, out.s);
}

void HostDevice::take_p0(StepRecord& record) const { take_slots(record.p0, true); }

void HostDevice::take_p1(StepRecord& record) const {
  take_slots(record.p1, false);
  copy_column(m_.prompt_lens, record.p1_p);
  take_draft_rows(record.p1_draft);
  record.p1_table_hash = m_.table_hash;
  for (std::size_t i = 0; i < slots(); ++i) {
    const bool held = m_.stop_flags[i] == 0 || m_.is_block_step[i] != 0;
    record.p1_request[i] = held ? m_.slot_request[i] : kNoRequest;
    record.p1_generation[i] = held ? m_.slot_generation[i] : 0;
  }
  if (!record.p1_tokens.empty()) record.p1_tokens = m_.draft_tokens;
}

void HostDevice::take_packing(StepRecord& record, const LaunchArgs& args) const {
  const auto entries = static_cast<std::size_t>(args.n) + 1;
  record.cu_seqlens_q.assign(m_.cu_seqlens_q.begin(),
                             m_.cu_seqlens_q.begin() + static_cast<std::ptrdiff_t>(entries));
  record.cu_seqlens_q_output.assign(
      m_.cu_seqlens_q_output.begin(),
      m_.cu_seqlens_q_output.begin() + static_cast<std::ptrdiff_t>(entries));
  take_runs(m_.batch_id_per_token, static_cast<std::size_t>(args.token_num), record.row_runs);
  record.output_rows = m_.real_output_token_num[0];
  take_runs(m_.batch_id_per_token_output, static_cast<std::size_t>(record.output_rows),
            record.output_runs);
  record.guard_tripped = record.cu_seqlens_q.back() > args.token_num;
}

bool HostDevice::ran(std::size_t slot, const LaunchArgs& args) const {
  return slot < static_cast<std::size_t>(args.n) && m_.seq_lens_this_time[slot] > 0;
}

void HostDevice::take_seeds(StepRecord& record, const LaunchArgs& args) const {
  for (std::size_t i = 0; i < slots(); ++i) {
    const auto seed = static_cast<std::int32_t>(m_.infer_seed[i] & kSeedMask);
    record.seed_used[i] = ran(i, args) ? seed : 0;
  }
}

void HostDevice::take_stop_counters(StepRecord& record, const LaunchArgs& args) const {
  for (std::size_t i = 0; i < slots(); ++i) {
    record.stop_step_idx[i] = ran(i, args) ? static_cast<std::int32_t>(m_.step_idx[i]) : 0;
  }
}

void HostDevice::take_write_owners(StepRecord& record, const LaunchArgs& args) const {
  for (std::size_t i = 0; i < slots(); ++i) {
    record.p2_generation[i] = ran(i, args) ? m_.slot_generation[i] : 0;
  }
}

void HostDevice::take_p2(StepRecord& record, RecordLevel level) const {
  take_slots(record.p2, true);
  for (std::size_t i = 0; i < slots(); ++i) {
    const std::int64_t* row = &m_.accept_tokens[i * width()];
    const auto count = static_cast<std::size_t>(
        std::clamp<std::int32_t>(m_.accept_num[i], 0, config_.row_width()));
    const bool is_sent = record.p1.e[i] <= 0 || m_.seq_lens_decoder[i] >= m_.prompt_lens[i];
    record.accept_digest[i] = is_sent ? digest(row, count, 16) : 0;
    record.last_digest[i] = count > 0 ? digest(row + count - 1, 1, 8) : 0;
    record.p2_first[i] = digest(&m_.draft_tokens[i * width()], 1, 8);
    std::int32_t marks = 0;
    for (std::size_t x = 0; x < count; ++x) {
      if (row[x] < 0) marks |= kMarkNegative;
      if (is_eos(row[x])) marks |= x + 1 == count ? kMarkLastIsEos : kMarkEarlierEos;
    }
    record.accept_marks[i] = marks;
  }
  if (level == RecordLevel::full) take_accepted_tokens(record);
}

/// Cells behind the accepted tokens hold what earlier steps left: -1 in the record.
void HostDevice::take_accepted_tokens(StepRecord& record) const {
  record.p2_tokens = m_.accept_tokens;
  for (std::size_t i = 0; i < slots(); ++i) {
    const auto row = record.p2_tokens.begin() + static_cast<std::ptrdiff_t>(i * width());
    const std::int32_t count = std::clamp(m_.accept_num[i], 0, config_.row_width());
    std::fill(row + count, row + config_.row_width(), -1);
  }
}

void HostDevice::take_p3(StepRecord& record, RecordLevel level) const {
  take_shadow(record.shadow);
  for (DraftSubstep& sub : record.substeps) {
    if (!sub.launched) std::fill(sub.row_request.begin(), sub.row_request.end(), kNoRequest);
  }
  if (level == RecordLevel::full) take_slots(record.p3, true);
}

void HostDevice::take_p4(StepRecord& record, RecordLevel level) const {
  take_slots(record.p4, true);
  take_draft_rows(record.p4_draft);
  take_step_state(record.step_q, record.step_d, record.step_digest);
  if (level == RecordLevel::full) record.p4_tokens = m_.draft_tokens;
}

void HostDevice::snapshot(Keyframe& keyframe, std::int64_t step) {
  executor_->enqueue_snapshot([this, &keyframe, step] { fill_keyframe(keyframe, step); });
}

void HostDevice::fill_keyframe(Keyframe& keyframe, std::int64_t step) {
  take_slots(keyframe.slots, true);
  copy_column(m_.prompt_lens, keyframe.p);
  take_draft_rows(keyframe.draft);
  take_step_state(keyframe.step_q, keyframe.step_d, keyframe.step_digest);
  take_shadow(keyframe.shadow);
  const auto nblk = static_cast<std::ptrdiff_t>(config_.table_width());
  for (std::size_t i = 0; i < slots(); ++i) {
    const auto row = m_.block_tables.begin() + static_cast<std::ptrdiff_t>(i) * nblk;
    keyframe.blocks[i].assign(row, row + m_.table_len[i]);
  }
  keyframe.infer_seed = m_.infer_seed;
  if (!keyframe.has_unsent) return;
  const std::int32_t slots_sent = keyframe.unsent.slots;
  build_message(config_, pinned(step),
                {keyframe.last_preempted, keyframe.request, keyframe.generation}, step, slots_sent,
                keyframe.unsent);
}

}  // namespace tandem
