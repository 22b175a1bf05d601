// OracleState: what the judge holds to be true of one rank, device and host, between two steps.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/oracle/rules.hpp"
#include "sim/oracle/script.hpp"
#include "traces/keyframe.hpp"

namespace tandem::sim {

/// Who holds a slot, as the host has it.
struct Occupant {
  RequestRow row;
  AcceptScript script;
};

/// A value that the trace does not tell and nothing else gives away: stands in columns that are
/// only copied (digests). Whatever the device holds there is adopted, and V0 does not compare it.
constexpr std::int32_t kUnknown = std::numeric_limits<std::int32_t>::min() + 1;

/// Output of the last `back` step that was not sent yet, and what sending it must cause.
struct PendingMessage {
  bool exists = false;
  Message text;
  Column finished;  ///< 1 where the message ends the request
  Column by_stop;   ///< 1 where a stop sequence may have ended it
};

struct OracleState {
  std::int64_t t = 0;  ///< the next step
  std::int32_t n = 0;

  // Device.
  SlotColumns dev;
  Column p;
  DraftRowColumns draft;
  Column step_q, step_d, step_digest;
  DraftShadowColumns shadow;
  std::vector<std::int64_t> infer_seed;  ///< of the next sampled token; any value of a keyframe
  std::vector<std::vector<std::int32_t>> blocks;  ///< the device's block-table rows, prefixes
  Column table_hash;
  Column covered;  ///< tokens that the block-table row covers

  // Who is where, as the host holds it.
  Column request;
  Column given;  ///< times the slot was given away
  Column prompt_len;
  Column max_dec_len;
  std::vector<Occupant> occupants;
  std::vector<std::vector<std::int32_t>> held;  ///< block ids the engine granted to the occupant
  std::vector<std::int16_t> owner;              ///< slot that holds a block, -1: none

  // Host.
  bool flag = false;
  bool draft_flag = false;
  CachedPair cached;
  CachedPair policy_pair;  ///< what the declared policy makes of the inputs of the step before
  Column q_cpu, b_cpu;
  bool ghost = false;
  PendingMessage unsent;
  Column preempted, last_preempted;
  Column known_d, known_g, in_flight;

  // Of this step and the one before; no part of a keyframe.
  Column run;                 ///< 1: neither stopped nor parked at P1, below n
  Column finished;            ///< 1: ran and was stopped by its own tokens in the step before
  Column stopped;             ///< 1: of these, by a stop sequence
  Column removed;             ///< 1: a preempt or abort task of this step
  Column chunk;               ///< 1: runs a chunk that does not finish its text
  Column counted;             ///< rows that the prediction in force holds for the slot
  bool counted_known = true;  ///< false: only whether it is 0 is meant
  Column held_request;        ///< occupant of a running or parked slot at P1, else -1
  Column held_generation;     ///< its generation, else 0
  Column wrote;               ///< 1: its draft row was written by this step's sub-steps
  Column writes;              ///< all bits: by the sub-step in hand
  Column seed_in_part;        ///< 1: only the low 31 bits of infer_seed are sure
};

/// Rebuilds the state from a keyframe, whatever the sizes of its columns. Keeps memory.
void load(OracleState& state, const Rules& rules, const Keyframe& keyframe);

/// Makes the slot's block-table row empty, or appends to it; entries beyond nblk are not kept.
void clear_table(OracleState& state, std::size_t slot);
void append_table(OracleState& state, const Rules& rules, std::size_t slot,
                  const std::vector<std::int32_t>& blocks);

/// The engine gives the blocks of a slot's occupant back and forgets the occupant.
void release_slot(OracleState& state, std::size_t slot);

/// Gives the slot to a request.
void occupy_slot(OracleState& state, const Rules& rules, std::size_t slot, const RequestRow& row);

/// Highest occupied slot + 1.
[[nodiscard]] std::int32_t occupied_view(const OracleState& state);

/// Generation of the occupant of a slot: it counts the times the slot had been given away before.
[[nodiscard]] inline std::int32_t occupant_generation(const OracleState& state, std::size_t slot) {
  return state.given[slot] > 0 ? state.given[slot] - 1 : 0;
}

}  // namespace tandem::sim
