// Page-locked host memory, and the rings and buffers that live in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/core/device.hpp"
#include "runtime/cuda/step_image.hpp"
#include "traces/run_config.hpp"

namespace tandem::cuda {

/// An allocation that host and GPU address alike. Throws CudaFailure.
class PinnedBytes {
 public:
  explicit PinnedBytes(std::size_t bytes);
  PinnedBytes(const PinnedBytes&) = delete;
  PinnedBytes& operator=(const PinnedBytes&) = delete;
  ~PinnedBytes();

  [[nodiscard]] std::byte* data() { return data_; }

 private:
  std::byte* data_ = nullptr;
};

/// One entry of every ring that the device fills, and the entry of task_arrays_cpu that it reads.
class PinnedRingEntry {
 public:
  explicit PinnedRingEntry(const RunConfig& config);

  [[nodiscard]] const PinnedEntry& view() const { return view_; }
  /// Words as device_ops.hpp wants them; they stay where they are until the next call.
  std::span<const std::int64_t> stage(const std::vector<Task>& tasks);
  /// What stage() was given last.
  [[nodiscard]] std::span<const std::int64_t> staged() const { return staged_; }
  /// Of the tasks' words alone.
  [[nodiscard]] std::int32_t staged_digest() const;

 private:
  PinnedBytes memory_;
  PinnedEntry view_;
  std::unique_ptr<PinnedBytes> staging_;
  std::size_t staging_words_ = 0;
  std::span<const std::int64_t> staged_;
  std::vector<std::int64_t> words_;
};

/// Where a keyframe lands: an image, what no image holds, and the outputs that were not sent yet.
class KeyframeBuffer {
 public:
  KeyframeBuffer(const RunConfig& config, const ImageLayout& layout);

  std::span<std::int32_t> image;
  std::span<std::int64_t> infer_seed;
  std::span<std::int32_t> block_tables;
  std::span<std::int32_t> table_len;
  PinnedEntry outputs;  ///< accept_tokens, accept_num, seq_len and prompt_len alone

 private:
  PinnedBytes memory_;
};

/// Fills the device's part of a keyframe; the message in it is that of `step`.
void fill_keyframe(const RunConfig& config, const ImageLayout& layout, const KeyframeBuffer& buffer,
                   std::int64_t step, Keyframe& keyframe);

}  // namespace tandem::cuda
