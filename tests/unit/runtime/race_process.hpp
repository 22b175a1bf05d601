// Tests that want ThreadSanitizer to find a race: each case runs in a process of its own.
#pragma once

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace tandem::test {

#if defined(__SANITIZE_THREAD__)
constexpr bool kSeesRaces = true;
#elif defined(__has_feature)
constexpr bool kSeesRaces = __has_feature(thread_sanitizer);
#else
constexpr bool kSeesRaces = false;
#endif
constexpr int kRaceExitCode = 66;  // the sanitizer's

/// For EXPECT_RACE and EXPECT_EXIT; statements end the process themselves.
class RaceProcess : public testing::Test {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    // A wrong value may trip a check of our own behind the race: the first report decides.
    const char* options = std::getenv("TSAN_OPTIONS");
    const std::string more = (options == nullptr ? "" : std::string(options) + ":") +
                             "halt_on_error=1:exitcode=" + std::to_string(kRaceExitCode);
    ASSERT_EQ(::setenv("TSAN_OPTIONS", more.c_str(), 1), 0);
  }
};

}  // namespace tandem::test

/// `statement` has a race; skips the test in builds that cannot see one.
#define TANDEM_EXPECT_RACE(statement)                                                            \
  do {                                                                                           \
    if (!::tandem::test::kSeesRaces) GTEST_SKIP() << "needs -fsanitize=thread";                  \
    EXPECT_EXIT(statement, testing::ExitedWithCode(::tandem::test::kRaceExitCode), "data race"); \
  } while (false)
