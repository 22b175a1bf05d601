// Sizes and initial values of the host device's tensors.
#include "runtime/host/tensors.hpp"

#include <algorithm>

#include "scenarios/scenario.hpp"

namespace tandem {

Tensors::Tensors(const RunConfig& config) {
  const auto slots = static_cast<std::size_t>(config.max_num_seqs);
  const auto width = static_cast<std::size_t>(config.row_width());
  const auto model_len = static_cast<std::size_t>(config.max_model_len);
  const auto chunk = static_cast<std::size_t>(config.max_num_batched_tokens);
  std::size_t rows = std::max(chunk, slots * width);
  if (!config.captured_sizes.empty()) {
    rows = std::max(rows, static_cast<std::size_t>(config.captured_sizes.front()));
  }
  const std::size_t outputs = slots * width;

  token_ids_all.assign(slots * model_len, -1);
  input_ids.assign(slots * chunk, 0);
  for (Tokens* t : {&draft_tokens, &accept_tokens, &step_draft_tokens, &draft_state_tokens}) {
    t->assign(slots * width, -1);
  }
  for (Ints* t :
       {&accept_num, &seq_lens_this_time, &seq_lens_encoder, &seq_lens_decoder,
        &step_seq_lens_decoder, &step_seq_lens_this_time, &reasoning_status, &draft_q, &draft_e,
        &draft_d, &last_draft_q, &last_draft_e, &slot_generation, &table_len, &table_hash}) {
    t->assign(slots, 0);
  }
  for (Tokens* t : {&step_idx, &prompt_lens, &max_dec_len, &draft_step_idx, &infer_seed,
                    &history_base, &min_tokens}) {
    t->assign(slots, 0);
  }
  stop_seqs.assign(slots * static_cast<std::size_t>(kStopLenMax), -1);
  stop_seqs_len.assign(slots, 0);
  top_k.assign(slots, 1);
  top_p.assign(slots, 1.0F);
  stop_flags.assign(slots, 1);
  draft_stop.assign(slots, 1);
  is_block_step.assign(slots, 0);
  not_need_stop.assign(1, 0);
  draft_not_need_stop.assign(1, 0);
  block_tables.assign(slots * static_cast<std::size_t>(config.table_width()), -1);

  ids_remove_padding.assign(rows, config.padding_id);
  batch_id_per_token.assign(rows, -1);
  for (Ints* t : {&cu_seqlens_q, &cu_seqlens_k, &cu_seqlens_q_output, &draft_cu_q, &draft_cu_k,
                  &draft_cu_output}) {
    t->assign(slots + 1, 0);
  }
  batch_id_per_token_output.assign(outputs, -1);
  real_output_token_num.assign(1, 0);
  hidden_states.resize(rows);
  logits.resize(outputs);
  target_tokens.assign(outputs, 0);
  top_k_padding.assign(outputs, 0);
  topp_seed.assign(outputs, 0);
  top_p_padding.assign(outputs, 0.0F);

  draft_input_ids.assign(slots * chunk, 0);
  pre_ids.assign(slots * model_len, -1);
  draft_ids.assign(rows, config.padding_id);
  draft_batch_id.assign(rows, -1);
  draft_batch_id_output.assign(outputs, -1);
  draft_rows_out.assign(1, 0);
  target_hidden.resize(rows);
  draft_hidden.resize(rows);
  gathered.resize(slots);
  draft_logits.resize(outputs);
  hidden_row_count.assign(1, 0);
  next_tokens.assign(slots, 0);

  slot_request.assign(slots, kNoRequest);
  slot_row.resize(slots);
}

std::int32_t count_live(const Ints& batch_id, std::size_t valid, std::size_t rows) {
  std::int32_t live = 0;
  for (std::size_t x = valid; x < std::min(rows, batch_id.size()); ++x) {
    live += batch_id[x] != -1 ? 1 : 0;
  }
  return live;
}

}  // namespace tandem
