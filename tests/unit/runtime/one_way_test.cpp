// Doorbell and OneWayQueue: what they bring across threads, and what they do not order.
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

#include <gtest/gtest.h>

#include "runtime/host/doorbell.hpp"
#include "runtime/host/one_way_queue.hpp"
#include "tests/unit/runtime/race_process.hpp"

namespace tandem {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;

/// Runs both and ends the process.
[[noreturn]] void run_both(const std::function<void()>& first,
                           const std::function<void()>& second) {
  std::thread one(first);
  std::thread two(second);
  one.join();
  two.join();
  std::exit(0);
}

void spin_until(const std::atomic<bool>& flag) {
  while (!flag.load(kRelaxed)) std::this_thread::yield();
}

TEST(Doorbell, RingInFrontOfTheSleepIsKept) {
  Doorbell bell;
  bell.ring();
  bell.ring();
  int asked = 0;
  bell.sleep_until([&asked] { return ++asked == 2; });
  EXPECT_EQ(asked, 2);
}

TEST(Doorbell, ReadySleeperDoesNotSleep) {
  Doorbell bell;
  bell.sleep_until([] { return true; });
}

TEST(Doorbell, TwoThreadsTakeTurnsAndNoRingIsLost) {
  constexpr int kTurns = 20'000;
  Doorbell even;
  Doorbell odd;
  std::atomic<int> turn{0};
  const auto play = [&turn](int parity, Doorbell& mine, Doorbell& other) {
    for (int i = parity; i < kTurns; i += 2) {
      mine.sleep_until([&turn, i] { return turn.load() == i; });
      turn.store(i + 1);
      other.ring();
    }
  };
  std::thread second([&] { play(1, odd, even); });
  play(0, even, odd);
  second.join();
  EXPECT_EQ(turn.load(), kTurns);
}

TEST(OneWayQueue, EmptyThenOutStaysAsItWas) {
  OneWayQueue<int> queue;
  int out = 7;
  EXPECT_FALSE(queue.pop(out));
  EXPECT_EQ(out, 7);
  queue.push(1);
  EXPECT_TRUE(queue.pop(out));
  EXPECT_EQ(out, 1);
  EXPECT_FALSE(queue.pop(out));
}

TEST(OneWayQueue, TwoThreadsThenEveryEntryInOrder) {
  constexpr int kCount = 100'000;
  OneWayQueue<int> queue;
  std::thread producer([&queue] {
    for (int i = 0; i < kCount; ++i) queue.push(i);
  });
  for (int i = 0; i < kCount; ++i) {
    int out = -1;
    while (!queue.pop(out)) std::this_thread::yield();
    ASSERT_EQ(out, i);
  }
  producer.join();
}

TEST(OneWayQueue, DestroyedWithEntriesThenTheyAreDestroyedToo) {
  const auto counted = std::make_shared<int>(0);
  {
    OneWayQueue<std::shared_ptr<int>> queue;
    for (int i = 0; i < 10; ++i) queue.push(counted);
    EXPECT_EQ(counted.use_count(), 11);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

// -- order ----------------------------------------------------------------------------------------

using OneWay = test::RaceProcess;

/// What both threads write. The sanitizer remembers four accesses of each 8 bytes: a flag beside it
/// that a thread spins on could push the write out before it is compared.
struct alignas(8) Data {
  int value = 0;
};

TEST_F(OneWay, EntryBringsWhatItsProducerDidBefore) {
  const auto handed_over = [] {
    OneWayQueue<int> queue;
    Data data;
    run_both(
        [&] {
          data.value = 1;
          queue.push(0);
        },
        [&] {
          int out = 0;
          while (!queue.pop(out)) std::this_thread::yield();
          data.value = 2;
        });
  };
  EXPECT_EXIT(handed_over(), testing::ExitedWithCode(0), "");
}

TEST_F(OneWay, LaterEntryOrdersNothingForAnEarlierOne) {
  const auto read_between = [] {
    OneWayQueue<int> queue;
    std::atomic<bool> pushed{false};
    Data data;
    run_both(
        [&] {
          queue.push(0);
          data.value = 1;
          queue.push(1);
          pushed.store(true, kRelaxed);
        },
        [&] {
          spin_until(pushed);
          int out = 0;
          if (queue.pop(out)) data.value = 2;
        });
  };
  TANDEM_EXPECT_RACE(read_between());
}

TEST_F(OneWay, TakingAnEntryOrdersNothingForTheProducer) {
  const auto write_back = [] {
    OneWayQueue<int> queue;
    std::atomic<bool> taken{false};
    Data data;
    run_both(
        [&] {
          queue.push(0);
          spin_until(taken);
          queue.push(1);
          data.value = 1;
        },
        [&] {
          int out = 0;
          while (!queue.pop(out)) std::this_thread::yield();
          data.value = 2;
          taken.store(true, kRelaxed);
        });
  };
  TANDEM_EXPECT_RACE(write_back());
}

TEST_F(OneWay, RingOrdersNothing) {
  const auto rung = [] {
    Doorbell bell;
    std::atomic<bool> done{false};
    Data data;
    run_both(
        [&] {
          data.value = 1;
          done.store(true, kRelaxed);
          bell.ring();
        },
        [&] {
          bell.sleep_until([&] { return done.load(kRelaxed); });
          data.value = 2;
        });
  };
  TANDEM_EXPECT_RACE(rung());
}

}  // namespace
}  // namespace tandem
