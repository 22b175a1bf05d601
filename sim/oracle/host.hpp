// The host oracle: what the host believes and sends, and what the engine learns (semantics 4.2,
// 4.2b, 5.14, 6.6, 6.9).
#pragma once

#include <cstdint>

#include "sim/oracle/state.hpp"

namespace tandem::sim {

/// The declared policy's pair for the next step, from the host inputs recorded in this one. Fills
/// state.counted with the rows that the pair holds for each slot. (-1, -1) where nothing is cached.
[[nodiscard]] CachedPair predict(OracleState& state, const Rules& rules, bool flag,
                                 const Column& q_cpu, const Column& b_cpu);

/// Rows of a draft sub-step that does not read them from the device. All arguments as recorded.
[[nodiscard]] std::int64_t policy_draft_rows(const Rules& rules, std::int32_t substep,
                                             std::int64_t main_rows, std::int64_t running,
                                             std::int64_t hidden_rows);

/// Postprocess (3.2 #17, #18): moves the preempt marks and fills `out` from P2.
void compose_message(OracleState& state, const Column& accept_digest, PendingMessage& out);

/// What the control output of a step without postprocess says (6.6); false where no slot is marked.
[[nodiscard]] bool compose_control(const OracleState& state, Message& out);

constexpr std::int32_t kFreeEnded = 1;    ///< the message ended the request (E4)
constexpr std::int32_t kFreeRemoved = 2;  ///< its -9 came (E4)

/// The engine processes a message as it was sent: known lengths and in-flight counts. `frees` gets
/// kFree... for each slot that the engine must now free.
void receive(OracleState& state, const Message& sent, const Column& finished, Column& frees);

/// Step t of kind `back` is in flight for every occupied slot below n.
void launch_in_flight(OracleState& state);

}  // namespace tandem::sim
