// Durations of operations as a scenario states them.
#include "runtime/core/op_costs.hpp"

#include <algorithm>

namespace tandem {

using plan::OpKind;

bool is_pinned_copy(OpKind kind) {
  switch (kind) {
    case OpKind::copy_seq_lens:
    case OpKind::copy_output_rows:
    case OpKind::copy_outputs:
    case OpKind::read_count:
    case OpKind::read_not_need_stop:
    case OpKind::read_hidden_rows:
    case OpKind::read_draft_sum:
    case OpKind::read_any_prefill:
    case OpKind::read_draft_output_rows:
      return true;
    default:
      return false;
  }
}

Nanos scenario_duration(const TimingModel& timing, const plan::Operation& op,
                        const LaunchArgs& args) {
  switch (op.kind) {
    case OpKind::target_forward:
      return timing.forward_ns(std::max(args.token_num, args.captured));
    case OpKind::draft_forward:
      return timing.draft_ns(std::max(args.rows, args.captured));
    default:
      return is_pinned_copy(op.kind) ? timing.copy_ns : timing.kernel_ns;
  }
}

}  // namespace tandem
