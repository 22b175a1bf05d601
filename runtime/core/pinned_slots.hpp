// PinnedSlots: the memory of one entry of every pinned ring, for devices that live in host memory.
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/core/device.hpp"

namespace tandem {

struct PinnedSlots {
  explicit PinnedSlots(const RunConfig& config);
  PinnedSlots(const PinnedSlots&) = delete;
  PinnedSlots& operator=(const PinnedSlots&) = delete;
  PinnedSlots(PinnedSlots&&) = delete;
  PinnedSlots& operator=(PinnedSlots&&) = delete;
  ~PinnedSlots() = default;

  std::vector<std::int32_t> q, b, accept_num, seq_len;
  std::vector<std::int64_t> accept_tokens, prompt_len;
  PinnedNumbers numbers;
  std::vector<Task> tasks;  ///< task_arrays_cpu
  PinnedEntry view;         ///< what the host is given
};

}  // namespace tandem
