// Pairs, block bootstrap and plan differences of two runs.
#include "sim/report/comparison.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "sim/checks/block_verifier.hpp"
#include "sim/report/analysis.hpp"
#include "sim/report/plan_tally.hpp"
#include "traces/base/random.hpp"

namespace tandem::sim {
namespace {

/// "wait token_num R0", "record post_process on compute", "copy_outputs on copy".
std::string words_of(const plan::Operation& op) {
  std::string text = plan::to_name(op.kind);
  if (op.kind == plan::OpKind::wait_event) {
    text = fmt::format("wait {}{}", plan::to_name(op.waits.name),
                       op.waits.step_offset < 0 ? " of the step before" : "");
  } else if (op.kind == plan::OpKind::record_event) {
    text = fmt::format("record {}", plan::to_name(op.records.name));
  }
  text += fmt::format(" on {}", plan::to_name(op.lane));
  return op.row < 0 ? text : text + " " + row_name(op.row);
}

/// Time and work of a step, or of both sides of a pair.
struct Sample {
  Nanos base_ns = 0;
  Nanos candidate_ns = 0;
  std::int64_t base_tokens = 0;
  std::int64_t candidate_tokens = 0;

  void add(const Sample& other) {
    base_ns += other.base_ns;
    candidate_ns += other.candidate_ns;
    base_tokens += other.base_tokens;
    candidate_tokens += other.candidate_tokens;
  }
};

/// Sums over the first i samples, so that a block costs a subtraction.
std::vector<Sample> sums_of(const std::vector<Sample>& samples) {
  std::vector<Sample> sums(samples.size() + 1);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    sums[i + 1] = sums[i];
    sums[i + 1].add(samples[i]);
  }
  return sums;
}

/// About twice the cube root: long enough for what steps hand on to the next.
std::int64_t block_length(std::size_t steps) {
  std::int64_t root = 1;
  while ((root + 1) * (root + 1) * (root + 1) <= static_cast<std::int64_t>(steps)) ++root;
  return std::min<std::int64_t>(2 * root, static_cast<std::int64_t>(steps));
}

/// (candidate - base) / base: of times where both did the same, else of the time a token.
std::int64_t change_of(const Sample& sum, bool paired) {
  if (paired) return millionths(sum.candidate_ns - sum.base_ns, sum.base_ns);
  if (sum.base_tokens <= 0 || sum.candidate_tokens <= 0) return 0;
  // Picoseconds a token: whole nanoseconds would round away what is asked for.
  const auto a_token = [](Nanos ns, std::int64_t tokens) {
    return ns / tokens * 1000 + ns % tokens * 1000 / tokens;
  };
  const Nanos base = a_token(sum.base_ns, sum.base_tokens);
  return millionths(a_token(sum.candidate_ns, sum.candidate_tokens) - base, base);
}

class Bootstrap {
 public:
  Bootstrap(std::uint64_t seed, std::int64_t block) : draws_(seed, "compare"), block_(block) {}

  /// The sum over as many samples as there are, in blocks drawn with repetition.
  Sample draw(const std::vector<Sample>& sums) {
    const auto count = static_cast<std::int64_t>(sums.size()) - 1;
    const std::int64_t block = std::min(block_, count);
    Sample out;
    for (std::int64_t left = count; left > 0; left -= block) {
      const std::int64_t length = std::min(block, left);
      const auto begin =
          static_cast<std::size_t>(draws_.below(static_cast<std::uint64_t>(count - length + 1)));
      const Sample& from = sums[begin];
      const Sample& to = sums[begin + static_cast<std::size_t>(length)];
      out.add({to.base_ns - from.base_ns, to.candidate_ns - from.candidate_ns,
               to.base_tokens - from.base_tokens, to.candidate_tokens - from.candidate_tokens});
    }
    return out;
  }

 private:
  RandomStream draws_;
  std::int64_t block_;
};

/// Steps without the run's first two, when the pipeline fills, and its last.
std::vector<RunNotes::Step> settled(const RunNotes& notes) {
  const std::vector<RunNotes::Step>& all = notes.steps();
  if (all.size() < 8) return all;
  return {all.begin() + 2, all.end() - 1};
}

struct Pairing {
  std::vector<Sample> pairs;
  std::int64_t first_unequal_t = -1;
};

Pairing pair_up(const std::vector<RunNotes::Step>& base,
                const std::vector<RunNotes::Step>& candidate) {
  Pairing out;
  std::size_t k = 0;
  for (const RunNotes::Step& step : base) {
    while (k < candidate.size() && candidate[k].t < step.t) ++k;
    const bool both = k < candidate.size() && candidate[k].t == step.t;
    if (both && candidate[k].counters == step.counters) {
      out.pairs.push_back({step.wall_ns, candidate[k].wall_ns, step.tokens, candidate[k].tokens});
    } else if (out.first_unequal_t < 0) {
      out.first_unequal_t = step.t;
    }
  }
  if (out.first_unequal_t < 0 && candidate.size() > base.size() && !base.empty()) {
    const auto extra =
        std::find_if(candidate.begin(), candidate.end(),
                     [&](const RunNotes::Step& step) { return step.t > base.back().t; });
    if (extra != candidate.end()) out.first_unequal_t = extra->t;
  }
  return out;
}

CompareVerdict verdict_of(const Comparison& c, std::int64_t allowed) {
  if (c.low_millionths > allowed) return CompareVerdict::slower;
  if (c.high_millionths < -allowed) return CompareVerdict::faster;
  const bool within = c.low_millionths >= -allowed && c.high_millionths <= allowed;
  return within ? CompareVerdict::same : CompareVerdict::ambiguous;
}

/// An interval needs more than one block.
constexpr std::size_t kSamplesMin = 8;

void estimate(const std::vector<Sample>& base, const std::vector<Sample>& candidate,
              const CompareOptions& options, Comparison& out) {
  const std::vector<Sample> base_sums = sums_of(base);
  const std::vector<Sample> candidate_sums = sums_of(candidate);
  const auto joined = [&](Sample a, const Sample& b) {
    if (!out.paired) a.add(b);
    return a;
  };
  out.change_millionths = change_of(joined(base_sums.back(), candidate_sums.back()), out.paired);
  out.block_steps = block_length(std::min(base.size(), candidate.size()));
  Bootstrap bootstrap(options.seed, out.block_steps);
  std::vector<std::int64_t> changes(kBootstrapDraws);
  for (std::int64_t& change : changes) {
    const Sample drawn = bootstrap.draw(base_sums);
    change =
        change_of(out.paired ? drawn : joined(drawn, bootstrap.draw(candidate_sums)), out.paired);
  }
  std::sort(changes.begin(), changes.end());
  out.low_millionths = changes[kBootstrapDraws / 40];
  out.high_millionths = changes[kBootstrapDraws - 1 - kBootstrapDraws / 40];
  out.verdict = verdict_of(out, options.allowed_millionths);
}

std::vector<Sample> one_side(const std::vector<RunNotes::Step>& steps, bool is_base) {
  std::vector<Sample> samples;
  samples.reserve(steps.size());
  for (const RunNotes::Step& step : steps) {
    samples.push_back(is_base ? Sample{step.wall_ns, 0, step.tokens, 0}
                              : Sample{0, step.wall_ns, 0, step.tokens});
  }
  return samples;
}

std::vector<PlanChange> plan_changes(const RunNotes& base, const RunNotes& candidate) {
  std::set<std::string> names;
  for (const RunNotes* notes : {&base, &candidate}) {
    for (const auto& [name, count] : notes->operations()) names.insert(name);
  }
  const auto rate = [](const RunNotes& notes, const std::string& name) {
    const auto found = notes.operations().find(name);
    const auto steps = static_cast<std::int64_t>(notes.steps().size());
    return found == notes.operations().end() ? 0 : millionths(found->second, steps);
  };
  std::vector<PlanChange> changes;
  for (const std::string& name : names) {
    const PlanChange change{name, rate(base, name), rate(candidate, name)};
    const std::int64_t more = change.candidate_millionths - change.base_millionths;
    if (std::abs(more) * 100 > std::max(change.base_millionths, change.candidate_millionths)) {
      changes.push_back(change);
    }
  }
  const auto order = [](const PlanChange& change) {
    return change.base_millionths == 0 ? 0 : change.candidate_millionths == 0 ? 1 : 2;
  };
  std::stable_sort(changes.begin(), changes.end(),
                   [&](const PlanChange& a, const PlanChange& b) { return order(a) < order(b); });
  return changes;
}

}  // namespace

const char* to_name(CompareVerdict verdict) {
  switch (verdict) {
    case CompareVerdict::same:
      return "same";
    case CompareVerdict::faster:
      return "faster";
    case CompareVerdict::slower:
      return "slower";
    case CompareVerdict::ambiguous:
      return "ambiguous";
  }
  return "";
}

void RunNotes::add(const StepRecord& record) {
  const std::uint64_t counters = sim::counter_digest(record);
  counter_digest_ += counters;
  deviations_ += static_cast<std::int64_t>(record.deviations.size());
  has_clock_ = has_clock_ || record.end_ns > record.start_ns;
  if (record.kind == StepKind::idle) return;
  Step step{record.t, counters, record.end_ns - record.start_ns, 0, record.kind};
  for (const Message& message : record.messages) {
    for (const std::int32_t tokens : message.count) step.tokens += std::max(tokens, 0);
  }
  steps_.push_back(step);
  for (const std::uint64_t hash : record.segments) {
    const plan::Segment* segment = book_.find(hash);
    if (segment == nullptr) continue;
    for (const plan::Operation& op : segment->ops) {
      if (gate_is_open(record, op)) ++operations_[words_of(op)];
    }
  }
}

Comparison compare_runs(const RunNotes& base, const RunNotes& candidate,
                        const CompareOptions& options) {
  Comparison out;
  const std::vector<RunNotes::Step> a = settled(base);
  const std::vector<RunNotes::Step> b = settled(candidate);
  const Pairing pairing = pair_up(a, b);
  out.seed = options.seed;
  out.base_steps = static_cast<std::int64_t>(a.size());
  out.candidate_steps = static_cast<std::int64_t>(b.size());
  out.equal_steps = static_cast<std::int64_t>(pairing.pairs.size());
  out.first_unequal_t = pairing.first_unequal_t;
  out.plan = plan_changes(base, candidate);
  out.paired = out.same_work();
  out.steps = out.paired ? out.equal_steps : out.base_steps + out.candidate_steps;
  if (!base.has_clock() || !candidate.has_clock()) {
    out.reason = std::string(!base.has_clock() ? "the base" : "the candidate") +
                 " does not tell when its steps began; record it with --record timeline";
  } else if (std::min(a.size(), b.size()) < kSamplesMin) {
    out.reason = fmt::format("fewer than {} steps behind the ramp", kSamplesMin);
  } else if (out.paired) {
    estimate(pairing.pairs, pairing.pairs, options, out);
  } else {
    estimate(one_side(a, true), one_side(b, false), options, out);
  }
  return out;
}

}  // namespace tandem::sim
