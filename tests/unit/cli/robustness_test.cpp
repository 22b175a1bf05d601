// Full disks, readers gone, Ctrl-C: what was complete stays, one sentence, the right code.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/executable.hpp"
#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using test::ChildProcess;
using test::FakeMachine;
using test::lines_of;
using test::read_whole;

constexpr const char* kRun = "run azure-conv --steps 3000 -o run.tbt";

class Interrupted : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(m_(kRun), kExitClean) << m_.err.text; }

  /// Sets the stop flag, as Ctrl-C does, when `blocks` blocks were read.
  void stop_after(int blocks) {
    m_.files.block_read = [this, left = blocks]() mutable {
      if (--left <= 0) m_.stop = true;
    };
  }

  /// 130, and one line on err that starts so.
  void expect_interrupted(const std::string& line, const std::string& start) {
    m_.stop = false;
    EXPECT_EQ(m_(line), kExitInterrupted) << line << "\n" << m_.err.text;
    ASSERT_EQ(lines_of(m_.err.text).size(), 1U) << line << "\n" << m_.err.text;
    EXPECT_EQ(m_.err.text.rfind("error: " + start, 0), 0U) << line << "\n" << m_.err.text;
  }

  FakeMachine m_;
};

TEST_F(Interrupted, VerifyThenTheVerdictOfThePartBeforeInEveryOutput) {
  stop_after(3);  // one of them is the look for the trace's blocks
  expect_interrupted("verify run.tbt --jobs 1 --json v.json --junit v.xml",
                     "run.tbt: interrupted; the verdict is that of ");
  const Json trace = Json::parse(m_.files.files["v.json"])["traces"][0];
  EXPECT_EQ(trace["interrupted"], true);
  EXPECT_EQ(trace["exit_code"], kExitInterrupted);
  EXPECT_GT(trace["steps"], 0);
  EXPECT_LT(trace["steps"], 3000);
  EXPECT_EQ(trace["divergences"], 0);
  EXPECT_NE(m_.files.files["v.xml"].find("interrupted; the verdict is that of"), std::string::npos);
  EXPECT_NE(m_.out.text.find("\ninterrupted "), std::string::npos);
}

TEST_F(Interrupted, EveryReaderThenOneSentenceAndCode130) {
  stop_after(2);
  expect_interrupted("info run.tbt", "run.tbt: interrupted; ");
  stop_after(2);
  expect_interrupted("diff run.tbt run.tbt", "tandem diff: interrupted; ");
  stop_after(1);
  expect_interrupted("explain run.tbt 12", "run.tbt: interrupted; ");
}

TEST_F(Interrupted, DumpThenWholeLinesAndATwinThatReadsBack) {
  stop_after(3);
  expect_interrupted("dump run.tbt", "run.tbt: interrupted; what was printed is whole");
  EXPECT_EQ(m_.out.text.back(), '\n');
  stop_after(3);
  expect_interrupted("dump run.tbt --jsonl", "run.tbt: interrupted; what was printed is whole");
  m_.files.block_read = nullptr;
  m_.stop = false;
  for (const std::string& line : lines_of(m_.out.text)) EXPECT_TRUE(Json::accept(line)) << line;
  m_.files.files["part.jsonl"] = m_.out.text;
  EXPECT_EQ(m_("verify part.jsonl"), kExitBadInput) << "it has no end";
  EXPECT_NE(m_.out.text.find("\nverdict         clean"), std::string::npos) << m_.out.text;
}

TEST_F(Interrupted, RunThenASentenceBesideTheSummary) {
  m_.stop = true;
  EXPECT_EQ(m_("run azure-conv -o b.tbt --json -"), kExitInterrupted);
  EXPECT_EQ(m_.err.text, "error: tandem run: interrupted; 0 steps were run and b.tbt holds them\n");
  EXPECT_EQ(Json::parse(m_.out.text)["interrupted"], true);
}

TEST_F(Interrupted, VectorsThenTheNumberOfCases) {
  m_.files.files["v.jsonl"] = "{}\n";
  m_.stop = true;
  EXPECT_EQ(m_("op --vectors v.jsonl"), kExitInterrupted);
  EXPECT_EQ(m_.err.text, "error: v.jsonl: interrupted; 0 cases were run\n");
}

class Robust : public test::Executable {
 protected:
  void expect_one_sentence(const std::string& what) {
    ASSERT_EQ(lines_of(err_).size(), 1U) << err_;
    EXPECT_EQ(err_.rfind("error: ", 0), 0U) << err_;
    EXPECT_NE(err_.find(what), std::string::npos) << err_;
  }
};

TEST_F(Robust, CtrlCWhileDumpWaitsForItsReaderThenWholeLinesAndCode130) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "3000", "-o", "run.tbt"}), 0) << err_;
  for (const char* options : {"", "--jsonl"}) {
    // The pipe is full long before the end, so the signal always comes in the middle.
    EXPECT_EQ(shell(std::string("mkfifo p; $T dump run.tbt ") + options +
                    " > p 2> err & pid=$!; exec 3< p; IFS= read -r -N 10 -u 3 start; "
                    "kill -INT $pid; { printf %s \"$start\"; cat <&3; } > part; rm p; wait $pid"),
              130)
        << err_;
    const std::string part = read_whole(folder_ / "part");
    EXPECT_EQ(part.back(), '\n');
    err_ = read_whole(folder_ / "err");
    expect_one_sentence("run.tbt: interrupted; what was printed is whole to its last line");
    if (*options == '\0') continue;
    for (const std::string& line : lines_of(part)) ASSERT_TRUE(Json::accept(line)) << line;
  }
}

TEST_F(Robust, CtrlCWhileWaitingForBytesOfAPipeThenASentenceAndCode130) {
  for (const char* command : {"verify p", "info p", "run ./p", "op --vectors p"}) {
    // Opening the pipe waits until the program has; then it waits in read().
    EXPECT_EQ(shell(std::string("mkfifo p; $T ") + command +
                    " > out 2> err & pid=$!; exec 3> p; sleep 0.5; kill -INT $pid; wait $pid; "
                    "code=$?; rm p; exit $code"),
              130)
        << command;
    err_ = read_whole(folder_ / "err");
    expect_one_sentence("p: interrupted");
  }
}

TEST_F(Robust, EveryOutputOnAFullDeviceThenOneSentenceAndCode2) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "500", "-o", "run.tbt"}), 0) << err_;
  for (const char* command :
       {"$T run azure-conv --steps 500 --json /dev/full", "$T verify run.tbt --json /dev/full",
        "$T verify run.tbt --junit /dev/full", "$T diff run.tbt run.tbt --json /dev/full",
        "$T explain run.tbt 12 --json /dev/full", "$T dump run.tbt > /dev/full",
        "$T dump run.tbt --jsonl > /dev/full", "$T info run.tbt > /dev/full",
        "$T verify run.tbt > /dev/full", "$T man > /dev/full", "$T completion bash > /dev/full"}) {
    EXPECT_EQ(shell(command), 2) << command;
    expect_one_sentence("no space left on the device");
  }
}

TEST_F(Robust, OneDocumentOnAFullDeviceThenTheOtherIsWritten) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "500", "-o", "run.tbt"}), 0) << err_;
  EXPECT_EQ(run({"verify", "run.tbt", "--json", "/dev/full", "--junit", "v.xml"}), 2);
  EXPECT_NE(read_whole(folder_ / "v.xml").find("</testsuites>"), std::string::npos);
  expect_one_sentence("--json:/dev/full: no space left");
  EXPECT_EQ(run({"verify", "run.tbt", "--json", "v.json", "--junit", "/dev/full"}), 2);
  EXPECT_TRUE(Json::accept(read_whole(folder_ / "v.json")));
}

TEST_F(Robust, LimitOfFileSizeThenNoHalfDocumentAndWholeLines) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "2000", "-o", "run.tbt"}), 0) << err_;
  ChildProcess::Limits limits;
  limits.file_bytes = 100'000;
  EXPECT_EQ(run({"dump", "run.tbt"}, limits), 2);
  EXPECT_EQ(out_.size(), 100'000U) << "what fitted is there";
  expect_one_sentence("standard output: the limit of a file's size reached");
  limits.file_bytes = 1000;
  for (const char* option : {"--json", "--junit"}) {
    EXPECT_EQ(run({"verify", "run.tbt", option, "document"}, limits), 2);
    EXPECT_FALSE(fs::exists(folder_ / "document"));
    EXPECT_FALSE(fs::exists(folder_ / "document.part"));
    EXPECT_NE(err_.find("document.part: the limit of a file's size reached"), std::string::npos)
        << err_;
  }
}

TEST_F(Robust, ReaderGoneThenQuietWithTheCodeOfTheResult) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "2000", "-o", "run.tbt"}), 0) << err_;
  for (const char* command :
       {"$T dump run.tbt | head -n 1", "$T dump run.tbt --jsonl | head -c 5", "$T man | head -n 1",
        "$T plan azure-conv | true", "$T info run.tbt | true", "$T verify run.tbt --json - | true",
        "$T verify run.tbt --junit - | true"}) {
    EXPECT_EQ(shell(std::string(command) + " > /dev/null; exit ${PIPESTATUS[0]}"), 0) << command;
    EXPECT_EQ(err_, "") << command;
  }
  EXPECT_EQ(shell("$T run azure-conv --steps 500 -o whole.tbt | true; exit ${PIPESTATUS[0]}"), 0);
  EXPECT_EQ(run({"verify", "whole.tbt"}), 0) << "a run goes on: its trace is what counts";
  EXPECT_EQ(shell("$T run dnode-short-drafts --policy predict-sum --json - | true; "
                  "exit ${PIPESTATUS[0]}"),
            1);
}

TEST_F(Robust, StandardStreamsClosedThenNoFileTakesTheirPlace) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "500", "-o", "want.tbt"}), 0) << err_;
  for (const char* closed : {">&-", "2>&-", "<&-", ">&- 2>&- <&-"}) {
    fs::remove(folder_ / "run.tbt");
    const bool out_closed = std::string(closed).rfind(">&-", 0) == 0;
    EXPECT_EQ(shell(std::string("$T run azure-conv --steps 500 -o run.tbt ") + closed),
              out_closed ? 2 : 0)
        << closed << err_;
    EXPECT_EQ(read_whole(folder_ / "run.tbt"), read_whole(folder_ / "want.tbt")) << closed;
  }
}

TEST_F(Robust, OutputThatDoesNotBlockThenAllOfItArrives) {
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "2000", "-o", "run.tbt"}), 0) << err_;
  ASSERT_EQ(shell("$T dump run.tbt > want"), 0);
  test::write_whole(folder_ / "slow.py",
                    "import os, subprocess, sys\n"
                    "reader, writer = os.pipe()\n"
                    "os.set_blocking(writer, False)\n"
                    "child = subprocess.Popen(sys.argv[1:], stdout=writer)\n"
                    "os.close(writer)\n"
                    "text = os.fdopen(reader, 'rb').read()\n"
                    "open('got', 'wb').write(text)\n"
                    "sys.exit(child.wait())\n");
  EXPECT_EQ(shell("python3 slow.py $T dump run.tbt"), 0) << err_;
  EXPECT_EQ(read_whole(folder_ / "got"), read_whole(folder_ / "want"));
}

TEST_F(Robust, JunitOfCleanDivergedAndDamagedTracesThenAStrictParserTakesIt) {
  ASSERT_EQ(run({"run", "decode-small", "-o", "clean.tbt"}), 0) << err_;
  ASSERT_EQ(run({"run", "dnode-short-drafts", "--policy", "predict-sum", "-o", "bad.tbt"}), 1);
  ASSERT_EQ(run({"run", "azure-conv", "--steps", "3000", "-o", "a<b>&\"\x01\xFF.tbt"}), 0);
  const std::string damaged = folder_ / "a<b>&\"\x01\xFF.tbt";
  fs::resize_file(damaged, fs::file_size(damaged) / 2);
  EXPECT_EQ(run({"verify", "clean.tbt", "bad.tbt", damaged, "none.tbt", "--junit", "v.xml"}), 1);
  EXPECT_FALSE(fs::exists(folder_ / "v.xml.part"));
  test::write_whole(folder_ / "read.py",
                    "import xml.etree.ElementTree as tree\n"
                    "for suite in tree.parse('v.xml').getroot():\n"
                    "  print(*(suite.get(key) for key in ('failures', 'errors')),\n"
                    "        int(suite.get('tests')) == len(suite.findall('testcase')))\n"
                    "  for case in suite.iter('failure'): print(case.text)\n");
  ASSERT_EQ(shell("python3 read.py"), 0) << err_;
  const std::vector<std::string> lines = lines_of(out_);
  ASSERT_GE(lines.size(), 5U) << out_;
  EXPECT_EQ(lines[0], "0 0 True");
  EXPECT_EQ(lines[1].substr(1), " 0 True");
  EXPECT_NE(out_.find("\ndivergence check="), std::string::npos) << out_;
  EXPECT_EQ(lines[lines.size() - 2], "0 1 True");
  EXPECT_EQ(lines.back(), "0 1 True");
}

}  // namespace
}  // namespace tandem::cli
