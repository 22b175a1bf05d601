// Aligns two traces by t and counts what differs.
#include "tools/cli/diff.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>

#include "sim/checks/block_verifier.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/watched_reader.hpp"

namespace tandem::cli {
namespace {

/// One trace as a sequence of records, with the steps of the current one that are not consumed yet.
class Side {
 public:
  explicit Side(const TraceReader& trace) : trace_(trace) {}

  /// Loads the next record; is_live() is false behind the last.
  Status advance() {
    opens_block_ = false;
    while (live_) {
      if (block_ == nullptr) {
        if (index_ == trace_.blocks().size()) {
          live_ = false;
          break;
        }
        TANDEM_TRY(block_, trace_.open_block(index_++));
        opens_block_ = true;
      }
      TANDEM_TRY(const bool more, block_->next(record_));
      if (more) {
        begin_ = record_.t;
        const std::int64_t repeat = std::max<std::int64_t>(1, record_.repeat);
        const bool fits = begin_ <= std::numeric_limits<std::int64_t>::max() - repeat;
        end_ = fits ? begin_ + repeat : std::numeric_limits<std::int64_t>::max();
        break;
      }
      block_.reset();
    }
    return {};
  }

  /// `step` > begin(): consumes what comes before it.
  Status consume_until(std::int64_t step) {
    begin_ = step;
    opens_block_ = false;
    return begin_ < end_ ? Status() : advance();
  }

  [[nodiscard]] bool is_live() const { return live_; }
  [[nodiscard]] const StepRecord& record() const { return record_; }
  [[nodiscard]] std::int64_t begin() const { return begin_; }
  [[nodiscard]] std::int64_t end() const { return end_; }
  /// The first record of a block, from its start: keyframe() holds before it.
  [[nodiscard]] bool opens_block() const { return opens_block_; }
  [[nodiscard]] const Keyframe& keyframe() const { return block_->keyframe(); }

 private:
  const TraceReader& trace_;
  std::size_t index_ = 0;
  std::unique_ptr<BlockReader> block_;
  StepRecord record_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  bool live_ = true;
  bool opens_block_ = false;
};

std::uint64_t distance(std::int64_t from, std::int64_t to) {
  return static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

void compare_keyframes(const Keyframe& a, const Keyframe& b, KeyframeTally& tally) {
  ++tally.compared;
  const std::string member = keyframe_difference(a, b);
  if (member.empty() || tally.differing++ > 0) return;
  tally.first_step = a.t;
  tally.first_member = member;
}

FieldSet fields_in_both(const TraceReader& a, const TraceReader& b, const FieldSet& ignored,
                        std::vector<std::string>& not_compared) {
  const FieldSet in_a = present_fields(a.header());
  const FieldSet in_b = present_fields(b.header());
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    const bool once = in_a.test(i) != in_b.test(i);
    if (once || ignored.test(i)) not_compared.push_back(field_path(static_cast<Field>(i)));
  }
  return in_a & in_b & ~ignored;
}

std::vector<std::uint64_t> segment_hashes(const TraceReader& trace) {
  std::vector<std::uint64_t> hashes;
  for (const plan::Segment& segment : trace.segments()) {
    hashes.push_back(plan::segment_hash(segment));
  }
  std::sort(hashes.begin(), hashes.end());
  return hashes;
}

/// How many of `from` are not in `other`; both sorted.
std::uint64_t missing_count(const std::vector<std::uint64_t>& from,
                            const std::vector<std::uint64_t>& other) {
  std::vector<std::uint64_t> missing;
  std::set_difference(from.begin(), from.end(), other.begin(), other.end(),
                      std::back_inserter(missing));
  return missing.size();
}

class Differ {
 public:
  Differ(const TraceReader& a, const TraceReader& b, const FieldSet& ignored, TraceDiff& out)
      : a_(a),
        b_(b),
        out_(out),
        comparer_({&a.segments(), a.header().config.row_width()},
                  {&b.segments(), b.header().config.row_width()},
                  fields_in_both(a, b, ignored, out.not_compared)) {}

  Status run(const std::atomic<bool>& stop) {
    TANDEM_RETURN_IF_ERROR(next_record(a_, out_.digest_a));
    TANDEM_RETURN_IF_ERROR(next_record(b_, out_.digest_b));
    while (a_.is_live() || b_.is_live()) {
      if (stop.load()) return Error{kInterrupted};
      if (a_.is_live() && (!b_.is_live() || a_.begin() < b_.begin())) {
        TANDEM_RETURN_IF_ERROR(skip(a_, b_, out_.only_a, out_.digest_a));
      } else if (b_.is_live() && (!a_.is_live() || b_.begin() < a_.begin())) {
        TANDEM_RETURN_IF_ERROR(skip(b_, a_, out_.only_b, out_.digest_b));
      } else {
        TANDEM_RETURN_IF_ERROR(compare());
      }
    }
    return {};
  }

 private:
  static Status next_record(Side& side, std::uint64_t& digest) {
    TANDEM_RETURN_IF_ERROR(side.advance());
    if (side.is_live()) digest += counter_digest_of(side.record());
    return {};
  }

  static Status consume(Side& side, std::int64_t until, std::uint64_t& digest) {
    const bool whole = until >= side.end();
    TANDEM_RETURN_IF_ERROR(side.consume_until(until));
    if (whole && side.is_live()) digest += counter_digest_of(side.record());
    return {};
  }

  /// Steps of `side` that `other` does not hold.
  Status skip(Side& side, const Side& other, Surplus& surplus, std::uint64_t& digest) {
    const std::int64_t until = other.is_live() ? std::min(side.end(), other.begin()) : side.end();
    if (surplus.steps == 0) surplus.first = side.begin();
    surplus.steps += distance(side.begin(), until);
    surplus.last = step_after(until, -1);
    close_neighbourhood(side);
    const std::string line = one_line(side.record());
    const bool is_a = &side == &a_;
    before_ = LinePair{side.begin(), is_a ? line : "", is_a ? "" : line};
    return consume(side, until, digest);
  }

  Status compare() {
    if (a_.opens_block() && b_.opens_block()) {
      compare_keyframes(a_.keyframe(), b_.keyframe(), out_.keyframes);
    }
    const std::int64_t begin = a_.begin();
    const std::int64_t until = std::min(a_.end(), b_.end());
    const std::vector<Field>& fields = comparer_.compare(a_.record(), b_.record());
    const std::uint64_t steps = distance(begin, until);
    out_.compared += steps;
    if (!fields.empty()) out_.differing += steps;
    for (const Field field : fields) out_.per_field[static_cast<std::size_t>(field)] += steps;
    follow(!fields.empty());
    TANDEM_RETURN_IF_ERROR(consume(a_, until, out_.digest_a));
    return consume(b_, until, out_.digest_b);
  }

  /// Keeps the lines around the first difference; composes none once they are there.
  void follow(bool differ) {
    if (out_.first && out_.first->after) return;
    LinePair lines{a_.begin(), one_line(a_.record()), one_line(b_.record())};
    if (out_.first) {
      out_.first->after = std::move(lines);
    } else if (differ) {
      out_.first = FirstDifference{a_.begin(), comparer_.first_difference(), std::move(lines),
                                   std::move(before_), std::nullopt};
    } else {
      before_ = std::move(lines);
    }
  }

  /// The step behind the first difference may be in one trace only.
  void close_neighbourhood(const Side& side) {
    if (!out_.first || out_.first->after) return;
    const std::string line = one_line(side.record());
    const bool is_a = &side == &a_;
    out_.first->after = LinePair{side.begin(), is_a ? line : "", is_a ? "" : line};
  }

  Side a_;
  Side b_;
  TraceDiff& out_;
  RecordComparer comparer_;
  std::optional<LinePair> before_;
};

}  // namespace

std::uint64_t counter_digest_of(const StepRecord& r) {
  for (const Column* column : {&r.p1.e, &r.p1.d, &r.p1.s, &r.p1.b, &r.p1.g, &r.p2.a}) {
    if (column->size() < r.p1.q.size()) return 0;
  }
  return sim::counter_digest(r);
}

std::string keyframe_difference(const Keyframe& a, const Keyframe& b) {
  const std::pair<const char*, bool> members[] = {
      {"n", a.n == b.n},
      {"slots", a.slots == b.slots},
      {"p", a.p == b.p},
      {"draft", a.draft == b.draft},
      {"step_q", a.step_q == b.step_q},
      {"step_d", a.step_d == b.step_d},
      {"step_digest", a.step_digest == b.step_digest},
      {"shadow", a.shadow == b.shadow},
      {"blocks", a.blocks == b.blocks},
      {"request", a.request == b.request},
      {"generation", a.generation == b.generation},
      {"rows", a.rows == b.rows},
      {"flag", a.flag == b.flag},
      {"draft_flag", a.draft_flag == b.draft_flag},
      {"cached", a.cached == b.cached},
      {"q_cpu", a.q_cpu == b.q_cpu},
      {"b_cpu", a.b_cpu == b.b_cpu},
      {"ghost", a.ghost == b.ghost},
      {"unsent", a.has_unsent == b.has_unsent && a.unsent == b.unsent},
      {"preempted", a.preempted == b.preempted},
      {"last_preempted", a.last_preempted == b.last_preempted},
      {"known_d", a.known_d == b.known_d},
      {"known_g", a.known_g == b.known_g},
      {"in_flight", a.in_flight == b.in_flight},
  };
  for (const auto& [name, same] : members) {
    if (!same) return name;
  }
  return a == b ? "" : "state";
}

bool TraceDiff::is_same_schedule() const {
  return std::none_of(header.begin(), header.end(),
                      [](const HeaderDifference& d) { return d.is_schedule; });
}

bool TraceDiff::differs() const {
  const bool config =
      std::any_of(header.begin(), header.end(), [](const HeaderDifference& d) { return d.counts; });
  return config || records_differ() || only_a.steps > 0 || only_b.steps > 0 ||
         segments_only_a + segments_only_b > 0 || unadmitted_differ;
}

Result<TraceDiff> diff_traces(const TraceReader& a, const TraceReader& b, const FieldSet& ignored,
                              const std::atomic<bool>& stop) {
  TraceDiff diff;
  diff.header = header_differences(a.header(), b.header());
  const std::vector<std::uint64_t> segments_a = segment_hashes(a);
  const std::vector<std::uint64_t> segments_b = segment_hashes(b);
  diff.segments_only_a = missing_count(segments_a, segments_b);
  diff.segments_only_b = missing_count(segments_b, segments_a);
  Differ differ(a, b, ignored, diff);
  TANDEM_RETURN_IF_ERROR(differ.run(stop));
  if (a.last() != nullptr && b.last() != nullptr) {
    if (a.last()->t == b.last()->t) compare_keyframes(*a.last(), *b.last(), diff.keyframes);
    diff.unadmitted_differ = a.unadmitted() != b.unadmitted();
  }
  return diff;
}

}  // namespace tandem::cli
