// TANDEM_CHECK: assertions about our own code. On in every build; they print values and abort.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <type_traits>

namespace tandem::detail {

[[noreturn]] inline void check_failed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "tandem bug: %s:%d: check failed: %s\n", file, line, what);
  std::abort();
}

template <class A, class B>
[[noreturn]] void check_eq_failed(const char* file, int line, const char* what, const A& a,
                                  const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    std::fprintf(stderr, "tandem bug: %s:%d: check failed: %s (%lld against %lld)\n", file, line,
                 what, static_cast<long long>(a), static_cast<long long>(b));
  } else {
    std::fprintf(stderr, "tandem bug: %s:%d: check failed: %s\n", file, line, what);
  }
  std::abort();
}

}  // namespace tandem::detail

#ifdef __CUDA_ARCH__  // constexpr functions run on a GPU too; the error comes back as a trap
#define TANDEM_CHECK(condition) ((condition) ? void() : __trap())
#else
#define TANDEM_CHECK(condition) \
  ((condition) ? void() : ::tandem::detail::check_failed(__FILE__, __LINE__, #condition))
#endif

#define TANDEM_CHECK_EQ(a, b)                                                                  \
  do {                                                                                         \
    const auto& tandem_a = (a);                                                                \
    const auto& tandem_b = (b);                                                                \
    if (!(tandem_a == tandem_b)) {                                                             \
      ::tandem::detail::check_eq_failed(__FILE__, __LINE__, #a " == " #b, tandem_a, tandem_b); \
    }                                                                                          \
  } while (false)
