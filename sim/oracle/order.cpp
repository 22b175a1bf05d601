// The order of semantics 9.3, filled up with the operations of 3.2 and 3.2.1 between its stages.
#include "sim/oracle/order.hpp"

namespace tandem::sim {
namespace {

using plan::OpKind;

void add_substep(std::vector<Transition>& order, const RunConfig& config, int substep) {
  const bool gather = config.draft_path == DraftPath::gather;
  const auto add = [&order, substep](OpKind op, const char* stage = "") {
    order.push_back({op, substep, stage});
  };
  add(OpKind::draft_pre_process);
  add(OpKind::draft_forward);
  if (gather) {
    add(OpKind::eagle_gather_hidden_states);
  } else {
    add(OpKind::draft_rebuild_padding);
  }
  add(OpKind::draft_lm_head);
  add(OpKind::draft_model_update, "draft_update");
  if (!gather && substep + 1 < config.num_model_steps) add(OpKind::eagle_get_self_hidden_states);
}

}  // namespace

std::vector<Transition> device_order(const RunConfig& config) {
  std::vector<Transition> order;
  const auto add = [&order](OpKind op, const char* stage = "") {
    order.push_back({op, -1, stage});
  };
  add(OpKind::insert_tasks, "apply_task");
  add(OpKind::recover_decode_task, "recover");
  add(OpKind::copy_seq_lens, "mark_running");  // the copy point: P1
  add(OpKind::speculate_pre_process);
  // Read back in place, behind the forward, where R11 is sync; not read at all where it is `bound`.
  if (config.row(11) == RowMode::overlap) add(OpKind::copy_output_rows);
  add(OpKind::target_forward);
  if (config.row(11) == RowMode::sync) add(OpKind::copy_output_rows);
  add(OpKind::rebuild_padding);
  add(OpKind::lm_head);
  add(OpKind::build_sampling_params);
  add(OpKind::verify_draft_tokens);
  add(OpKind::set_stop_value);
  add(OpKind::unified_update_model_status, "update_status");
  add(OpKind::copy_outputs);  // before schedule_cache clears a and d
  add(OpKind::draft_model_preprocess, "draft_preprocess");
  add(OpKind::eagle_get_hidden_states);
  for (int substep = 0; substep < config.num_model_steps; ++substep) {
    add_substep(order, config, substep);
  }
  add(OpKind::draft_model_postprocess);
  if (config.ngram_millionths > 0) add(OpKind::ngram_extend);
  add(OpKind::speculate_schedule_cache, "schedule_cache");
  return order;
}

}  // namespace tandem::sim
