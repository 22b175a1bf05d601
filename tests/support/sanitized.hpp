// kSanitized: whether a sanitizer watches this build, which slows it 5- to 20-fold.
#pragma once

namespace tandem::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

}  // namespace tandem::test
