// The real executable: kill -9, signals, pipes, full devices, real workloads.
#include "tests/unit/cli/executable.hpp"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/sanitized.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "traces/base/random.hpp"
#include "traces/tbt.hpp"

namespace tandem::cli {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;
using test::ChildProcess;
using test::Executable;
using test::lines_of;
using test::read_whole;

std::uint64_t test_seed() {
  const char* given = std::getenv("TANDEM_TEST_SEED");
  if (given != nullptr && *given != '\0') return std::strtoull(given, nullptr, 10);
  return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
}

/// Reads all blocks; the number of records, or -1 with a test failure.
std::int64_t records_of(const std::string& bytes, const std::string& name) {
  const auto trace = open_trace(std::as_bytes(std::span(bytes.data(), bytes.size())), name);
  if (!trace) return -1;
  std::int64_t count = 0;
  for (std::size_t i = 0; i < trace.value()->blocks().size(); ++i) {
    auto block = trace.value()->open_block(i);
    if (!block) return -1;
    StepRecord record;
    for (;;) {
      const Result<bool> more = block.value()->next(record);
      if (!more) return -1;
      if (!more.value()) break;
      ++count;
    }
  }
  return count;
}

TEST_F(Executable, VersionThenItPrintsOne) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out_.rfind("tandem ", 0), 0U) << out_;
}

// A sanitizer slows the killed program 20-fold and sees nothing of what a kill does to a file.
constexpr int kKills = test::kSanitized ? 10 : 100;

TEST_F(Executable, KilledAtRandomPointsThenPartReadsBackUpToTheLastCompleteBlock) {
  const std::vector<std::string> args{"run", "azure-conv", "--steps", "6000", "-o", "run.tbt"};
  const Clock::time_point start = Clock::now();
  ASSERT_EQ(run(args), 0) << err_;
  const auto duration =
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  const std::string whole = read_whole(folder_ / "run.tbt");
  const auto reference =
      open_trace(std::as_bytes(std::span(whole.data(), whole.size())), "reference");
  ASSERT_TRUE(reference.ok());
  const std::vector<BlockInfo>& blocks = reference.value()->blocks();
  ASSERT_GE(blocks.size(), 5U) << "too few blocks to be killed between";

  const std::uint64_t seed = test_seed();
  std::printf("TANDEM_TEST_SEED=%llu, a run takes %lld us\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(duration));
  RandomStream random(seed, "kill points");
  int with_blocks = 0;
  for (int i = 0; i < kKills; ++i) {
    fs::remove(folder_ / "run.tbt");
    fs::remove(folder_ / "run.tbt.part");
    ChildProcess child(folder_, args);
    const std::uint64_t delay = random.below(static_cast<std::uint64_t>(duration));
    std::this_thread::sleep_for(std::chrono::microseconds(delay));
    child.signal(SIGKILL);
    if (child.wait() == 0) continue;  // it was faster
    SCOPED_TRACE("killed after " + std::to_string(delay) + " us");
    if (fs::exists(folder_ / "run.tbt")) {
      // Killed behind the rename: then the file is whole.
      EXPECT_EQ(read_whole(folder_ / "run.tbt"), whole);
      continue;
    }
    if (!fs::exists(folder_ / "run.tbt.part")) continue;  // killed before it was made
    const std::string part = read_whole(folder_ / "run.tbt.part");
    ASSERT_EQ(whole.substr(0, part.size()), part);
    std::int64_t want = 0;
    for (const BlockInfo& block : blocks) {
      if (block.offset + block.size_bytes <= part.size()) want += block.record_count;
    }
    if (want == 0) continue;
    ++with_blocks;
    EXPECT_EQ(records_of(part, "run.tbt.part"), want);
  }
  EXPECT_GT(with_blocks, kKills / 10) << "the kills hit no run that had written a block";
}

TEST_F(Executable, PartOfAKilledRunThenEveryReaderTakesIt) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "3000", "-o", "run.tbt"}), 0) << err_;
  fs::rename(folder_ / "run.tbt", folder_ / "run.tbt.part");
  fs::resize_file(folder_ / "run.tbt.part", fs::file_size(folder_ / "run.tbt.part") * 2 / 3);
  EXPECT_EQ(run({"verify", "run.tbt"}), 2);
  EXPECT_NE(err_.find("run.tbt.part is there"), std::string::npos) << err_;
  EXPECT_EQ(run({"verify", "run.tbt.part"}), 2);
  EXPECT_NE(out_.find("verdict         clean"), std::string::npos) << out_;
  EXPECT_EQ(run({"info", "run.tbt.part"}), 2);
  EXPECT_NE(out_.find("closed          no"), std::string::npos) << out_;
  EXPECT_EQ(run({"dump", "run.tbt.part", "--steps", "0:3"}), 2);
  EXPECT_NE(out_.find("step 0 "), std::string::npos) << out_;
}

constexpr std::uintmax_t kFirstBlock = 8192;  ///< bytes; more than any header, less than a block

TEST_F(Executable, InterruptedThenTheTraceIsClosedAndCode130) {
  const std::pair<int, const char*> cases[] = {
      {SIGINT, "det"}, {SIGTERM, "det"}, {SIGINT, "threads"}};
  for (const auto& [number, executor] : cases) {
    fs::remove(folder_ / "run.tbt");
    ChildProcess child(folder_, {"run", "azure-conv", "-o", "run.tbt", "--json", "r.json",
                                 "--executor", executor});
    // A first block in the file: on a busy machine a file that is merely there holds no step yet.
    const fs::path part = folder_ / "run.tbt.part";
    for (int i = 0; i < 12000 && !(fs::exists(part) && fs::file_size(part) > kFirstBlock); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    child.signal(number);
    ASSERT_EQ(child.wait(), 130) << child.err();
    EXPECT_NE(child.out().find("\ninterrupted "), std::string::npos) << child.out();
    EXPECT_FALSE(fs::exists(folder_ / "run.tbt.part"));
    EXPECT_EQ(Json::parse(read_whole(folder_ / "r.json"))["interrupted"], true);
    EXPECT_EQ(run({"verify", "run.tbt"}), 0) << out_ << err_;
  }
}

TEST_F(Executable, OutputIntoHeadThenQuietAndTheRightCode) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "2000", "-o", "run.tbt"}), 0) << err_;
  EXPECT_EQ(shell("set -o pipefail; $T dump run.tbt | head -n 3"), 0) << err_;
  EXPECT_EQ(lines_of(out_).size(), 3U);
  EXPECT_EQ(err_, "");
  EXPECT_EQ(shell("set -o pipefail; $T dump run.tbt --jsonl | head -c 10 > /dev/null"), 0) << err_;
  EXPECT_EQ(err_, "");
  ASSERT_EQ(run({"run", "dnode-short-drafts", "--policy", "predict-sum", "-o", "bad.tbt"}), 1);
  EXPECT_EQ(shell("$T verify bad.tbt | true; exit ${PIPESTATUS[0]}"), 1) << err_;
  EXPECT_EQ(err_, "");
}

TEST_F(Executable, OutputThatCannotBeWrittenThenOneSentenceAndCode2) {
  struct Case {
    std::vector<std::string> args;
    std::string sentence;
  };
  const std::vector<Case> cases{
      {{"-o", "none/run.tbt"}, "none/run.tbt.part: no such file or folder"},
      {{"-o", "."}, ".: a folder"},
      {{"-o", "/dev/full"}, "/dev/full: no space left on the device"},
      {{"--json", "none/r.json"}, "none/r.json.part: no such file or folder"},
  };
  for (const Case& c : cases) {
    std::vector<std::string> args{"run", "azure-conv", "--steps", "500"};
    args.insert(args.end(), c.args.begin(), c.args.end());
    EXPECT_EQ(run(args), 2) << c.sentence;
    EXPECT_EQ(out_, "");
    ASSERT_EQ(lines_of(err_).size(), 1U) << err_;
    EXPECT_NE(err_.find(c.sentence), std::string::npos) << err_;
  }
  EXPECT_EQ(shell("$T plan azure-conv > /dev/full"), 2);
  EXPECT_NE(err_.find("error: standard output: "), std::string::npos) << err_;
}

TEST_F(Executable, FileSizeLimitThenPartKeepsCompleteBlocks) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "6000", "-o", "whole.tbt"}), 0) << err_;
  ChildProcess::Limits limits;
  limits.file_bytes = fs::file_size(folder_ / "whole.tbt") * 3 / 4;
  EXPECT_EQ(run({"run", "azure-conv", "--steps", "6000", "-o", "run.tbt"}, limits), 2);
  EXPECT_NE(err_.find("run.tbt.part: the limit of a file's size reached"), std::string::npos)
      << err_;
  EXPECT_NE(err_.find("run.tbt.part keeps the steps"), std::string::npos) << err_;
  EXPECT_FALSE(fs::exists(folder_ / "run.tbt"));
  EXPECT_GT(records_of(read_whole(folder_ / "run.tbt.part"), "part"), 0);
}

TEST_F(Executable, InputThatCannotBeReadThenOneSentenceAndCode2) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"verify", "none.tbt"},
                                               {"info", "none.tbt"},
                                               {"dump", "none.tbt"},
                                               {"run", "none.json"},
                                               {"plan", "none.json"},
                                               {"info", "."},
                                               {"run", "./."}}) {
    EXPECT_EQ(run(args), 2) << args[0];
    EXPECT_EQ(lines_of(err_).size(), 1U) << err_;
    EXPECT_EQ(err_.rfind("error: ", 0), 0U) << err_;
  }
}

TEST_F(Executable, RealAzureFilesInBothSchedulesThenClean) {
  for (const char* name : {"code", "conv"}) {
    const std::string file =
        std::string("data/azure-llm-2023/AzureLLMInferenceTrace_") + name + ".csv";
    const auto path = test::shared_data(file);
    if (!path) GTEST_SKIP() << test::missing_shared_data(file);
    std::vector<std::string> token_digests;
    for (const char* schedule : {"sync", "overlap"}) {
      EXPECT_EQ(run({"run", path->string(), "--schedule", schedule, "--set",
                     "workload.requests=300", "--json", "-", "-o", "run.tbt"}),
                0)
          << name << " " << schedule << "\n"
          << out_ << err_;
      const Json json = Json::parse(out_, nullptr, false);
      ASSERT_TRUE(json.is_object());
      EXPECT_EQ(json["divergences"], 0);
      EXPECT_EQ(json["requests"], 300);
      EXPECT_EQ(json["scenario"], std::string("AzureLLMInferenceTrace_") + name);
      token_digests.push_back(json["token_digest"].get<std::string>());
      EXPECT_EQ(run({"verify", "run.tbt"}), 0) << out_ << err_;
    }
    EXPECT_EQ(token_digests[0], token_digests[1]) << name;
  }
}

TEST_F(Executable, RealAzureFileForSomeStepsThenClean) {
  const std::string file = "data/azure-llm-2023/AzureLLMInferenceTrace_conv.csv";
  const auto path = test::shared_data(file);
  if (!path) GTEST_SKIP() << test::missing_shared_data(file);
  EXPECT_EQ(run({"run", path->string(), "--steps", "3000"}), 0) << out_ << err_;
  EXPECT_NE(out_.find("steps           3,000"), std::string::npos) << out_;
}

}  // namespace
}  // namespace tandem::cli
