// The scripted model on the device: rows of provenance instead of hidden states, and time that a
// real model would take. Values as in runtime/host/target_ops.cpp and draft_ops.cpp.
#include <climits>

#include <cub/block/block_scan.cuh>

#include "runtime/core/script.hpp"
#include "runtime/cuda/launching.cuh"

namespace tandem::cuda {
namespace {

/// Strays among a launch's ids and its live tail, gathered by the threads of one block.
struct LaunchStats {
  int id_below, id_above, live, sum;

  __device__ void clear() {
    if (threadIdx.x == 0) {
      id_below = 0;
      id_above = 0;
      live = sum = 0;
    }
    __syncthreads();
  }
  __device__ void note_id(std::int64_t id, std::int32_t vocab_size) {
    if (id < 0) atomicMin(&id_below, as_recorded_id(id));
    if (id >= vocab_size) atomicMax(&id_above, as_recorded_id(id));
  }
};

__device__ void stay_busy(std::uint64_t start, Nanos busy_ns) {
  if (threadIdx.x != 0) return;
  while (device_ns() - start < static_cast<std::uint64_t>(busy_ns)) __nanosleep(100);
}

/// What a launch would compute that is no one's (StepRecord::live_tail).
__device__ void note_live_tail(LaunchStats& stats, std::span<const std::int32_t> batch,
                               std::span<const std::int32_t> q, std::int32_t valid,
                               std::int32_t rows, std::int32_t n) {
  const auto end = static_cast<std::int32_t>(min(static_cast<std::size_t>(rows), batch.size()));
  for (std::int32_t x = valid + static_cast<std::int32_t>(threadIdx.x); x < end; x += blockDim.x) {
    if (batch[x] != -1) atomicAdd(&stats.live, 1);
  }
  for (std::size_t i = n + threadIdx.x; i < q.size(); i += blockDim.x) {
    if (q[i] != 0) atomicAdd(&stats.live, 1);
  }
}

__global__ void clear_head_packing_kernel(const __grid_constant__ DeviceTensors m,
                                          std::int32_t from, std::int32_t to) {
  const std::size_t x = global_index();
  if (x < static_cast<std::size_t>(to - from)) m.draft_batch_id[from + x] = -1;
  if (x < m.draft_batch_id_output.size()) m.draft_batch_id_output[x] = -1;
}

__device__ void take_packing(const DeviceTensors& m, const ImageLayout& layout, std::int32_t* image,
                             std::int32_t n, std::int32_t token_num) {
  const std::int32_t outputs = m.real_output_token_num[0];
  for (std::int32_t i = threadIdx.x; i <= n; i += blockDim.x) {
    image[layout.cu_q + i] = m.cu_seqlens_q[i];
    image[layout.cu_output + i] = m.cu_seqlens_q_output[i];
  }
  for (std::int32_t x = threadIdx.x; x < token_num; x += blockDim.x) {
    image[layout.batch + x] = m.batch_id_per_token[x];
  }
  for (std::int32_t x = threadIdx.x; x < outputs; x += blockDim.x) {
    image[layout.batch_output + x] = m.batch_id_per_token_output[x];
  }
  if (threadIdx.x == 0) image[layout.number(ImageNumber::output_rows)] = outputs;
}

__global__ void target_forward_kernel(const __grid_constant__ ModelConfig model,
                                      const __grid_constant__ DeviceTensors m,
                                      const __grid_constant__ ImageLayout layout,
                                      std::int32_t* image, std::int32_t n, std::int32_t token_num,
                                      std::int32_t rows, Nanos busy_ns) {
  __shared__ LaunchStats stats;
  const std::uint64_t start = device_ns();
  stats.clear();
  for (std::int32_t x = threadIdx.x; x < rows; x += blockDim.x) {
    const std::int64_t id = m.ids_remove_padding[x];
    stats.note_id(id, model.vocab_size);
    const std::int32_t batch = m.batch_id_per_token[x];
    ProvenanceRow row;
    if (batch >= 0) {
      const std::int32_t position = m.seq_lens_decoder[batch] + x - m.cu_seqlens_q[batch];
      const bool sound = id == script::token(model, m.script_of(batch), position);
      row = {m.slot_request[batch], position, 0, sound ? 1 : 0};
    }
    m.hidden_states[x] = row;
  }
  if (image != nullptr) {
    take_packing(m, layout, image, n, token_num);
    note_live_tail(stats, m.batch_id_per_token, m.seq_lens_this_time, m.cu_seqlens_q[n], rows, n);
    __syncthreads();
    if (threadIdx.x == 0) {
      image[layout.number(ImageNumber::id_below)] = stats.id_below;
      image[layout.number(ImageNumber::id_above)] = stats.id_above;
      image[layout.number(ImageNumber::live_tail)] = stats.live;
    }
  }
  stay_busy(start, busy_ns);
}

__global__ void clear_rows_kernel(std::span<ProvenanceRow> rows) {
  const std::size_t x = global_index();
  if (x < rows.size()) rows[x] = ProvenanceRow{};
}

/// The scripted argmax: the token behind the row's own, or a wrong one where the row is unsound.
__global__ void lm_head_kernel(const __grid_constant__ ModelConfig model,
                               const __grid_constant__ DeviceTensors m, std::int32_t rows) {
  const std::size_t x = global_index();
  if (x >= static_cast<std::size_t>(rows)) return;
  const ProvenanceRow row = m.logits[x];
  const std::int32_t batch = m.batch_id_per_token_output[x];
  if (row.request == kNoRequest || batch < 0) {
    m.target_tokens[x] = model.padding_id;
    return;
  }
  const script::Request request = m.script_of(static_cast<std::size_t>(batch));
  const std::int64_t next = row.position + std::int64_t{1};
  m.target_tokens[x] = row.sound != 0 && row.request == request.id
                           ? script::token(model, request, next)
                           : script::wrong_token(model, request, next, 1);
}

struct DraftLaunch {
  std::int32_t n, rows, graph_rows, hidden_rows;
  int substep;
  Nanos busy_ns;
};

/// The hidden row that row x of the launch consumes.
__device__ ProvenanceRow consumed(const DeviceTensors& m, const DraftLaunch& launch,
                                  std::int32_t x) {
  return x < launch.hidden_rows ? m.target_hidden[x] : ProvenanceRow{};
}

/// Row x of a slot consumes the hidden row of text position p and the token at p + 1, at KV
/// position p. `broken[i]` gets the first row of slot i that does not go on from its first one.
__device__ void draft_row(const ModelConfig& model, const DeviceTensors& m,
                          const DraftLaunch& launch, std::int32_t x, LaunchStats& stats,
                          int* broken, int* paired_rows) {
  const std::int64_t id = m.draft_ids[x];
  stats.note_id(id, model.vocab_size);
  const std::int32_t slot = m.draft_batch_id[x];
  if (slot < 0) {
    m.draft_hidden[x] = ProvenanceRow{};
    return;
  }
  const std::int32_t offset = x - m.draft_cu_q[slot];
  const std::int32_t kv_position = m.draft_d[slot] + offset;
  const ProvenanceRow in = consumed(m, launch, x);
  const bool paired = launch.substep > 0 ||
                      id == script::token(model, m.script_of(slot), in.position + std::int64_t{1});
  const bool sound = in.sound != 0 && in.request == m.slot_request[slot] &&
                     in.position == kv_position && in.phase == launch.substep && paired;
  // Named by its input token, which a frozen sub-step shares with the one before (5.12, V32).
  m.draft_hidden[x] = {in.request, kv_position + 1, launch.substep + 1, sound ? 1 : 0};
  const ProvenanceRow first = consumed(m, launch, x - offset);
  const bool goes_on = in.request == first.request && in.phase == first.phase &&
                       in.position == first.position + offset;
  if (!goes_on) atomicMin(&broken[slot], offset);
  // The last row of an unfinished chunk meets a token that is nobody's: right by chance (5.8).
  const bool is_nobodys =
      offset + 1 == m.draft_q[slot] && m.seq_lens_decoder[slot] < m.prompt_lens[slot];
  if (launch.substep == 0 && paired && !is_nobodys) atomicAdd(&paired_rows[slot], 1);
}

__device__ void take_provenance(const DeviceTensors& m, const ImageLayout& layout,
                                std::int32_t* image, const DraftLaunch& launch, std::int32_t slot,
                                int broken, int paired) {
  const auto at = [&](SubstepColumn name) -> std::int32_t& {
    return image[layout.column(name, static_cast<std::size_t>(launch.substep)) + slot];
  };
  const std::int32_t from = m.draft_cu_q[slot];
  const std::int32_t present = min(m.draft_q[slot], launch.rows - from);
  const ProvenanceRow first = present > 0 ? consumed(m, launch, from) : ProvenanceRow{};
  at(SubstepColumn::row_request) = first.request;
  at(SubstepColumn::row_position) = first.position;
  at(SubstepColumn::row_phase) = first.phase;
  at(SubstepColumn::row_count) = max(0, min(present, broken));
  // The head's state at the entry of the sub-step.
  at(SubstepColumn::qd) = m.draft_q[slot];
  at(SubstepColumn::dd) = m.draft_d[slot];
  if (launch.substep == 0) image[layout.column(ImageColumn::draft_e) + slot] = m.draft_e[slot];
  if (launch.substep == 0) image[layout.column(ImageColumn::paired) + slot] = paired;
}

__global__ void draft_forward_kernel(const __grid_constant__ ModelConfig model,
                                     const __grid_constant__ DeviceTensors m,
                                     const __grid_constant__ ImageLayout layout,
                                     std::int32_t* image, DraftLaunch launch) {
  extern __shared__ int per_slot[];
  __shared__ LaunchStats stats;
  int* broken = per_slot;
  int* paired = per_slot + model.max_num_seqs;
  const std::uint64_t start = device_ns();
  for (std::int32_t i = threadIdx.x; i < model.max_num_seqs; i += blockDim.x) {
    broken[i] = INT_MAX;
    paired[i] = 0;
  }
  stats.clear();
  for (std::int32_t x = threadIdx.x; x < launch.graph_rows; x += blockDim.x) {
    draft_row(model, m, launch, x, stats, broken, paired);
  }
  __syncthreads();
  if (image != nullptr) {
    for (std::int32_t i = threadIdx.x; i < model.max_num_seqs; i += blockDim.x) {
      take_provenance(m, layout, image, launch, i, broken[i], paired[i]);
      atomicAdd(&stats.sum, m.draft_q[i]);
    }
    note_live_tail(stats, m.draft_batch_id, m.draft_q, m.draft_cu_q[model.max_num_seqs],
                   launch.graph_rows, launch.n);
    __syncthreads();
    if (threadIdx.x == 0) {
      const auto j = static_cast<std::size_t>(launch.substep);
      image[layout.number(SubstepNumber::id_below, j)] = stats.id_below;
      image[layout.number(SubstepNumber::id_above, j)] = stats.id_above;
      image[layout.number(SubstepNumber::live_tail, j)] = stats.live;
      image[layout.number(SubstepNumber::device_sum, j)] = stats.sum;
    }
  }
  stay_busy(start, launch.busy_ns);
}

/// What the head says behind a row: right as often as the acceptance profile wants, from that row.
__device__ std::int64_t draft_token(const ModelConfig& model, const script::Request& request,
                                    const ProvenanceRow& row, int substep) {
  const std::int64_t next = row.position + std::int64_t{1};
  if (row.sound == 0 || row.request != request.id) {
    return script::wrong_token(model, request, next, 2);
  }
  const std::int64_t g = next - request.prompt_len - substep;
  const bool right = g < 1 || substep + 1 < script::accept_count(model, request, g);
  return right ? script::token(model, request, next) : script::wrong_token(model, request, next, 0);
}

/// One token for every running slot, compact in slot order. `gather` has one row a slot; `self` has
/// o_i rows a slot, of which the last one speaks. One block, one thread a slot.
__global__ void draft_lm_head_kernel(const __grid_constant__ ModelConfig model,
                                     const __grid_constant__ DeviceTensors m, int substep) {
  using Scan = cub::BlockScan<int, kWideBlock>;
  __shared__ typename Scan::TempStorage scratch;
  const auto slot = static_cast<std::int32_t>(threadIdx.x);
  const bool runs = slot < model.max_num_seqs && m.draft_q[slot] > 0;
  int row = 0;
  int running = 0;
  Scan(scratch).ExclusiveSum(runs ? 1 : 0, row, running);
  if (runs) {
    const ProvenanceRow hidden =
        model.gathers ? m.gathered[row] : m.draft_logits[m.draft_cu_output[slot + 1] - 1];
    m.next_tokens[row] = draft_token(model, m.script_of(slot), hidden, substep);
  }
  if (slot >= running && slot < model.max_num_seqs) m.next_tokens[slot] = model.padding_id;
}

/// 3.2.1 f: appends the drafts of an n-gram match; q becomes the new length.
__global__ void ngram_extend_kernel(const __grid_constant__ ModelConfig model,
                                    const __grid_constant__ DeviceTensors m, std::int32_t n) {
  const std::size_t slot = global_index();
  if (slot >= static_cast<std::size_t>(n)) return;
  if (m.stop_flags[slot] != 0 || m.seq_lens_decoder[slot] < m.prompt_lens[slot]) return;
  const std::int64_t g = m.step_idx[slot];
  const script::Request request = m.script_of(slot);
  const std::int32_t from = m.seq_lens_this_time[slot];
  const std::int32_t to =
      min(from + script::ngram_count(model, request.id, m.max_dec_len[slot], g), model.row_width());
  const std::int32_t right = script::accept_count(model, request, g);
  std::int64_t* drafts = &m.draft_tokens[slot * static_cast<std::size_t>(model.row_width())];
  for (std::int32_t x = from; x < to; ++x) {
    const std::int64_t position = request.prompt_len + g - 1 + x;  // D[0] is committed token g
    drafts[x] = x < right ? script::token(model, request, position)
                          : script::wrong_token(model, request, position, 0);
  }
  m.seq_lens_this_time[slot] = to;
}

}  // namespace

void clear_head_packing(const OpContext& c, const LaunchArgs& args) {
  const std::int32_t to = std::max(args.rows, args.captured);
  const std::size_t items =
      std::max(static_cast<std::size_t>(to - args.rows), c.tensors.draft_batch_id_output.size());
  clear_head_packing_kernel<<<blocks_for(items), kBlock, 0, c.stream>>>(c.tensors, args.rows, to);
  expect_kernel();
}

void target_forward(const OpContext& c, const LaunchArgs& args, Nanos busy_ns) {
  target_forward_kernel<<<1, kWideBlock, 0, c.stream>>>(
      c.model, c.tensors, c.layout, c.image, args.n, args.token_num,
      std::max(args.token_num, args.captured), busy_ns);
  expect_kernel();
}

void clear_rows(const OpContext& c, std::span<ProvenanceRow> rows) {
  clear_rows_kernel<<<blocks_for(rows.size()), kBlock, 0, c.stream>>>(rows);
  expect_kernel();
}

void lm_head(const OpContext& c, const LaunchArgs& args) {
  lm_head_kernel<<<blocks_for(static_cast<std::size_t>(args.output_rows)), kBlock, 0, c.stream>>>(
      c.model, c.tensors, args.output_rows);
  expect_kernel();
}

void draft_forward(const OpContext& c, const LaunchArgs& args, int substep, Nanos busy_ns) {
  const DraftLaunch launch{args.n,           args.rows, std::max(args.rows, args.captured),
                           args.hidden_rows, substep,   busy_ns};
  const std::size_t shared = 2 * sizeof(int) * static_cast<std::size_t>(c.model.max_num_seqs);
  draft_forward_kernel<<<1, kWideBlock, shared, c.stream>>>(c.model, c.tensors, c.layout, c.image,
                                                            launch);
  expect_kernel();
}

void draft_lm_head(const OpContext& c, int substep) {
  draft_lm_head_kernel<<<1, kWideBlock, 0, c.stream>>>(c.model, c.tensors, substep);
  expect_kernel();
}

void ngram_extend(const OpContext& c, const LaunchArgs& args) {
  ngram_extend_kernel<<<blocks_for(static_cast<std::size_t>(args.n)), kBlock, 0, c.stream>>>(
      c.model, c.tensors, args.n);
  expect_kernel();
}

}  // namespace tandem::cuda
