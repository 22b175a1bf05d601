// Keyframe: all state, host and device, between two steps. Enough to start every check
// (architecture 4.1).
//
// Opens each block of a trace. Taken by the producer from the real state, never by replaying
// records: check V0 compares it with what the oracle arrived at.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/record.hpp"

namespace tandem {

struct Keyframe {
  std::int64_t t = 0;  ///< the next step; everything below holds before its insert
  std::int32_t n = 0;  ///< view length of the step before; 0 before the first insert

  // Device, all B slots, at P4 of the step before.
  SlotColumns slots;      ///< q, e, d, s, b, g, a
  Column p;               ///< prompt_lens
  DraftRowColumns draft;  ///< D
  Column step_q, step_d, step_digest;
  DraftShadowColumns shadow;
  std::vector<std::vector<std::int32_t>> blocks;  ///< block ids of each slot's table, a prefix
  std::vector<std::int64_t> infer_seed;           ///< seed of the slot's next sampled token (5.4)

  // Who is where, as the host holds it.
  Column request;                ///< kNoRequest: free
  Column generation;             ///< times the slot has been given away, 0 before the first
  std::vector<RequestRow> rows;  ///< rows of the requests above, in slot order, occupied slots only

  // Host beliefs.
  bool flag = false;
  bool draft_flag = false;
  CachedPair cached;
  Column q_cpu, b_cpu;      ///< of the step before (zeros before the first)
  bool ghost = false;       ///< the step before was a ghost step (V8)
  bool has_unsent = false;  ///< a cached output waits for the next step's save
  Message unsent;           ///< what it will say; empty columns when !has_unsent
  Column preempted;         ///< preempted_idx
  Column last_preempted;    ///< last_preempted_idx
  Column known_d;           ///< engine: length of the last processed message, or of the insert
  Column known_g;           ///< engine: generated tokens it knows of
  Column in_flight;         ///< engine: launched steps of the slot without a processed message

  bool operator==(const Keyframe&) const = default;

  /// Empty state of B slots before step t: every slot stopped and free.
  [[nodiscard]] static Keyframe initial(std::int64_t t, std::int32_t slots);
};

}  // namespace tandem
