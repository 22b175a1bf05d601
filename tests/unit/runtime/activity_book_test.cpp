// Spans of operations out of launches and the activities reported for them, in any order.
#include "runtime/cuda/activity_book.hpp"

#include <gtest/gtest.h>

namespace tandem::cuda {
namespace {

constexpr LaunchPart kForward{1, 0, 4, 1};

TEST(ActivityBook, SeveralLaunchesOfAnOperationThenOneSpanFromTheFirstToTheLast) {
  ActivityBook book;
  book.open(7, kForward);
  book.launched(20);
  book.launched(21);
  book.close();
  book.end_step(7);
  book.executed(21, 300, 350);
  EXPECT_FALSE(book.is_complete(7)) << "launch 20 is missing";
  book.executed(20, 100, 250);
  ASSERT_TRUE(book.is_complete(7));
  EXPECT_EQ(book.take(7), (std::vector<Span>{{1, 0, 4, 100, 350}}));
  EXPECT_TRUE(book.take(7).empty()) << "moved out";
  EXPECT_EQ(book.lost(), 0);
}

TEST(ActivityBook, NodesOfAGraphThenGoToItsOperationsInTheOrderOfTime) {
  ActivityBook book;
  book.open_graph(3, {{1, 2, 5, 2}, {1, 2, 6, 0}, {1, 2, 7, 1}});
  book.launched(9);
  book.close();
  book.end_step(3);
  book.executed(9, 70, 90);  // the last one is reported first
  book.executed(9, 10, 20);
  EXPECT_FALSE(book.is_complete(3));
  book.executed(9, 30, 60);
  ASSERT_TRUE(book.is_complete(3));
  EXPECT_EQ(book.take(3), (std::vector<Span>{{1, 2, 5, 10, 60}, {1, 2, 7, 70, 90}}))
      << "operation 6 launched nothing";
}

TEST(ActivityBook, StepThatMayStillLaunchThenIsNotComplete) {
  ActivityBook book;
  book.open(0, kForward);
  book.launched(1);
  book.close();
  book.executed(1, 5, 6);
  EXPECT_FALSE(book.is_complete(0));
  book.end_step(0);
  EXPECT_TRUE(book.is_complete(0));
}

TEST(ActivityBook, LaunchesOfNoOperationThenAreNobodysSpan) {
  ActivityBook book;
  book.launched(1);  // a snapshot between two operations
  book.open(0, kForward);
  book.launched(2);
  book.close();
  book.launched(3);
  book.end_step(0);
  for (const std::uint32_t correlation : {1U, 2U, 3U, 4U}) book.executed(correlation, 10, 20);
  EXPECT_EQ(book.take(0), (std::vector<Span>{{1, 0, 4, 10, 20}}));
  EXPECT_EQ(book.lost(), 0);
}

TEST(ActivityBook, WhatIsNeverReportedThenIsLostAndHoldsNoStepUp) {
  ActivityBook book;
  book.open_graph(0, {{1, 0, 1, 2}});
  book.launched(5);
  book.close();
  book.end_step(0);
  book.executed(5, 10, 20);  // one of its two nodes
  book.give_up();
  EXPECT_TRUE(book.is_complete(0));
  EXPECT_TRUE(book.take(0).empty());
  EXPECT_EQ(book.lost(), 1);
  book.dropped(3);
  EXPECT_EQ(book.lost(), 4);
}

}  // namespace
}  // namespace tandem::cuda
