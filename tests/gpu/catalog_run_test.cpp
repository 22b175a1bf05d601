// The catalogue on the GPU: clean, and the tokens and counters of the host device.
#include "tests/gpu/cuda_run.hpp"

namespace tandem::gpu_test {
namespace {

using test::catalog_list;
using test::difference;
using test::JudgedRun;
using test::run_catalog;

class CudaCatalog : public CudaRun, public ::testing::WithParamInterface<std::string> {};

/// Where a broken policy is what the scenario is about, both devices break at the same place.
void expect_same(const JudgedRun& host, const JudgedRun& gpu, bool same_schedule) {
  EXPECT_EQ(gpu.complaint(), host.complaint());
  EXPECT_EQ(difference(host, gpu), "");
  if (!same_schedule) return;
  EXPECT_EQ(gpu.verdict.counter_digest, host.verdict.counter_digest);
}

void run_both(const std::string& name, const std::vector<std::string>& overrides,
              RecordLevel level) {
  SCOPED_TRACE(name);
  test::HowJudged how = on_cuda(level);
  const JudgedRun gpu = run_catalog(name, overrides, how);
  how.runner = nullptr;
  const JudgedRun host = run_catalog(name, overrides, how);
  const bool by_step = test::catalog_case(name, overrides).config.arrivals == ArrivalUnit::step;
  expect_same(host, gpu, by_step);
}

TEST_P(CudaCatalog, OverlapEqualsTheHostDevice) {
  run_both(GetParam(), {"schedule=overlap"}, RecordLevel::state);
}

TEST_P(CudaCatalog, SyncEqualsTheHostDevice) {
  run_both(GetParam(), {"schedule=sync"}, RecordLevel::state);
}

TEST_P(CudaCatalog, LevelFullFindsNoPoisonDamaged) { run_both(GetParam(), {}, RecordLevel::full); }

INSTANTIATE_TEST_SUITE_P(Catalog, CudaCatalog, ::testing::ValuesIn(catalog_list()),
                         [](const auto& test) { return test::as_test_name(test.param); });

class CudaRows : public CudaRun, public ::testing::WithParamInterface<int> {};

TEST_P(CudaRows, LeftOutOrAddedGiveTheSameTokens) {
  const std::string row = "rows.R" + std::to_string(GetParam());
  for (const char* path : {"gather", "self"}) {
    for (const char* name : {"park-and-revive", "dnode-every-length", "preempt-recover-chunks"}) {
      const std::string draft_path = std::string("draft_path=") + path;
      run_both(name, {"schedule=overlap", draft_path, row + "=sync"}, RecordLevel::state);
      run_both(name, {"schedule=sync", draft_path, row + "=overlap"}, RecordLevel::state);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sync, CudaRows,
                         ::testing::Values(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13),
                         [](const auto& test) { return "R" + std::to_string(test.param); });

}  // namespace
}  // namespace tandem::gpu_test
