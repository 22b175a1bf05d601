// Groups of operations that a step runs back to back, for one kernel each (law 3.2, 3.2.1).
//
// A group is the contracts of its members, in order; the result is that of calling them one after
// the other. Spans of one group may therefore name the same tensor where the step's tensors are the
// same ones. No event, copy or host read of the step may stand between the members: the groups are
// cut where a plan has one (runtime/core/plan_builder.cpp).
#pragma once

#include "kernels/any_op.hpp"

namespace tandem::kernels {

/// Behind sampling: verify, stop sequences, commit, and the MTP head's new state (law 3.2 #14 to
/// #16, 3.2.1 a). Rows R1 and R3 must be overlapped. The output copies of #18 come behind it: the
/// last member writes nothing that they read.
struct FusedCommit {
  VerifyDraftTokens verify;
  SpeculateSetStopValueMultiSeqs stop_sequences;
  UnifiedUpdateModelStatus update;
  DraftModelPreprocess draft_preprocess;
};

/// The first sub-step's inputs: hidden rows and packing (law 3.2.1 b, c2). Row R4 must be
/// overlapped. The members share no tensor that either writes.
struct FusedDraftStart {
  EagleGetHiddenStates hidden;
  SpeculatePreProcess pack;
};

/// Between two sub-steps with draft path `gather`: the state takes the tokens, then is packed for
/// the next one (law 3.2.1 c8, c2). Row R9 must be overlapped.
struct FusedDraftNext {
  DraftModelUpdate update;
  SpeculatePreProcess pack;
};

/// Behind the last sub-step without n-gram drafts: update, the target's next q, parking (law 3.2.1
/// c8, e; 3.2 #20). Row R10 must be overlapped and the output copies on the same stream.
struct FusedDraftEnd {
  DraftModelUpdate update;
  DraftModelPostprocess postprocess;
  SpeculateScheduleCache schedule;
};

}  // namespace tandem::kernels
