// The least random case that still fails: one change after the other, kept where it still does.
#include "tests/unit/joined/random_shrink.hpp"

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "scenarios/request_rules.hpp"

namespace tandem::test {
namespace {

using Change = std::function<void(RandomCase&)>;

class Shrinker {
 public:
  Shrinker(RandomCase drawn, const std::function<bool(const RandomCase&)>& is_wrong)
      : least_(std::move(drawn)), is_wrong_(is_wrong) {}

  RandomCase take() {
    // Every change lowers something that no other change raises, so that this ends.
    for (bool less = true; less;) {
      less = drop_requests();
      less = plain_requests() || less;
      less = plain_keys() || less;
    }
    return least_;
  }

 private:
  /// Keeps the change where the case is another one, legal and still wrong.
  bool try_change(const Change& change) {
    RandomCase next = least_;
    change(next);
    for (std::size_t i = 0; i < next.requests.size(); ++i) {
      next.requests[i].row.id = static_cast<RequestId>(i);  // as in a file
    }
    if (next.requests.empty()) return false;
    Result<Scenario> read = parse_scenario(as_scenario_text(next), "random");
    if (!read.ok()) return false;
    next.requests = std::move(read).value().workload.requests;  // with limits cut to what fits
    const bool same = as_scenario_text(next) == as_scenario_text(least_);
    if (same && next.level == least_.level) return false;
    if (!is_wrong_(next)) return false;
    least_ = std::move(next);
    return true;
  }

  bool try_all(const std::vector<Change>& changes) {
    bool less = false;
    for (const Change& change : changes) less = try_change(change) || less;
    return less;
  }

  /// Halves first, then ever shorter runs of requests, from the end.
  bool drop_requests() {
    bool less = false;
    for (std::size_t run = std::max<std::size_t>(least_.requests.size() / 2, 1); run > 0;
         run /= 2) {
      for (std::size_t end = least_.requests.size(); end >= run && end > 0;) {
        const bool dropped = try_change([end, run](RandomCase& drawn) {
          const auto last = drawn.requests.begin() + static_cast<std::ptrdiff_t>(end);
          drawn.requests.erase(last - static_cast<std::ptrdiff_t>(run), last);
        });
        less = dropped || less;
        end = dropped ? std::min(end - run, least_.requests.size()) : end - run;
      }
    }
    return less;
  }

  bool plain_requests();
  bool plain_keys();

  /// Halves a number until that is no longer wrong, then counts down: `at` names it.
  template <class At>
  bool lower(At at, std::int64_t least) {
    bool less = false;
    for (int way = 0; way < 2; ++way) {
      const auto once = [&at, least, way](RandomCase& drawn) {
        auto& value = at(drawn);
        using Value = std::remove_reference_t<decltype(value)>;
        if (value <= static_cast<Value>(least)) return;
        value = way == 0 ? (value + static_cast<Value>(least)) / 2 : value - 1;
      };
      for (int tries = 0; tries < 20 && try_change(once); ++tries) less = true;
    }
    return less;
  }

  RandomCase least_;
  const std::function<bool(const RandomCase&)>& is_wrong_;
};

void no_stop_sequence(RequestRow& row) { row.stop_at = row.stop_len = row.min_tokens = 0; }

bool Shrinker::plain_requests() {
  bool less = false;
  for (std::size_t i = 0; i < least_.requests.size(); ++i) {
    const auto with = [i](auto change) {
      return [i, change](RandomCase& drawn) { change(drawn.requests[i]); };
    };
    less = try_all({
               with([](RequestSpec& r) { no_stop_sequence(r.row); }),
               with([](RequestSpec& r) { r.row.min_tokens = 0; }),
               with([](RequestSpec& r) { r.row.stop_len = std::min(r.row.stop_len, 1); }),
               with([](RequestSpec& r) { r.row.cached_prompt = 0; }),
               with([](RequestSpec& r) { r.dnode_drafts = -1; }),
               with([](RequestSpec& r) { r.row.abort_after = -1; }),
               with([](RequestSpec& r) { r.preempt_after = -1; }),
               with([](RequestSpec& r) { r.row.eos_at = 0; }),
               with([](RequestSpec& r) { r.row.accept.resize(r.row.accept.empty() ? 0 : 1); }),
           }) ||
           less;
    const auto row = [i](RandomCase& drawn) -> RequestRow& { return drawn.requests[i].row; };
    const auto spec = [i](RandomCase& drawn) -> RequestSpec& { return drawn.requests[i]; };
    less = lower([&](RandomCase& c) -> std::int64_t& { return row(c).arrival; }, 0) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return row(c).prompt_len; }, 1) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return row(c).max_dec_len; }, 1) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return row(c).eos_at; }, 0) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return row(c).stop_at; }, 1) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return row(c).cached_prompt; }, 0) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return spec(c).dnode_drafts; }, 0) || less;
    less =
        lower([&](RandomCase& c) -> std::int32_t& { return spec(c).row.abort_after; }, 0) || less;
    less = lower([&](RandomCase& c) -> std::int32_t& { return spec(c).preempt_after; }, 0) || less;
  }
  return less;
}

void by_step(RandomCase& drawn) {
  RunConfig& c = drawn.scenario.config;
  if (c.arrivals == ArrivalUnit::step) return;
  c.arrivals = ArrivalUnit::step;
  for (RequestSpec& spec : drawn.requests) spec.row.arrival /= kArrivalUnitNs;
}

/// Fewer drafts or sub-steps, with what hangs on them.
void one_draft_less(RandomCase& drawn) {
  RunConfig& c = drawn.scenario.config;
  if (c.num_speculative_tokens == 1) return;
  --c.num_speculative_tokens;
  c.num_model_steps = std::min(c.num_model_steps, c.num_speculative_tokens);
  if (c.num_model_steps == c.num_speculative_tokens) c.ngram_millionths = 0;
  if (!c.acceptance.millionths.empty()) c.acceptance.millionths.pop_back();
  for (RequestSpec& spec : drawn.requests) {
    spec.dnode_drafts = std::min(spec.dnode_drafts, c.num_speculative_tokens);
  }
}

void not_cut(RandomCase& drawn) {
  drawn.is_cut = false;
  drawn.scenario.steps_max = kFarSteps;
}

/// Acceptance by position: every draft is right, or none where one that is right is too much.
void all_drafts(RandomCase& drawn, std::uint32_t millionths) {
  RunConfig& c = drawn.scenario.config;
  std::vector<std::uint32_t> shares(static_cast<std::size_t>(c.num_speculative_tokens), millionths);
  const std::vector<std::uint32_t> right(shares.size(), 1'000'000U);
  if (c.acceptance.kind == AcceptKind::per_position && c.acceptance.millionths == right) return;
  c.acceptance.kind = AcceptKind::per_position;
  c.acceptance.millionths = std::move(shares);
  for (RequestSpec& spec : drawn.requests) spec.row.accept.clear();
}

std::vector<Change> changes_of_rows() {
  std::vector<Change> changes{[](RandomCase& d) { d.scenario.config.rows.fill(RowMode::overlap); }};
  for (std::size_t row = 0; row < kRowCount; ++row) {
    changes.push_back([row](RandomCase& d) { d.scenario.config.rows[row] = RowMode::overlap; });
  }
  return changes;
}

/// Each key at the value that a reader need not think about.
std::vector<Change> changes_of_keys() {
  const auto with = [](auto change) {
    return Change([change](RandomCase& d) { change(d.scenario.config); });
  };
  const RunConfig plain;
  return {
      [](RandomCase& d) { d.level = RecordLevel::state; },
      not_cut,
      [](RandomCase& d) { d.scenario.timing = {}; },
      by_step,
      with([](RunConfig& c) { c.policy = PolicyKind::predict_rows_hidden; }),
      with([](RunConfig& c) { c.draft_path = DraftPath::gather; }),
      with([](RunConfig& c) { c.encoder_test = EncoderTest::encoder_len; }),
      with([](RunConfig& c) { c.copies_own_stream = false; }),
      with([](RunConfig& c) { c.splitwise_prefill = false; }),
      with([](RunConfig& c) { c.pinned_ring_depth = 1; }),
      with([](RunConfig& c) { c.captured_sizes.clear(); }),
      with([](RunConfig& c) { c.captured_sizes.resize(c.captured_sizes.empty() ? 0 : 1); }),
      with([](RunConfig& c) { c.ngram_millionths = 0; }),
      with([](RunConfig& c) { c.ngram_millionths = c.ngram_millionths > 0 ? 1'000'000 : 0; }),
      with([](RunConfig& c) { c.num_model_steps = c.num_speculative_tokens; }),
      with([](RunConfig& c) {
        if (c.num_model_steps < c.num_speculative_tokens) c.num_model_steps = 1;
      }),
      with([plain](RunConfig& c) { c.eos_ids = plain.eos_ids; }),
      with([plain](RunConfig& c) { c.padding_id = plain.padding_id; }),
      with([plain](RunConfig& c) { c.vocab_size = plain.vocab_size; }),
      with([](RunConfig& c) { c.kv_blocks = c.max_num_seqs * c.table_width(); }),
      with([](RunConfig& c) { c.max_num_batched_tokens = 8192; }),
      with([plain](RunConfig& c) { c.enc_dec_block_num = plain.enc_dec_block_num; }),
      [](RandomCase& d) { all_drafts(d, 1'000'000); },
      [](RandomCase& d) { all_drafts(d, 0); },
  };
}

bool Shrinker::plain_keys() {
  bool less = try_all(changes_of_keys());
  less = try_all(changes_of_rows()) || less;
  for (int tries = 0; tries < 16 && try_change(one_draft_less); ++tries) less = true;
  const auto config = [](RandomCase& drawn) -> RunConfig& { return drawn.scenario.config; };
  less = lower([&](RandomCase& d) -> std::int32_t& { return config(d).max_num_seqs; }, 1) || less;
  less = lower([&](RandomCase& d) -> std::int32_t& { return config(d).max_model_len; }, 2) || less;
  return less;
}

}  // namespace

RandomCase shrunk(RandomCase drawn, const std::function<bool(const RandomCase&)>& is_wrong) {
  return Shrinker(std::move(drawn), is_wrong).take();
}

}  // namespace tandem::test
