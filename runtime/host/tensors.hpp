// The device tensors of the host device, by their names in semantics section 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "runtime/ops/provenance.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

using Ints = std::vector<std::int32_t>;
using Tokens = std::vector<std::int64_t>;
using Bools = std::vector<std::uint8_t>;
using HiddenRows = std::vector<ProvenanceRow>;

/// All of device memory. Shapes as in semantics 2.1 and 2.3; sizes are fixed by the configuration.
struct Tensors {
  explicit Tensors(const RunConfig& config);

  // 2.1 target inputs and state
  Tokens token_ids_all, input_ids, draft_tokens, accept_tokens;
  Ints accept_num, seq_lens_this_time, seq_lens_encoder, seq_lens_decoder;
  Tokens step_idx, prompt_lens, max_dec_len, infer_seed, top_k;
  std::vector<float> top_p;
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
  std::vector<float> top_p_padding;

  // 2.3 proposer
  Tokens draft_input_ids, draft_state_tokens, pre_ids, draft_step_idx;
  Ints draft_q, draft_e, draft_d;
  Bools draft_stop;
  Tokens draft_ids;
  Ints draft_batch_id, draft_cu_q, draft_cu_k, draft_cu_output, draft_batch_id_output,
      draft_rows_out;
  HiddenRows target_hidden, draft_hidden, gathered, draft_logits;
  Ints last_draft_q, last_draft_e;  ///< before draft_model_update (5.11)
  Ints hidden_row_count;
  Tokens next_tokens;

  // who is in a slot, as insert wrote it
  Ints slot_request, slot_generation;
  std::vector<RequestRow> slot_row;
  Ints table_len;   ///< entries of the slot's block-table row that are not -1, a prefix
  Ints table_hash;  ///< block_entry_hash over that row
};

/// Rows in [valid, rows) of a static batch id buffer that a launch would compute for some slot.
[[nodiscard]] std::int32_t count_live(const Ints& batch_id, std::size_t valid, std::size_t rows);

}  // namespace tandem
