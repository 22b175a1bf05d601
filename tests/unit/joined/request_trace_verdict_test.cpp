// Every public request trace at hand: read whole, and its first requests run in both schedules.
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/host/run_host.hpp"
#include "scenarios/request_trace.hpp"
#include "scenarios/scenario.hpp"
#include "sim/checks/verify.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/shared_data.hpp"

namespace tandem {
namespace {

/// A file with what is known of it: rows, and sums of tokens over them, counted by other means.
struct PublicTrace {
  const char* name;  ///< of the test
  const char* path;
  WorkloadKind kind;
  std::int64_t rows;
  std::int64_t prompts;
  std::int64_t outputs;
  std::int64_t cached;
};

void PrintTo(const PublicTrace& trace, std::ostream* out) { *out << trace.path; }

/// The file in pieces, as the command line reads it.
class FileSource final : public ByteSource {
 public:
  explicit FileSource(const std::string& path) : in_(path, std::ios::binary) {}
  Result<std::size_t> read(std::span<char> out) override {
    in_.read(out.data(), static_cast<std::streamsize>(out.size()));
    return static_cast<std::size_t>(in_.gcount());
  }

 private:
  std::ifstream in_;
};

Result<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
  return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(path));
}

Result<std::string> no_file(const std::string& path) { return Error{path + ": read as a whole"}; }

Scenario scenario_of(const PublicTrace& trace, const std::string& path,
                     const std::vector<std::string>& more) {
  std::vector<std::string> overrides{"workload.kind=" + std::string(trace_kind(trace.kind)->name),
                                     "workload.path=" + path, "workload.requests=0",
                                     "engine.max_model_len=262144"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  auto parsed = parse_scenario(*catalog_scenario("azure-conv"), "azure-conv", overrides);
  EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().text);
  return parsed.ok() ? std::move(parsed).value() : Scenario{};
}

struct TraceOutcome {
  std::uint64_t divergences = 0;
  RunSummary summary;
};

TraceOutcome run(const Scenario& scenario) {
  auto workload = make_workload(scenario, no_file, open_file);
  EXPECT_TRUE(workload.ok()) << (workload.ok() ? "" : workload.error().text);
  if (!workload.ok()) return {};
  const auto verifier = sim::make_live_verifier(sim::VerifyOptions{});
  const auto summary = run_on_host(scenario, *workload.value(), RunOptions{}, verifier.get());
  EXPECT_TRUE(summary.ok()) << (summary.ok() ? "" : summary.error().text);
  if (!summary.ok()) return {};
  const sim::Verdict verdict = verifier->verdict();
  EXPECT_EQ(verdict.divergence_count, 0U)
      << (verdict.divergences.empty() ? "" : sim::to_line(verdict.divergences[0]));
  return {verdict.divergence_count, summary.value()};
}

class PublicTraces : public testing::TestWithParam<PublicTrace> {
 protected:
  void SetUp() override {
    const auto path = test::shared_data(GetParam().path);
    if (!path) GTEST_SKIP() << test::missing_shared_data(GetParam().path);
    path_ = path->string();
  }
  std::string path_;
};

TEST_P(PublicTraces, ContentTellsItsFormat) {
  std::string head(65'536, '\0');
  FileSource source(path_);
  head.resize(source.read(head).value());
  const TraceKind* kind = detect_trace(head);
  ASSERT_NE(kind, nullptr);
  EXPECT_EQ(kind->kind, GetParam().kind);
}

TEST_P(PublicTraces, IsReadWhole) {
  const PublicTrace& trace = GetParam();
  auto workload = make_workload(scenario_of(trace, path_, {}), no_file, open_file);
  ASSERT_TRUE(workload.ok()) << workload.error().text;
  PublicTrace found{trace.name, trace.path, trace.kind, 0, 0, 0, 0};
  std::int64_t last = 0;
  for (;;) {
    const auto request = workload.value()->next();
    ASSERT_TRUE(request.ok()) << request.error().text;
    if (!request.value()) break;
    const RequestRow& row = request.value()->row;
    ++found.rows;
    found.prompts += row.prompt_len;
    found.outputs += row.eos_at;
    found.cached += row.cached_prompt;
    EXPECT_GE(row.arrival, last);
    last = row.arrival;
  }
  EXPECT_EQ(found.rows, trace.rows);
  EXPECT_EQ(found.prompts, trace.prompts);
  EXPECT_EQ(found.outputs, trace.outputs);
  EXPECT_EQ(found.cached, trace.cached);
  EXPECT_EQ(workload.value()->dropped(), 0);
}

TEST_P(PublicTraces, FirstRequestsAreCleanAndLosslessInBothSchedules) {
  constexpr std::int64_t kRequests = test::kSanitized ? 40 : 200;
  const std::vector<std::string> few{"workload.requests=" + std::to_string(kRequests)};
  const auto with = [&few](const char* schedule) {
    std::vector<std::string> all = few;
    all.emplace_back(schedule);
    return all;
  };
  const TraceOutcome sync = run(scenario_of(GetParam(), path_, with("schedule=sync")));
  const TraceOutcome overlap = run(scenario_of(GetParam(), path_, with("schedule=overlap")));
  EXPECT_EQ(sync.summary.requests, kRequests);
  EXPECT_EQ(overlap.summary.requests, kRequests);
  EXPECT_EQ(sync.summary.token_digest, overlap.summary.token_digest);
}

std::string trace_name(const testing::TestParamInfo<PublicTrace>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Files, PublicTraces,
    testing::Values(
        PublicTrace{"azure_code", "data/azure-llm-2023/AzureLLMInferenceTrace_code.csv",
                    WorkloadKind::azure_csv, 8'819, 18'059'974, 245'896, 0},
        PublicTrace{"azure_conv", "data/azure-llm-2023/AzureLLMInferenceTrace_conv.csv",
                    WorkloadKind::azure_csv, 19'366, 22'361'870, 4'088'665, 0},
        PublicTrace{"vidur_splitwise_code", "data/vidur-processed/splitwise_code.csv",
                    WorkloadKind::vidur_csv, 8'819, 18'059'974, 245'896, 0},
        PublicTrace{"vidur_splitwise_conv", "data/vidur-processed/splitwise_conv.csv",
                    WorkloadKind::vidur_csv, 19'366, 22'361'870, 4'088'665, 0},
        PublicTrace{
            "vidur_arxiv_summarization",
            "data/vidur-processed/arxiv_summarization_stats_llama2_tokenizer_filtered_v2.csv",
            WorkloadKind::vidur_csv, 28'257, 73'131'321, 8'234'948, 0},
        PublicTrace{"mooncake_conversation", "data/mooncake-fast25/conversation_trace.jsonl",
                    WorkloadKind::mooncake_jsonl, 12'031, 144'793'823, 4'122'048, 54'098'293},
        PublicTrace{"mooncake_synthetic", "data/mooncake-fast25/synthetic_trace.jsonl",
                    WorkloadKind::mooncake_jsonl, 3'993, 61'194'628, 595'432, 39'852'448},
        PublicTrace{"vllm_rtx4090_llama",
                    "data/llmservingsim-vllm/RTX4090_Llama-3.1-8B/requests.jsonl",
                    WorkloadKind::llmservingsim_jsonl, 300, 257'239, 195'753, 0},
        PublicTrace{"vllm_rtxpro6000_llama",
                    "data/llmservingsim-vllm/RTXPRO6000_Llama-3.1-8B/requests.jsonl",
                    WorkloadKind::llmservingsim_jsonl, 300, 257'239, 195'753, 0},
        PublicTrace{"vllm_rtxpro6000_qwen3_32b",
                    "data/llmservingsim-vllm/RTXPRO6000_Qwen3-32B/requests.jsonl",
                    WorkloadKind::llmservingsim_jsonl, 300, 258'691, 199'486, 0},
        PublicTrace{"vllm_rtxpro6000_qwen3_30b",
                    "data/llmservingsim-vllm/RTXPRO6000_Qwen3-30B-A3B-Instruct-2507/requests.jsonl",
                    WorkloadKind::llmservingsim_jsonl, 300, 258'691, 199'486, 0}),
    trace_name);

}  // namespace
}  // namespace tandem
