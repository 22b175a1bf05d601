// DeviceMemory: all tensors of a GPU, by their names in semantics section 2, in one allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/core/script.hpp"
#include "runtime/ops/provenance.hpp"
#include "traces/run_config.hpp"

namespace tandem::cuda {

/// Spans of device memory with the names, dtypes and shapes of runtime/host/tensors.hpp, so that
/// runtime/ops reads both; trivially copyable, so that a launch can carry it.
struct DeviceTensors {
  using Ints = std::span<std::int32_t>;
  using Tokens = std::span<std::int64_t>;
  using Floats = std::span<float>;
  using Bools = std::span<std::uint8_t>;
  using HiddenRows = std::span<ProvenanceRow>;

  // 2.1 target inputs and state
  Tokens token_ids_all, input_ids, draft_tokens, accept_tokens;
  Ints accept_num, seq_lens_this_time, seq_lens_encoder, seq_lens_decoder;
  Tokens step_idx, prompt_lens, max_dec_len, infer_seed, top_k;
  Floats top_p;
  Bools stop_flags, is_block_step, not_need_stop, draft_not_need_stop;
  Ints step_seq_lens_decoder, step_seq_lens_this_time, block_tables;
  Tokens step_draft_tokens;
  Ints reasoning_status;
  Tokens history_base;  ///< history_base + g: text position of the slot's next token (6.7)
  Tokens stop_seqs;     ///< B x kStopLenMax; one sequence a slot (5.6)
  Ints stop_seqs_len;   ///< 0: none
  Tokens min_tokens;

  // packing of the main launch and its outputs
  Tokens ids_remove_padding;
  Ints batch_id_per_token, cu_seqlens_q, cu_seqlens_k, cu_seqlens_q_output;
  Ints batch_id_per_token_output, real_output_token_num;
  HiddenRows hidden_states, logits;
  Tokens target_tokens, top_k_padding, topp_seed;
  Floats top_p_padding;

  // 2.3 proposer
  Tokens draft_input_ids, draft_state_tokens, pre_ids, draft_step_idx;
  Ints draft_q, draft_e, draft_d;
  Bools draft_stop;
  Tokens draft_ids;
  Ints draft_batch_id, draft_cu_q, draft_cu_k, draft_cu_output, draft_batch_id_output;
  Ints draft_rows_out;
  HiddenRows target_hidden, draft_hidden, gathered, draft_logits;
  Ints last_draft_q, last_draft_e;  ///< before draft_model_update (5.11)
  Ints hidden_row_count;
  Tokens next_tokens;

  // who is in a slot, as insert wrote it
  Ints slot_request, slot_generation, slot_prompt_len, slot_eos_at, slot_stop_at;
  Ints slot_accept_len;  ///< entries of the slot's row of accept_lists
  Ints table_len;        ///< entries of the slot's block-table row that are not -1, a prefix
  Ints table_hash;       ///< block_entry_hash over that row

  Tokens end_tokens;  ///< config.eos_ids

  /// Rows of accept lists, B x accept_capacity; they grow with the longest list.
  std::int32_t* accept_lists = nullptr;
  std::int64_t accept_capacity = 0;

  [[nodiscard]] constexpr script::Request script_of(std::size_t slot) const {
    return {slot_request[slot], slot_prompt_len[slot], slot_eos_at[slot], slot_stop_at[slot],
            std::span<const std::int32_t>(
                accept_lists + static_cast<std::int64_t>(slot) * accept_capacity,
                static_cast<std::size_t>(slot_accept_len[slot]))};
  }
};

/// Rows that a static buffer of a launch holds: the token budget, a full batch, or the largest
/// captured size, whichever is most.
[[nodiscard]] std::size_t row_capacity(const RunConfig& config);

/// Bytes of device memory that the tensors of a configuration take.
[[nodiscard]] std::size_t device_bytes(const RunConfig& config);

/// Owns the allocation. Throws CudaFailure.
class DeviceMemory {
 public:
  /// Allocates and gives every tensor its initial value, as runtime/host/tensors.cpp does.
  explicit DeviceMemory(const RunConfig& config);
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory();

  [[nodiscard]] DeviceTensors& tensors() { return tensors_; }
  /// Room for accept lists of `entries`; where it grows it waits for the device and moves them.
  /// True where tensors() have changed.
  [[nodiscard]] bool reserve_accept(std::int64_t entries);

 private:
  DeviceTensors tensors_;
  std::byte* base_ = nullptr;
  std::int64_t slots_;
};

}  // namespace tandem::cuda
