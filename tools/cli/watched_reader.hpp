// A TraceReader around another: gives pages of read blocks back, counts blocks, can be stopped.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

#include "tools/cli/files.hpp"
#include "traces/tbt.hpp"

namespace tandem::cli {

struct ReaderHooks {
  const std::atomic<bool>* stop = nullptr;  ///< set: the next block does not open
  /// Called with the number of blocks read so far, from any reading thread, one at a time.
  std::function<void(std::size_t)> block_done;
};

/// `file` holds the bytes of `inner`; both outlive the result. When a BlockReader is destroyed, its
/// pages leave memory: what is resident does not grow with the file.
[[nodiscard]] std::unique_ptr<TraceReader> watch(const TraceReader& inner, const InputFile& file,
                                                 ReaderHooks hooks);

}  // namespace tandem::cli
