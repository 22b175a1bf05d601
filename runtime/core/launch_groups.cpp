// Groups of operations that are captured together.
#include "runtime/core/launch_groups.hpp"

namespace tandem {
namespace {

using plan::OpKind;

enum Group : int {
  kMain = LaunchGroups::kAlone + 1,
  kCommit,
  kProposalStart,
  kProposalEnd,
  kSubstep
};

}  // namespace

int LaunchGroups::group_of(const plan::Operation& op, const LaunchArgs& args) {
  if (op.kind == OpKind::target_forward) {
    main_is_captured_ = args.captured > 0;
    return main_is_captured_ ? static_cast<int>(kMain) : kAlone;
  }
  if (!main_is_captured_) return kAlone;
  switch (op.kind) {
    case OpKind::rebuild_padding:
    case OpKind::lm_head:
    case OpKind::build_sampling_params:
    case OpKind::verify_draft_tokens:
    case OpKind::set_stop_value:
    case OpKind::unified_update_model_status:
      return kCommit;
    case OpKind::draft_model_preprocess:
    case OpKind::eagle_get_hidden_states:
      return kProposalStart;
    case OpKind::draft_pre_process:
    case OpKind::draft_forward:
    case OpKind::eagle_gather_hidden_states:
    case OpKind::draft_rebuild_padding:
    case OpKind::eagle_get_self_hidden_states:
    case OpKind::draft_lm_head:
    case OpKind::draft_model_update:
      return args.captured > 0 ? kSubstep + op.substep : kAlone;
    case OpKind::draft_model_postprocess:
    case OpKind::ngram_extend:
    case OpKind::speculate_schedule_cache:
      return kProposalEnd;
    default:
      return kAlone;
  }
}

bool LaunchGroups::ends_group(OpKind kind) {
  return kind == OpKind::target_forward || kind == OpKind::unified_update_model_status ||
         kind == OpKind::eagle_get_hidden_states || kind == OpKind::draft_model_update ||
         kind == OpKind::speculate_schedule_cache;
}

}  // namespace tandem
