// ModelConfig: what kernels need of a RunConfig, as a plain struct that a launch can carry.
#pragma once

#include <cstddef>
#include <cstdint>

#include "traces/run_config.hpp"

namespace tandem::cuda {

/// A short list by value, with the members of a container that runtime/core/script.hpp uses.
template <class T, std::size_t kCapacity>
struct FixedList {
  T items[kCapacity] = {};
  std::size_t count = 0;

  [[nodiscard]] constexpr const T* begin() const { return items; }
  [[nodiscard]] constexpr const T* end() const { return items + count; }
  [[nodiscard]] constexpr std::size_t size() const { return count; }
  [[nodiscard]] constexpr const T& front() const { return items[0]; }
};

/// Members are named as in RunConfig; the schema bounds both lists by 16 entries.
struct ModelConfig {
  static constexpr std::size_t kListMax = 16;

  struct Acceptance {
    AcceptKind kind = AcceptKind::per_position;
    FixedList<std::uint32_t, kListMax> millionths;
  };

  std::uint64_t seed = 0;
  std::uint64_t digest_key = 0;
  std::int32_t vocab_size = 0;
  std::int32_t padding_id = 0;
  std::int32_t max_num_seqs = 0;
  std::int32_t num_speculative_tokens = 0;
  std::int32_t num_model_steps = 0;
  std::int32_t max_model_len = 0;
  std::int32_t max_num_batched_tokens = 0;
  std::int32_t block_table_width = 0;
  std::uint32_t ngram_millionths = 0;
  bool gathers = true;  ///< DraftPath::gather
  FixedList<std::int64_t, kListMax> eos_ids;
  Acceptance acceptance;

  [[nodiscard]] constexpr std::int32_t row_width() const { return num_speculative_tokens + 1; }
  [[nodiscard]] constexpr bool is_eos(std::int64_t id) const {
    for (const std::int64_t eos : eos_ids) {
      if (eos == id) return true;
    }
    return false;
  }
};

[[nodiscard]] ModelConfig make_model_config(const RunConfig& config);

}  // namespace tandem::cuda
