// Check and reference of any operation, by the type of its contract.
#include "kernels/any_op.hpp"

namespace tandem::kernels {
namespace {

/// check_<op> and <op>_reference as one overloaded object each.
struct Check {
  Status operator()(const BuildSamplingParams& io) const { return check_build_sampling_params(io); }
  Status operator()(const DraftModelPostprocess& io) const {
    return check_draft_model_postprocess(io);
  }
  Status operator()(const DraftModelPreprocess& io) const {
    return check_draft_model_preprocess(io);
  }
  Status operator()(const DraftModelUpdate& io) const { return check_draft_model_update(io); }
  Status operator()(const EagleGatherHiddenStates& io) const {
    return check_eagle_gather_hidden_states(io);
  }
  Status operator()(const EagleGetHiddenStates& io) const {
    return check_eagle_get_hidden_states(io);
  }
  Status operator()(const EagleGetSelfHiddenStates& io) const {
    return check_eagle_get_self_hidden_states(io);
  }
  Status operator()(const GetPaddingOffset& io) const { return check_get_padding_offset(io); }
  Status operator()(const NaiveUpdateModelStatus& io) const {
    return check_naive_update_model_status(io);
  }
  Status operator()(const RebuildPadding& io) const { return check_rebuild_padding(io); }
  Status operator()(const RecoverDecodeTask& io) const { return check_recover_decode_task(io); }
  Status operator()(const SpeculateGetOutputPaddingOffset& io) const {
    return check_speculate_get_output_padding_offset(io);
  }
  Status operator()(const SpeculateGetSeqLensOutput& io) const {
    return check_speculate_get_seq_lens_output(io);
  }
  Status operator()(const SpeculatePreProcess& io) const { return check_speculate_pre_process(io); }
  Status operator()(const SpeculateScheduleCache& io) const {
    return check_speculate_schedule_cache(io);
  }
  Status operator()(const SpeculateSetStopValueMultiSeqs& io) const {
    return check_speculate_set_stop_value_multi_seqs(io);
  }
  Status operator()(const UnifiedUpdateModelStatus& io) const {
    return check_unified_update_model_status(io);
  }
  Status operator()(const VerifyDraftTokens& io) const { return check_verify_draft_tokens(io); }
};

struct Reference {
  void operator()(const BuildSamplingParams& io) const { build_sampling_params_reference(io); }
  void operator()(const DraftModelPostprocess& io) const { draft_model_postprocess_reference(io); }
  void operator()(const DraftModelPreprocess& io) const { draft_model_preprocess_reference(io); }
  void operator()(const DraftModelUpdate& io) const { draft_model_update_reference(io); }
  void operator()(const EagleGatherHiddenStates& io) const {
    eagle_gather_hidden_states_reference(io);
  }
  void operator()(const EagleGetHiddenStates& io) const { eagle_get_hidden_states_reference(io); }
  void operator()(const EagleGetSelfHiddenStates& io) const {
    eagle_get_self_hidden_states_reference(io);
  }
  void operator()(const GetPaddingOffset& io) const { get_padding_offset_reference(io); }
  void operator()(const NaiveUpdateModelStatus& io) const {
    naive_update_model_status_reference(io);
  }
  void operator()(const RebuildPadding& io) const { rebuild_padding_reference(io); }
  void operator()(const RecoverDecodeTask& io) const { recover_decode_task_reference(io); }
  void operator()(const SpeculateGetOutputPaddingOffset& io) const {
    speculate_get_output_padding_offset_reference(io);
  }
  void operator()(const SpeculateGetSeqLensOutput& io) const {
    speculate_get_seq_lens_output_reference(io);
  }
  void operator()(const SpeculatePreProcess& io) const { speculate_pre_process_reference(io); }
  void operator()(const SpeculateScheduleCache& io) const {
    speculate_schedule_cache_reference(io);
  }
  void operator()(const SpeculateSetStopValueMultiSeqs& io) const {
    speculate_set_stop_value_multi_seqs_reference(io);
  }
  void operator()(const UnifiedUpdateModelStatus& io) const {
    unified_update_model_status_reference(io);
  }
  void operator()(const VerifyDraftTokens& io) const { verify_draft_tokens_reference(io); }
};

}  // namespace

Status check(const AnyOp& op) { return std::visit(Check(), op); }

void run_reference(const AnyOp& op) { std::visit(Reference(), op); }

}  // namespace tandem::kernels
