// The laws of the scripted model: draws, prefix sums, cuts.
#include "sim/oracle/script.hpp"

#include <algorithm>

#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"

namespace tandem::sim {
namespace {

constexpr std::uint64_t kStream = hash_text("accept");
constexpr std::int64_t kCommitsMax =
    1 << 20U;  // far beyond any W; keeps garbage lists from overflowing

/// keyed_draw(seed, kStream, request, b) == hash_chain(draw_prefix(seed, request), b); a test holds
/// the two together. A draw then costs one mix instead of four.
std::uint64_t draw_prefix(std::uint64_t seed, std::uint64_t request) {
  return hash_chain(hash_chain(mix64(seed ^ 0x7461'6E64'656DULL), kStream), request);
}

}  // namespace

void AcceptScript::assign(const Rules& rules, const RequestRow& row) {
  rules_ = &rules;
  sums_.clear();
  from_ = to_ = 0;
  if (rules.acceptance.kind == AcceptKind::per_position) {
    known_ = rules.scripted;
    prefix_ = draw_prefix(rules.seed, static_cast<std::uint64_t>(row.id));
    return;
  }
  std::int64_t sum = 0;
  for (const std::int32_t commits : row.accept) {
    sum += std::clamp<std::int64_t>(commits, 1, kCommitsMax);
    sums_.push_back(sum);
  }
  known_ = !sums_.empty();
}

std::int32_t AcceptScript::commits(std::int32_t g) {
  if (rules_->acceptance.kind == AcceptKind::per_position) return drawn_commits(g);
  return listed_commits(g);
}

std::int32_t AcceptScript::drawn_commits(std::int32_t g) const {
  const std::vector<std::uint32_t>& millionths = rules_->acceptance.millionths;
  const std::size_t most = std::min(millionths.size(), static_cast<std::size_t>(rules_->drafts));
  const auto base = static_cast<std::uint64_t>(static_cast<std::int64_t>(g) * 32);
  std::size_t j = 0;
  while (j < most && draw_is_below(hash_chain(prefix_, base + j), millionths[j])) ++j;
  return static_cast<std::int32_t>(j) + 1;
}

std::int32_t AcceptScript::listed_commits(std::int32_t g) {
  if (g < 1) return 1;        // no decode step starts before the prefill's own token
  if (g == to_ && to_ > 0) {  // the usual case: the step before committed its whole entry
    entry_ = entry_ + 1 < sums_.size() ? entry_ + 1 : 0;
    from_ = to_;
    to_ += entry_ > 0 ? sums_[entry_] - sums_[entry_ - 1] : sums_[0];
  } else if (g < from_ || g >= to_) {
    const std::int64_t period = sums_.back();
    const std::int64_t into = (std::int64_t{g} - 1) % period;
    const auto next = std::upper_bound(sums_.begin(), sums_.end(), into);
    entry_ = static_cast<std::size_t>(next - sums_.begin());
    to_ = g - into + *next;
    from_ = g;
  }
  return static_cast<std::int32_t>(to_ - g);
}

StepCut cut_step(const RequestRow& row, std::int64_t offered, std::int32_t g, bool eos) {
  const std::int64_t from = g;
  const bool eos_ahead = eos && row.eos_at > g;
  StepCut cut;
  cut.tokens = eos_ahead ? std::min(offered, row.eos_at - from) : offered;
  cut.tokens = std::max<std::int64_t>(1, std::min(cut.tokens, row.max_dec_len - from));
  const std::int64_t x = std::int64_t{row.stop_at} - 1 - from;  // its last token, from A on
  const bool matches = row.stop_at > 0 && row.stop_at >= row.stop_len && x >= -1 &&
                       x <= cut.tokens - 2 && from + cut.tokens >= row.min_tokens;
  if (matches) {
    cut.tokens = x + 2;
    cut.by_stop = true;
  }
  const std::int64_t reached = from + cut.tokens;
  cut.ends = cut.by_stop || (eos_ahead && reached == row.eos_at) || reached >= row.max_dec_len;
  return cut;
}

std::int32_t ngram_drafts(const Rules& rules, RequestId request, std::int32_t g) {
  constexpr std::uint64_t kNgram = hash_text("ngram");
  const std::int32_t most = rules.drafts - rules.substeps;
  if (rules.ngram_millionths == 0 || most <= 0) return 0;
  const auto who = static_cast<std::uint64_t>(request);
  const auto at = static_cast<std::uint64_t>(std::int64_t{g} * 2);
  if (!draw_is_below(keyed_draw(rules.seed, kNgram, who, at), rules.ngram_millionths)) return 0;
  const std::uint64_t draw = keyed_draw(rules.seed, kNgram, who, at + 1);
  return 1 + static_cast<std::int32_t>(draw % static_cast<std::uint64_t>(most));
}

std::int64_t initial_seed(const Rules& rules, RequestId request) {
  constexpr std::uint64_t kInferSeed = hash_text("infer_seed");
  const auto who = static_cast<std::uint64_t>(request);
  return static_cast<std::int64_t>(keyed_draw(rules.seed, kInferSeed, who) % kSeedModulus);
}

}  // namespace tandem::sim
