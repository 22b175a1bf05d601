// Small scenarios, a workload from a list and a sink that keeps what it is handed.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "runtime/core/run.hpp"
#include "runtime/host/run_host.hpp"
#include "scenarios/scenario.hpp"
#include "traces/sink.hpp"

namespace tandem::test {

class ListWorkload : public Workload {
 public:
  explicit ListWorkload(std::vector<RequestSpec> requests) : requests_(std::move(requests)) {}
  Result<std::optional<RequestSpec>> next() override {
    if (next_ == requests_.size()) return std::optional<RequestSpec>{};
    return std::optional<RequestSpec>{requests_[next_++]};
  }
  [[nodiscard]] std::int64_t dropped() const override { return 0; }

 private:
  std::vector<RequestSpec> requests_;
  std::size_t next_ = 0;
};

/// Keeps copies of everything, in order.
class KeepingSink : public RecordSink {
 public:
  Status begin(const TraceHeader& h) override {
    header = h;
    return {};
  }
  Status segment(const plan::Segment& s) override {
    segments.push_back(s);
    return {};
  }
  Status keyframe(const Keyframe& k) override {
    keyframes.push_back(k);
    keyframe_before.push_back(steps.size());
    return {};
  }
  Status step(const StepRecord& r) override {
    steps.push_back(r);
    return {};
  }
  Status unadmitted(const RequestRow& row) override {
    rows.push_back(row);
    return {};
  }
  Status end(const Keyframe& k) override {
    last = k;
    ended = true;
    return {};
  }

  TraceHeader header;
  std::vector<plan::Segment> segments;
  std::vector<Keyframe> keyframes;
  std::vector<std::size_t> keyframe_before;  ///< index of the step each keyframe stands before
  std::vector<StepRecord> steps;
  std::vector<RequestRow> rows;
  Keyframe last;
  bool ended = false;
};

/// B slots, K = M drafts, block size 16, plenty of blocks, acceptance 60 %, by-step arrivals,
/// overlap.
inline Scenario small_scenario(std::int32_t slots, std::int32_t drafts) {
  Scenario s;
  RunConfig& c = s.config;
  c.scenario = "small";
  c.seed = 7;
  c.rows.fill(RowMode::overlap);
  c.max_num_seqs = slots;
  c.num_speculative_tokens = c.num_model_steps = drafts;
  c.block_size = 16;
  c.max_model_len = 512;
  c.max_num_batched_tokens = 128 + slots * (drafts + 1);
  c.kv_blocks = slots * c.table_width();
  c.vocab_size = 1000;
  c.acceptance.millionths.assign(static_cast<std::size_t>(drafts), 600'000);
  c.digest_key = 99;
  return s;
}

inline RequestSpec request(RequestId id, std::int64_t arrival, std::int32_t prompt,
                           std::int32_t max_dec_len, std::int32_t eos_at = 0) {
  RequestSpec spec;
  spec.row = {id, arrival, prompt, max_dec_len, eos_at, {}};
  return spec;
}

inline void set_all_rows(Scenario& s, RowMode mode) { s.config.rows.fill(mode); }

inline RunSummary run_kept(const Scenario& scenario, std::vector<RequestSpec> requests,
                           KeepingSink& sink, RunOptions options = {}) {
  ListWorkload workload(std::move(requests));
  Result<RunSummary> summary = run_on_host(scenario, workload, options, &sink);
  TANDEM_CHECK(summary.ok());
  return summary.value();
}

}  // namespace tandem::test
