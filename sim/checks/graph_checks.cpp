// V29 and V30: captured CUDA-graph sizes, and what a replayed graph computes beyond the valid rows.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

/// 8.2 with its clamp: the least captured size that holds W rows for each of `bsz` slots and all
/// `rows`; 0 (eager) where there is none.
std::int64_t captured_for(const Rules& rules, std::int64_t bsz, std::int64_t rows) {
  const std::int64_t wanted = std::max(std::max<std::int64_t>(1, bsz) * rules.width, rows);
  std::int64_t best = 0;
  for (const std::int32_t size : rules.captured_sizes) {
    if (size >= wanted && (best == 0 || size < best)) best = size;
  }
  return best;
}

void expect_size(StepContext& c, Field field, std::int64_t host, std::int64_t oracle) {
  if (host == oracle) return;
  c.out.add({CheckId::V29, "-", -1, -1, field, "", just(host), nothing(), just(oracle)});
}

}  // namespace

/// Prefill and mixed steps run eagerly (3.2 #7): the flags say which those are. R13 sync counts on
/// the device, and its size must hold N all the same (3.4).
void v29_captured_sizes(StepContext& c) {
  const StepRecord& r = c.r;
  std::int64_t main = 0;
  if (r.token_num > 0 && !r.flag_in) {
    std::int64_t bsz = r.launch_bsz;
    if (c.rules.sync[13]) {
      const std::int64_t needed = (std::int64_t{r.token_num} + c.rules.width - 1) / c.rules.width;
      bsz = std::max<std::int64_t>(count_positive(r.p1.q, c.rules.slots), needed);
    }
    main = captured_for(c.rules, bsz, r.token_num);
  }
  expect_size(c, Field::captured_size, r.captured_size, main);
  for (std::size_t j = 0; j < r.substeps.size(); ++j) {
    const DraftSubstep& sub = r.substeps[j];
    c.out.begin_substep(static_cast<std::int32_t>(j));
    const bool graph = r.kind == StepKind::back && sub.launched && !r.draft_flag_in;
    const std::int64_t want = graph ? captured_for(c.rules, r.real_bsz, sub.token_num) : 0;
    expect_size(c, Field::sub_captured_size, sub.captured_size, want);
  }
  c.out.begin_substep(-1);
}

void v30_graph_tail(StepContext& c) {
  const auto expect_none = [&c](Field field, std::int64_t rows) {
    if (rows != 0) {
      c.out.add({CheckId::V30, "-", -1, -1, field, "", nothing(), just(rows), just(0)});
    }
  };
  expect_none(Field::live_tail, c.r.live_tail);
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    c.out.begin_substep(static_cast<std::int32_t>(j));
    expect_none(Field::sub_live_tail, c.r.substeps[j].live_tail);
  }
  c.out.begin_substep(-1);
}

}  // namespace tandem::sim
