// V29 and V30: captured sizes and what a replayed graph would compute behind the valid rows.
#include <algorithm>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

/// 8.2 with the clamp of its draft note: the smallest captured size that holds max(1, bsz) slots of
/// W rows and covers the rows; 0, eager, where none does.
std::int32_t captured_choice(const StepContext& c, std::int64_t bsz, std::int64_t rows) {
  std::int32_t choice = 0;
  for (const std::int32_t size : c.config.captured_sizes) {
    const bool holds = size / c.rules.width >= std::max<std::int64_t>(1, bsz) && size >= rows;
    if (holds && (choice == 0 || size < choice)) choice = size;
  }
  return choice;
}

/// What the main launch chooses for: rr, or with R13 sync the device's count, raised to ceil(N / W)
/// so that the size is not smaller than N.
std::int64_t main_slots(const StepContext& c) {
  if (!c.rules.sync[13]) return c.r.launch_bsz;
  const std::int64_t width = c.rules.width;
  const std::int64_t needed = (std::int64_t{c.r.token_num} + width - 1) / width;
  return std::max<std::int64_t>(count_positive(c.r.p1.q, c.s.n), needed);
}

}  // namespace

void v29_main_size(StepContext& c) {
  const bool replays = c.r.kind != StepKind::idle && c.r.token_num > 0 && !c.r.flag_in;
  const std::int32_t want = replays ? captured_choice(c, main_slots(c), c.r.token_num) : 0;
  expect_host(c, CheckId::V29, Field::captured_size, c.r.captured_size, want);
}

void v29_draft_sizes(StepContext& c) {
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    c.out.begin_substep(static_cast<std::int32_t>(j));
    const DraftSubstep& sub = c.r.substeps[j];
    const bool replays = sub.launched && !c.r.draft_flag_in;
    const std::int32_t want = replays ? captured_choice(c, c.r.real_bsz, sub.token_num) : 0;
    expect_host(c, CheckId::V29, Field::sub_captured_size, sub.captured_size, want);
  }
  c.out.begin_substep(-1);
}

void v30_tails(StepContext& c) {
  const auto inert = [&c](Field field, const char* point, std::int32_t live) {
    if (live == 0) return;
    c.out.add({CheckId::V30, point, -1, -1, field, "", nothing(), just(live), just(0)});
  };
  inert(Field::live_tail, "P1", c.r.live_tail);
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    c.out.begin_substep(static_cast<std::int32_t>(j));
    inert(Field::sub_live_tail, "P3", c.r.substeps[j].live_tail);
  }
  c.out.begin_substep(-1);
}

}  // namespace tandem::sim
