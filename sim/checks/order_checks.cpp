// V23: save precedes the next copies, host reads follow their event, and what ran is the plan.
#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

/// A run has few chains: those seen are remembered.
const ChainVerdict& chain_verdict(StepContext& c) {
  for (const KnownChain& known : c.tmp.chains) {
    if (known.kind == c.r.kind && known.hashes == c.r.segments) return known.verdict;
  }
  constexpr std::size_t kChainsMax = 64;  // damaged records may name ever new ones
  if (c.tmp.chains.size() >= kChainsMax) c.tmp.chains.clear();
  c.tmp.chains.push_back({c.r.kind, c.r.segments, c.book.judge(c.r.segments, c.r.kind)});
  return c.tmp.chains.back().verdict;
}

}  // namespace

/// `save` belongs to a step iff an output of an earlier one waits for it.
void v23_order(StepContext& c, bool has_unsent) {
  const auto add = [&c](Field field, const char* member, Value host, Value oracle) {
    c.out.add({CheckId::V23, "-", -1, -1, field, member, host, nothing(), oracle});
  };
  const ChainVerdict& verdict = chain_verdict(c);
  if (verdict.fault != ChainFault::none) {
    const char* member = ".order";
    if (verdict.fault == ChainFault::unknown_segment) member = ".hash";
    if (verdict.fault == ChainFault::wrong_kind) member = ".kind";
    add(Field::segments, member, just(verdict.segment), nothing());
  } else if (verdict.saves != has_unsent) {
    add(Field::segments, ".save", just(verdict.saves ? 1 : 0), just(has_unsent ? 1 : 0));
  }
  for (const PlanDeviation& deviation : c.r.deviations) {
    add(Field::deviations, ".found", just(deviation.found), just(deviation.expected));
  }
}

}  // namespace tandem::sim
