// Requests of a trace as a workload: whole where the header tells it, else what was observed.
#include "scenarios/recorded_requests.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

/// A configuration that states its acceptance, with room for anything here.
RunConfig stated() { return test::parse_with({"engine.max_model_len=512"}).value().config; }

/// The same as a recorder of a real model writes it.
RunConfig unstated() {
  RunConfig config = stated();
  config.acceptance = AcceptProfile{};
  return config;
}

RecordedRequest seen(RequestId id, std::int32_t committed, StopReason reason) {
  RecordedRequest r;
  r.row = {id, 0, 10, 40, 0, {}};
  r.admitted = true;
  r.committed = committed;
  r.commits.assign(static_cast<std::size_t>((committed - 1) / 2), 2);
  if (committed % 2 == 0) r.commits.push_back(1);
  r.ended = reason == StopReason::eos;
  r.outcome = {id, reason == StopReason::open ? 0 : committed, reason};
  return r;
}

RecordedWorkload made(const RequestTable& table, const RunConfig& recorded) {
  Result<RecordedWorkload> out = recorded_workload(table, recorded, stated(), "a.tbt");
  EXPECT_TRUE(out.ok()) << out.error().text;
  return std::move(out.value());
}

TEST(RecordedRequests, StatedAcceptanceThenRowsAsTheyAre) {
  RequestTable table{{4, seen(4, 9, StopReason::open)}, {5, RecordedRequest{}}};
  table[4].row.eos_at = 30;
  table[5].row = {5, 2, 6, 7, 0, {}};  // waited to the end
  const RecordedWorkload out = made(table, stated());
  ASSERT_EQ(out.requests.size(), 2U);
  EXPECT_EQ(out.requests[0].row, table[4].row);
  EXPECT_EQ(out.requests[1].row, table[5].row);
  EXPECT_EQ(out.open_cut, 0);
}

TEST(RecordedRequests, ObservedEndThenEosThereAndCountsAsList) {
  const RecordedWorkload out = made({{4, seen(4, 9, StopReason::eos)}}, unstated());
  ASSERT_EQ(out.requests.size(), 1U);
  EXPECT_EQ(out.requests[0].row.eos_at, 9);
  EXPECT_EQ(out.requests[0].row.accept, (std::vector<std::int32_t>{2, 2, 2, 2}));
}

TEST(RecordedRequests, OpenAtTheEndThenCutThere) {
  const RecordedWorkload out = made({{4, seen(4, 9, StopReason::open)}}, unstated());
  EXPECT_EQ(out.open_cut, 1);
  EXPECT_EQ(out.requests.at(0).row.max_dec_len, 9);
  EXPECT_EQ(out.requests.at(0).row.eos_at, 0);
}

TEST(RecordedRequests, UnderWayAtTheStartThenItsTokensArePrompt) {
  RecordedRequest r = seen(4, 20, StopReason::eos);
  r.at_start = true;
  r.known_first = 8;
  r.commits = {3, 3, 3, 3};
  const RecordedWorkload out = made({{4, r}}, unstated());
  EXPECT_EQ(out.resumed, 1);
  const RequestRow& row = out.requests.at(0).row;
  EXPECT_EQ(row.prompt_len, 18);
  EXPECT_EQ(row.eos_at, 12);
  // Its prefill commits the first token of what was a step of three.
  EXPECT_EQ(row.accept, (std::vector<std::int32_t>{2, 3, 3, 3}));
}

TEST(RecordedRequests, NotOneTokenObservedThenLeftOut) {
  const RecordedWorkload out =
      made({{4, seen(4, 9, StopReason::eos)}, {5, seen(5, 0, StopReason::open)}}, unstated());
  EXPECT_EQ(out.left_out, 1);
  EXPECT_EQ(out.requests.size(), 1U);
  const auto none =
      recorded_workload({{5, seen(5, 0, StopReason::open)}}, unstated(), stated(), "a.tbt");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().text.rfind("a.tbt: got no request whose tokens were observed", 0), 0U);
}

TEST(RecordedRequests, AbortedThenAbortedThereAgain) {
  const RecordedWorkload out = made({{4, seen(4, 9, StopReason::abort)}}, stated());
  EXPECT_EQ(out.aborted, 1);
  EXPECT_EQ(out.requests.at(0).row.abort_after, 9);
}

TEST(RecordedRequests, TriggerInTheRowThenItHoldsWhateverBecameOfTheRequest) {
  RequestTable table{{4, seen(4, 9, StopReason::abort)}, {5, seen(5, 9, StopReason::eos)}};
  table[4].row.abort_after = 8;
  table[5].row.abort_after = 7;  // its own end crossed it
  const RecordedWorkload out = made(table, stated());
  EXPECT_EQ(out.aborted, 1);
  EXPECT_EQ(out.requests.at(0).row.abort_after, 8);
  EXPECT_EQ(out.requests.at(1).row.abort_after, 7);
}

TEST(RecordedRequests, ArrivalsOutOfOrderThenInOrder) {
  RequestTable table{{4, seen(4, 9, StopReason::eos)}, {5, seen(5, 9, StopReason::eos)}};
  table[4].row.arrival = 7;
  const RecordedWorkload out = made(table, stated());
  EXPECT_EQ(out.requests.at(0).row.id, 5);
  EXPECT_EQ(out.requests.at(1).row.id, 4);
}

TEST(RecordedRequests, RowsThatNoRunCanServeThenTheirPlace) {
  using Change = void (*)(RequestRow & row);
  for (const auto& [change, error] : {
           std::pair<Change, const char*>{[](RequestRow& r) { r.id = 3; }, "got id 3 in its row"},
           {[](RequestRow& r) { r.prompt_len = 0; }, "got prompt_len 0"},
           {[](RequestRow& r) { r.max_dec_len = 0; }, "got max_dec_len 0"},
           {[](RequestRow& r) { r.arrival = -1; }, "got arrival -1"},
           {[](RequestRow& r) { r.eos_at = -2; }, "got eos_at -2"},
           {[](RequestRow& r) { r.stop_at = 5; }, "got stop_len 0"},
           {[](RequestRow& r) { r.cached_prompt = 10; }, "got cached_prompt 10"},
           {[](RequestRow& r) { r.abort_after = -2; }, "got abort_after -2"},
           {[](RequestRow& r) {
              r.accept = {2, 0};
            },
            "got accept 0"},
           {[](RequestRow& r) { r.prompt_len = 600; }, "got a prompt of 600"},
       }) {
    RequestTable table{{4, seen(4, 9, StopReason::eos)}};
    change(table[4].row);
    const auto out = recorded_workload(table, stated(), stated(), "a.tbt");
    ASSERT_FALSE(out.ok()) << error;
    EXPECT_EQ(out.error().text.rfind(std::string("a.tbt: request 4: ") + error, 0), 0U)
        << out.error().text;
  }
}

}  // namespace
}  // namespace tandem
