// Chunk ids of a block: the numbers that stand in files. traces/FORMAT.md lists the same table.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "traces/fields.hpp"

namespace tandem::detail {

// clang-format off
// Name, number, the field it belongs to. Numbers are never reused. Sub-step j has its chunks at
// kSubstepBase + 16 j + k.
#define TANDEM_SCALAR_CHUNKS(X)                                                                   \
  X(t, 0x10, t) X(repeat, 0x11, repeat) X(n, 0x12, n) X(segments, 0x13, segments)                 \
  X(deviations, 0x14, deviations) X(tasks, 0x15, tasks) X(outcomes, 0x16, outcomes)               \
  X(frees, 0x17, frees) X(flag_in, 0x18, flag_in) X(flag_out, 0x19, flag_out)                     \
  X(draft_flag_in, 0x1A, draft_flag_in) X(draft_flag_out, 0x1B, draft_flag_out)                   \
  X(mode, 0x1C, mode) X(cached_in_rows, 0x1D, cached_in) X(cached_in_bsz, 0x1E, cached_in)        \
  X(cached_out_rows, 0x1F, cached_out) X(cached_out_bsz, 0x20, cached_out)                        \
  X(token_num, 0x21, token_num) X(launch_bsz, 0x22, launch_bsz) X(real_bsz, 0x23, real_bsz)       \
  X(captured_size, 0x24, captured_size) X(q_cpu_step, 0x25, q_cpu_step)                           \
  X(b_cpu_step, 0x26, b_cpu_step) X(cu_seqlens_q, 0x27, cu_seqlens_q)                             \
  X(cu_seqlens_q_output, 0x28, cu_seqlens_q_output) X(row_runs, 0x29, row_runs)                   \
  X(output_runs, 0x2A, output_runs) X(output_rows, 0x2B, output_rows)                             \
  X(output_rows_host, 0x2C, output_rows_host) X(id_below, 0x2D, id_below)                         \
  X(id_above, 0x2E, id_above)                                                                     \
  X(guard_tripped, 0x2F, guard_tripped) X(messages, 0x30, messages) X(spans, 0x31, spans)         \
  X(start_ns, 0x32, start_ns) X(end_ns, 0x33, end_ns)                                            \
  X(live_tail, 0x34, live_tail) X(count_uses, 0x35, count_uses)                                   \
  X(pinned_copies, 0x36, pinned_copies) X(poison_rows, 0x37, poison_rows)                         \
  X(poison_damaged, 0x38, poison_damaged)

// `outside` chunks hold the residuals where the mask of the column is false.
#define TANDEM_COLUMN_CHUNKS(X)                                                                   \
  X(q_cpu, 0x40, q_cpu) X(b_cpu, 0x41, b_cpu) X(believed_len, 0x42, believed_len)                 \
  X(believed_reserve, 0x43, believed_reserve)                                                     \
  X(p1_q, 0x44, p1_q) X(p1_e, 0x45, p1_e) X(p1_d, 0x46, p1_d) X(p1_s, 0x47, p1_s)                 \
  X(p1_b, 0x48, p1_b) X(p1_g, 0x49, p1_g) X(p1_p, 0x4A, p1_p)                                     \
  X(p1_draft_len, 0x4B, p1_draft_len) X(p1_draft_hole, 0x4C, p1_draft_hole)                       \
  X(p1_draft_digest, 0x4D, p1_draft_digest) X(p1_draft_first, 0x4E, p1_draft_first)               \
  X(p1_table_hash, 0x4F, p1_table_hash) X(p1_request, 0x50, p1_request)                           \
  X(p1_generation, 0x51, p1_generation)                                                           \
  X(p2_q, 0x52, p2_q) X(p2_e, 0x53, p2_e) X(p2_d, 0x54, p2_d) X(p2_s, 0x55, p2_s)                 \
  X(p2_b, 0x56, p2_b) X(p2_g, 0x57, p2_g) X(p2_a, 0x58, p2_a) X(p2_a_outside, 0x59, p2_a)         \
  X(accept_digest, 0x5A, accept_digest) X(accept_digest_outside, 0x5B, accept_digest)             \
  X(last_digest, 0x5C, last_digest) X(last_digest_outside, 0x5D, last_digest)                     \
  X(accept_marks, 0x5E, accept_marks) X(p2_first, 0x5F, p2_first) X(draft_e, 0x60, draft_e)       \
  X(paired, 0x61, paired) X(shadow_q, 0x62, shadow_q) X(shadow_e, 0x63, shadow_e)                 \
  X(shadow_d, 0x64, shadow_d) X(shadow_g, 0x65, shadow_g) X(shadow_s, 0x66, shadow_s)             \
  X(p4_q, 0x67, p4_q) X(p4_e, 0x68, p4_e) X(p4_d, 0x69, p4_d) X(p4_s, 0x6A, p4_s)                 \
  X(p4_b, 0x6B, p4_b) X(p4_g, 0x6C, p4_g) X(p4_a, 0x6D, p4_a)                                     \
  X(p4_draft_len, 0x6E, p4_draft_len) X(p4_draft_hole, 0x6F, p4_draft_hole)                       \
  X(p4_draft_digest, 0x70, p4_draft_digest) X(p4_draft_digest_outside, 0x71, p4_draft_digest)     \
  X(p4_draft_first, 0x72, p4_draft_first) X(step_q, 0x73, step_q) X(step_d, 0x74, step_d)         \
  X(step_digest, 0x75, step_digest)                                                               \
  X(p0_q, 0x76, p0_q) X(p0_e, 0x77, p0_e) X(p0_d, 0x78, p0_d) X(p0_s, 0x79, p0_s)                 \
  X(p0_b, 0x7A, p0_b) X(p0_g, 0x7B, p0_g) X(p0_a, 0x7C, p0_a)                                     \
  X(p3_q, 0x7D, p3_q) X(p3_e, 0x7E, p3_e) X(p3_d, 0x7F, p3_d) X(p3_s, 0x80, p3_s)                 \
  X(p3_b, 0x81, p3_b) X(p3_g, 0x82, p3_g) X(p3_a, 0x83, p3_a)                             \
  X(enqueue_generation, 0x84, enqueue_generation) X(p2_generation, 0x85, p2_generation)           \
  X(seed_used, 0x86, seed_used) X(stop_step_idx, 0x87, stop_step_idx)
// clang-format on

enum class Chunk : std::uint16_t {
  end = 0x00,       ///< zeros behind the last chunk
  keyframe = 0x01,  ///< plain binary
  shapes = 0x02,    ///< one byte a record: a StepKind, or kOddShape
  lists = 0x03,     ///< tasks, messages and all else that is not one value a record or slot
  odd = 0x04,       ///< records in plain binary
#define TANDEM_CHUNK_ENUM(name, number, field) name = number,
  TANDEM_SCALAR_CHUNKS(TANDEM_CHUNK_ENUM) TANDEM_COLUMN_CHUNKS(TANDEM_CHUNK_ENUM)
#undef TANDEM_CHUNK_ENUM
};

/// Chunks of a sub-step, relative to its base.
enum class SubChunk : std::uint16_t {
  launched,
  blocking,
  token_num,
  hidden_rows,
  captured_size,
  device_sum,
  id_below,
  id_above,
  qd,
  dd,
  row_request,
  row_position,
  row_phase,
  row_count,
  live_tail,  // a scalar: numbers are never reused, so it stands behind the columns
  count
};

constexpr std::uint16_t kSubstepBase = 0x100;
constexpr std::uint16_t kSubstepStride = 16;
constexpr std::uint16_t kOptionalChunk = 0x8000;  ///< a reader skips ids from here on
constexpr std::uint8_t kOddShape = 3;

/// The number of streams that a trace with `substeps` sub-steps can have: ids below it are columns.
constexpr std::size_t stream_count(std::int32_t substeps) {
  return kSubstepBase + static_cast<std::size_t>(substeps) * kSubstepStride;
}

constexpr std::size_t stream_of(Chunk chunk) { return static_cast<std::size_t>(chunk); }
constexpr std::size_t stream_of(std::size_t substep, SubChunk chunk) {
  return kSubstepBase + substep * kSubstepStride + static_cast<std::size_t>(chunk);
}

enum class StreamKind : std::uint8_t { none, scalar, column, selected };

struct StreamInfo {
  StreamKind kind = StreamKind::none;
  Field field = Field::count;
};

/// By number, for numbers below the sub-steps'.
constexpr std::array<StreamInfo, kSubstepBase> kStreams = [] {
  std::array<StreamInfo, kSubstepBase> streams{};
#define TANDEM_SCALAR_STREAM(name, number, field) \
  streams[number] = {StreamKind::scalar, Field::field};
#define TANDEM_COLUMN_STREAM(name, number, field) \
  streams[number] = {StreamKind::column, Field::field};
  TANDEM_SCALAR_CHUNKS(TANDEM_SCALAR_STREAM)
  TANDEM_COLUMN_CHUNKS(TANDEM_COLUMN_STREAM)
#undef TANDEM_SCALAR_STREAM
#undef TANDEM_COLUMN_STREAM
  for (const Chunk chunk :
       {Chunk::p2_a, Chunk::accept_digest, Chunk::last_digest, Chunk::p4_draft_digest}) {
    streams[stream_of(chunk)].kind = StreamKind::selected;
  }
  return streams;
}();

/// What a stream holds: one value a record, one a slot and record, or those that a mask selects.
constexpr StreamKind stream_kind(std::size_t stream) {
  if (stream < kSubstepBase) return kStreams[stream].kind;
  const auto k = static_cast<SubChunk>((stream - kSubstepBase) % kSubstepStride);
  if (k >= SubChunk::count) return StreamKind::none;
  return k < SubChunk::qd || k == SubChunk::live_tail ? StreamKind::scalar : StreamKind::column;
}

/// Whether the records of kinds `empty` and `idle` have no value in this stream.
constexpr bool only_in_back(std::size_t stream) {
  const bool result = stream >= stream_of(Chunk::p2_q) && stream <= stream_of(Chunk::step_digest);
  const bool used =
      stream >= stream_of(Chunk::enqueue_generation) && stream <= stream_of(Chunk::stop_step_idx);
  return result || used || stream >= kSubstepBase;
}

/// The field that a stream belongs to; of streams that hold something only.
constexpr Field field_of(std::size_t stream) {
  if (stream < kSubstepBase) return kStreams[stream].field;
  const auto k = (stream - kSubstepBase) % kSubstepStride;
  return static_cast<Field>(static_cast<std::size_t>(Field::sub_launched) + k);
}

/// Whether a trace with these fields has the stream.
inline bool stream_is_present(std::size_t stream, const FieldSet& present) {
  if (stream >= kSubstepBase && !present.test(static_cast<std::size_t>(Field::substeps))) {
    return false;
  }
  return present.test(static_cast<std::size_t>(field_of(stream)));
}

}  // namespace tandem::detail
