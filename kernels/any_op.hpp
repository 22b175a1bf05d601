// AnyOp: one call of any bookkeeping operation, and its reference.
#pragma once

#include <variant>

#include "kernels/build_sampling_params.hpp"
#include "kernels/draft_model_postprocess.hpp"
#include "kernels/draft_model_preprocess.hpp"
#include "kernels/draft_model_update.hpp"
#include "kernels/eagle_gather_hidden_states.hpp"
#include "kernels/eagle_get_hidden_states.hpp"
#include "kernels/eagle_get_self_hidden_states.hpp"
#include "kernels/get_padding_offset.hpp"
#include "kernels/naive_update_model_status.hpp"
#include "kernels/rebuild_padding.hpp"
#include "kernels/recover_decode_task.hpp"
#include "kernels/speculate_get_output_padding_offset.hpp"
#include "kernels/speculate_get_seq_lens_output.hpp"
#include "kernels/speculate_pre_process.hpp"
#include "kernels/speculate_schedule_cache.hpp"
#include "kernels/speculate_set_stop_value_multi_seqs.hpp"
#include "kernels/unified_update_model_status.hpp"
#include "kernels/verify_draft_tokens.hpp"

namespace tandem::kernels {

/// The contract of one call, by value: spans and scalars, no tensor.
using AnyOp =
    std::variant<BuildSamplingParams, DraftModelPostprocess, DraftModelPreprocess, DraftModelUpdate,
                 EagleGatherHiddenStates, EagleGetHiddenStates, EagleGetSelfHiddenStates,
                 GetPaddingOffset, NaiveUpdateModelStatus, RebuildPadding, RecoverDecodeTask,
                 SpeculateGetOutputPaddingOffset, SpeculateGetSeqLensOutput, SpeculatePreProcess,
                 SpeculateScheduleCache, SpeculateSetStopValueMultiSeqs, UnifiedUpdateModelStatus,
                 VerifyDraftTokens>;

/// The operation's check_<op>. Host memory only.
[[nodiscard]] Status check(const AnyOp& op);

/// The operation's reference, which aborts on what check refuses. Host memory only.
void run_reference(const AnyOp& op);

}  // namespace tandem::kernels
