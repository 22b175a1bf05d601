// Choice of a captured CUDA-graph size.
#include "runtime/core/graph_sizes.hpp"

#include <algorithm>

namespace tandem {

GraphSizes::GraphSizes(const std::vector<std::int32_t>& captured_descending, std::int32_t row_width)
    : ascending_(captured_descending.rbegin(), captured_descending.rend()), row_width_(row_width) {}

std::int32_t GraphSizes::choose(std::int32_t real_bsz, std::int32_t rows) const {
  if (rows <= 0 || ascending_.empty()) return 0;
  const std::int64_t slots = std::max(1, real_bsz);
  const std::int64_t wanted = std::max<std::int64_t>(slots * row_width_, rows);
  const auto it = std::lower_bound(ascending_.begin(), ascending_.end(), wanted);
  return it == ascending_.end() ? 0 : *it;
}

}  // namespace tandem
