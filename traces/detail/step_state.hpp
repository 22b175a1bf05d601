// What encoder and decoder both remember between the steps of a block: the base of predictions.
//
// traces/FORMAT.md, "State". Starts from the keyframe, so a block needs no other block.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "traces/keyframe.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::detail {

/// The parts of a configuration that predictions and shapes depend on.
struct StepShape {
  std::size_t slots = 0;
  std::size_t substeps = 0;
  std::int32_t row_width = 0;
  RecordLevel level = RecordLevel::state;
  PolicyKind policy = PolicyKind::exact;
  bool overlap_resolve = false;     ///< R0
  bool blocking_draft = false;      ///< R6 sync, or policy exact
  bool output_rows_unread = false;  ///< R11 bound
  std::int32_t lag = 1;

  explicit StepShape(const TraceHeader& header);
};

struct StepState {
  explicit StepState(const StepShape& shape, const Keyframe& keyframe);

  // Per slot, all of size B. Device state at P4 of the step before, then as tasks and recover
  // change it.
  SlotColumns slots;
  DraftRowColumns draft;
  Column step_q, step_d, step_digest;
  Column prompt, table_hash, table_len;
  Column request, generation;  // as the engine holds them
  Column known_d;              // length the engine last heard of, or the end of an insert
  Column last_q;               // P1 of the step before
  Column infer_seed;           // low 31 bits, as far as steps have shown them
  Column believed_reserve;

  std::int64_t next_t = 0;
  bool flag = false;
  bool draft_flag = false;
  CachedPair cached;
  std::int32_t captured_size = 0;
  std::vector<std::int32_t> sub_hidden_rows, sub_captured_size;
  bool has_pending = false;  // an output waits for its message
  Message pending;
  std::array<std::vector<std::uint64_t>, 3> segments;  // of the last record of each kind
  std::size_t span_count = 0;
  Nanos end_ns = 0;
  Nanos duration_ns = 0;

  // Chains of the lists.
  std::int32_t last_block = 0;
  std::int32_t last_request = 0;
  std::int64_t last_arrival = 0;
  std::int32_t last_max_dec_len = 0;

  // Of the record at hand, known before its columns.
  bool any_prefill = false;
  bool any_dnode = false;

  /// Applies insert(t) to the per-slot state; slots outside [0, B) are ignored.
  void apply_tasks(const std::vector<Task>& tasks);
  /// Lengths in messages that brought tokens are what the engine believes from then on.
  void apply_messages(const std::vector<Message>& messages);
  /// Gives the slots of `frees` back to the engine.
  void apply_frees(const std::vector<SlotFree>& frees);
  /// Slots that were parked and no longer are at P1 (`b`) take up their saved values.
  void apply_recover(const Column& b);
  /// Highest slot the engine holds, plus one.
  [[nodiscard]] std::int32_t view_length() const;
  /// Slots below n take their seed of the next step: what this one showed, or had, and 4 W more.
  void advance_seeds(const Column& seed_used, std::size_t n, std::int32_t row_width);
  /// After a record in plain binary: nothing is known but the time.
  void forget(const StepRecord& record);
};

constexpr std::int32_t kSeedBits = 0x7FFFFFFF;  ///< of infer_seed, as StepRecord::seed_used

/// a + b modulo 2^32: records may hold any values.
constexpr std::int32_t wrap_add(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
constexpr std::int32_t wrap_sub(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}
constexpr std::int32_t wrap_mul(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(b));
}
constexpr std::int64_t wrap_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
constexpr std::int64_t wrap_sub(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

/// a where `which`, else b. Both are evaluated, so that loops over slots become vector code.
constexpr std::int32_t pick(bool which, std::int32_t a, std::int32_t b) {
  return b ^ ((a ^ b) & -static_cast<std::int32_t>(which));
}

}  // namespace tandem::detail
