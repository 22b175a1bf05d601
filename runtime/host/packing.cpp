// Packing of rows: fills the two kernels' arguments once for both models.
#include "runtime/host/packing.hpp"

#include <algorithm>
#include <span>

#include "kernels/rebuild_padding.hpp"
#include "kernels/speculate_pre_process.hpp"

namespace tandem {

namespace k = kernels;

RowTensors target_rows(Tensors& m) {
  return {m.input_ids,
          m.draft_tokens,
          m.seq_lens_this_time,
          m.seq_lens_encoder,
          m.seq_lens_decoder,
          m.ids_remove_padding,
          m.batch_id_per_token,
          m.cu_seqlens_q,
          m.cu_seqlens_k,
          m.cu_seqlens_q_output,
          m.batch_id_per_token_output,
          m.real_output_token_num,
          m.hidden_states,
          m.logits};
}

RowTensors head_rows(Tensors& m) {
  return {m.draft_input_ids,
          m.draft_state_tokens,
          m.draft_q,
          m.draft_e,
          m.draft_d,
          m.draft_ids,
          m.draft_batch_id,
          m.draft_cu_q,
          m.draft_cu_k,
          m.draft_cu_output,
          m.draft_batch_id_output,
          m.draft_rows_out,
          m.draft_hidden,
          m.draft_logits};
}

void pack_rows(const RunConfig& config, const RowTensors& model, std::int32_t n,
               std::int32_t token_num) {
  k::SpeculatePreProcess io;
  io.n = n;
  io.token_num = token_num;
  io.input_ids_width = config.max_num_batched_tokens;
  io.draft_width = config.row_width();
  io.padding_id = config.padding_id;
  io.input_ids = model.input_ids;
  io.seq_lens_this_time = model.q;
  io.draft_tokens = model.draft_tokens;
  io.seq_lens_encoder = model.e;
  io.seq_lens_decoder = model.d;
  io.ids_remove_padding = model.ids;
  io.batch_id_per_token = model.batch_id;
  io.cu_seqlens_q = model.cu_q;
  io.cu_seqlens_k = model.cu_k;
  io.cu_seqlens_q_output = model.cu_output;
  io.batch_id_per_token_output = model.batch_id_output;
  io.real_output_token_num = model.output_rows;
  k::speculate_pre_process_reference(io);
}

void pick_output_rows(const RowTensors& model, std::int32_t n, std::int32_t input_rows,
                      std::int32_t output_rows) {
  k::RebuildPadding io;
  io.form = k::RebuildForm::kSpeculative;
  io.n = n;
  io.input_rows = input_rows;
  io.output_rows = output_rows;
  io.row_bytes = sizeof(ProvenanceRow);
  io.tmp_out = std::as_bytes(std::span(model.hidden));
  io.cu_seqlens_q = model.cu_q;
  io.seq_len_this_time = model.q;
  io.seq_lens_decoder = model.d;
  io.seq_lens_encoder = model.e;
  io.batch_id_per_token_output = model.batch_id_output;
  io.cu_seqlens_q_output = model.cu_output;
  io.out = std::as_writable_bytes(std::span(model.output));
  k::rebuild_padding_reference(io);
}

std::int32_t count_live(const Ints& batch_id, std::size_t valid, std::size_t rows) {
  std::int32_t live = 0;
  for (std::size_t x = valid; x < std::min(rows, batch_id.size()); ++x) {
    live += batch_id[x] != -1 ? 1 : 0;
  }
  return live;
}

}  // namespace tandem
