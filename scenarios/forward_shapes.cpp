// Shapes of models, worked out from what an H200 was measured to do.
//
// It copies 4.3 TB/s and multiplies bf16 matrices at 788 TFLOP/s. A forward lasts as long as
// reading its weights, or as its arithmetic where that is longer; attention, all-reduces and
// launches are left out.
#include "scenarios/forward_shapes.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "traces/base/check.hpp"

namespace tandem {
namespace {

constexpr std::int64_t kBytesPerUs = 4'300'000;          // 4.3 TB/s
constexpr std::int64_t kFlopsPerNs = 788'000;            // 788 TFLOP/s
constexpr std::int64_t kVocabWeights = 129'280 * 4096L;  // of the head that gives logits

/// Weights of one GPU, in thousands, bf16. A row's token picks `picked` of `experts` for itself.
struct Model {
  std::int64_t always_k;   ///< read by every forward
  std::int64_t experts_k;  ///< all routed experts together
  int experts, picked;
  int layers;
  std::int64_t head_k;  ///< of always_k: the head that gives logits; a draft step reads it too
};

constexpr std::int64_t kHeadK = kVocabWeights / 1000;
constexpr Model kDense7b{7'000'000, 0, 1, 0, 32, kHeadK};
constexpr Model kDense100bTp8{12'500'000, 0, 1, 0, 88, kHeadK / 8};
// 235 B weights, 22 B of them at work for a token, on eight GPUs.
constexpr Model kMoe235bTp8{1'000'000, 28'375'000, 128, 8, 94, kHeadK / 8};

/// Share of the experts that `rows` tokens touch when each picks evenly, in millionths: exact
/// integer steps, so that every machine gets the same table.
std::int64_t touched_millionths(const Model& model, std::int32_t rows) {
  std::int64_t untouched = 1'000'000'000'000;
  for (std::int32_t r = 0; r < rows && untouched > 0; ++r) {
    untouched = untouched / model.experts * (model.experts - model.picked);
  }
  return 1'000'000 - untouched / 1'000'000;
}

Nanos forward_ns(const Model& model, std::int32_t rows) {
  const std::int64_t touched_k =
      model.experts_k / 1'000'000 * touched_millionths(model, rows) +
      model.experts_k % 1'000'000 * touched_millionths(model, rows) / 1'000'000;
  const std::int64_t bytes_k = 2 * (model.always_k + touched_k);
  const std::int64_t reading_ns = bytes_k * 1'000 / kBytesPerUs * 1'000;
  const std::int64_t active_k = model.always_k + model.experts_k * model.picked / model.experts;
  const std::int64_t computing_ns = 2 * active_k * 1'000 / kFlopsPerNs * rows;
  return std::max(reading_ns, computing_ns);
}

/// One layer and the head.
Nanos draft_ns(const Model& model, std::int32_t rows) {
  Model layer = model;
  layer.always_k = (model.always_k - model.head_k) / model.layers + model.head_k;
  layer.experts_k = model.experts_k / model.layers;
  return forward_ns(layer, rows);
}

ForwardShape shape_of(const Model& model) {
  constexpr std::array<std::int32_t, 19> kRows{
      1, 2, 4, 8, 16, 32, 64, 96, 128, 160, 192, 256, 512, 1024, 1536, 2048, 3072, 4096, 8192};
  ForwardShape out;
  out.target.reserve(kRows.size());
  out.draft.reserve(kRows.size());
  for (const std::int32_t rows : kRows) {
    out.target.push_back({rows, forward_ns(model, rows)});
    out.draft.push_back({rows, draft_ns(model, rows)});
  }
  return out;
}

}  // namespace

Nanos cost_at(const std::vector<CostPoint>& points, std::int32_t rows) {
  TANDEM_CHECK(points.size() >= 2);
  if (rows <= points.front().rows) return points.front().ns;
  auto above = std::lower_bound(points.begin(), points.end(), rows,
                                [](const CostPoint& p, std::int32_t r) { return p.rows < r; });
  if (above == points.end()) --above;
  const CostPoint& high = *above;
  const CostPoint& low = *std::prev(above);
  return low.ns + (high.ns - low.ns) * (rows - low.rows) / (high.rows - low.rows);
}

std::optional<ForwardShape> forward_shape(std::string_view name) {
  if (name == "dense-7b") return shape_of(kDense7b);
  if (name == "dense-100b-tp8") return shape_of(kDense100bTp8);
  if (name == "moe-235b-a22b-tp8") return shape_of(kMoe235bTp8);
  return std::nullopt;
}

}  // namespace tandem
