// Rules: the configuration of a run as the judge uses it, checked once.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "traces/base/result.hpp"
#include "traces/run_config.hpp"

namespace tandem::sim {

/// Symbols are those of the semantics, section 1. Every bound holds once make_rules() succeeded, so
/// that arithmetic on what a healthy device can reach fits 32 bits.
struct Rules {
  std::int32_t slots = 0;        ///< B
  std::int32_t width = 0;        ///< W
  std::int32_t drafts = 0;       ///< K
  std::int32_t substeps = 0;     ///< M
  std::int32_t block_size = 0;   ///< bs
  std::int32_t table_width = 0;  ///< nblk
  std::int32_t kv_blocks = 0;
  std::int32_t rows_max = 0;  ///< max_num_batched_tokens
  std::int32_t vocab = 0;
  std::int32_t padding_id = 0;
  std::uint64_t seed = 0;
  std::uint32_t ngram_millionths = 0;
  PolicyKind policy = PolicyKind::exact;
  DraftPath path = DraftPath::gather;
  RowMode output_mode = RowMode::sync;  ///< R11
  std::array<bool, kRowCount> sync{};   ///< row r is `sync`
  AcceptProfile acceptance;
  std::uint64_t digest_key = 0;
  std::int32_t ring_depth = 1;               ///< entries of each pinned buffer
  std::vector<std::int32_t> captured_sizes;  ///< CUDA-graph sizes in rows
  bool prefill_node = false;
  bool predicts = false;  ///< a pair is cached at all: R0 overlap and a policy other than exact
  bool scripted = false;  ///< the header says how many drafts are accepted
};

/// An Error names the member of the header's configuration that is out of range.
[[nodiscard]] Result<Rules> make_rules(const RunConfig& config);

}  // namespace tandem::sim
