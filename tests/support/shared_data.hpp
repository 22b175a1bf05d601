// Where tests find the shared data (production traces, operation vectors), which no commit holds.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace tandem::test {

/// The shared folder: the environment's TANDEM_SHARED_DIR, else "shared" beside the source tree.
inline std::filesystem::path shared_dir() {
  const char* from_environment = std::getenv("TANDEM_SHARED_DIR");
  if (from_environment != nullptr && *from_environment != '\0') return from_environment;
  return std::filesystem::path(TANDEM_SOURCE_DIR).parent_path() / "shared";
}

/// The path of one shared file or folder ("data/op-vectors"), or nothing where it is absent.
/// A test that needs it says GTEST_SKIP() << missing_shared_data("data/op-vectors").
inline std::optional<std::filesystem::path> shared_data(std::string_view relative) {
  const std::filesystem::path path = shared_dir() / relative;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return std::nullopt;
  return path;
}

/// The sentence a skipped test prints.
inline std::string missing_shared_data(std::string_view relative) {
  return (shared_dir() / relative).string() + " is absent; set TANDEM_SHARED_DIR to run this test";
}

}  // namespace tandem::test
