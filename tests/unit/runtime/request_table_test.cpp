// The request table that records tell: whole requests, recoveries, other columns, no acceptance.
#include "traces/request_table.hpp"

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::KeepingSink;
using test::request;
using test::run_kept;
using test::small_scenario;

RequestTable table_of(const KeepingSink& kept, const std::vector<std::string>& absent = {}) {
  TraceHeader header = kept.header;
  header.absent = absent;
  RequestTableBuilder builder(header, true);
  builder.start(kept.keyframes.front());
  for (const StepRecord& r : kept.steps) builder.take(r);
  builder.wait(kept.rows);
  return builder.finish();
}

std::int64_t sum_of(const RecordedRequest& r) {
  std::int64_t sum = 1;
  for (const std::uint8_t count : r.commits) sum += count;
  return sum;
}

/// Four requests in two slots; the last one is preempted after 5 tokens.
void run_four_requests(KeepingSink& kept) {
  std::vector<RequestSpec> requests{request(0, 0, 9, 30, 12), request(1, 0, 20, 7),
                                    request(2, 3, 5, 30, 1), request(3, 4, 6, 30, 17)};
  requests.back().preempt_after = 5;
  run_kept(small_scenario(2, 3), requests, kept);
}

TEST(RequestTable, WholeRunThenEachRequestWithItsCountsAndItsEnd) {
  KeepingSink kept;
  run_four_requests(kept);
  const RequestTable table = table_of(kept);
  ASSERT_EQ(table.size(), 4U);
  const std::int32_t lengths[] = {12, 7, 1, 17};
  for (const auto& [id, r] : table) {
    const std::int32_t length = lengths[static_cast<std::size_t>(id)];
    EXPECT_EQ(r.row.id, id);
    EXPECT_EQ(r.committed, length) << id;
    EXPECT_EQ(sum_of(r), length) << id;
    EXPECT_EQ(r.outcome.output_len, length) << id;
    EXPECT_EQ(r.ended, r.outcome.reason == StopReason::eos || id == 1) << id;
    EXPECT_TRUE(r.admitted);
    EXPECT_FALSE(r.at_start);
  }
  EXPECT_EQ(table.at(1).outcome.reason, StopReason::length);
}

TEST(RequestTable, CountsFromAnyColumnThatTellsThemThenTheSame) {
  KeepingSink kept;
  run_four_requests(kept);
  const RequestTable all = table_of(kept);
  for (const std::vector<std::string>& absent :
       {std::vector<std::string>{"p2.a"}, {"p2.a", "p2.g"}, {"p2.a", "p2.g", "p4.g"}}) {
    const RequestTable table = table_of(kept, absent);
    for (const auto& [id, r] : all) {
      EXPECT_EQ(table.at(id).commits, r.commits)
          << "request " << id << ", without " << absent.size() << " columns";
    }
  }
}

TEST(RequestTable, NoColumnTellsCountsThenItSaysSo) {
  FieldSet present = fields_at(RecordLevel::state);
  EXPECT_TRUE(tells_commits(present));
  for (const Field field : {Field::p2_a, Field::p2_g, Field::p4_g, Field::p2_d}) {
    EXPECT_TRUE(tells_commits(present));
    present.reset(static_cast<std::size_t>(field));
  }
  EXPECT_FALSE(tells_commits(present));
}

TEST(RequestTable, RowWithoutAcceptanceThenCountsAndTheEndAreTheRow) {
  RecordedRequest r;
  r.row = {3, 0, 10, 40, 0, {}};
  r.commits = {3, 1, 2};
  r.committed = 7;
  r.outcome = {3, 7, StopReason::eos};
  EXPECT_EQ(observed_row(r).eos_at, 7);
  EXPECT_EQ(observed_row(r).accept, (std::vector<std::int32_t>{3, 1, 2}));
  r.outcome.reason = StopReason::length;
  EXPECT_EQ(observed_row(r).eos_at, 0) << "a limit is no EOS";
  r.known_first = 5;
  EXPECT_EQ(observed_row(r).accept, (std::vector<std::int32_t>{4, 3, 1, 2}))
      << "one entry for what lies before the trace";
}

TEST(RequestTable, RunThatIsCutThenWhoWaitsIsNotAdmitted) {
  Scenario scenario = small_scenario(1, 2);
  scenario.steps_max = 4;
  KeepingSink kept;
  run_kept(scenario, {request(0, 0, 9, 60), request(1, 1, 9, 60)}, kept);
  const RequestTable table = table_of(kept);
  ASSERT_EQ(table.size(), 2U);
  EXPECT_TRUE(table.at(0).admitted);
  EXPECT_EQ(table.at(0).outcome.reason, StopReason::open);
  EXPECT_FALSE(table.at(1).admitted);
  EXPECT_EQ(table.at(1).committed, 0);
}

}  // namespace
}  // namespace tandem
