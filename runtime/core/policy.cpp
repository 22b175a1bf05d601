// The shipped policies: formulas of semantics 4.2 and 4.2b, one class each where they differ.
#include "runtime/core/policy.hpp"

#include <algorithm>

#include "traces/base/check.hpp"

namespace tandem {
namespace {

std::int32_t at(const Column& column, std::size_t slot) { return column[slot]; }

std::int32_t count_positive(const Column& column) {
  return static_cast<std::int32_t>(
      std::count_if(column.begin(), column.end(), [](std::int32_t v) { return v > 0; }));
}

/// r-hat = count(q_cpu > 0) + count(b_cpu): every slot that ran, and every one that may be revived.
std::int32_t next_bsz(const PolicyView& view) {
  return count_positive(view.q_cpu) + count_positive(view.b_cpu);
}

Belief last_message(const PolicyView& view, std::int32_t slot) {
  return {at(view.known_d, static_cast<std::size_t>(slot)), true, 0};
}

class Exact : public HostPolicy {
 public:
  CachedPair predict(const PolicyView& /*view*/) const override { return {}; }
  DraftRows draft_rows(int /*substep*/, std::int32_t /*token_num*/, std::int32_t /*real_bsz*/,
                       std::int32_t /*hidden_rows*/) const override {
    return {true, 0};
  }
  Belief believed(const PolicyView& view, std::int32_t slot) const override {
    return last_message(view, slot);
  }
};

/// #7172: rows = r-hat * W; sub-step 0 launches r * W.
class PredictRows : public HostPolicy {
 public:
  explicit PredictRows(std::int32_t row_width) : row_width_(row_width) {}
  CachedPair predict(const PolicyView& view) const override {
    if (view.flag) return {};
    const std::int32_t bsz = next_bsz(view);
    return {bsz * row_width_, bsz};
  }
  DraftRows draft_rows(int substep, std::int32_t /*token_num*/, std::int32_t real_bsz,
                       std::int32_t /*hidden_rows*/) const override {
    return {false, substep == 0 ? real_bsz * row_width_ : real_bsz};
  }
  Belief believed(const PolicyView& view, std::int32_t slot) const override {
    return last_message(view, slot);
  }

 protected:
  [[nodiscard]] std::int32_t row_width() const { return row_width_; }

 private:
  std::int32_t row_width_;
};

/// #7001 as merged: the sum of this step's q stands in for the next one's. Wrong when a q can grow.
class PredictSum : public PredictRows {
 public:
  using PredictRows::PredictRows;
  CachedPair predict(const PolicyView& view) const override {
    if (view.flag) return {};
    std::int32_t sum = 0;
    for (const std::int32_t q : view.q_cpu) sum += q;
    return {sum + count_positive(view.b_cpu) * row_width(), next_bsz(view)};
  }
};

/// #7406, the default: sub-step 0 launches as many rows as the hidden states have.
class PredictRowsHidden : public PredictRows {
 public:
  using PredictRows::PredictRows;
  DraftRows draft_rows(int substep, std::int32_t token_num, std::int32_t real_bsz,
                       std::int32_t hidden_rows) const override {
    return {false, substep == 0 ? std::min(token_num, hidden_rows) : real_bsz};
  }
};

/// SGLang's form: never below the truth, and KV is reserved to it.
class UpperBound : public PredictRowsHidden {
 public:
  using PredictRowsHidden::PredictRowsHidden;
  Belief believed(const PolicyView& view, std::int32_t slot) const override {
    const auto i = static_cast<std::size_t>(slot);
    return {at(view.known_d, i) + row_width() * at(view.in_flight, i), false, row_width()};
  }
};

/// vLLM's form: everything scheduled is taken as accepted until the result arrives.
class AllAccepted : public PredictRowsHidden {
 public:
  AllAccepted(std::int32_t row_width, std::int32_t model_steps)
      : PredictRowsHidden(row_width), model_steps_(model_steps) {}
  CachedPair predict(const PolicyView& view) const override {
    if (view.flag) return {};
    std::int32_t rows = count_positive(view.b_cpu) * row_width();
    for (std::size_t i = 0; i < view.q_cpu.size(); ++i) {
      if (view.q_cpu[i] <= 0) continue;
      const std::int64_t reached = std::int64_t{at(view.known_g, i)} + at(view.in_flight, i);
      rows += reached + model_steps_ >= at(view.max_dec_len, i) ? 1 : row_width();
    }
    return {rows, next_bsz(view)};
  }
  Belief believed(const PolicyView& view, std::int32_t slot) const override {
    const auto i = static_cast<std::size_t>(slot);
    const std::int32_t scheduled = at(view.in_flight, i) > 0 ? at(view.q_cpu, i) : 0;
    return {at(view.known_d, i) + scheduled, false, 0};
  }

 private:
  std::int32_t model_steps_;
};

}  // namespace

std::unique_ptr<HostPolicy> make_policy(const RunConfig& config) {
  const std::int32_t width = config.row_width();
  switch (config.policy) {
    case PolicyKind::exact:
      return std::make_unique<Exact>();
    case PolicyKind::predict_sum:
      return std::make_unique<PredictSum>(width);
    case PolicyKind::predict_rows:
      return std::make_unique<PredictRows>(width);
    case PolicyKind::predict_rows_hidden:
      return std::make_unique<PredictRowsHidden>(width);
    case PolicyKind::upper_bound:
      return std::make_unique<UpperBound>(width);
    case PolicyKind::all_accepted:
      return std::make_unique<AllAccepted>(width, config.num_model_steps);
  }
  TANDEM_CHECK(false);
  return nullptr;
}

}  // namespace tandem
