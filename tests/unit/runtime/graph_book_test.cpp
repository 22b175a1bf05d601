// Which groups of launches have a CUDA graph, and when one is made.
#include "runtime/core/graph_book.hpp"

#include <gtest/gtest.h>

#include "runtime/core/launch_groups.hpp"

namespace tandem {
namespace {

using Answer = GraphBook::Answer;

plan::Operation launched(plan::OpKind kind) {
  plan::Operation op;
  op.kind = kind;
  op.lane = plan::Lane::compute;
  return op;
}

/// Asks until there is a graph.
std::size_t make(GraphBook& book, const GraphKey& key) {
  EXPECT_EQ(book.ask(key).answer, Answer::alone);
  const GraphBook::Found found = book.ask(key);
  EXPECT_EQ(found.answer, Answer::make);
  book.made(key, found.graph);
  return found.graph;
}

TEST(GraphBook, OfAKeyThenAloneThenMadeThenReplayed) {
  GraphBook book;
  EXPECT_EQ(book.ask({1, 5}).answer, Answer::alone);
  const GraphBook::Found second = book.ask({1, 5});
  EXPECT_EQ(second.answer, Answer::make);
  EXPECT_TRUE(second.is_new);
  book.made({1, 5}, second.graph);
  const GraphBook::Found third = book.ask({1, 5});
  EXPECT_EQ(third.answer, Answer::replay);
  EXPECT_EQ(third.graph, second.graph);
  EXPECT_EQ(book.ask({1, 6}).answer, Answer::alone);
}

TEST(GraphBook, OfAGraphThatCouldNotBeMadeThenItsKeyIsSeenForTheFirstTimeAgain) {
  GraphBook book;
  EXPECT_EQ(book.ask({1, 5}).answer, Answer::alone);
  EXPECT_EQ(book.ask({1, 5}).answer, Answer::make);  // and nobody says made()
  EXPECT_EQ(book.ask({1, 5}).answer, Answer::alone);
}

TEST(GraphBook, OfAFullGroupThenTheLeastRecentlyLaunchedIsTaken) {
  GraphBook book;
  for (std::int64_t k = 0; k < 64; ++k) {
    EXPECT_EQ(make(book, {1, k}), static_cast<std::size_t>(k));
  }
  EXPECT_EQ(book.ask({1, 0}).answer, Answer::replay);  // 1 is now the oldest
  EXPECT_EQ(book.ask({1, 64}).answer, Answer::alone);
  const GraphBook::Found found = book.ask({1, 64});
  EXPECT_EQ(found.answer, Answer::make);
  EXPECT_FALSE(found.is_new);
  EXPECT_EQ(found.graph, 1U);
  book.made({1, 64}, found.graph);
  EXPECT_EQ(book.ask({1, 1}).answer, Answer::alone);
  EXPECT_EQ(book.ask({1, 64}).answer, Answer::replay);
  EXPECT_EQ(make(book, {2, 0}), 64U);  // another group has room of its own
}

TEST(GraphBook, ClearedThenNoGraphIsLeft) {
  GraphBook book;
  EXPECT_EQ(make(book, {1, 5}), 0U);
  book.clear();
  EXPECT_EQ(make(book, {1, 5}), 0U);
}

TEST(LaunchGroups, OfAnEagerMainLaunchThenNothingIsHeldBack) {
  LaunchGroups groups;
  LaunchArgs args;
  const plan::Operation forward = launched(plan::OpKind::target_forward);
  const plan::Operation head = launched(plan::OpKind::lm_head);
  EXPECT_EQ(groups.group_of(forward, args), LaunchGroups::kAlone);
  EXPECT_EQ(groups.group_of(head, args), LaunchGroups::kAlone);
  args.captured = 8;
  EXPECT_NE(groups.group_of(forward, args), LaunchGroups::kAlone);
  EXPECT_NE(groups.group_of(head, args), LaunchGroups::kAlone);
  EXPECT_NE(groups.group_of(head, args), groups.group_of(forward, args));
  groups.end_step();
  EXPECT_EQ(groups.group_of(head, args), LaunchGroups::kAlone);
}

TEST(LaunchGroups, OfSubstepsThenEachIsAGroup) {
  LaunchGroups groups;
  LaunchArgs args;
  args.captured = 8;
  const plan::Operation forward = launched(plan::OpKind::target_forward);
  static_cast<void>(groups.group_of(forward, args));
  plan::Operation update = launched(plan::OpKind::draft_model_update);
  update.substep = 0;
  const int first = groups.group_of(update, args);
  update.substep = 1;
  EXPECT_NE(groups.group_of(update, args), first);
  EXPECT_TRUE(LaunchGroups::ends_group(update.kind));
  args.captured = 0;  // this sub-step is eager
  EXPECT_EQ(groups.group_of(update, args), LaunchGroups::kAlone);
}

}  // namespace
}  // namespace tandem
