// The traces recorded on a GPU: judged anew from the file, and equal to the host device's runs.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/joined/judged_run.hpp"
#include "traces/tbt.hpp"

namespace tandem {
namespace {

struct Golden {
  std::string file;
  std::string scenario;
  std::vector<std::string> overrides;
  std::string level;
  std::string diverges;  ///< the check that speaks first; empty: none
};

std::filesystem::path golden_folder() {
  return std::filesystem::path(TANDEM_SOURCE_DIR) / "traces" / "golden";
}

std::vector<Golden> golden_list() {
  std::ifstream in(golden_folder() / "manifest.json");
  const auto manifest = nlohmann::json::parse(in);
  std::vector<Golden> out;
  out.reserve(manifest.size());
  for (const auto& entry : manifest) {
    out.push_back({entry.at("file"), entry.at("scenario"), entry.at("set"), entry.at("record"),
                   entry.value("diverges", "")});
  }
  return out;
}

std::vector<std::byte> bytes_of(const std::string& file) {
  std::ifstream in(golden_folder() / file, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return std::byte(c); });
  return bytes;
}

class GoldenTrace : public testing::TestWithParam<Golden> {};

TEST_P(GoldenTrace, IsOfAGpuAndJudgedAsExpected) {
  const std::vector<std::byte> bytes = bytes_of(GetParam().file);
  const auto reader = open_trace(bytes, GetParam().file);
  ASSERT_TRUE(reader.ok()) << reader.error().text;
  EXPECT_EQ(reader.value()->header().executor, "cuda");
  EXPECT_EQ(to_name(reader.value()->header().level), GetParam().level);
  for (const int jobs : {1, 2}) {
    sim::VerifyOptions options;
    options.jobs = jobs;
    const Result<sim::Verdict> verdict = sim::verify_trace(*reader.value(), options);
    ASSERT_TRUE(verdict.ok()) << verdict.error().text;
    const std::vector<sim::Divergence>& found = verdict.value().divergences;
    const std::string first = found.empty() ? "" : sim::to_name(found.front().check);
    EXPECT_EQ(first, GetParam().diverges) << (found.empty() ? "" : sim::to_line(found.front()));
    EXPECT_GT(verdict.value().steps, 0);
  }
}

/// Batches follow the steps, not the clock, so the host device's run has the same counters.
TEST_P(GoldenTrace, CountsWhatTheHostDeviceCounts) {
  const Golden& golden = GetParam();
  const std::vector<std::byte> bytes = bytes_of(golden.file);
  const auto reader = open_trace(bytes, golden.file);
  ASSERT_TRUE(reader.ok()) << reader.error().text;
  const Result<sim::Verdict> recorded = sim::verify_trace(*reader.value(), sim::VerifyOptions{});
  ASSERT_TRUE(recorded.ok());
  test::HowJudged how;
  how.may_be_cut = true;
  const test::JudgedRun host = test::run_catalog(golden.scenario, golden.overrides, how);
  EXPECT_EQ(recorded.value().counter_digest, host.verdict.counter_digest);
  EXPECT_EQ(recorded.value().steps, host.verdict.steps);
}

INSTANTIATE_TEST_SUITE_P(Gpu, GoldenTrace, testing::ValuesIn(golden_list()), [](const auto& test) {
  return test::as_test_name(std::filesystem::path(test.param.file).stem().string());
});

TEST(GoldenTraces, ManifestNamesEveryFileAndNoOther) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder())) {
    if (entry.path().extension() == ".tbt") files.insert(entry.path().filename());
  }
  std::set<std::string> named;
  for (const Golden& golden : golden_list()) named.insert(golden.file);
  EXPECT_EQ(files, named);
}

}  // namespace
}  // namespace tandem
