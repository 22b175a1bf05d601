// V23: the plan segments of a step, in their order, and the API log against them.
#include <array>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

void wrong_segments(StepContext& c, const char* what, Value host, std::int64_t oracle) {
  c.out.add({CheckId::V23, "-", -1, -1, Field::segments, what, host, nothing(), just(oracle)});
}

plan::SegmentKind end_of(StepKind kind) {
  switch (kind) {
    case StepKind::back:
      return plan::SegmentKind::back;
    case StepKind::empty:
      return plan::SegmentKind::empty;
    case StepKind::idle:
      break;
  }
  return plan::SegmentKind::idle;
}

/// front; save where an output of an earlier step waits; settle; then what the record says (4.1).
void check_kinds(StepContext& c, const ChainFacts& chain, bool saves) {
  std::array<plan::SegmentKind, 4> want{plan::SegmentKind::front};
  std::size_t count = 1;
  if (saves) want.at(count++) = plan::SegmentKind::save;
  want.at(count++) = plan::SegmentKind::settle;
  want.at(count++) = end_of(c.r.kind);
  for (std::size_t i = 0; i < count && i < chain.kinds.size(); ++i) {
    if (chain.kinds[i] == want.at(i)) continue;
    wrong_segments(c, ".kind", just(static_cast<int>(chain.kinds[i])),
                   static_cast<int>(want.at(i)));
    return;  // what follows is shifted
  }
  if (chain.kinds.size() != count) {
    wrong_segments(c, "", just(static_cast<std::int64_t>(chain.kinds.size())),
                   static_cast<std::int64_t>(count));
  }
}

/// The plan that was executed is the one of the mode: an exact launch reads q before it resolves, a
/// blocking sub-step reads its rows, and no other does (4.2).
void check_reads(StepContext& c, const ChainFacts& chain) {
  const bool exact = c.r.mode == LaunchMode::exact;
  if (c.has(Field::mode) && chain.resolve_reads != exact) {
    wrong_segments(c, ".resolve", just(chain.resolve_reads ? 1 : 0), exact ? 1 : 0);
  }
  if (!c.has(Field::sub_launched) || !c.has(Field::sub_blocking)) return;
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    const DraftSubstep& sub = c.r.substeps[j];
    const bool reads = (chain.sum_reads >> j & 1U) != 0;
    if ((sub.launched || sub.blocking) && reads != sub.blocking) {
      c.out.begin_substep(static_cast<std::int32_t>(j));
      wrong_segments(c, ".read_draft_sum", just(reads ? 1 : 0), sub.blocking ? 1 : 0);
    }
  }
  c.out.begin_substep(-1);
}

}  // namespace

void v23_plan(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V23)) return;
  for (const PlanDeviation& d : c.r.deviations) {
    c.out.add({CheckId::V23, "-", -1, -1, Field::deviations, "", just(d.found), nothing(),
               just(d.expected)});
  }
  std::uint64_t unknown = 0;
  const ChainGates gates{!c.r.tasks.empty(), c.r.token_num > 0};
  const ChainFacts* chain =
      c.tmp.chains.read(c.plans, c.r.segments, gates, c.config.pinned_ring_depth, unknown);
  if (chain == nullptr) {
    c.out.add({CheckId::V23, "-", -1, -1, Field::segments, ".hash",
               just(static_cast<std::int64_t>(unknown)), nothing(), nothing()});
    return;
  }
  const bool saves = !c.rules.sync[2] && c.s.unsent.exists;
  check_kinds(c, *chain, saves);
  check_reads(c, *chain);
  const int sends = saves || (c.rules.sync[2] && c.r.kind == StepKind::back) ? 1 : 0;
  if (chain->sends != sends) wrong_segments(c, ".send_message", just(chain->sends), sends);
  for (const ChainFault& fault : chain->faults) {
    c.out.add({CheckId::V23, "-", -1, -1, Field::segments, fault.what, just(fault.position),
               nothing(), nothing()});
  }
}

}  // namespace tandem::sim
