// Every scenario of the catalogue under every row and policy: the same tokens, and clean.
//
// Digests cover every token of every request: production-sized workloads are cut to their first
// requests (catalog_case), never to steps, so each request ends in each schedule.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "tests/support/sanitized.hpp"
#include "tests/unit/joined/catalog_test_name.hpp"
#include "tests/unit/joined/judged_run.hpp"
#include "traces/base/hash.hpp"

namespace tandem {
namespace {

using test::catalog_list;
using test::difference;
using test::JudgedRun;
using test::run_catalog;

class Lossless : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    overrides_ = {"policy=predict-rows-hidden"};
    set_rows("sync");
    reference_ = run();
    ASSERT_EQ(reference_.complaint(), "");
    ASSERT_GT(reference_.summary.tokens, 0);
  }

  /// Sets every row: what the scenario says of single rows is overridden as well.
  void set_rows(const char* mode) { rows_.fill(mode); }
  void set_row(int row, const char* mode) { rows_[static_cast<std::size_t>(row)] = mode; }

  [[nodiscard]] JudgedRun run() const {
    std::vector<std::string> all = overrides_;
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      all.push_back("rows.R" + std::to_string(row) + "=" + rows_[row]);
    }
    return run_catalog(GetParam(), all);
  }

  void expect_lossless(const std::string& what) {
    const JudgedRun result = run();
    EXPECT_EQ(result.complaint(), "") << what;
    EXPECT_EQ(difference(reference_, result), "") << what << ", against all sync";
  }

  std::vector<std::string> overrides_;
  std::array<std::string, kRowCount> rows_;
  JudgedRun reference_;
};

// A sanitizer slows a run 20-fold and looks at memory and threads, which no row changes much: each
// scenario takes one row then, another one each, and no pair.
constexpr bool kThin = test::kSanitized;

constexpr std::array<int, 13> kRows = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13};

/// Semantics 3.4, test list: all overlap but one, all sync but one, and the pairs both ways.
class LosslessOnPath : public Lossless {
 protected:
  void check_path(const std::string& path) {
    overrides_.push_back("draft_path=" + path);
    for (const auto& [rest, single] :
         {std::pair("overlap", "sync"), std::pair("sync", "overlap")}) {
      set_rows(rest);
      expect_lossless(path + ", all " + rest);
      for (const int row : kRows) {
        if (kThin && row != kRows[hash_text(GetParam()) % kRows.size()]) continue;
        set_rows(rest);
        set_row(row, single);
        expect_lossless(path + ", all " + rest + " but R" + std::to_string(row));
      }
      check_pairs(path, rest, single);
      set_rows(rest);
      set_row(11, "bound");
      expect_lossless(path + ", all " + rest + ", R11 bound");
    }
  }

 private:
  void check_pairs(const std::string& path, const char* rest, const char* single) {
    if (kThin) return;
    for (const auto& [a, b] : {std::pair(0, 2), std::pair(6, 7), std::pair(8, 11)}) {
      set_rows(rest);
      set_row(a, single);
      set_row(b, single);
      expect_lossless(path + ", all " + rest + " but R" + std::to_string(a) + " and R" +
                      std::to_string(b));
    }
  }
};

TEST_P(LosslessOnPath, GatherGivesTheSameTokensUnderEveryRow) { check_path("gather"); }
TEST_P(LosslessOnPath, SelfGivesTheSameTokensUnderEveryRow) { check_path("self"); }

TEST_P(Lossless, SoundPoliciesAreCleanAndGiveTheSameTokens) {
  set_rows("overlap");
  for (const char* policy : {"exact", "predict-rows-hidden", "upper-bound", "all-accepted"}) {
    overrides_ = {std::string("policy=") + policy};
    expect_lossless(policy);
  }
}

/// Where semantics 4.3 lets a policy of r W draft rows break, all rows overlap. It follows the
/// device's q, b and r and nothing that the host of the broken run believed.
class BreakingPoint : public test::RecordWatcher {
 public:
  void begin(const TraceHeader& header) override {
    width_ = header.config.row_width();
    sum_ = header.config.policy == PolicyKind::predict_sum;
  }

  void step(const StepRecord& r) override {
    std::int64_t rows = 0;
    std::int64_t running = 0;
    std::int64_t parked = 0;
    for (std::size_t i = 0; i < r.p1.q.size(); ++i) {
      rows += r.p1.q[i];
      running += r.p1.q[i] > 0 ? 1 : 0;
      parked += r.p1.b[i];
    }
    const bool dnode = std::any_of(r.tasks.begin(), r.tasks.end(),
                                   [](const Task& task) { return task.kind == TaskKind::dnode; });
    const bool predicted = next_ > 0 && !dnode && !r.flag_in;
    const std::int64_t launched = predicted ? next_ : rows;
    if (!first_ && launched < rows) first_ = {sim::CheckId::V1, r.t};
    const bool drafts_by_slots = running > 0 && !r.draft_flag_in;
    if (!first_ && drafts_by_slots && running * width_ > launched) {
      first_ = {sim::CheckId::V16, r.t};
    }
    next_ = sum_ ? rows + parked * width_ : (running + parked) * width_;
    if (r.flag_in) next_ = -1;
  }

  /// Check and step; nothing where the policy holds.
  [[nodiscard]] const std::optional<std::pair<sim::CheckId, std::int64_t>>& first() const {
    return first_;
  }

 private:
  std::int64_t width_ = 0;
  bool sum_ = false;
  std::int64_t next_ = -1;  ///< rows predicted for the next step, -1: none
  std::optional<std::pair<sim::CheckId, std::int64_t>> first_;
};

std::string words(const std::optional<std::pair<sim::CheckId, std::int64_t>>& place) {
  if (!place) return "clean";
  return std::string(sim::to_name(place->first)) + " at step " + std::to_string(place->second);
}

TEST_P(Lossless, UnsoundPoliciesBreakWhereTheLawSaysAndNowhereBefore) {
  for (const char* policy : {"predict-sum", "predict-rows"}) {
    std::vector<std::string> overrides = {std::string("policy=") + policy};
    for (int row = 0; row < kRowCount; ++row) {
      overrides.push_back("rows.R" + std::to_string(row) + "=overlap");
    }
    BreakingPoint expected;
    const JudgedRun result = run_catalog(GetParam(), overrides, &expected);
    std::optional<std::pair<sim::CheckId, std::int64_t>> found;
    if (!result.verdict.divergences.empty()) {
      const sim::Divergence& first = result.verdict.divergences.front();
      found = {first.check, first.step};
    }
    EXPECT_EQ(words(found), words(expected.first())) << policy << ": " << result.complaint();
  }
}

INSTANTIATE_TEST_SUITE_P(Catalog, Lossless, testing::ValuesIn(catalog_list()),
                         test::catalog_test_name);
INSTANTIATE_TEST_SUITE_P(Catalog, LosslessOnPath, testing::ValuesIn(catalog_list()),
                         test::catalog_test_name);

}  // namespace
}  // namespace tandem
