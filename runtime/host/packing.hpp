// Packing of rows, the same for the target and for the MTP head on their own tensors.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/host/tensors.hpp"

namespace tandem {

/// The tensors of one of the two models that pre_process and rebuild_padding work on.
struct RowTensors {
  Tokens& input_ids;      ///< B x chunk
  Tokens& draft_tokens;   ///< B x W, read where the slot decodes
  Ints& q;                ///< B
  Ints& e;                ///< B
  Ints& d;                ///< B
  Tokens& ids;            ///< rows
  Ints& batch_id;         ///< rows
  Ints& cu_q;             ///< B + 1
  Ints& cu_k;             ///< B + 1
  Ints& cu_output;        ///< B + 1
  Ints& batch_id_output;  ///< B x W
  Ints& output_rows;      ///< 1, R
  HiddenRows& hidden;     ///< rows
  HiddenRows& output;     ///< B x W, those of `hidden` that need logits
};

[[nodiscard]] RowTensors target_rows(Tensors& tensors);
[[nodiscard]] RowTensors head_rows(Tensors& tensors);

/// speculate_pre_process for `n` slots and `token_num` rows launched (5.2).
void pack_rows(const RunConfig& config, const RowTensors& model, std::int32_t n,
               std::int32_t token_num);

/// Rows in [valid, rows) of a static batch id buffer that a launch would compute for some slot.
[[nodiscard]] std::int32_t count_live(const Ints& batch_id, std::size_t valid, std::size_t rows);

/// rebuild_padding: `output_rows` rows out of `input_rows` (5.3); rows without a source keep their
/// value.
void pick_output_rows(const RowTensors& model, std::int32_t n, std::int32_t input_rows,
                      std::int32_t output_rows);

}  // namespace tandem
