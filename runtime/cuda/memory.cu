// Sizes, places and initial values of the device's tensors.
#include <algorithm>
#include <vector>

#include "runtime/cuda/failure.hpp"
#include "runtime/cuda/memory.hpp"
#include "scenarios/scenario.hpp"

namespace tandem::cuda {
namespace {

constexpr std::size_t kAlignment = 256;
constexpr unsigned kThreads = 256;

template <class T>
__global__ void fill_kernel(T* out, std::size_t count, T value) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t x = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; x < count; x += stride) {
    out[x] = value;
  }
}

struct Shape {
  std::size_t slots, width, model_len, chunk, rows, outputs, table;

  explicit Shape(const RunConfig& config)
      : slots(static_cast<std::size_t>(config.max_num_seqs)),
        width(static_cast<std::size_t>(config.row_width())),
        model_len(static_cast<std::size_t>(config.max_model_len)),
        chunk(static_cast<std::size_t>(config.max_num_batched_tokens)),
        rows(row_capacity(config)),
        outputs(slots * width),
        table(static_cast<std::size_t>(config.table_width())) {}
};

/// visit(span, entries, initial value) for the target's tensors.
template <class Visit>
void each_target(const RunConfig& config, DeviceTensors& m, Visit visit) {
  const Shape s(config);
  const std::int64_t none = -1;
  const std::int64_t padding = config.padding_id;
  visit(m.token_ids_all, s.slots * s.model_len, none);
  visit(m.input_ids, s.slots * s.chunk, std::int64_t{0});
  for (auto* t : {&m.draft_tokens, &m.accept_tokens, &m.step_draft_tokens}) {
    visit(*t, s.outputs, none);
  }
  for (auto* t : {&m.accept_num, &m.seq_lens_this_time, &m.seq_lens_encoder, &m.seq_lens_decoder,
                  &m.step_seq_lens_decoder, &m.step_seq_lens_this_time, &m.reasoning_status,
                  &m.stop_seqs_len}) {
    visit(*t, s.slots, 0);
  }
  for (auto* t : {&m.step_idx, &m.prompt_lens, &m.max_dec_len, &m.infer_seed, &m.history_base,
                  &m.min_tokens}) {
    visit(*t, s.slots, std::int64_t{0});
  }
  visit(m.top_k, s.slots, std::int64_t{1});
  visit(m.top_p, s.slots, 1.0F);
  visit(m.stop_flags, s.slots, std::uint8_t{1});
  visit(m.is_block_step, s.slots, std::uint8_t{0});
  for (auto* t : {&m.not_need_stop, &m.draft_not_need_stop}) visit(*t, 1, std::uint8_t{0});
  visit(m.block_tables, s.slots * s.table, -1);
  visit(m.stop_seqs, s.slots * static_cast<std::size_t>(kStopLenMax), none);
  visit(m.ids_remove_padding, s.rows, padding);
  visit(m.batch_id_per_token, s.rows, -1);
  for (auto* t : {&m.cu_seqlens_q, &m.cu_seqlens_k, &m.cu_seqlens_q_output}) {
    visit(*t, s.slots + 1, 0);
  }
  visit(m.batch_id_per_token_output, s.outputs, -1);
  visit(m.real_output_token_num, 1, 0);
  visit(m.hidden_states, s.rows, ProvenanceRow{});
  visit(m.logits, s.outputs, ProvenanceRow{});
  for (auto* t : {&m.target_tokens, &m.top_k_padding, &m.topp_seed}) {
    visit(*t, s.outputs, std::int64_t{0});
  }
  visit(m.top_p_padding, s.outputs, 0.0F);
  visit(m.end_tokens, config.eos_ids.size(), none);
}

/// The same for the head's, and for who is in a slot.
template <class Visit>
void each_draft(const RunConfig& config, DeviceTensors& m, Visit visit) {
  const Shape s(config);
  const std::int64_t none = -1;
  visit(m.draft_input_ids, s.slots * s.chunk, std::int64_t{0});
  visit(m.draft_state_tokens, s.outputs, none);
  visit(m.pre_ids, s.slots * s.model_len, none);
  visit(m.draft_step_idx, s.slots, std::int64_t{0});
  for (auto* t : {&m.draft_q, &m.draft_e, &m.draft_d, &m.last_draft_q, &m.last_draft_e,
                  &m.slot_generation, &m.slot_prompt_len, &m.slot_eos_at, &m.slot_stop_at,
                  &m.slot_accept_len, &m.table_len, &m.table_hash}) {
    visit(*t, s.slots, 0);
  }
  visit(m.slot_request, s.slots, static_cast<std::int32_t>(kNoRequest));
  visit(m.draft_stop, s.slots, std::uint8_t{1});
  visit(m.draft_ids, s.rows, std::int64_t{config.padding_id});
  visit(m.draft_batch_id, s.rows, -1);
  for (auto* t : {&m.draft_cu_q, &m.draft_cu_k, &m.draft_cu_output}) visit(*t, s.slots + 1, 0);
  visit(m.draft_batch_id_output, s.outputs, -1);
  for (auto* t : {&m.draft_rows_out, &m.hidden_row_count}) visit(*t, 1, 0);
  for (auto* t : {&m.target_hidden, &m.draft_hidden}) visit(*t, s.rows, ProvenanceRow{});
  visit(m.gathered, s.slots, ProvenanceRow{});
  visit(m.draft_logits, s.outputs, ProvenanceRow{});
  visit(m.next_tokens, s.slots, std::int64_t{0});
}

template <class Visit>
void each_tensor(const RunConfig& config, DeviceTensors& m, Visit visit) {
  each_target(config, m, visit);
  each_draft(config, m, visit);
}

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

template <class T>
void fill(std::span<T> out, T value) {
  if (out.empty()) return;
  const auto blocks =
      static_cast<unsigned>(std::min<std::size_t>((out.size() + kThreads - 1) / kThreads, 4096));
  fill_kernel<<<blocks, kThreads>>>(out.data(), out.size(), value);
  TANDEM_CUDA_CALL(cudaGetLastError());
}

}  // namespace

std::size_t row_capacity(const RunConfig& config) {
  const auto batch =
      static_cast<std::size_t>(config.max_num_seqs) * static_cast<std::size_t>(config.row_width());
  std::size_t rows = std::max(static_cast<std::size_t>(config.max_num_batched_tokens), batch);
  for (const std::int32_t size : config.captured_sizes) {
    rows = std::max(rows, static_cast<std::size_t>(size));
  }
  return rows;
}

std::size_t device_bytes(const RunConfig& config) {
  DeviceTensors none;
  std::size_t bytes = 0;
  each_tensor(config, none, [&bytes](auto& span, std::size_t count, auto) {
    bytes += aligned(count * sizeof(span[0]));
  });
  return bytes;
}

DeviceMemory::DeviceMemory(const RunConfig& config) : slots_(config.max_num_seqs) {
  void* base = nullptr;
  TANDEM_CUDA_CALL(cudaMalloc(&base, device_bytes(config)));
  base_ = static_cast<std::byte*>(base);
  std::size_t at = 0;
  each_tensor(config, tensors_, [this, &at](auto& span, std::size_t count, auto initial) {
    using Item = std::remove_reference_t<decltype(span[0])>;
    span = {reinterpret_cast<Item*>(base_ + at), count};
    at += aligned(count * sizeof(Item));
    fill(span, Item(initial));
  });
  TANDEM_CUDA_CALL(cudaMemcpy(tensors_.end_tokens.data(), config.eos_ids.data(),
                              config.eos_ids.size() * sizeof(std::int64_t),
                              cudaMemcpyHostToDevice));
  TANDEM_CUDA_CALL(cudaDeviceSynchronize());
}

DeviceMemory::~DeviceMemory() {
  (void)cudaFree(tensors_.accept_lists);
  (void)cudaFree(base_);
}

bool DeviceMemory::reserve_accept(std::int64_t entries) {
  if (entries <= tensors_.accept_capacity) return false;
  const std::int64_t capacity = std::max<std::int64_t>(entries, 2 * tensors_.accept_capacity);
  TANDEM_CUDA_CALL(cudaDeviceSynchronize());
  void* grown = nullptr;
  TANDEM_CUDA_CALL(
      cudaMalloc(&grown, static_cast<std::size_t>(slots_ * capacity) * sizeof(std::int32_t)));
  if (tensors_.accept_capacity > 0) {
    const auto old_pitch =
        static_cast<std::size_t>(tensors_.accept_capacity) * sizeof(std::int32_t);
    TANDEM_CUDA_CALL(cudaMemcpy2D(grown, static_cast<std::size_t>(capacity) * sizeof(std::int32_t),
                                  tensors_.accept_lists, old_pitch, old_pitch,
                                  static_cast<std::size_t>(slots_), cudaMemcpyDeviceToDevice));
    TANDEM_CUDA_CALL(cudaDeviceSynchronize());  // the run's streams do not wait for this one
  }
  (void)cudaFree(tensors_.accept_lists);
  tensors_.accept_lists = static_cast<std::int32_t*>(grown);
  tensors_.accept_capacity = capacity;
  return true;
}

}  // namespace tandem::cuda
