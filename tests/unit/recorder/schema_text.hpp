// The JSON Schema of the JSONL form, composed from the lists that its codec walks.
#pragma once

#include <string>

#include "traces/plan/plan.hpp"
#include "traces/run_config.hpp"

namespace tandem::test {

/// Enumerations whose names no public table holds, with their last enumerator: names are asked one
/// by one. A test proves that nothing follows.
// clang-format off
#define TANDEM_LAST_ENUMERATORS(X)                                                               \
  X(RecordLevel, full) X(RowMode, bound) X(PolicyKind, all_accepted) X(DraftPath, self)          \
  X(EncoderTest, step_idx) X(ArrivalUnit, ns) X(AcceptKind, list) X(plan::SegmentKind, idle)     \
  X(plan::Lane, copy) X(plan::OpKind, sampling_mask) X(plan::Symbol, marks)                      \
  X(plan::Buffer, task_arrays_cpu) X(plan::EventName, copies_may_start)
// clang-format on

/// The text of traces/step.schema.json: every member of every line, with its type. It is made of
/// visit_fields() and visit_members(), so a new member appears in it by itself.
[[nodiscard]] std::string schema_text();

}  // namespace tandem::test
