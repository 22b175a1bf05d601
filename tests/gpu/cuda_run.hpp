// Runs on the GPU for tests: quick forwards, the judge beside them, skipped where there is no GPU.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/cuda/run_cuda.hpp"
#include "tests/unit/joined/judged_run.hpp"

namespace tandem::gpu_test {

class CudaRun : public ::testing::Test {
 protected:
  void SetUp() override {
    const Result<CudaDeviceInfo> device = find_cuda_device(RunConfig{});
    if (!device) GTEST_SKIP() << device.error().text;
  }
};

/// Forwards of microseconds: what is tested is who waits for whom.
inline TimingModel quick_forwards() {
  TimingModel timing;
  timing.forward_base_ns = 20'000;
  timing.forward_row_ns = 0;
  timing.draft_base_ns = 2'000;
  timing.draft_row_ns = 0;
  return timing;
}

inline test::HowJudged on_cuda(RecordLevel level = RecordLevel::state) {
  test::HowJudged how;
  how.level = level;
  how.runner = [](const Scenario& scenario, Workload& workload, const RunOptions& options,
                  RecordSink* sink) {
    Scenario quick = scenario;
    quick.timing = quick_forwards();
    return run_on_cuda(quick, workload, options, sink);
  };
  return how;
}

}  // namespace tandem::gpu_test
