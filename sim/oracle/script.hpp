// What a scripted model does, by the laws of traces/run_config.hpp: accepted counts and where they
// are cut, n-gram drafts, seeds.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/oracle/rules.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// The law for one request. What does not depend on the step is worked out once, at admission.
class AcceptScript {
 public:
  /// `rules` outlives the script. A row of a recorded list without entries leaves it unknown.
  void assign(const Rules& rules, const RequestRow& row);

  [[nodiscard]] bool known() const { return known_; }

  /// Tokens that a step starting at committed length g commits, before it is clipped to q.
  /// Quickest where g only grows.
  [[nodiscard]] std::int32_t commits(std::int32_t g);

 private:
  [[nodiscard]] std::int32_t drawn_commits(std::int32_t g) const;
  [[nodiscard]] std::int32_t listed_commits(std::int32_t g);

  const Rules* rules_ = nullptr;
  bool known_ = false;
  std::uint64_t prefix_ = 0;        ///< the draw's hash up to and including the request
  std::vector<std::int64_t> sums_;  ///< S_{j+1} - 1 for one pass through the list
  // The entry that the last question fell into: [from_, to_) is its stretch of g.
  std::size_t entry_ = 0;
  std::int64_t from_ = 0;
  std::int64_t to_ = 0;
};

/// How far a step of a slot gets.
struct StepCut {
  std::int64_t tokens = 1;  ///< >= 1
  bool ends = false;        ///< the last token is EOS
  bool by_stop = false;     ///< a stop sequence put it there
};

/// Cuts `offered` tokens of a step that starts at committed length g: first at EOS and at
/// max_dec_len, as verify does (5.5), then behind a stop sequence (5.6), which sees what is left.
/// `eos` is false in a chunk that does not finish its text: its token is nobody's.
[[nodiscard]] StepCut cut_step(const RequestRow& row, std::int64_t offered, std::int32_t g,
                               bool eos);

/// ngram(request, g): drafts that an n-gram match appends, 0..K - M, not yet cut at the limit.
[[nodiscard]] std::int32_t ngram_drafts(const Rules& rules, RequestId request, std::int32_t g);

/// Modulus of every seed (5.4).
constexpr std::uint64_t kSeedModulus = (std::uint64_t{1} << 63U) - 2;

/// infer_seed as an insert writes it; in [0, kSeedModulus).
[[nodiscard]] std::int64_t initial_seed(const Rules& rules, RequestId request);

}  // namespace tandem::sim
