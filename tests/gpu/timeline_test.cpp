// Level timeline on the GPU: spans of all that ran, in order, behind their launches.
#include <algorithm>
#include <array>

#include "tests/gpu/cuda_run.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::gpu_test {
namespace {

using plan::Lane;

/// Keeps the device's spans by lane, and what a step has of launches.
class SpanWatcher : public test::RecordWatcher {
 public:
  void begin(const TraceHeader&) override {}
  void step(const StepRecord& r) override {
    Nanos launched_ns = -1;
    for (const Span& span : r.spans) {
      if (span.lane == static_cast<std::int32_t>(Lane::host)) {
        first_host_ns = std::min(first_host_ns, span.start_ns);
        continue;
      }
      lanes[static_cast<std::size_t>(span.lane)].push_back(span);
      launched_ns = launch_of(r, span);
      if (launched_ns < 0) ++without_launch;
      if (span.start_ns < launched_ns) ++before_launch;
    }
    if (r.token_num > 0) launched_steps += 1;
    device_spans +=
        static_cast<std::int64_t>(std::count_if(r.spans.begin(), r.spans.end(), [](const Span& s) {
          return s.lane != static_cast<std::int32_t>(Lane::host);
        }));
  }

  std::array<std::vector<Span>, plan::kLaneCount> lanes;
  Nanos first_host_ns = INT64_MAX;
  std::int64_t launched_steps = 0, device_spans = 0, without_launch = 0, before_launch = 0;

 private:
  /// When the launch of the operation, or the one before it that it shares, began; -1: none.
  static Nanos launch_of(const StepRecord& r, const Span& span) {
    const Span* found = nullptr;
    for (const Span& s : r.spans) {
      const bool launches = s.lane == static_cast<std::int32_t>(Lane::host) &&
                            s.segment == span.segment && s.op <= span.op;
      if (launches && (found == nullptr || s.op > found->op)) found = &s;
    }
    return found == nullptr ? -1 : found->start_ns;
  }
};

class CudaTimeline : public CudaRun, public ::testing::WithParamInterface<const char*> {};

TEST_P(CudaTimeline, OfARunHasASpanForEveryOperationInTheOrderOfItsStream) {
  for (const char* copies : {"copies=compute", "copies=own"}) {
    SpanWatcher watcher;
    test::HowJudged how = on_cuda(RecordLevel::timeline);
    how.watcher = &watcher;
    const test::JudgedRun run =
        test::run_catalog("soak", {"workload.requests=20", GetParam(), copies}, how);
    EXPECT_EQ(run.complaint(), "");
    EXPECT_GT(watcher.launched_steps, 10);
    EXPECT_GT(watcher.device_spans, 15 * watcher.launched_steps);
    EXPECT_EQ(watcher.without_launch, 0);
    EXPECT_EQ(watcher.before_launch, 0);
    for (std::vector<Span>& lane : watcher.lanes) {
      for (std::size_t i = 1; i < lane.size(); ++i) {
        EXPECT_GE(lane[i].start_ns, lane[i - 1].end_ns) << i;
        EXPECT_LT(lane[i].start_ns, lane[i].end_ns) << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Graphs, CudaTimeline,
                         ::testing::Values("engine.cuda_graphs=true", "engine.cuda_graphs=false"),
                         [](const auto& test) {
                           return std::string(test.param).ends_with("true") ? "On" : "Off";
                         });

}  // namespace
}  // namespace tandem::gpu_test
