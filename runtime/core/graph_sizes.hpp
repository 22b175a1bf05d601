// Which captured CUDA-graph size a launch uses (semantics 8.1, 8.2).
#pragma once

#include <cstdint>
#include <vector>

namespace tandem {

/// Chooses from the captured sizes (rows, descending as in RunConfig) for W rows a slot.
class GraphSizes {
 public:
  GraphSizes(const std::vector<std::int32_t>& captured_descending, std::int32_t row_width);

  /// Size for a batch of `real_bsz` slots that launches `rows` rows: the one of the smallest
  /// floor(size / W) >= max(1, real_bsz), or, where that is smaller than `rows`, the smallest >=
  /// rows. 0: eager (no sizes, no rows, or none is large enough).
  [[nodiscard]] std::int32_t choose(std::int32_t real_bsz, std::int32_t rows) const;

 private:
  std::vector<std::int32_t> ascending_;
  std::int32_t row_width_;
};

}  // namespace tandem
