// Taking up a recorded run where its trace starts, in the middle of it.
#include <algorithm>

#include "runtime/core/recorded_run.hpp"
#include "runtime/core/step_loop.hpp"

namespace tandem {
namespace {

constexpr std::int32_t kNotTold = -1;  // a digest, to Device::restore()

}  // namespace

/// The reverse of fill_keyframe(). What no keyframe holds, the next step does not read: times, and
/// the bool of R1 and R10 (it only decides whether an idle iteration sleeps).
Status StepLoop::restore(const RecordedRun& run) {
  if (run.starts_idle) return {};
  Keyframe k = run.first;
  for (RequestRow& row : k.rows) row = run.row_of(row);
  if (run.by_commits || !run.present.test(static_cast<std::size_t>(Field::p4_draft_digest))) {
    for (Column* digests : {&k.draft.digest, &k.draft.first, &k.step_digest, &k.unsent.digest}) {
      std::fill(digests->begin(), digests->end(), kNotTold);
    }
  }
  const Status restored = device_.restore(k);
  if (!restored) return restored.error().within(run.name);
  scheduler_->restore(k);
  n_ = k.n;
  flag_ = k.flag;
  draft_flag_ = k.draft_flag;
  cached_ = k.cached;
  q_cpu_ = k.q_cpu;
  b_cpu_ = k.b_cpu;
  ghost_ = k.ghost;
  has_cached_output_ = k.has_unsent;
  cached_step_ = k.unsent.step;
  cached_n_ = k.unsent.slots;
  preempted_ = k.preempted;
  last_preempted_ = k.last_preempted;
  return {};
}

}  // namespace tandem
