// StepImage: what the device records of a step, as one row of 32-bit words that crosses the bus in
// one copy.
//
// The device writes words by their place in ImageLayout; a StepRecord is filled out of them once
// the copy has landed. Words of points that a step does not reach keep what an earlier step left
// there and are not read.
#pragma once

#include <cstddef>
#include <cstdint>

#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::cuda {

/// Columns of B words. The first of each group of seven is q, then e, d, s, b, g, a.
enum class ImageColumn : std::uint8_t {
  p0,
  p1 = p0 + 7,
  p2 = p1 + 7,
  p3 = p2 + 7,
  p4 = p3 + 7,
  p1_draft = p4 + 7,  ///< len, hole, digest, first
  p4_draft = p1_draft + 4,
  shadow = p4_draft + 4,    ///< q, e, d, g, s
  step_state = shadow + 5,  ///< q, d, digest
  p1_p = step_state + 3,
  p1_table_hash,
  p1_request,
  p1_generation,
  accept_digest,
  last_digest,
  accept_marks,
  p2_first,
  p2_generation,
  seed_used,
  stop_step_idx,
  draft_e,
  paired,
  delivered_last,    ///< of a D-node insert: digest of D[0]
  delivered_drafts,  ///< and of D[1..L]
  kCount
};

/// Columns of B words for each sub-step.
enum class SubstepColumn : std::uint8_t {
  qd,
  dd,
  row_request,
  row_position,
  row_phase,
  row_count,
  kCount
};

enum class ImageNumber : std::uint8_t {
  id_below,
  id_above,
  live_tail,
  output_rows,
  tasks_digest,  ///< of the task arrays as they were copied (V39)
  poison_rows,
  poison_damaged,
  kCount
};

enum class SubstepNumber : std::uint8_t { device_sum, id_below, id_above, live_tail, kCount };

/// Places in an image, in words. Sizes are fixed by the configuration; plain, so that a launch can
/// carry it.
struct ImageLayout {
  std::size_t slots = 0, width = 0, substeps = 0, rows = 0;
  std::size_t numbers = 0, substep_columns = 0, substep_numbers = 0;
  std::size_t cu_q = 0, cu_output = 0, batch_output = 0, batch = 0;
  std::size_t tokens = 0;  ///< level full: D at P1, A at P2, D at P4, 64 bits each; 64-bit aligned
  std::size_t words = 0;

  explicit ImageLayout(const RunConfig& config);

  [[nodiscard]] constexpr std::size_t column(ImageColumn name, int offset = 0) const {
    return (static_cast<std::size_t>(name) + static_cast<std::size_t>(offset)) * slots;
  }
  [[nodiscard]] constexpr std::size_t number(ImageNumber name) const {
    return numbers + static_cast<std::size_t>(name);
  }
  [[nodiscard]] constexpr std::size_t column(SubstepColumn name, std::size_t substep) const {
    const auto each = static_cast<std::size_t>(SubstepColumn::kCount);
    return substep_columns + (substep * each + static_cast<std::size_t>(name)) * slots;
  }
  [[nodiscard]] constexpr std::size_t number(SubstepNumber name, std::size_t substep) const {
    const auto each = static_cast<std::size_t>(SubstepNumber::kCount);
    return substep_numbers + substep * each + static_cast<std::size_t>(name);
  }
  /// Words of a token table: 0 is D at P1, 1 A at P2, 2 D at P4.
  [[nodiscard]] constexpr std::size_t token_table(int which) const {
    return tokens + static_cast<std::size_t>(which) * slots * width * 2;
  }
  /// Words that a step of this level and with this many rows has to bring over.
  [[nodiscard]] constexpr std::size_t words_of(RecordLevel level, std::size_t launched) const {
    return level == RecordLevel::full ? words : batch + launched;
  }
};

/// Fills the device's part of `record`, whose host part is complete.
void fill_record(const ImageLayout& layout, const std::int32_t* image, RecordLevel level,
                 StepRecord& record);

}  // namespace tandem::cuda
