// Shrinking takes away whatever is not needed to be wrong, each key that a case may have.
#include "tests/unit/joined/random_shrink.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

using test::RandomCase;

struct Feature {
  const char* name;
  std::function<bool(const RandomCase&)> has;
  std::vector<std::string> with;  ///< features that come along
};

Feature of_request(const char* name, bool (*has)(const RequestSpec&),
                   std::vector<std::string> with = {}) {
  const auto any = [has](const RandomCase& c) {
    return std::any_of(c.requests.begin(), c.requests.end(), has);
  };
  return {name, any, std::move(with)};
}

Feature of_config(const char* name, bool (*has)(const RunConfig&),
                  std::vector<std::string> with = {}) {
  return {name, [has](const RandomCase& c) { return has(c.scenario.config); }, std::move(with)};
}

std::vector<Feature> features() {
  return {
      of_request("stop sequence", [](const RequestSpec& r) { return r.row.stop_at > 0; }),
      of_request("long sequence", [](const RequestSpec& r) { return r.row.stop_len > 1; },
                 {"stop sequence"}),
      of_request("min_tokens", [](const RequestSpec& r) { return r.row.min_tokens > 0; },
                 {"stop sequence"}),
      of_request("cached prompt", [](const RequestSpec& r) { return r.row.cached_prompt > 0; }),
      of_request("no draft", [](const RequestSpec& r) { return r.dnode_drafts == 0; }),
      of_request("drafts", [](const RequestSpec& r) { return r.dnode_drafts > 0; }),
      of_request("abort at once", [](const RequestSpec& r) { return r.row.abort_after == 0; }),
      of_request("abort", [](const RequestSpec& r) { return r.row.abort_after > 0; }),
      of_request("preempt at once", [](const RequestSpec& r) { return r.preempt_after == 0; }),
      of_request("preempt", [](const RequestSpec& r) { return r.preempt_after > 0; }),
      of_request("EOS", [](const RequestSpec& r) { return r.row.eos_at > 0; }),
      of_config("accept list",
                [](const RunConfig& c) { return c.acceptance.kind == AcceptKind::list; }),
      of_config("n-gram", [](const RunConfig& c) { return c.ngram_millionths > 0; }, {"M < K"}),
      of_config("M < K",
                [](const RunConfig& c) { return c.num_model_steps < c.num_speculative_tokens; }),
      of_config("own copies", [](const RunConfig& c) { return c.copies_own_stream; }),
      of_config("ring", [](const RunConfig& c) { return c.pinned_ring_depth > 4; }),
      of_config("graphs", [](const RunConfig& c) { return !c.captured_sizes.empty(); }),
      of_config("P node", [](const RunConfig& c) { return c.splitwise_prefill; }),
      of_config("arrivals by time",
                [](const RunConfig& c) { return c.arrivals == ArrivalUnit::ns; }),
      of_config("path self", [](const RunConfig& c) { return c.draft_path == DraftPath::self; }),
      of_config("encoder test",
                [](const RunConfig& c) { return c.encoder_test == EncoderTest::step_idx; }),
      of_config("R4 sync", [](const RunConfig& c) { return c.row(4) == RowMode::sync; }),
      of_config("R11 bound", [](const RunConfig& c) { return c.row(11) == RowMode::bound; }),
      of_config("EOS ids", [](const RunConfig& c) { return c.eos_ids.size() > 1; }),
      of_config("padding id", [](const RunConfig& c) { return c.padding_id != 2; }),
      of_config("upper-bound",
                [](const RunConfig& c) { return c.policy == PolicyKind::upper_bound; }),
      of_config("wide", [](const RunConfig& c) { return c.max_num_seqs > 24; }),
      {"timing", [](const RandomCase& c) { return c.scenario.timing.copy_ns > 30'000; }, {}},
      {"level", [](const RandomCase& c) { return c.level == RecordLevel::full; }, {}},
      {"cut", [](const RandomCase& c) { return c.is_cut; }, {}}};
}

RandomCase first_with(const Feature& feature) {
  std::uint64_t seed = 1;
  RandomCase drawn = test::random_case(seed);
  while (!feature.has(drawn)) drawn = test::random_case(++seed);
  return drawn;
}

TEST(RandomShrink, KeepsWhatIsWrongAndTakesEveryOtherFeature) {
  const std::vector<Feature> all = features();
  for (const Feature& wanted : all) {
    const RandomCase least = test::shrunk(first_with(wanted), wanted.has);
    EXPECT_TRUE(wanted.has(least)) << wanted.name;
    EXPECT_EQ(least.requests.size(), 1U) << wanted.name;
    for (const Feature& other : all) {
      const bool comes_along =
          std::find(wanted.with.begin(), wanted.with.end(), other.name) != wanted.with.end();
      if (comes_along || other.name == wanted.name) continue;
      EXPECT_FALSE(other.has(least)) << other.name << " beside " << wanted.name << "\n"
                                     << test::as_scenario_text(least);
    }
  }
}

TEST(RandomShrink, OffersOnlyCasesThatTheParserTakes) {
  const auto is_wrong = [](const RandomCase& c) {
    EXPECT_TRUE(parse_scenario(test::as_scenario_text(c), "random").ok())
        << test::as_scenario_text(c);
    return c.requests.size() > 2;
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const RandomCase drawn = test::random_case(seed);
    if (drawn.requests.size() <= 2) continue;
    EXPECT_EQ(test::shrunk(drawn, is_wrong).requests.size(), 3U) << "seed " << seed;
  }
}

TEST(RandomShrink, LowersNumbersToTheLastThatIsWrong) {
  const auto is_wrong = [](const RandomCase& c) {
    const RequestRow& row = c.requests.front().row;
    return row.prompt_len >= 7 && row.max_dec_len >= 3 &&
           c.scenario.config.num_speculative_tokens >= 2;
  };
  std::uint64_t seed = 1;
  while (!is_wrong(test::random_case(seed))) ++seed;
  const RandomCase least = test::shrunk(test::random_case(seed), is_wrong);
  EXPECT_EQ(least.requests.size(), 1U);
  EXPECT_EQ(least.requests[0].row.prompt_len, 7);
  EXPECT_EQ(least.requests[0].row.max_dec_len, 3);
  EXPECT_EQ(least.scenario.config.num_speculative_tokens, 2);
  EXPECT_EQ(least.scenario.config.max_num_seqs, 1);
}

}  // namespace
}  // namespace tandem
