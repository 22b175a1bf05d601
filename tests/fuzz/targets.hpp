// The readers of untrusted input as fuzz targets: what each is fed, and how it is driven.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "traces/base/result.hpp"

namespace tandem::fuzz {

using Input = std::span<const std::byte>;

/// One reader. Whatever the input, run() comes back, in bounded time and memory.
struct Target {
  std::string_view name;  ///< of the program, the corpus and the dictionary
  /// Reads the input to its end as the product does, and uses what was read. The Error of an input
  /// that is refused. Aborts where the reader breaks its promise (an error of two lines).
  Status (*run)(Input input);
  /// Inputs that run() takes: where mutation starts.
  std::vector<std::string> (*seeds)();
  /// Words of the format, for the dictionary.
  std::vector<std::string> (*words)();
};

/// Every target, by name. A reader is added here and in CMakeLists.txt, one line each.
[[nodiscard]] std::span<const Target> all_targets();
/// Null for an unknown name.
[[nodiscard]] const Target* find_target(std::string_view name);

/// What a target answers: aborts unless the text of an error is one line that can be printed.
[[nodiscard]] Status checked(Status status);

[[nodiscard]] inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

}  // namespace tandem::fuzz
